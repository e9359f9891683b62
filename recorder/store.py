"""Finds session files in the data folder: all of them, or one by its id, the beginning of its id, or its path."""

import difflib
import sqlite3
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from recorder.reading import NewerFormat, NotASession, open_session
from recorder.report.receipt import is_blinded, prescribed
from recorder.storage import session_files

NEAREST_MAX: Final = 3


class NoSuchSession(Exception):
    """No session file, or more than one, goes by what was asked for. The sentence names the nearest."""


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """What a list shows of a session. `id` is the file's name without its ending; a second part has one of its own.

    `mode` and `force_n` are what was prescribed; of a blinded session they are left out. `problem` is a sentence where
    the file cannot be read; then only `id` and `path` are known.
    """

    id: str
    path: str
    started_utc: str | None = None
    ended_utc: str | None = None
    simulated: bool | None = None
    duration_s: float | None = None
    samples: int | None = None
    table: dict[str, Any] | None = None
    pseudonym: str | None = None
    mode: str | None = None
    force_n: float | None = None
    blinded: bool | None = None
    problem: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The same as JSON values."""
        return asdict(self)


def list_sessions(root: Path) -> list[SessionSummary]:
    """Every session file under the data folder, the newest first; those that cannot be read come last."""
    summaries = [summary_of(path) for path in session_files(root)]
    return sorted(summaries, key=lambda summary: (summary.started_utc or "", summary.id), reverse=True)


def summary_of(path: Path) -> SessionSummary:
    """What a list shows of this file, or why it cannot."""
    try:
        with open_session(path) as session:
            return SessionSummary(
                id=path.stem,
                path=str(path),
                started_utc=session.header.started_utc,
                ended_utc=session.ended_utc,
                simulated=session.header.simulated,
                duration_s=session.duration_s,
                samples=session.sample_count,
                table=session.header.table,
                **_prescribed(session.header.prescription),
            )
    except (NotASession, NewerFormat, sqlite3.DatabaseError, OSError) as error:
        return SessionSummary(id=path.stem, path=str(path), problem=str(error))


def _prescribed(recorded: Mapping[str, Any]) -> dict[str, Any]:
    told = prescribed(recorded)
    if is_blinded(recorded):
        return {"pseudonym": told.pseudonym, "blinded": True}
    return {"pseudonym": told.pseudonym, "mode": told.mode, "force_n": told.force_n, "blinded": False}


def find(root: Path, wanted: str | Path) -> Path:
    """The one session file that goes by this id, by this beginning of an id, or lies at this path.

    Raises NoSuchSession, which names the nearest ids or the several that fit.
    """
    if Path(wanted).is_file():
        return Path(wanted)
    files = {path.stem: path for path in session_files(root)}
    name = str(wanted)
    if name in files:
        return files[name]
    fitting = [stem for stem in files if stem.startswith(name)]
    if name and len(fitting) == 1:
        return files[fitting[0]]
    raise NoSuchSession(_why_not(root, name, list(files), fitting if name else []))


def _why_not(root: Path, name: str, all_ids: list[str], fitting: list[str]) -> str:
    if fitting:
        more = ", ..." if len(fitting) > NEAREST_MAX else ""
        return f"{name} may be {', '.join(fitting[:NEAREST_MAX])}{more}. Give more of the id."
    if not all_ids:
        return f"There is no session in {root}."
    nearest = difflib.get_close_matches(name, all_ids, NEAREST_MAX, cutoff=0.0)
    return f"There is no session {name} in {root}. The nearest are: {', '.join(nearest)}."
