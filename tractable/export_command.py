"""`tractable export`: sessions, or a study of many, in formats that other software opens."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from controller import quantities
from recorder.export import CannotExport, export
from recorder.export.session_export import writers
from recorder.export.study import StudyFilter, export_study
from recorder.pseudonym import KeyUnusable, kept_key
from recorder.reading import Session
from recorder.verification import state_of
from tractable.exit_codes import Exit
from tractable.records import with_session
from tractable.settings import Settings

SHOWN_AFTER_S: Final = 2.0
SEE_WHERE: Final = "See where with: tractable session verify"


def export_sessions(
    settings: Settings, wanted: list[str], formats: list[str], folder: Path, overwrite: bool, texts: bool
) -> Exit:
    """Writes each session to its own folder; goes on after one that fails, and says so."""
    if not wanted:
        print("Which session? Give an id, the beginning of one, or a file: tractable session list", file=sys.stderr)
        return Exit.WRONG_USAGE
    try:
        writers(formats)
    except CannotExport as problem:
        print(problem, file=sys.stderr)
        return Exit.REFUSED
    codes = [_export_one(settings, name, formats, folder, overwrite, texts) for name in wanted]
    return Exit.DONE if set(codes) == {Exit.DONE} else Exit.REFUSED


def _export_one(settings: Settings, name: str, formats: list[str], folder: Path, overwrite: bool, texts: bool) -> Exit:
    def write(session: Session) -> None:
        name, key, state = session.path.stem, kept_key(settings.pseudonym_key_file), state_of(session.path)
        if state == "altered":
            print(f"{name} was altered, and its exports say so. {SEE_WHERE} {session.path}", file=sys.stderr)
        with shown_progress(name, session.sample_count * len(set(formats))) as shown:
            told = export(
                session,
                folder / name,
                formats,
                overwrite=overwrite,
                key=key,
                texts=texts,
                progress=shown.add,
                state=state,
            )
        for path in told:
            print(path)

    try:
        return with_session(settings, name, write)
    except (CannotExport, KeyUnusable) as problem:
        print(problem, file=sys.stderr)
        return Exit.REFUSED


def export_study_command(
    settings: Settings,
    formats: list[str],
    folder: Path,
    overwrite: bool,
    table: str | None,
    since: datetime | None,
    until: datetime | None,
    mode: str | None,
    dose_at_least: str | None,
) -> Exit:
    """Writes every session that fits into one folder; says what had to be left out."""
    try:
        least_s = 0 if dose_at_least is None else quantities.duration_s(dose_at_least)
        chosen = StudyFilter(table, since and since.date(), until and until.date(), mode, least_s)
        with shown_progress("study", 0) as shown:
            made = export_study(
                settings.data_folder,
                folder,
                formats,
                kept_key(settings.pseudonym_key_file),
                chosen,
                overwrite=overwrite,
                progress=shown.reach,
            )
    except (CannotExport, KeyUnusable, OSError, ValueError) as problem:
        print(problem, file=sys.stderr)
        return Exit.REFUSED
    for sentence in made.problems:
        print(sentence, file=sys.stderr)
    print(f"{made.sessions} sessions, {len(made.written)} files in {folder}. Begin with {folder / 'catalogue.csv'}")
    return Exit.DONE


class Shown:
    """A bar on stderr, once what it shows has taken a while; never where stderr is no terminal."""

    def __init__(self, progress: Progress, what: str, total: int) -> None:
        self._progress = progress
        self._task: TaskID = progress.add_task(what, total=max(total, 1))
        self._since_s = time.monotonic()
        self._started = False

    def reach(self, done: int, total: int) -> None:
        """So many of so many are done."""
        self._progress.update(self._task, completed=done, total=total)
        self.add(0)

    def add(self, rows: int) -> None:
        """So many rows more are written."""
        if not self._started and time.monotonic() - self._since_s > SHOWN_AFTER_S:
            self._progress.start()
            self._started = True
        self._progress.advance(self._task, rows)


@contextmanager
def shown_progress(what: str, total: int) -> Iterator[Shown]:
    """Shows how far it is, from 2 s on."""
    console = Console(stderr=True)
    progress = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    try:
        yield Shown(progress, what, total)
    finally:
        progress.stop()
