"""Episodes of care on both databases: one open at a time, what is noted belongs to it, and the trail keeps all."""

import json
from datetime import date

import pytest
import sqlalchemy as sa

from recorder.catalogue.care import CannotNote, CareOf
from recorder.catalogue.models import AuditEntry
from recorder.catalogue.store import Catalogue

PATIENT = "P0123456789ab"
MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)


@pytest.fixture
def care(kept: Catalogue) -> CareOf:
    """Of a patient whose episode began on Monday."""
    care = CareOf(kept, PATIENT, "anna")
    care.begin(MONDAY, "ICD-10", "M54.16")
    return care


def trail(kept: Catalogue, subject: str) -> list[AuditEntry]:
    with kept.asking() as session:
        query = sa.select(AuditEntry).where(AuditEntry.subject == subject).order_by(AuditEntry.number)
        return list(session.scalars(query))


def test_an_episode_shows_what_was_noted_in_it_in_the_order_of_days(care: CareOf) -> None:
    care.score("ODI", 40, TUESDAY)
    care.score("ODI", 52, MONDAY)
    care.exercise("prone press-up", 3, 10, 7, MONDAY)
    care.done("Prone Press-up", 12, TUESDAY)

    (shown,) = care.all()

    assert [(score.measured_on, score.score) for score in shown.scores] == [("2026-03-02", 52.0), ("2026-03-03", 40.0)]
    assert [(one.name, one.times_a_week) for one in shown.exercises] == [("prone press-up", 7)]
    assert [report.times_done for report in shown.reports] == [12]
    assert json.loads(json.dumps(shown.as_json()))["code"] == "M54.16"


def test_a_score_for_the_same_day_is_corrected_and_the_trail_keeps_what_it_was(care: CareOf, kept: Catalogue) -> None:
    care.score("odi", 40, MONDAY)
    corrected = care.score("ODI", 42, MONDAY)

    first, second = trail(kept, f"outcome_scores:{corrected.id}")

    assert [score.score for score in care.all()[0].scores] == [42.0]
    assert (first.action, second.action, second.actor) == ("added", "changed", "anna")
    assert json.loads(second.old or "")["score"] == 40.0


def test_an_exercise_that_is_asked_for_otherwise_stays_one(care: CareOf) -> None:
    care.exercise("squat", 3, 10, 7, MONDAY)
    care.exercise("Squat", 2, 15, 3, TUESDAY)

    (asked,) = care.all()[0].exercises

    assert (asked.name, asked.sets, asked.repetitions, asked.times_a_week) == ("squat", 2, 15, 3)
    assert asked.began_on == "2026-03-02"


def test_an_episode_that_ended_makes_room_for_the_next(care: CareOf) -> None:
    care.end(TUESDAY)
    care.begin(TUESDAY)

    newest, oldest = care.all()

    assert (oldest.episode.ended_on, newest.episode.ended_on) == ("2026-03-03", None)
    assert newest.episode.id != oldest.episode.id


@pytest.mark.parametrize(
    ("note", "why"),
    [
        (lambda care: care.begin(TUESDAY), "open for this patient already"),
        (lambda care: care.score("ODI", 101, MONDAY), "goes from 0 to 100"),
        (lambda care: care.score("ODI", float("nan"), MONDAY), "goes from 0 to 100"),
        (lambda care: care.score("PSFS", 5, MONDAY), "--max"),
        (lambda care: care.score("; DROP", 5, MONDAY, 10), "letters, digits"),
        (lambda care: care.score("ODI", 5, MONDAY, session="S9"), "no session S9"),
        (lambda care: care.score("ODI", 5, date(2026, 3, 1)), "before that"),
        (lambda care: care.exercise("x" * 65, 1, 1, 1, MONDAY), "longer than 64"),
        (lambda care: care.exercise("  ", 1, 1, 1, MONDAY), "needs a name"),
        (lambda care: care.done("squat", 1, MONDAY), "not in the programme"),
    ],
)
def test_what_cannot_be_noted_is_refused_with_its_reason_and_changes_nothing(care: CareOf, note, why: str) -> None:
    before = care.all()[0].as_json()

    with pytest.raises(CannotNote, match=why):
        note(care)

    assert care.all()[0].as_json() == before


def test_without_an_open_episode_nothing_is_noted(kept: Catalogue) -> None:
    with pytest.raises(CannotNote, match="tractable care begin"):
        CareOf(kept, PATIENT, "anna").score("ODI", 5, MONDAY)
