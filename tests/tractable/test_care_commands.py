"""`tractable care ...` and a signature, as a person types them."""

import json

import pytest


@pytest.fixture
def begun(tractable, account):
    """Asks something of the care of a patient whose episode is open."""

    def care(command, *arguments):
        return tractable("care", command, "K7-2F41", *arguments, "--data", account)

    assert care("begin", "--coding", "ICD-10", "--code", "M54.16", "--on", "2026-03-02").code == 0
    return care


def test_what_is_noted_is_shown_to_people_and_to_programs(begun):
    assert begun("score", "odi", "34", "--on", "2026-03-02").out == "ODI 34 of 100 on 2026-03-02.\n"
    assert begun("exercise", "prone press-up").code == 0
    assert begun("done", "prone press-up", "12").code == 0

    shown, told = begun("show").out, json.loads(begun("show", "--json").out)

    assert "open, ICD-10 M54.16" in shown
    assert "34 of 100" in shown
    assert "12 times" in shown
    assert told[0]["reports"][0]["times_done"] == 12


def test_a_patient_is_in_the_catalogue_by_keyed_pseudonym_alone(begun, account):
    begun("score", "NPRS", "4")

    assert b"K7-2F41" not in (account / "catalogue.db").read_bytes()


def test_a_refusal_is_a_sentence_and_exit_code_1(begun):
    said = begun("score", "ODI", "134")

    assert (said.code, said.out) == (1, "")
    assert said.err == "134 is no score of ODI: it goes from 0 to 100.\n"


def test_a_signature_is_in_the_trail_and_the_trail_stays_whole(begun, tractable, account):
    (subject,) = {
        entry["subject"]
        for entry in json.loads(tractable("catalogue", "audit", "--json", "--data", account).out)
        if entry["subject"].startswith("episodes:")
    }

    signed = tractable("catalogue", "sign", subject, "--by", "anna", "--meaning", "reviewed", "--data", account)
    nothing = tractable("catalogue", "sign", "episodes:X", "--by", "anna", "--meaning", "x", "--data", account)

    newest = json.loads(tractable("catalogue", "audit", "--json", "--data", account).out)[-1]
    assert (signed.code, newest["signed_by"], newest["meaning"]) == (0, "anna", "reviewed")
    assert tractable("catalogue", "verify", "--data", account).code == 0
    assert (nothing.code, "has nothing of episodes:X" in nothing.err) == (1, True)
