"""The journal: what is handed over is written in the background, and nothing that the disk does reaches the caller."""

import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

import recorder.journal as journal_module
from controller.journal import EventRow, Journal, SampleRow, SessionHeader, StorageCheck
from recorder.journal import FreeSpace, SessionJournal
from recorder.reading import open_session
from recorder.verification import verify

WITHIN_S = 20.0
MakeSample = Callable[..., SampleRow]
MakePhase = Callable[[int, str, int], EventRow]


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    database = sqlite3.connect(path)
    try:
        return database.execute(query).fetchall()
    finally:
        database.close()


def test_fills_the_protocols_that_the_controller_asks_for(journal: SessionJournal, tmp_path: Path) -> None:
    filled: Journal = journal
    asked: StorageCheck = FreeSpace(tmp_path)

    assert filled.health().failure is None
    assert asked.refusal() is None


def test_every_row_handed_over_is_in_the_file_of_the_session(
    journal: SessionJournal, header: SessionHeader, make_sample: MakeSample, make_phase: MakePhase
) -> None:
    journal.begin(header)
    for seq in range(2500):
        journal.sample(make_sample(seq))
    journal.event(make_phase(1, "holding", 10))
    journal.end()

    assert journal.wait_until_written(WITHIN_S)
    path = journal.ended
    assert path is not None
    assert path.parts[-3:] == ("sessions", "2025", f"{header.session_id}.tractable")
    assert rows(path, "SELECT seq FROM samples ORDER BY row") == [(seq,) for seq in range(2500)]
    assert rows(path, "SELECT number, kind, data FROM events") == [(1, "phase", '{"phase":"holding"}')]
    assert rows(path, "SELECT raw_b, force_b_mn FROM samples WHERE seq = 50") == [(None, None)]
    assert rows(path, "SELECT kind FROM blocks ORDER BY number DESC LIMIT 1") == [("closing",)]
    assert journal.health().waiting_rows == 0
    assert journal.path is None


def test_a_finished_session_is_one_file_that_can_be_copied(finished_session: Path) -> None:
    beside = sorted(path.name for path in finished_session.parent.iterdir())

    assert beside == [finished_session.name]


@pytest.mark.parametrize("table", ["meta", "samples", "events", "blocks"])
@pytest.mark.parametrize("change", ["DELETE FROM {}", "UPDATE {} SET {} = {}"])
def test_the_file_itself_refuses_a_change(finished_session: Path, table: str, change: str) -> None:
    column = "value" if table == "meta" else "rowid"
    database = sqlite3.connect(finished_session)

    with pytest.raises(sqlite3.IntegrityError, match="only ever added to"):
        database.execute(change.format(table, column, column))

    database.close()


def test_meta_takes_nothing_more_once_the_record_has_begun(finished_session: Path) -> None:
    database = sqlite3.connect(finished_session)

    with pytest.raises(sqlite3.IntegrityError, match="meta is sealed"):
        database.execute("INSERT INTO meta VALUES ('note', '1')")

    database.close()


def test_the_schema_names_a_unit_and_a_meaning_for_every_sample_column(finished_session: Path) -> None:
    ((schema,),) = rows(finished_session, "SELECT sql FROM sqlite_master WHERE name = 'samples'")

    assert "force_a_mn INTEGER, -- [mN] calibrated force of channel A" in str(schema)
    ((units,),) = rows(finished_session, "SELECT value FROM meta WHERE key = 'units'")
    assert json.loads(str(units))["velocity_um_s"] == "um/s"


def test_two_sessions_one_after_the_other_get_a_file_each(
    journal: SessionJournal, header: SessionHeader, make_sample: MakeSample
) -> None:
    for number in (1, 2):
        journal.begin(replace(header, session_id=f"S-{number}"))
        for seq in range(number * 10):
            journal.sample(make_sample(seq))
        journal.end()

    assert journal.wait_until_written(WITHIN_S)
    second = journal.ended
    assert second is not None
    assert rows(second, "SELECT count(*) FROM samples") == [(20,)]
    assert rows(second.with_stem("S-1"), "SELECT count(*) FROM samples") == [(10,)]


def test_rows_outside_a_session_are_not_kept(
    journal: SessionJournal, header: SessionHeader, make_sample: MakeSample
) -> None:
    journal.sample(make_sample(1))
    journal.begin(header)
    journal.sample(make_sample(2))
    journal.end()
    journal.sample(make_sample(3))

    assert journal.wait_until_written(WITHIN_S)
    assert journal.ended is not None
    assert rows(journal.ended, "SELECT seq FROM samples") == [(2,)]


