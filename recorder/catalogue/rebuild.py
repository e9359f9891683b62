"""Fills the catalogue from the session files: one of them, or all there are. Doing it again changes nothing.

What only the catalogue holds (users, episodes of care with their scores and exercises, the audit trail) is in no
session file: back up the database for those.
"""

import json
import sqlite3
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from recorder.catalogue.models import AuditEntry, SessionSummary
from recorder.catalogue.store import Catalogue
from recorder.catalogue.summary import CannotSummarise, below, rows_of
from recorder.ended_list import as_ended
from recorder.reading import NewerFormat, NotASession, open_session
from recorder.storage import session_files
from recorder.verification import holds_block, verify

GONE: Final = "gone"
ACTOR: Final = "recorder"


@dataclass(slots=True)
class Rebuilt:
    """How many files were looked at, how many rows were added or changed, and a sentence for each file left out."""

    files: int = 0
    changed: int = 0
    problems: list[str] = field(default_factory=list)


def add(catalogue: Catalogue, paths: Iterable[Path], root: Path, key: bytes, actor: str = ACTOR) -> Rebuilt:
    """Keeps what these files say. One that cannot be read is named, and keeps no other out."""
    done = Rebuilt()
    for path in paths:
        done.files += 1
        try:
            done.changed += catalogue.keep(actor, rows_of(path, root, key))
        except CannotSummarise as problem:
            done.problems.append(str(problem))
    return done


def rebuild(catalogue: Catalogue, root: Path, key: bytes, actor: str = ACTOR) -> Rebuilt:
    """Keeps what all session files below `root` say, but those that are listed as whole already and have not grown.

    Those that are listed and whose file is not there are called gone.
    """
    listed = _whole_by_file(catalogue)
    new = [path for path in session_files(root) if not _is_as_listed(path, listed.get(below(path, root)))]
    done = add(catalogue, new, root, key, actor)
    done.changed += catalogue.keep(actor, _gone(catalogue, root))
    return done


def _whole_by_file(catalogue: Catalogue) -> dict[str, str]:
    """The last hash of each file that is listed as whole."""
    with catalogue.asking() as session:
        query = sa.select(SessionSummary.file, SessionSummary.last_hash).where(SessionSummary.state == "whole")
        return {row.file: row.last_hash for row in session.execute(query)}


def _is_as_listed(path: Path, last_hash: str | None) -> bool:
    """Whether this record was ended before it was listed, and so has nothing new: it need not be read as a whole."""
    if last_hash is None:
        return False
    try:
        with open_session(path) as session:
            return session.last_hash == last_hash
    except (NotASession, NewerFormat, sqlite3.DatabaseError):
        return False


def _gone(catalogue: Catalogue, root: Path) -> list[SessionSummary]:
    with catalogue.asking() as session:
        listed = [row.values() for row in session.scalars(sa.select(SessionSummary))]
    return [
        SessionSummary(**(row | {"state": GONE}))
        for row in _of_tables_here(listed, root)
        if row["state"] != GONE and not (root / row["file"]).exists()
    ]


def _of_tables_here(sessions: Collection[dict[str, Any]], root: Path) -> list[dict[str, Any]]:
    """Those of tables that have a file here, or had one: in a catalogue that tables share, another's are on another
    computer.
    """
    here = {session["table_serial"] for session in sessions if _is_or_was_here(root / session["file"])}
    return [session for session in sessions if session["table_serial"] in here]


def _is_or_was_here(path: Path) -> bool:
    return path.exists() or as_ended(path) is not None


def altered(catalogue: Catalogue, root: Path, verified: Callable[[int], None] = lambda _files: None) -> list[str]:
    """A sentence for each session of a table whose files are here, whose own is gone, was altered, or does not hold
    what the audit trail first had of it. `verified` hears of every file that is done.
    """
    rows: dict[str, dict[str, Any]] = {}
    with catalogue.asking() as session:
        query = sa.select(AuditEntry.subject, AuditEntry.new).where(AuditEntry.subject.startswith("sessions:"))
        for subject, new in session.execute(query.order_by(AuditEntry.number)):
            if rows.get(subject, {}).get("ended_utc") is None:  # the first that has its end
                rows[subject] = json.loads(new or "{}")
    found = []
    for row in _of_tables_here(rows.values(), root):
        found.append(_compared(root / row["file"], row["last_hash"], ended=row["ended_utc"] is not None))
        verified(1)
    return [sentence for sentence in found if sentence is not None]


def _compared(path: Path, last_hash: str, *, ended: bool) -> str | None:
    if not path.exists():
        return f"{path.name}: the file is gone."
    try:
        found = verify(path)
        there = found.last_hash == last_hash if ended else holds_block(path, last_hash)
    except (NotASession, NewerFormat, sqlite3.DatabaseError) as problem:
        return str(problem)
    if found.state == "altered":
        return f"{path.name}: {found.finding}"
    if not there:
        return f"{path.name}: it ends otherwise than it was ended. See where with: tractable session verify {path}"
    return None
