"""What the record survives: the writing process killed at any moment, a disk that is full, a disk that fails."""

import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from controller.journal import SampleRow, SessionHeader
from recorder.journal import FreeSpace, SessionJournal
from recorder.reading import open_session
from recorder.record_check import was_never_begun
from recorder.verification import verify

WRITER = Path(__file__).with_name("writing_process.py")
WITHIN_S = 20.0
LOST_MS_MAX = 250
# Each at another moment, the first before there is a file. A night can have more: KILLS=1000 pytest ...
KILLS = int(os.environ.get("KILLS", "50"))
ROWS_MAX = 300
SMALL_DISK_BYTES = 4 * 1024 * 1024


def said_before_kill(folder: Path, rows: int) -> tuple[list[list[int]], int]:
    """Runs a writer, kills it once it has handed over that many rows; the lines that it said, and when it died."""
    with subprocess.Popen([sys.executable, WRITER, folder, "paced"], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        lines = [writer.stdout.readline() for _ in range(rows)]
        writer.kill()
        killed_ns = time.monotonic_ns()
        lines += writer.stdout.read().splitlines()
    return [[int(word) for word in line.split()] for line in lines[:-1]], killed_ns


def seqs(path: Path) -> list[int]:
    with open_session(path) as session:
        found: list[int] = session.samples(["seq"])["seq"].to_pylist()
    return found


@pytest.mark.parametrize("seed", range(KILLS))
def test_a_writer_that_is_killed_leaves_a_beginning_without_holes_that_verifies(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    rows = chance.randrange(0, ROWS_MAX) if seed % 2 else chance.randrange(0, 40)

    said, killed_ns = said_before_kill(tmp_path, rows)

    paths = [path for path in (tmp_path / "sessions").rglob("*.tractable") if not was_never_begun(path)]
    assert [verify(path).state for path in paths] == ["interrupted"] * len(paths)
    kept = [seq for path in paths for seq in seqs(path)]
    slowest_commit_ms = max((ms for *_, ms in said), default=0)
    due_ns = killed_ns - (LOST_MS_MAX + slowest_commit_ms) * 1_000_000
    assert kept == list(range(len(kept)))
    assert len(kept) >= max((written for _seq, _at, written, _ms in said), default=0)
    assert len(kept) >= sum(at_ns < due_ns for _seq, at_ns, _written, _ms in said)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real disk of 4 MB, where this user may mount one."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK_BYTES}", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False, timeout=10).returncode != 0:
        pytest.skip("only root may mount a small disk")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True, timeout=10)


def test_a_full_disk_is_said_in_a_sentence_and_the_rows_are_written_once_there_is_room(
    small_disk: Path, header: SessionHeader, make_sample: Callable[[int], SampleRow]
) -> None:
    filler = small_disk / "filler"
    filler.write_bytes(bytes(SMALL_DISK_BYTES - 200 * 1024))
    with SessionJournal(small_disk) as journal:
        journal.begin(header)
        assert journal.wait_until_written(WITHIN_S)
        for seq in range(5000):
            journal.sample(make_sample(seq))
        while journal.health().failure is None:
            assert not journal.wait_until_written(0.01)
        full = journal.health()
        asked = FreeSpace(small_disk).refusal()
        filler.unlink()
        journal.end()
        assert journal.wait_until_written(WITHIN_S)
        after, path = journal.health(), journal.ended

    assert full.failure == (
        f"The session cannot be recorded: the disk that holds {small_disk} is full. Free some space there."
    )
    assert full.waiting_rows > 0
    assert asked is not None
    assert (after.failure, after.waiting_rows, after.dropped_rows) == (None, 0, 0)
    assert path is not None
    assert verify(path).state == "whole"
    with open_session(path) as session:
        assert session.samples(["seq"])["seq"].to_pylist() == list(range(5000))


def test_a_session_that_begins_on_a_full_disk_is_recorded_from_its_first_row_once_there_is_room(
    small_disk: Path, header: SessionHeader, make_sample: Callable[[int], SampleRow]
) -> None:
    filler = small_disk / "filler"
    filler.write_bytes(bytes(shutil.disk_usage(small_disk).free))
    with SessionJournal(small_disk) as journal:
        journal.begin(header)
        journal.sample(make_sample(1))
        while journal.health().failure is None:
            assert not journal.wait_until_written(0.01)
        filler.unlink()
        journal.end()
        assert journal.wait_until_written(WITHIN_S)
        path = journal.ended

    assert path is not None
    assert [file.name for file in path.parent.iterdir()] == [f"{header.session_id}.tractable"]
    assert verify(path).state == "whole"


def test_a_file_that_takes_no_more_is_continued_and_no_row_is_lost(tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, WRITER, tmp_path, "limited", "100000"], capture_output=True, text=True, check=True, timeout=60
    )

    failure, waited, dropped, after = answer.stdout.splitlines()
    assert failure.startswith("The session cannot be recorded: the disk that holds")
    assert (waited, dropped) == ("True", "0")
    assert after == "JournalHealth(waiting_rows=0, dropped_rows=0, failure=None)"
    parts = sorted((tmp_path / "sessions").rglob("*.tractable"))
    kept: list[int] = []
    for path in parts:
        with open_session(path) as session:
            kept += session.samples(["seq"])["seq"].to_pylist()
    assert kept == list(range(20_000))
    assert verify(parts[-1]).state == "whole"
