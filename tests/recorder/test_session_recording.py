"""Recovery of one session's record: a commit of unknown outcome is written once, and a foreign tail is left alone."""

import sqlite3
from pathlib import Path

import pytest

from controller.journal import SessionHeader
from recorder.block_chain import Rows
from recorder.reading import open_session
from recorder.session_file import SessionFile
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
