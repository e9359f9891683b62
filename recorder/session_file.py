"""Writes one session file: creates it with its header, then appends blocks, each in one transaction that is on the disk
when `append` returns (write-ahead log, FULL synchronous).

Layout and meaning are in `session_format`, the chain in `block_chain`. Everything here may raise sqlite3.Error or
OSError; `session_recording` is what copes with that.
"""

import contextlib
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from operator import attrgetter
from pathlib import Path
from typing import Final, Self

from controller.journal import EventRow, SampleRow, SessionHeader
from recorder.block_chain import BEFORE_THE_FIRST, Link, Rows, StoredRow, block_after, link_to
from recorder.session_format import (
    APPLICATION_ID,
    BLOCK_COLUMNS,
    EVENT_COLUMNS,
    FORMAT_VERSION,
    SAMPLE_COLUMNS,
    SCHEMA,
    UNITS,
    Column,
)

# Another program may hold the file for a moment (a backup, a curious reader with write access).
BUSY_TIMEOUT_S: Final = 1.0
# About 4 s of rows: what a copy of the main file alone lacks while the session runs.
CHECKPOINT_PAGES: Final = 200
INT64_MAX: Final = 2**63 - 1


def _insert(table: str, columns: tuple[Column, ...]) -> str:
    return f"INSERT INTO {table} VALUES (?{', ?' * len(columns)})"  # noqa: S608 - both are constants below


_INSERT_META: Final = "INSERT INTO meta VALUES (?, ?)"
_INSERT_SAMPLE: Final = _insert("samples", SAMPLE_COLUMNS)
_INSERT_EVENT: Final = _insert("events", EVENT_COLUMNS)
_INSERT_BLOCK: Final = _insert("blocks", BLOCK_COLUMNS)
_LAST_LINK: Final = (
    "SELECT number, hash, (SELECT coalesce(max(row), 0) FROM samples), (SELECT coalesce(max(row), 0) FROM events)"
    " FROM blocks ORDER BY number DESC LIMIT 1"
)
_SAMPLE_NULLABLE: Final = tuple(column.nullable for column in SAMPLE_COLUMNS)
_sample_values = attrgetter(*(column.name for column in SAMPLE_COLUMNS))


class FileGone(OSError):
    """The file was moved or deleted while it was being written: what is written to it now, nobody would find."""


def meta_rows(header: SessionHeader, part: int, continues: dict[str, object] | None) -> tuple[StoredRow, ...]:
    """The header as rows of `meta`, in the order of their keys. `continues` names the file before this one."""
    values: dict[str, object] = {
        "format_version": FORMAT_VERSION,
        "session_id": header.session_id,
        "part": part,
        "continues": continues,
        "started_utc": header.started_utc,
        "prescription": header.prescription,
        "calibration": header.calibration,
        "table": header.table,
        "limits": header.limits,
        "versions": header.versions,
        "units": UNITS,
        "simulated": header.simulated,
    }
    return tuple((key, json_text(values[key])) for key in sorted(values))


def sample_row(sample: SampleRow) -> StoredRow | None:
    """The sample as `samples` stores it; None if a value is not the whole number (or absence) that the column takes."""
    values = _sample_values(sample)
    if all(map(_fits, values, _SAMPLE_NULLABLE)):
        return tuple(value if value is None else int(value) for value in values)
    return None


def _fits(value: object, nullable: bool) -> bool:
    return nullable if value is None else isinstance(value, int) and abs(value) <= INT64_MAX


def event_row(event: EventRow) -> StoredRow | None:
    """The event as `events` stores it; None if its number or its time is not a whole number."""
    if not (_fits(event.number, nullable=False) and _fits(event.t_us, nullable=True)):
        return None
    texts = (storable_text(text) for text in (event.time_utc, event.kind, event.actor, event.text))
    return (event.number, event.t_us, *texts, json_text(event.data))


def storable_text(text: object) -> str:
    """The text with anything that UTF-8 cannot hold replaced by a question mark."""
    return str(text).encode("utf-8", "replace").decode()


def json_text(value: object) -> str:
    """The value as JSON. What JSON cannot hold is kept as its description: a record loses no event over its form."""
    try:
        return json.dumps(value, separators=(",", ":"), default=str, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return json.dumps({"not_json": repr(value)})


class SessionFile:
    """An open session file, and where its chain stands (`last`). For one thread."""

    def __init__(self, path: Path, connection: sqlite3.Connection, last: Link) -> None:
        self.path = path
        self.last = last
        self._connection = connection
        self._inode = path.stat().st_ino

    @classmethod
    def create(cls, path: Path, opening: Rows) -> Self:
        """Makes a new file whose block 0 covers `opening.meta`. Raises FileExistsError if the path is taken."""
        _make_folder(path.parent)
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o640))
        try:
            with _closing_on_error(_connect(path)) as connection:
                file = cls(path, connection, BEFORE_THE_FIRST)
                file._append(opening, before=(f"PRAGMA application_id = {APPLICATION_ID}", *SCHEMA))
                return file
        except BaseException:
            _remove(path)
            raise

    @classmethod
    def reopen(cls, path: Path) -> Self:
        """Opens a file that this program has begun, to append to it."""
        with _closing_on_error(_connect(path)) as connection:
            link = connection.execute(_LAST_LINK).fetchone()
            return cls(path, connection, Link(*link))

    def append(self, rows: Rows) -> None:
        """Adds one block. It is on the disk when this returns; when this raises, none of it is, or all of it."""
        self._append(rows)

    def _append(self, rows: Rows, before: Iterable[str] = ()) -> None:
        self._require_still_there()
        block = block_after(self.last, rows)
        with _transaction(self._connection):
            for statement in before:
                self._connection.execute(statement)
            self._connection.executemany(_INSERT_META, rows.meta)
            self._connection.executemany(_INSERT_SAMPLE, block.samples)
            self._connection.executemany(_INSERT_EVENT, block.events)
            self._connection.execute(_INSERT_BLOCK, block.row())
        self.last = link_to(self.last, block)

    def _require_still_there(self) -> None:
        if not self.path.exists() or self.path.stat().st_ino != self._inode:
            raise FileGone(f"{self.path} was moved or deleted while it was being written.")

    def finish(self) -> None:
        """Brings everything into the one file, so that it can be copied and read from anywhere, and closes it."""
        # A reader may stand in the way of either; the record is safe without them.
        with contextlib.suppress(sqlite3.Error):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._connection.execute("PRAGMA journal_mode = DELETE")
        self.close()

    def close(self) -> None:
        """Closes the file, whatever state it is in."""
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()


def _make_folder(folder: Path) -> None:
    """Makes the folder and those above it, each on the disk by its name before anything is put into it."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    above = os.open(folder.parent, os.O_RDONLY)
    try:
        os.fsync(above)
    finally:
        os.close(above)


def _connect(path: Path) -> sqlite3.Connection:
    # mode=rw: a file that has gone must not come back as an empty one.
    uri = f"{path.absolute().as_uri()}?mode=rw"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=BUSY_TIMEOUT_S)
    with _closing_on_error(connection):
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    return connection


@contextlib.contextmanager
def _closing_on_error(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    try:
        yield connection
    except BaseException:
        connection.close()
        raise


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


def _remove(path: Path) -> None:
    for leftover in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
        with contextlib.suppress(OSError):
            leftover.unlink()
