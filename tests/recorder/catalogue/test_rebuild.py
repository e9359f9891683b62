"""The catalogue is made from the session files alone, names nobody, and stays the same when it is made again."""

import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from controller.journal import SampleRow, SessionHeader
from recorder.catalogue.models import AuditEntry, Calibration, Patient, Prescription, SessionSummary, Table, User
from recorder.catalogue.rebuild import GONE, altered, rebuild
from recorder.catalogue.store import Catalogue
from recorder.journal import SessionJournal
from recorder.pseudonym import PATIENT, keyed
from recorder.reading import open_session

Record = Callable[..., Path]
WITHIN_S = 20.0


@pytest.fixture
def two_sessions(record: Record, header: SessionHeader, make_sample: Callable[..., SampleRow]) -> list[Path]:
    """Of one patient, with the same prescription and calibration."""
    samples = [make_sample(seq) for seq in range(200)]
    prescribed = header.prescription | {"by": "Dr. Written Byhand", "written": {"patient": "Written Byhand"}}
    named = replace(header, prescription=prescribed, table={"serial": 4_294_967_295, "model": "T"})
    return [record(samples, [], replace(named, session_id=f"S{number}")) for number in (1, 2)]


def all_rows(kept: Catalogue, table: type[Table]) -> list[dict[str, object]]:
    with kept.asking() as session:
        return [row.values() for row in session.scalars(sa.select(table))]


