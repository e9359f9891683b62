"""What the journal does on a disk that refuses, forgets or hangs: told at once, nothing taken is lost, nobody waits."""

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from controller.journal import JournalHealth, SampleRow, SessionHeader
from proof.disk.failing_disk import FailingDisk, failing_disk
from recorder.block_chain import Rows
from recorder.journal import FreeSpace, SessionJournal
from recorder.reading import open_session
from recorder.session_recording import CannotRecord, SessionRecording
from recorder.verification import verify

NOW = "2025-03-01T09:30:00.000000Z"
WITHIN_S = 20.0


@pytest.fixture
def disk() -> Iterator[FailingDisk]:
    with failing_disk() as disk:
        yield disk


def block(*seqs: int) -> Rows:
    return Rows("rows", NOW, samples=tuple((seq, seq, *(0 for _ in range(13))) for seq in seqs))


def seqs(path: Path) -> list[int]:
    with open_session(path) as session:
        found: list[int] = session.samples(["seq"])["seq"].to_pylist()
    return found


def wait_for(journal: SessionJournal, told: Callable[[JournalHealth], bool]) -> JournalHealth:
    waiting = threading.Event()
    for _ in range(round(WITHIN_S / 0.01)):
        if told(health := journal.health()):
            return health
        waiting.wait(0.01)
    raise AssertionError(journal.health())


def test_a_file_whose_flush_failed_is_given_up_and_its_rows_are_written_anew(
    tmp_path: Path, header: SessionHeader, disk: FailingDisk
) -> None:
    recording = SessionRecording(tmp_path, header)
    recording.write(block(1, 2))
    first = recording.path

    disk.fails_at(1, "sync")
    with pytest.raises(CannotRecord):
        recording.write(block(3))
    recording.write(block(3))
    recording.abandon()

    assert recording.path != first
    assert recording.path is not None
    assert seqs(recording.path) == [3]
    assert not any(call.path.name.startswith(f"{first}-wal") for call in disk.calls if call.kind == "write")


def test_a_write_that_failed_is_made_again_in_the_same_file(
    tmp_path: Path, header: SessionHeader, disk: FailingDisk
) -> None:
    recording = SessionRecording(tmp_path, header)
    recording.write(block(1, 2))
    first = recording.path

    disk.fails_at(1, "write")
    with pytest.raises(CannotRecord):
        recording.write(block(3))
    recording.write(block(3))
    recording.abandon()

    assert recording.path == first
    assert first is not None
    assert seqs(first) == [1, 2, 3]


def test_a_disk_that_hangs_is_told_and_the_rows_that_waited_are_written_when_it_goes_on(
    tmp_path: Path, header: SessionHeader, make_sample: Callable[[int], SampleRow], disk: FailingDisk
) -> None:
    with SessionJournal(tmp_path) as journal:
        journal.begin(header)
        assert journal.wait_until_written(WITHIN_S)
        goes_on = disk.hangs()
        for seq in range(100):
            journal.sample(make_sample(seq))
        told = wait_for(journal, lambda health: health.failure is not None)
        goes_on.set()
        disk.heals()
        journal.end()
        assert journal.wait_until_written(WITHIN_S)
        after, path = journal.health(), journal.ended

    assert "does not answer" in str(told.failure)
    assert told.waiting_rows == 100
    assert after == JournalHealth(0, 0, None)
    assert path is not None
    assert verify(path).state == "whole"
    assert seqs(path) == list(range(100))


def test_a_folder_that_takes_nothing_is_told_before_a_session_and_is_over_when_it_does(tmp_path: Path) -> None:
    (tmp_path / "sessions").touch()  # in the place of the folder: as root, no mode would keep us out
    with SessionJournal(tmp_path) as journal:
        told = wait_for(journal, lambda health: health.failure is not None)
        (tmp_path / "sessions").unlink()
        after = wait_for(journal, lambda health: health.failure is None)

    assert "cannot be written to" in str(told.failure)
    assert after == JournalHealth(0, 0, None)


def test_who_asks_for_free_space_does_not_wait_for_a_disk_that_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on, sound = threading.Event(), shutil.disk_usage

    def hangs(path: Path) -> object:
        assert goes_on.wait(WITHIN_S)
        return sound(path)

    monkeypatch.setattr(shutil, "disk_usage", hangs)
    space = FreeSpace(tmp_path, needed_bytes=1)

    while_it_hangs = [space.refusal(), space.refusal()]
    asking = space._asking
    goes_on.set()
    assert asking is not None
    asking.join(WITHIN_S)

    assert all("does not answer" in str(sentence) for sentence in while_it_hangs)
    assert space.refusal() is None


def test_a_session_id_as_long_as_a_page_has_a_file_all_the_same(
    tmp_path: Path, header: SessionHeader, make_sample: Callable[[int], SampleRow]
) -> None:
    longest = SessionHeader("x" * 4096, *(getattr(header, name) for name in header.__slots__[1:]))

    with SessionJournal(tmp_path) as journal:
        journal.begin(longest)
        journal.sample(make_sample(1))
        journal.end()

    assert journal.ended is not None
    assert verify(journal.ended).state == "whole"
