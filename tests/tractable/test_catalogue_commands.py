"""`tractable catalogue ...`: from nothing, on a record, with a newer or absent database, and what is found wrong."""

import contextlib
import json
import sqlite3

import pytest


@pytest.fixture
def in_catalogue(tractable, data):
    """The folder of one recorded session that is in the catalogue."""
    assert tractable("catalogue", "rebuild", "--data", data).code == 0
    return data


def do(folder, *statements):
    with contextlib.closing(sqlite3.connect(folder / "catalogue.db", isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


@pytest.mark.parametrize("command", ["list", "audit", "verify"])
def test_without_a_catalogue_it_says_how_to_make_one(tractable, account, command):
    said = tractable("catalogue", command, "--data", account)

    assert (said.code, said.out) == (1, "")
    assert "Make it with: tractable catalogue rebuild" in said.err
    assert not (account / "catalogue.db").exists()


def test_a_rebuild_makes_it_and_a_second_one_changes_nothing(tractable, data):
    first = tractable("catalogue", "rebuild", "--json", "--data", data)
    second = tractable("catalogue", "rebuild", "--json", "--data", data)

    assert json.loads(first.out)["problems"] == []
    assert json.loads(first.out)["changed"] > 0
    assert json.loads(second.out) == {"files": 0, "changed": 0, "problems": []}


def test_sessions_are_found_by_patient_table_and_day(tractable, in_catalogue):
    def asked(*arguments):
        return json.loads(tractable("catalogue", "list", "--json", "--data", in_catalogue, *arguments).out)

    (row,) = asked()

    assert asked("--patient", row["patient"]) == asked("--table", str(row["table_serial"])) == [row]
    assert asked("--since", "2020-01-01") == [row]
    assert asked("--since", "2999-01-01") == asked("--patient", "NOBODY") == []


def test_people_see_the_session_and_who_put_it_there(tractable, in_catalogue):
    listed = tractable("catalogue", "list", "--data", in_catalogue)
    audited = tractable("catalogue", "audit", "--data", in_catalogue)

    assert "whole" in listed.out
    assert "recorder" in audited.out
    assert "upgraded" in audited.out


def test_a_whole_trail_is_said_to_be_and_an_edited_one_is_located(tractable, in_catalogue):
    sound = tractable("catalogue", "verify", "--data", in_catalogue)

    do(in_catalogue, "DROP TRIGGER audit_no_update", "UPDATE audit SET actor = 'nobody' WHERE number = 2")

    edited = tractable("catalogue", "verify", "--json", "--data", in_catalogue)
    assert (sound.code, "is whole" in sound.out) == (0, True)
    assert edited.code == 1
    assert json.loads(edited.out)["findings"][0].startswith("Edited: entry 2 ")


def test_a_session_file_that_went_away_is_found_by_the_trail(tractable, in_catalogue):
    (file,) = in_catalogue.glob("sessions/*/*.tractable")
    file.unlink()

    said = tractable("catalogue", "verify", "--data", in_catalogue)

    assert (said.code, said.out) == (1, f"{file.name}: the file is gone.\n")


def test_the_trail_alone_is_verified_where_that_is_asked_for(tractable, in_catalogue):
    (file,) = in_catalogue.glob("sessions/*/*.tractable")
    file.unlink()

    said = tractable("catalogue", "verify", "--trail", "--data", in_catalogue)

    assert said.code == 0
    assert said.out.endswith("entries).\n")


def test_a_catalogue_of_a_newer_program_is_refused_in_words(tractable, in_catalogue):
    do(in_catalogue, "UPDATE alembic_version SET version_num = '9999'")

    for command in ("upgrade", "rebuild", "list"):
        said = tractable("catalogue", command, "--data", in_catalogue)

        assert (said.code, said.out) == (1, "")
        assert "made by a newer program" in said.err


def test_a_password_in_the_address_is_never_shown(tractable, account, monkeypatch):
    monkeypatch.setenv("TRACTABLE_CATALOGUE_URL", "postgresql://anna:geheim@127.0.0.1:9/catalogue")

    refused = tractable("catalogue", "list", "--data", account)
    shown = tractable("doctor", "--json")

    assert refused.code == 1
    assert "anna:***@127.0.0.1" in refused.err
    assert "geheim" not in refused.err + shown.out


@pytest.mark.parametrize(("url", "expected"), [("mysql://x/y", "not mysql"), ("nonsense", "use sqlite:///FILE")])
def test_an_address_of_something_else_is_refused(tractable, account, monkeypatch, url, expected):
    monkeypatch.setenv("TRACTABLE_CATALOGUE_URL", url)

    assert expected in tractable("catalogue", "list", "--data", account).err


def test_a_key_that_others_may_read_is_refused_and_the_doctor_says_so(tractable, in_catalogue):
    (in_catalogue / "pseudonym.key").chmod(0o644)

    said = tractable("catalogue", "list", "--data", in_catalogue)

    assert said.code == 1
    assert "chmod 600" in said.err