def edit(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    for (guard,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {guard}")
    connection.execute(statement)
    connection.close()


def test_every_session_is_a_row_with_its_patient_prescription_and_calibration(
    kept: Catalogue, site: SimpleNamespace, two_sessions: list[Path]
) -> None:
    done = rebuild(kept, site.records, site.key)

    assert (done.files, done.problems) == (2, [])
    rows = all_rows(kept, SessionSummary)
    assert [row["id"] for row in rows] == ["S1", "S2"]
    assert {row["state"] for row in rows} == {"whole"}
    assert [row["samples"] for row in rows] == [200, 200]
    assert rows[0]["table_serial"] == 4_294_967_295
    assert len(all_rows(kept, Patient)) == len(all_rows(kept, Prescription)) == len(all_rows(kept, Calibration)) == 1


def test_making_it_again_changes_nothing(kept: Catalogue, site: SimpleNamespace, two_sessions: list[Path]) -> None:
    rebuild(kept, site.records, site.key)
    before = all_rows(kept, AuditEntry)

    again = rebuild(kept, site.records, site.key)

    assert again.changed == 0
    assert all_rows(kept, AuditEntry) == before


def test_what_was_lost_comes_back_from_the_session_files(
    kept: Catalogue, site: SimpleNamespace, two_sessions: list[Path], url: str
) -> None:
    rebuild(kept, site.records, site.key)
    tables = (SessionSummary, Prescription, Calibration, Patient)
    before = [all_rows(kept, table) for table in tables]
    with kept._engine.begin() as connection:
        for table in tables:
            connection.execute(sa.delete(table))

    rebuild(kept, site.records, site.key)

    assert [all_rows(kept, table) for table in tables] == before


def test_the_head_of_each_ended_session_is_in_the_audit_trail(
    kept: Catalogue, site: SimpleNamespace, two_sessions: list[Path]
) -> None:
    rebuild(kept, site.records, site.key)

    noted = {
        row["subject"]: json.loads(str(row["new"]))["last_hash"]
        for row in all_rows(kept, AuditEntry)
        if str(row["subject"]).startswith("sessions:")
    }
    for path in two_sessions:
        with open_session(path) as session:
            assert noted[f"sessions:{path.stem}"] == session.last_hash


def test_a_patient_goes_by_a_keyed_pseudonym_and_what_was_written_by_hand_stays_out(
    kept: Catalogue, site: SimpleNamespace, two_sessions: list[Path]
) -> None:
    rebuild(kept, site.records, site.key)

    (patient,) = all_rows(kept, Patient)
    everything = json.dumps([all_rows(kept, table) for table in (SessionSummary, Patient, Prescription, AuditEntry)])
    assert patient["pseudonym"] == keyed(site.key, PATIENT, "K7-2F41")
    assert "K7-2F41" not in everything
    assert '"written"' not in everything


def test_a_file_that_cannot_be_read_is_named_and_keeps_no_other_out(
    kept: Catalogue, site: SimpleNamespace, two_sessions: list[Path]
) -> None:
    two_sessions[0].write_bytes(b"no session")

    done = rebuild(kept, site.records, site.key)

    assert [problem.split(":")[0] for problem in done.problems] == ["S1.tractable"]
    assert [row["id"] for row in all_rows(kept, SessionSummary)] == ["S2"]


def test_a_file_that_went_away_is_called_gone_and_its_row_stays(
    kept: Catalogue, site: SimpleNamespace, two_sessions: list[Path]
) -> None:
    rebuild(kept, site.records, site.key)
    two_sessions[0].unlink()

    rebuild(kept, site.records, site.key)

    assert {row["id"]: row["state"] for row in all_rows(kept, SessionSummary)} == {"S1": GONE, "S2": "whole"}
    assert altered(kept, site.records) == ["S1.tractable: the file is gone."]


def test_a_session_that_was_listed_while_it_ran_is_listed_anew_when_it_has_ended(
    kept: Catalogue, site: SimpleNamespace, header: SessionHeader, make_sample: Callable[..., SampleRow]
) -> None:
    with SessionJournal(site.records) as journal:
        journal.begin(header)
        journal.sample(make_sample(1))
        assert journal.wait_until_written(WITHIN_S)
        rebuild(kept, site.records, site.key)
        (first,) = all_rows(kept, SessionSummary)
        journal.sample(make_sample(2))
        journal.end()
        assert journal.wait_until_written(WITHIN_S)
    rebuild(kept, site.records, site.key)
    (second,) = all_rows(kept, SessionSummary)

    assert (first["state"], first["samples"], first["ended_utc"]) == ("interrupted", 1, None)
    assert (second["state"], second["samples"]) == ("whole", 2)
    assert altered(kept, site.records) == []


def test_a_session_file_that_was_rewritten_does_not_fit_the_audit_trail(
    kept: Catalogue, site: SimpleNamespace, two_sessions: list[Path]
) -> None:
    rebuild(kept, site.records, site.key)
    edit(two_sessions[1], "DELETE FROM blocks WHERE number = (SELECT max(number) FROM blocks)")
    rebuild(kept, site.records, site.key)

    assert [found.split(":")[0] for found in altered(kept, site.records)] == ["S2.tractable"]


def test_a_sample_that_was_edited_in_the_middle_is_found_although_the_end_fits(
    kept: Catalogue, site: SimpleNamespace, two_sessions: list[Path]
) -> None:
    rebuild(kept, site.records, site.key)

    edit(two_sessions[0], "UPDATE samples SET force_a_mn = 1 WHERE row = 50")

    assert [found.split(":")[0] for found in altered(kept, site.records)] == ["S1.tractable"]


def test_an_interrupted_session_is_missed_when_its_file_goes_away(
    kept: Catalogue, site: SimpleNamespace, record: Record, header: SessionHeader, make_sample: Callable[..., SampleRow]
) -> None:
    record([make_sample(1)], [], replace(header, session_id="S1"))
    interrupted = record([make_sample(1)], [], replace(header, session_id="S2"), ended=False)
    rebuild(kept, site.records, site.key)
    before = altered(kept, site.records)

    interrupted.unlink()

    assert before == []
    assert altered(kept, site.records) == ["S2.tractable: the file is gone."]


@pytest.mark.parametrize("own_sessions", [0, 1])
def test_a_table_on_another_computer_does_not_miss_the_sessions_of_this_one(
    kept: Catalogue,
    site: SimpleNamespace,
    two_sessions: list[Path],
    header: SessionHeader,
    tmp_path: Path,
    own_sessions: int,
) -> None:
    rebuild(kept, site.records, site.key)
    other = tmp_path / "another computer"
    for number in range(own_sessions):
        with SessionJournal(other) as journal:
            journal.begin(replace(header, session_id=f"B{number}", table={"serial": 7, "model": "T"}))
            journal.end()

    rebuild(kept, other, site.key)

    rows = all_rows(kept, SessionSummary)
    assert (len(rows), {row["state"] for row in rows}) == (2 + own_sessions, {"whole"})
    assert altered(kept, other) == []


def test_users_are_not_touched_by_a_rebuild(kept: Catalogue, site: SimpleNamespace, two_sessions: list[Path]) -> None:
    kept.keep("root", [User(name="anna", role="clinician", active=True)])

    rebuild(kept, site.records, site.key)

    assert [row["name"] for row in all_rows(kept, User)] == ["anna"]