def test_a_session_id_that_was_used_before_gets_a_part_of_its_own(
    tmp_path: Path, header: SessionHeader, make_sample: MakeSample
) -> None:
    for seq in (1, 2):
        with SessionJournal(tmp_path) as journal:
            journal.begin(header)
            journal.sample(make_sample(seq))
            journal.end()

    first = tmp_path / "sessions" / "2025" / f"{header.session_id}.tractable"
    assert rows(first, "SELECT seq FROM samples") == [(1,)]
    assert rows(first.with_stem(f"{header.session_id}.part2"), "SELECT seq FROM samples") == [(2,)]


def test_a_row_of_the_wrong_shape_is_counted_and_costs_no_other_row(
    journal: SessionJournal, header: SessionHeader, make_sample: MakeSample
) -> None:
    journal.begin(header)
    journal.sample(make_sample(1))
    journal.sample(make_sample(2, 1.5))
    journal.sample(make_sample(2**63))
    journal.sample(make_sample(3))
    journal.event(EventRow(1, None, "2025-03-01T09:30:00Z", "note", "table", "odd \udc80", {"what": {1, 2}.__iter__}))
    journal.end()

    assert journal.wait_until_written(WITHIN_S)
    assert journal.ended is not None
    assert rows(journal.ended, "SELECT seq FROM samples") == [(1,), (3,)]
    assert rows(journal.ended, "SELECT text FROM events") == [("odd ?",)]
    assert journal.health().dropped_rows == 2


def test_a_session_id_cannot_lead_out_of_the_folder(
    journal: SessionJournal, header: SessionHeader, tmp_path: Path
) -> None:
    journal.begin(replace(header, session_id="../../../etc/passwd", started_utc="../x"))
    journal.end()

    assert journal.wait_until_written(WITHIN_S)
    assert journal.ended == tmp_path / "sessions" / "undated" / "_.._.._etc_passwd.tractable"


def test_rows_wait_in_memory_up_to_the_bound_and_are_written_when_the_folder_can_be_made(
    tmp_path: Path, header: SessionHeader, make_sample: MakeSample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "WAITING_SAMPLES_MAX", 100)
    in_the_way = tmp_path / "data"
    in_the_way.write_text("a file where the folder should be")
    journal = SessionJournal(in_the_way)
    journal.begin(header)
    for seq in range(150):
        journal.sample(make_sample(seq))

    while journal.health().failure is None:
        assert not journal.wait_until_written(0.01)
    before = journal.health()
    in_the_way.unlink()
    journal.end()

    assert before.failure is not None
    assert before.failure.startswith("The session cannot be recorded")
    assert before.waiting_rows == 100
    assert before.dropped_rows == 51
    assert journal.close(WITHIN_S)
    assert journal.health().failure is None
    assert journal.ended is not None
    assert rows(journal.ended, "SELECT count(*), max(seq) FROM samples") == [(99, 98)]


def test_a_file_that_was_taken_away_is_continued_in_a_second_part(
    journal: SessionJournal, header: SessionHeader, make_sample: MakeSample
) -> None:
    journal.begin(header)
    journal.sample(make_sample(1))
    assert journal.wait_until_written(WITHIN_S)
    first = journal.path
    assert first is not None
    first.rename(first.with_name("elsewhere.tractable"))
    journal.sample(make_sample(2))
    journal.end()

    assert journal.wait_until_written(WITHIN_S)
    assert journal.ended == first.with_stem(f"{header.session_id}.part2")
    assert rows(journal.ended, "SELECT seq FROM samples") == [(2,)]
    ((continues,),) = rows(journal.ended, "SELECT value FROM meta WHERE key = 'continues'")
    assert json.loads(str(continues))["file"] == first.name


def test_free_space_says_what_is_missing_and_what_to_do(tmp_path: Path) -> None:
    refusal = FreeSpace(tmp_path / "not" / "there" / "yet", needed_bytes=10**18).refusal()

    assert refusal is not None
    assert "1000000000000 MB are needed" in refusal
    assert "Free some space" in refusal


def test_a_wall_clock_that_jumps_costs_no_row_and_breaks_no_chain(
    tmp_path: Path, header: SessionHeader, make_sample: Callable[[int], SampleRow]
) -> None:
    moments = iter(
        [datetime(2026, 3, 1, tzinfo=UTC), datetime(1970, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC)]
    )
    newest = datetime(2001, 1, 1, tzinfo=UTC)

    with SessionJournal(tmp_path, now_utc=lambda: next(moments, newest)) as journal:
        journal.begin(header)
        for seq in range(5):
            journal.sample(make_sample(seq))
            assert journal.wait_until_written(WITHIN_S)
        journal.end()
        assert journal.wait_until_written(WITHIN_S)
        path = journal.ended

    assert path is not None
    assert verify(path).state == "whole"
    with open_session(path) as session:
        assert session.samples(["seq"])["seq"].to_pylist() == list(range(5))
        assert session.duration_s == pytest.approx(4 * 3125e-6)
