"""`tractable care begin|end|score|exercise|done|show`: episodes of care with their scores and exercises."""

import json
import sys
from collections.abc import Callable
from datetime import date, datetime
from typing import Final

from rich.console import Console
from rich.table import Column, Table

from recorder.catalogue.care import CannotNote, Care, CareOf
from recorder.pseudonym import PATIENT, keyed
from tractable.catalogue_commands import open_catalogue, said
from tractable.exit_codes import Exit
from tractable.settings import Settings

NOBODY: Final = "No episode of care is noted for this patient."


def note(settings: Settings, patient: str, actor: str, act: Callable[[CareOf], str]) -> Exit:
    """Does that with the patient's care, and says what was noted; REFUSED with a sentence where it cannot be."""

    def noted() -> Exit:
        with open_catalogue(settings, make=True) as (kept, key):
            try:
                print(act(CareOf(kept, keyed(key, PATIENT, patient), actor)))
            except CannotNote as problem:
                print(problem, file=sys.stderr)
                return Exit.REFUSED
        return Exit.DONE

    return said(noted)


def show(settings: Settings, patient: str, as_json: bool) -> Exit:
    """Every episode of that patient, the newest first."""

    def asked() -> Exit:
        with open_catalogue(settings) as (kept, key):
            found = CareOf(kept, keyed(key, PATIENT, patient), "").all()
        if as_json:
            print(json.dumps([care.as_json() for care in found], indent=2, ensure_ascii=False))
        elif not found:
            print(NOBODY)
        for care in [] if as_json else found:
            _print(care)
        return Exit.DONE

    return said(asked)


def _print(care: Care) -> None:
    console = Console(markup=False, emoji=False)
    episode = care.episode
    what = " ".join(word for word in (episode.coding, episode.code) if word)
    until = f"to {episode.ended_on}" if episode.ended_on else "open"
    console.print(f"Episode {episode.id}, from {episode.began_on}, {until}{f', {what}' if what else ''}")
    if care.scores:
        scores = Table(Column("Day"), "Instrument", "Score", "Session", box=None)
        for score in care.scores:
            scores.add_row(
                score.measured_on, score.instrument, f"{score.score:g} of {score.score_max:g}", score.session or ""
            )
        console.print(scores)
    if care.exercises:
        exercises = Table(Column("Exercise"), "Sets", "Repetitions", "Times a week", "Last said to be done", box=None)
        for one in care.exercises:
            reports = [report for report in care.reports if report.exercise == one.id]
            done = f"{reports[-1].times_done} times, on {reports[-1].reported_on}" if reports else "not asked yet"
            exercises.add_row(one.name, str(one.sets), str(one.repetitions), str(one.times_a_week), done)
        console.print(exercises)


def day(given: datetime | None) -> date:
    """That day, or today."""
    return datetime.now().astimezone().date() if given is None else given.date()
