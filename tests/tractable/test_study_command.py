"""`tractable export --study`, as a person types it: each option takes sessions in or leaves them out."""

import csv
import json

import pytest


@pytest.fixture
def study(tractable, data, tmp_path):
    """The rows of the catalogue of a study with these options over one recorded session; None where none is made."""

    def rows(*options):
        folder = tmp_path / f"study-{len(list(tmp_path.glob('study-*')))}"
        said = tractable("export", "--study", "--to", "csv", "--out", folder, "--data", data, *options)
        if said.code:
            assert "Traceback" not in said.err
            return said.err
        with (folder / "catalogue.csv").open(newline="") as file:
            return list(csv.DictReader(file))

    return rows


@pytest.fixture
def summary(tractable, data):
    (listed,) = json.loads(tractable("session", "list", "--json", "--data", data).out)
    return listed


def test_a_study_without_a_filter_holds_every_session(study):
    assert len(study()) == 1


def test_each_option_takes_in_what_fits(study, summary):
    day, serial = summary["started_utc"][:10], str(summary["table"]["serial"])

    taken = study("--since", day, "--until", day, "--table", serial, "--mode", "static", "--dose-at-least", "0 s")

    assert len(taken) == 1


@pytest.mark.parametrize(
    "option",
    [
        ("--since", "2999-01-01"),
        ("--until", "1999-01-01"),
        ("--table", "999999"),
        ("--mode", "cyclic"),
        ("--dose-at-least", "10 min"),
    ],
)
def test_each_option_leaves_out_what_does_not_fit_and_says_that_nothing_is_left(study, option):
    assert "No session" in study(*option)


def test_a_dose_without_a_unit_is_refused(study):
    assert "unit" in study("--dose-at-least", "10")


def test_options_of_a_study_and_names_of_sessions_do_not_go_together(tractable, data, summary):
    named = tractable("export", "--study", summary["id"], "--to", "csv", "--data", data)
    filtered = tractable("export", summary["id"], "--mode", "static", "--to", "csv", "--data", data)

    assert (named.code, filtered.code) == (2, 2)
    assert "leave out the sessions' names" in named.err
    assert "are for --study" in filtered.err
