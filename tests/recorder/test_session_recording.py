"""Recovery of one session's record: a commit of unknown outcome is written once, and a foreign tail is left alone."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from controller.journal import EventRow, SampleRow, SessionHeader
from recorder.block_chain import Rows, StoredRow
from recorder.dose import dose
from recorder.reading import open_session
from recorder.session_file import SessionFile, event_row, sample_row
from recorder.session_recording import CannotRecord, SessionRecording
from recorder.verification import verify

NOW = "2025-03-01T09:30:00.000000Z"


def block(*seqs: int) -> Rows:
    return Rows("rows", NOW, samples=tuple((seq, seq, *(0 for _ in range(13))) for seq in seqs))


def begun(root: Path, header: SessionHeader) -> tuple[SessionRecording, Path]:
    recording = SessionRecording(root, header)
    recording.begin(NOW)
    recording.write(block(1, 2))
    assert recording.path is not None
    return recording, recording.path


def appended_behind_its_back(path: Path, rows: Rows) -> None:
    file = SessionFile.reopen(path)
    file.append(rows)
    file.close()


def seqs(path: Path) -> list[int]:
    with open_session(path) as session:
        found: list[int] = session.samples(["seq"])["seq"].to_pylist()
    return found


def test_a_commit_that_reached_the_disk_although_it_seemed_to_fail_is_not_repeated(
    tmp_path: Path, header: SessionHeader
) -> None:
    recording, path = begun(tmp_path, header)
    appended_behind_its_back(path, block(3))
    recording.abandon()

    recording.write(block(3))
    recording.write(block(4))
    recording.abandon()

    assert seqs(path) == [1, 2, 3, 4]
    assert verify(path).state == "interrupted"


def test_a_file_that_does_not_end_as_it_was_left_is_continued_in_a_second_part(
    tmp_path: Path, header: SessionHeader
) -> None:
    recording, first = begun(tmp_path, header)
    appended_behind_its_back(first, block(99))
    recording.abandon()

    with pytest.raises(CannotRecord, match="The session cannot be recorded"):
        recording.write(block(3))
    recording.write(block(3))
    second = recording.path
    recording.abandon()

    assert seqs(first) == [1, 2, 99]
    assert second == first.with_stem(f"{header.session_id}.part2")
    assert seqs(second) == [3]
    with open_session(second) as session:
        assert session.meta["part"] == 2
        assert session.meta["continues"]["file"] == first.name


@pytest.fixture
def two_parts(
    tmp_path: Path,
    header: SessionHeader,
    make_sample: Callable[[int], SampleRow],
    make_phase: Callable[[int, str, int], EventRow],
) -> tuple[Path, Path]:
    """The disk gave up the first while the force was held; the second goes on with what came 10 s after the first."""
    recording = SessionRecording(tmp_path, header)
    held = Rows("rows", NOW, (), (stored(make_sample(0)),), (event_row(make_phase(1, "holding", 0)),))
    recording.begin(NOW)
    recording.write(held)
    first = recording.path
    assert first is not None
    appended_behind_its_back(first, block(99))
    recording.abandon()
    later = Rows("rows", NOW, (), tuple(stored(make_sample(seq)) for seq in range(3200, 3521)))
    with pytest.raises(CannotRecord):
        recording.write(later)
    recording.write(later)
    recording.write(Rows("closing", NOW))
    recording.finish()
    assert recording.path is not None
    return first, recording.path


def stored(sample: SampleRow) -> StoredRow:
    row = sample_row(sample)
    assert row is not None
    return row


def test_a_second_part_has_its_own_time_and_goes_on_in_the_phase_of_the_first(two_parts: tuple[Path, Path]) -> None:
    with open_session(two_parts[0]) as first, open_session(two_parts[1]) as second:
        assert (second.part, second.started - first.started) == (2, timedelta(seconds=10))
        assert second.phases() == [("holding", second.first_t_us)]
        assert dose(second).time_at_force_s == pytest.approx(1.0)


def test_a_second_part_vouches_for_the_first(two_parts: tuple[Path, Path]) -> None:
    first, second = two_parts
    assert verify(second).state == "whole"

    with closing(sqlite3.connect(first, isolation_level=None)) as connection:
        connection.execute("DROP TRIGGER blocks_no_delete")
        connection.execute("DELETE FROM blocks WHERE number > 0")
    cut_off = verify(second)
    first.unlink()
    gone = verify(second)

    assert (cut_off.state, "does not hold the block" in cut_off.finding) == ("altered", True)
    assert (gone.state, gone.finding) == ("altered", f"{first.name}, from which this part goes on, is gone.")


def test_a_second_part_by_itself_somewhere_else_is_as_it_was_written(
    two_parts: tuple[Path, Path], tmp_path: Path
) -> None:
    copy = tmp_path / "elsewhere" / "2025" / two_parts[1].name
    copy.parent.mkdir(parents=True)
    shutil.copy(two_parts[1], copy)

    found = verify(copy)

    assert (found.state, found.finding.endswith("is gone.")) == ("whole", True)


def test_a_file_that_another_program_holds_is_waited_for(
    tmp_path: Path, header: SessionHeader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recorder.session_file.BUSY_TIMEOUT_S", 0.01)
    recording, path = begun(tmp_path, header)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    recording.abandon()

    with pytest.raises(CannotRecord, match="another program holds the session file"):
        recording.write(block(3))
    other.execute("ROLLBACK")
    other.close()
    recording.write(block(3))
    recording.abandon()

    assert seqs(path) == [1, 2, 3]
