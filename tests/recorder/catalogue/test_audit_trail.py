"""The audit trail: every change is in it with what was before, it takes no change, and what is forced on it shows."""

import json
import os
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from recorder.catalogue.audit import HEADS_NAME, Head, Signature, noted_heads
from recorder.catalogue.database import opened
from recorder.catalogue.models import AuditEntry, Episode, Exercise, ExerciseReport, OutcomeScore, Patient, User
from recorder.catalogue.store import Catalogue

UNGUARDED = {"sqlite": ("DROP TRIGGER audit_no_update", "DROP TRIGGER audit_no_delete"), "postgresql": (
    "DROP TRIGGER audit_no_change ON audit",
)}  # fmt: skip


def entries(kept: Catalogue) -> list[AuditEntry]:
    with kept.asking() as session:
        return list(session.scalars(sa.select(AuditEntry).order_by(AuditEntry.number)))


def by_force(url: str, *statements: str) -> None:
    """What somebody can do who owns the database and knows it well."""
    with opened(url) as engine, engine.begin() as connection:
        for statement in (*UNGUARDED[engine.dialect.name], *statements):
            connection.exec_driver_sql(statement)


@pytest.fixture
def five_entries(kept: Catalogue) -> Catalogue:
    for role in ("viewer", "clinician", "technician", "researcher", "administrator"):
        kept.keep("root", [User(name="anna", role=role, active=True)])
    return kept


def test_a_change_is_on_record_with_who_what_and_the_value_before(kept: Catalogue) -> None:
    kept.keep("root", [User(name="anna", role="viewer", active=True)])
    kept.keep("berta", [User(name="anna", role="clinician", active=True)])

    added, changed = entries(kept)
    assert (added.actor, added.action, added.subject, added.old) == ("root", "added", "users:anna", None)
    assert (changed.actor, changed.action) == ("berta", "changed")
    assert json.loads(changed.old or "")["role"] == "viewer"
    assert json.loads(changed.new or "")["role"] == "clinician"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", changed.at_utc)
    assert kept.findings() == []


def test_what_is_as_it_was_is_not_written_again(kept: Catalogue) -> None:
    first = kept.keep("root", [User(name="anna", role="viewer", active=True)])
    again = kept.keep("root", [User(name="anna", role="viewer", active=True)])

    assert (first, again, len(entries(kept))) == (1, 0, 1)


def test_a_row_that_is_refused_leaves_no_row_and_no_entry(kept: Catalogue) -> None:
    orphan = Episode(id="E1", patient="P-nobody", began_on="2026-01-05")

    with pytest.raises(sa.exc.IntegrityError):
        kept.keep("anna", [Patient(pseudonym="P1"), orphan])

    with kept.asking() as session:
        assert session.scalars(sa.select(Patient)).all() == []
    assert entries(kept) == []


def test_an_episode_of_care_has_scores_and_a_programme_each_on_record(kept: Catalogue) -> None:
    kept.keep(
        "anna",
        [
            Patient(pseudonym="P1"),
            Episode(id="E1", patient="P1", began_on="2026-01-05", coding="ICD-10", code="M54.16"),
            OutcomeScore(
                id="S1", episode="E1", measured_on="2026-01-05", instrument="ODI", score=42.0, score_max=100.0
            ),
            Exercise(
                id="X1", episode="E1", name="bridge", sets=3, repetitions=10, times_a_week=5, began_on="2026-01-05"
            ),
            ExerciseReport(id="R1", exercise="X1", reported_on="2026-01-12", times_done=4),
        ],
    )

    assert [entry.subject for entry in entries(kept)] == [
        "patients:P1",
        "episodes:E1",
        "outcome_scores:S1",
        "exercises:X1",
        "exercise_reports:R1",
    ]
    with kept.asking() as session:
        assert session.scalars(sa.select(OutcomeScore.score)).one() == 42.0


@pytest.mark.parametrize("statement", ["UPDATE audit SET actor = 'x'", "DELETE FROM audit"])
def test_the_database_itself_refuses_to_change_the_trail(url: str, five_entries: Catalogue, statement: str) -> None:
    with (
        pytest.raises(sa.exc.DBAPIError, match="only ever added to"),
        sa.create_engine(
            url.replace("postgresql:", "postgresql+psycopg:"), poolclass=sa.NullPool
        ).begin() as connection,
    ):
        connection.exec_driver_sql(statement)

    assert len(entries(five_entries)) == 5


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("UPDATE audit SET actor = 'nobody' WHERE number = 3", ["Edited: entry 3"]),
        ("UPDATE audit SET old = NULL WHERE number = 2", ["Edited: entry 2"]),
        ("UPDATE audit SET signed_by = 'x' WHERE number = 2", ["Edited: entry 2", "Not signed by x"]),
        ("DELETE FROM audit WHERE number = 3", ["Deleted: entry 3 "]),
        ("DELETE FROM audit WHERE number IN (1, 2)", ["Deleted: entries 1 to 2 "]),
        ("DELETE FROM audit WHERE number > 3", ["Cut off: entries 4 to 5 "]),
        ("DELETE FROM audit", ["Cut off: entries 1 to 5 "]),
    ],
)
def test_what_was_done_by_force_is_found_and_located(
    url: str, five_entries: Catalogue, statement: str, expected: list[str]
) -> None:
    before = five_entries.findings()

    by_force(url, statement)

    found = five_entries.findings()
    assert before == []
    assert len(found) == len(expected)
    assert all(sentence.startswith(start) for sentence, start in zip(found, expected, strict=True))


def test_a_trail_that_was_written_anew_as_a_whole_does_not_fit_what_was_noted_here(
    url: str, five_entries: Catalogue
) -> None:
    by_force(url, "DELETE FROM audit")
    five_entries.note("forger", "nothing", "to:see")

    found = five_entries.findings()

    assert found[0].startswith("Rewritten: entry 1 ")


def test_an_entry_that_comes_while_the_trail_is_verified_is_not_called_cut_off(
    five_entries: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    def after_another_entry(folder: Path) -> list[Head]:
        five_entries.note("root", "looked", "at:it")
        return noted_heads(folder)

    monkeypatch.setattr("recorder.catalogue.store.noted_heads", after_another_entry)

    assert five_entries.findings() == []


def test_without_the_list_of_heads_a_trail_cut_off_would_not_be_found(
    url: str, five_entries: Catalogue, site: SimpleNamespace
) -> None:
    (site.heads / HEADS_NAME).unlink()

    by_force(url, "DELETE FROM audit WHERE number > 3")

    assert five_entries.findings() == []


def test_a_signature_says_who_and_what_it_means_and_only_the_key_makes_one(url: str, kept: Catalogue) -> None:
    kept.sign("sessions:S1", Signature("anna", "reviewed"), {"last_hash": "ab" * 32})
    (entry,) = entries(kept)

    by_force(url, f"UPDATE audit SET signature = '{os.urandom(32).hex()}'")

    assert (entry.signed_by, entry.meaning, entry.actor) == ("anna", "reviewed", "anna")
    assert any("Not signed by anna" in sentence for sentence in kept.findings())
    assert not any("Not signed" in sentence for sentence in kept.findings(with_signatures=False))
