"""`tractable session list|show|verify` and `tractable export`, on nothing, on a record, and on what was damaged."""

import contextlib
import json
import random
import sqlite3
from pathlib import Path

import pytest

from tractable.exit_codes import Exit
from tractable.records import list_all, show, verify_one
from tractable.settings import load_settings

ASKING = {"show": ["session", "show"], "verify": ["session", "verify"], "export": ["export", "--to", "csv"]}


@pytest.fixture
def session_file(data) -> Path:
    (found,) = data.glob("sessions/*/*.tractable")
    return found


def edit(path: Path, statement: str) -> None:
    """What somebody can do who knows SQLite, and takes away what guards the file against it."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for (guard,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {guard}")
        connection.execute(statement)


def test_an_empty_folder_says_how_to_get_a_first_record(tractable, account):
    said = tractable("session", "list", "--data", account)

    assert said.code == 0
    assert said.out.startswith(f"No sessions in {account} yet.")
    assert "tractable session run" in said.out


def test_an_empty_folder_is_an_empty_list_for_programs(tractable, account):
    assert json.loads(tractable("session", "list", "--json", "--data", account).out) == []


@pytest.mark.parametrize("asked", ASKING)
def test_in_an_empty_folder_there_is_no_session_to_ask_for(tractable, account, asked):
    said = tractable(*ASKING[asked], "20260101", "--data", account)

    assert (said.code, said.out) == (1, "")
    assert said.err == f"There is no session in {account}.\n"


@pytest.mark.parametrize("asked", ASKING)
def test_an_unknown_session_is_refused_with_the_nearest_named(tractable, recorded, session_id, asked):
    said = tractable(*ASKING[asked], "20260102", "--data", recorded)

    assert (said.code, said.out) == (1, "")
    assert said.err == f"There is no session 20260102 in {recorded}. The nearest are: {session_id}.\n"


def test_a_record_is_listed_shown_and_verified_by_the_beginning_of_its_id(tractable, recorded, session_id):
    listed = tractable("session", "list", "--data", recorded)
    shown = tractable("session", "show", "2026", "--data", recorded)
    verified = tractable("session", "verify", "2026", "--data", recorded)

    assert (listed.code, shown.code, verified.code) == (0, 0, 0)
    assert session_id in listed.out
    assert "simulated" in listed.out
    assert "  Force                   100 N (10.2 kgf, 22.5 lbf)" in shown.out
    assert "Letting go: stopped by clinician" in shown.out
    assert "The record is whole" in verified.out


def test_programs_get_the_same_as_json(tractable, recorded, session_id):
    listed = json.loads(tractable("session", "list", "--json", "--data", recorded).out)
    shown = json.loads(tractable("session", "show", "--json", session_id, "--data", recorded).out)
    verified = json.loads(tractable("session", "verify", "--json", session_id, "--data", recorded).out)

    assert [each["id"] for each in listed] == [session_id] == [shown["session_id"]]
    assert listed[0]["samples"] == shown["samples"] == verified["samples"] > 1000
    assert shown["simulated"] is True
    assert verified["state"] == "whole"


def test_an_export_names_every_file_that_it_wrote_and_replaces_none_unasked(tractable, recorded, session_id, account):
    command = ["export", session_id, "--to", "csv", "--to", "parquet", "--folder", "out", "--data", recorded]

    first, again, asked = tractable(*command), tractable(*command), tractable(*command, "--overwrite")

    written = first.out.splitlines()
    assert (first.code, again.code, asked.code) == (0, 1, 0)
    assert written
    assert all((account / path).is_file() for path in written)
    assert "ask to overwrite" in again.err


def test_an_unknown_format_is_refused_with_those_that_there_are(tractable, recorded, session_id, account):
    said = tractable("export", session_id, "--to", "xml", "--data", recorded)

    assert said.code == 1
    assert "xml" in said.err
    assert "csv, parquet" in said.err
    assert not (account / "exports").exists()


def test_an_export_goes_on_after_a_session_that_it_cannot_find(tractable, recorded, session_id):
    said = tractable("export", "nonsense", session_id, "--to", "csv", "--data", recorded)

    assert said.code == 1
    assert "There is no session nonsense" in said.err
    assert f"{session_id}.samples.csv" in said.out


@pytest.mark.parametrize("asked", ASKING)
def test_a_file_that_is_no_session_is_refused_by_name(tractable, account, asked):
    (account / "letter.tractable").write_text("Dear colleague")

    said = tractable(*ASKING[asked], "letter.tractable")

    assert (said.code, said.out) == (1, "")
    assert "letter.tractable is not a session file" in said.err


def test_a_list_names_a_file_that_it_cannot_read_beside_the_others(tractable, data, session_id):
    (data / "sessions" / "2026" / "broken[1].tractable").write_text("Dear colleague")

    said = tractable("session", "list", "--data", data)

    assert said.code == 0
    assert session_id in said.out
    assert "broken[1]" in said.out
    assert "is not a session file" in " ".join(said.out.split())


def test_an_altered_record_is_shown_to_be_so_by_exit_1(tractable, data, session_file, session_id):
    edit(session_file, "UPDATE samples SET force_a_mn = 0 WHERE row = 700")

    said = tractable("session", "verify", session_id, "--data", data)

    assert said.code == 1
    assert "Something was edited in block" in said.out


@pytest.mark.parametrize("asked", ASKING)
def test_half_a_file_is_refused_in_words(tractable, data, session_file, session_id, asked):
    content = session_file.read_bytes()
    session_file.write_bytes(content[: len(content) // 2])

    said = tractable(*ASKING[asked], session_id, "--data", data)

    assert said.code == 1
    assert "damaged" in said.err + said.out
    assert len(said.err.splitlines()) <= 1


@pytest.mark.parametrize("seed", range(20))
def test_wherever_a_record_is_damaged_the_commands_answer(account, data, session_file, session_id, capsys, seed):
    chance = random.Random(seed)
    content = bytearray(session_file.read_bytes())
    at = chance.randrange(len(content))
    content[at : at + 200] = chance.randbytes(min(200, len(content) - at))
    session_file.write_bytes(content)
    settings = load_settings(data_folder=data)

    asked = (show, verify_one)
    codes = [list_all(settings, False), *(ask(settings, session_id, as_json) for ask in asked for as_json in (0, 1))]

    assert set(codes) <= {Exit.DONE, Exit.REFUSED}
    assert capsys.readouterr().out


def test_a_record_whose_prescription_this_version_cannot_read_is_shown_without_it(tractable, data, session_file):
    edit(session_file, "UPDATE meta SET value = '{\"mode\": \"unheard of\"}' WHERE key = 'prescription'")

    said = tractable("session", "show", session_file)

    assert said.code == 0
    assert "  Mode                    unheard of" in said.out
    assert "  Force                   not on record" in said.out


def test_a_session_is_reported_as_receipt_note_page_and_json(tractable, data, session_id, tmp_path):
    page = tmp_path / "report.pdf"

    receipt = tractable("session", "report", session_id, "--data", data)
    note = tractable("session", "report", session_id, "--note", "--data", data)
    written = tractable("session", "report", session_id, "--pdf", page, "--data", data)
    told = json.loads(tractable("session", "report", session_id, "--json", "--data", data).out)

    assert "How it ended            stopped by clinician" in receipt.out
    assert "Patient K7-2F41, lying on the back" in note.out
    assert written.out == f"{page}\n"
    assert page.read_bytes().startswith(b"%PDF-")
    assert told["session_id"] == session_id


def test_a_report_that_cannot_be_made_says_why(tractable, data, session_id, tmp_path):
    nowhere = tractable("session", "report", session_id, "--pdf", tmp_path / "gone" / "r.pdf", "--data", data)
    nobody = tractable("session", "report", "19990101", "--data", data)

    assert (nowhere.code, nobody.code) == (1, 1)
    assert "cannot be written" in nowhere.err
    assert "There is no session 19990101" in nobody.err


def test_an_edited_record_is_recovered_to_a_new_file_that_verifies(tractable, data, session_file, tmp_path):
    edit(session_file, "UPDATE samples SET force_a_mn = 1 WHERE row = 1")
    out = tmp_path / "new.tractable"

    refused = tractable("session", "verify", session_file, "--data", data)
    recovered = tractable("session", "verify", session_file, "--recover", out, "--data", data)

    assert "--recover" in refused.out
    assert recovered.code == 0
    assert "Left out: block" in recovered.out
    assert tractable("session", "verify", out, "--data", data).code == 0
    again = tractable("session", "verify", session_file, "--recover", out, "--data", data)
    assert (again.code, again.err) == (1, f"{out} is there already. Name a file that is not.\n")
