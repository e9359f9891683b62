"""The proof of the record can fail: each defect that is planted in the recorder is found by its prover."""

import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from proof.bench import Bench
from proof.catalogue import load_catalogue
from proof.disk import recording
from proof.disk.altered import cut_the_tail, edit_a_row, every_byte_verdicts, flip_a_byte, overwrite_a_page
from proof.disk.disks import may_freeze, may_mount
from proof.disk.failing_disk import failing_disk
from proof.disk.faults import PROVERS
from proof.record import written
from proof.verdict import Verdict
from recorder import record_check, session_file, session_recording
from recorder.export.model import ExportedSession
from recorder.record_check import finding
from recorder.session_file import SessionFile
from recorder.session_recording import SessionRecording

CHANGES = (flip_a_byte, overwrite_a_page, edit_a_row, cut_the_tail)


@pytest.fixture(scope="module")
def bench() -> Bench:
    return recording.bench_of("HOLD", "nominal", 1)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short sessions: a sweep writes one for every call."""
    monkeypatch.setattr(recording, "BLOCKS", 4)
    monkeypatch.setattr(recording, "LONG_BLOCKS", 6)


def failed(verdicts: Iterator[Verdict]) -> list[str]:
    return [verdict.asked for verdict in verdicts if not verdict.held]


@pytest.mark.usefixtures("few")
def test_a_sound_recorder_survives_every_call_that_fails_and_every_power_cut(bench: Bench) -> None:
    assert failed(recording.cut_verdicts(bench, 1)) == []
    assert failed(recording.sync_verdicts(bench)) == []
    assert failed(recording.sweep_verdicts(bench, recording.CHANGES)) == []


@pytest.mark.usefixtures("few")
def test_a_recorder_that_does_not_wait_for_the_disk_is_found(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = session_file._connect

    def hasty(path: Path) -> object:
        connection = sound(path)
        connection.execute("PRAGMA synchronous = OFF")
        return connection

    monkeypatch.setattr(session_file, "_connect", hasty)

    assert "cuts that lost a row that was certain" in failed(recording.cut_verdicts(bench, 1))


@pytest.mark.usefixtures("few")
def test_a_recorder_that_trusts_a_second_flush_is_found(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_recording, "sync_failed", lambda _error: False)

    assert failed(recording.sync_verdicts(bench)) == ["cuts that lost a row because of a sync tried again: 3 in a row"]


@pytest.mark.usefixtures("few")
def test_a_recorder_that_drops_what_was_refused_is_found(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = SessionFile.append

    def forgetful(self: SessionFile, rows: object) -> None:
        try:
            sound(self, rows)
        except sqlite3.Error:
            self.close()

    monkeypatch.setattr(SessionFile, "append", forgetful)

    found = failed(recording.sweep_verdicts(bench, ("write",)))

    assert "sessions that lost a row: write, 1 in a row" in found
    assert "refusals that were not told: write, 1 in a row" in found


@pytest.mark.usefixtures("few")
def test_a_recorder_that_writes_a_block_twice_is_found(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = SessionRecording.write

    def twice(self: SessionRecording, rows: object) -> None:
        sound(self, rows)
        if rows.kind == "rows":
            sound(self, rows)

    monkeypatch.setattr(SessionRecording, "write", twice)

    assert "cuts after which the record is not a beginning without holes" in failed(recording.cut_verdicts(bench, 1))


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_each_way_of_altering_a_record_is_found_and_named(bench: Bench, tmp_path: Path, change) -> None:
    path = written(bench, tmp_path)
    sound = finding(path)

    named = change(path, random.Random(1))

    assert sound is None
    assert named in str(finding(path))


def test_without_the_list_of_ended_records_a_tail_cut_off_would_not_be_found(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(bench, tmp_path)
    (tmp_path / "sessions" / "ended.jsonl").unlink()

    cut_the_tail(path, random.Random(1))

    assert finding(path) is None


def test_a_check_that_overlooks_bytes_outside_the_blocks_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recorder.verification.sha256_of", lambda path: record_check.as_ended(path).sha256)

    assert failed(every_byte_verdicts(1)) != []


def test_an_export_that_holds_what_was_written_by_hand_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    fault = load_catalogue()["SX15"]
    sound = failed(PROVERS["SX15"](fault, "IDLE", "nominal", 1))

    header = ExportedSession.header.func
    monkeypatch.setattr(ExportedSession, "header", property(lambda each: {**header(each), "all": each.session.meta}))

    assert sound == []
    (asked,) = failed(PROVERS["SX15"](fault, "IDLE", "nominal", 1))
    assert asked.endswith("that hold the name")


def test_the_tables_program_finds_an_edited_record_at_its_start_and_at_a_sessions_end() -> None:
    assert failed(PROVERS["SX10"](load_catalogue()["SX10"], "IDLE", "nominal", 1)) == []


def test_the_failing_disk_is_gone_when_its_block_ends(tmp_path: Path, bench: Bench) -> None:
    with failing_disk() as disk:
        disk.broken("write", "sync", "open")
    calls = len(disk.calls)

    path = written(bench, tmp_path)

    assert finding(path) is None
    assert len(disk.calls) == calls


def test_whether_disks_may_be_mounted_is_found_out_by_trying() -> None:
    assert may_mount() in (True, False)
    assert may_mount() or not may_freeze()
