"""Episodes of care: from when to when and for what, with scores, the exercise programme, and what was done of it.

A patient has one episode open at a time; what is noted belongs to it. Noting the same thing for the same day again
corrects it, and the audit trail keeps what it was.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, TypeVar

import sqlalchemy as sa

from recorder.catalogue.models import Episode, Exercise, ExerciseReport, OutcomeScore, Patient, SessionSummary, Table
from recorder.catalogue.store import Catalogue

# What an instrument's scores go up to: pain of 0 to 10, Oswestry in percent, Roland-Morris.
SCORE_MAX: Final = {"NPRS": 10.0, "ODI": 100.0, "RMDQ": 24.0}
TEXT_LENGTH_MAX: Final = 64
_INSTRUMENT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 -]{0,15}")
Row = TypeVar("Row", bound=Table)


class CannotNote(Exception):
    """Nothing was noted; the sentence says why and what to do."""


@dataclass(frozen=True, slots=True)
class Care:
    """One episode with all that was noted in it, each in the order of its days."""

    episode: Episode
    scores: list[OutcomeScore]
    exercises: list[Exercise]
    reports: list[ExerciseReport]

    def as_json(self) -> dict[str, Any]:
        """The same as JSON values."""
        return {
            **self.episode.values(),
            "scores": [score.values() for score in self.scores],
            "exercises": [exercise.values() for exercise in self.exercises],
            "reports": [report.values() for report in self.reports],
        }


class CareOf:
    """One patient's care, by pseudonym; `actor` is who notes it. Every method raises CannotNote."""

    def __init__(self, kept: Catalogue, pseudonym: str, actor: str) -> None:
        self._kept = kept
        self._pseudonym = pseudonym
        self._actor = actor

    def begin(self, on: date, coding: str | None = None, code: str | None = None) -> Episode:
        """Opens an episode; `code` is of `coding`, such as M54.16 of ICD-10."""
        before = self._rows(Episode, Episode.patient == self._pseudonym)
        if any(episode.ended_on is None for episode in before):
            raise CannotNote("An episode is open for this patient already. End it first: tractable care end")
        begun = Episode(
            id=f"{self._pseudonym}-{len(before) + 1}",
            patient=self._pseudonym,
            began_on=on.isoformat(),
            ended_on=None,
            coding=_short(coding),
            code=_short(code),
        )
        self._kept.keep(self._actor, [Patient(pseudonym=self._pseudonym), begun])
        return begun

    def end(self, on: date) -> Episode:
        """Closes the episode that is open."""
        ended = _with(self._open(on), ended_on=on.isoformat())
        self._kept.keep(self._actor, [ended])
        return ended

    def score(
        self, instrument: str, score: float, on: date, score_max: float | None = None, session: str | None = None
    ) -> OutcomeScore:
        """Notes a score of 0 to `score_max`, which is known of some instruments; `session`: it was asked in one."""
        episode = self._open(on)
        if not _INSTRUMENT.fullmatch(instrument):
            raise CannotNote("An instrument has 1 to 16 letters, digits, spaces and dashes, such as ODI.")
        highest = SCORE_MAX.get(instrument.upper()) if score_max is None else score_max
        if highest is None:
            raise CannotNote(f"How far {instrument} goes is not known here: say it with --max.")
        if not 0 <= score <= highest:
            raise CannotNote(f"{score:g} is no score of {instrument}: it goes from 0 to {highest:g}.")
        if session is not None and not self._rows(SessionSummary, SessionSummary.id == session):
            raise CannotNote(f"There is no session {session} in the catalogue. See: tractable catalogue list")
        noted = OutcomeScore(
            id=f"{episode.id}:{instrument.upper()}:{on.isoformat()}",
            episode=episode.id,
            session=session,
            measured_on=on.isoformat(),
            instrument=instrument.upper(),
            score=float(score),
            score_max=float(highest),
        )
        self._kept.keep(self._actor, [noted])
        return noted

    def exercise(self, name: str, sets: int, repetitions: int, times_a_week: int, on: date) -> Exercise:
        """Puts an exercise into the programme, or changes how much of it is asked for."""
        episode = self._open(on)
        there = self._exercises(episode)
        found = next((one for one in there if one.name.casefold() == name.casefold()), None)
        asked = Exercise(
            id=f"{episode.id}:X{len(there) + 1}" if found is None else found.id,
            episode=episode.id,
            name=_required(name, "An exercise") if found is None else found.name,
            sets=sets,
            repetitions=repetitions,
            times_a_week=times_a_week,
            began_on=on.isoformat() if found is None else found.began_on,
            ended_on=None,
        )
        self._kept.keep(self._actor, [asked])
        return asked

    def done(self, name: str, times_done: int, on: date) -> ExerciseReport:
        """Notes how often the patient did it since the visit before."""
        episode = self._open(on)
        there = self._exercises(episode)
        found = next((one for one in there if one.name.casefold() == name.casefold()), None)
        if found is None:
            known = ", ".join(one.name for one in there) or "none yet"
            raise CannotNote(f"{name} is not in the programme ({known}). Put it in with: tractable care exercise")
        report = ExerciseReport(
            id=f"{found.id}:{on.isoformat()}", exercise=found.id, reported_on=on.isoformat(), times_done=times_done
        )
        self._kept.keep(self._actor, [report])
        return report

    def all(self) -> list[Care]:
        """Every episode, the newest first."""
        episodes = self._rows(Episode, Episode.patient == self._pseudonym)
        return [self._care(episode) for episode in sorted(episodes, key=_began, reverse=True)]

    def _care(self, episode: Episode) -> Care:
        exercises = self._exercises(episode)
        ids = [exercise.id for exercise in exercises]
        scores = self._rows(OutcomeScore, OutcomeScore.episode == episode.id)
        reports = self._rows(ExerciseReport, ExerciseReport.exercise.in_(ids))
        return Care(
            episode,
            sorted(scores, key=lambda score: (score.measured_on, score.instrument)),
            exercises,
            sorted(reports, key=lambda report: (report.reported_on, report.exercise)),
        )

    def _exercises(self, episode: Episode) -> list[Exercise]:
        return sorted(self._rows(Exercise, Exercise.episode == episode.id), key=lambda one: (len(one.id), one.id))

    def _open(self, on: date) -> Episode:
        """The episode that is open on that day."""
        there = self._rows(Episode, Episode.patient == self._pseudonym, Episode.ended_on.is_(None))
        if not there:
            raise CannotNote("No episode of care is open for this patient. Begin one: tractable care begin")
        (episode,) = there
        if on.isoformat() < episode.began_on:
            raise CannotNote(f"The episode began on {episode.began_on}: {on.isoformat()} is before that.")
        return episode

    def _rows(self, table: type[Row], *conditions: Any) -> list[Row]:
        with self._kept.asking() as session:
            return [_with(row) for row in session.scalars(sa.select(table).where(*conditions))]


def _with(row: Row, **changes: Any) -> Row:
    """A row of its own, free of the question that it was read in."""
    made: Callable[..., Row] = type(row)
    return made(**(row.values() | changes))


def _began(episode: Episode) -> tuple[str, int, str]:
    return episode.began_on, len(episode.id), episode.id


def _short(text: str | None) -> str | None:
    if text is not None and len(text) > TEXT_LENGTH_MAX:
        raise CannotNote(f"{text[:20]}... is longer than {TEXT_LENGTH_MAX} characters.")
    return text or None


def _required(text: str, what: str) -> str:
    short = _short(text.strip())
    if short is None:
        raise CannotNote(f"{what} needs a name.")
    return short
