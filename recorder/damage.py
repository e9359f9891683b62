"""Reads what a damaged session file still holds: every block that is as it was written, wherever it stands in the file.

A block is whole when its rows hash to what the block says, after the hash of the block before it. That needs only the
row of the block before, not its samples: so one block that is gone takes none of those behind it with it.

Nothing here touches the file that is damaged. It is copied first, and the copy is what SQLite opens.
"""

import contextlib
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from recorder.block_chain import NO_HASH, Block, StoredRow
from recorder.session_format import (
    APPLICATION_ID,
    BLOCK_COLUMNS,
    EVENT_COLUMNS,
    SCHEMA,
    NotASession,
    names,
)
from recorder.stored import connect

COPY_TRIES: Final = 3
PAGE_COUNT_AT: Final = slice(28, 32)  # of SQLite's header: how many pages there were, whatever is left of them
PAGE_SIZE_AT: Final = slice(16, 18)
FREE_PAGES_AT: Final = slice(32, 40)
PAGE_BYTES: Final = 4096
# No block row is shorter; so many at most can be in a file of that size.
BLOCK_BYTES_MIN: Final = 100

_BLOCK: Final = f"SELECT number, {names(BLOCK_COLUMNS)} FROM blocks WHERE number = ?"  # noqa: S608 - our names
_SAMPLES: Final = "SELECT * FROM samples WHERE row BETWEEN ? AND ? ORDER BY row"  # whatever columns its format has
_EVENTS: Final = f"SELECT row, {names(EVENT_COLUMNS)} FROM events WHERE row BETWEEN ? AND ? ORDER BY row"  # noqa: S608
_DAMAGED: Final = (sqlite3.DatabaseError, TypeError, ValueError, OverflowError)


class StillWritten(Exception):
    """The file changes while it is copied: its session is still being recorded."""


@dataclass(frozen=True, slots=True)
class Header:
    """`meta` as rows, and whether block 0 vouches for it."""

    rows: tuple[StoredRow, ...]
    whole: bool


def copy_for_reading(path: Path, folder: Path) -> Path:
    """The file and its -wal, copied into that folder, and made as long as it once was. Raises StillWritten."""
    copy = folder / path.name
    for _ in range(COPY_TRIES):
        before = _stamps(path)
        for part in _parts(path):
            if part.exists():
                shutil.copyfile(part, folder / part.name)
        if _stamps(path) == before:
            _lengthen(copy)
            return copy
    raise StillWritten(f"{path} is still being written. Recover it once its session is over.")


def _parts(path: Path) -> tuple[Path, Path]:
    return path, path.with_name(path.name + "-wal")


def _stamps(path: Path) -> list[tuple[int, int] | None]:
    stats = [part.stat() if part.exists() else None for part in _parts(path)]
    return [None if stat is None else (stat.st_size, stat.st_mtime_ns) for stat in stats]


def _lengthen(copy: Path) -> None:
    """Gives a file that was cut short its length again, in zeros: SQLite reads what is left only then."""
    with copy.open("r+b") as file:
        header = file.read(100)
        size = int.from_bytes(header[PAGE_SIZE_AT], "big")
        nominal = int.from_bytes(header[PAGE_COUNT_AT], "big") * (65_536 if size == 1 else size)
        here = copy.stat().st_size
        # A count that was damaged itself may be anything: nobody loses half of a file and has the rest a tenth.
        if here < nominal <= 10 * max(here, 1):
            file.truncate(nominal)


class Wreck:
    """What is left of a session file, read from a copy of it. Raises NotASession where nothing of one is."""

    def __init__(self, copy: Path) -> None:
        self._connection = _opened(copy)
        self._block_max = copy.stat().st_size // BLOCK_BYTES_MIN
        try:
            self.header = self._read_header()
        except _DAMAGED as error:
            self.close()
            raise NotASession(f"The header of {copy.name} cannot be read ({error}).") from error

    def close(self) -> None:
        self._connection.close()

    def _read_header(self) -> Header:
        rows = tuple(self._connection.execute("SELECT key, value FROM meta ORDER BY key").fetchall())
        first = self._block(0)
        whole = first is not None and first.hash_after(NO_HASH, rows) == first.hash
        return Header(rows, whole)

    def blocks(self) -> Iterator[Block | int]:
        """Every block behind block 0, in order: the whole ones with their rows, of the others only the number."""
        before = self._block(0)
        for number in range(1, self._last_number() + 1):
            block = self._block(number)
            if block is None or before is None or not _is_whole(block, before):
                yield number
            else:
                yield block
            before = block

    def _last_number(self) -> int:
        try:
            (last,) = self._connection.execute("SELECT max(number) FROM blocks").fetchone()
            return min(int(last or 0), self._block_max)
        except _DAMAGED:
            found = [number for number in range(self._block_max) if self._row(number) is not None]
            return max(found, default=0)

    def _row(self, number: int) -> tuple[Any, ...] | None:
        try:
            row: tuple[Any, ...] | None = self._connection.execute(_BLOCK, (number,)).fetchone()
        except _DAMAGED:
            return None
        return row

    def _block(self, number: int) -> Block | None:
        """The block with what rows of it can be read; None where its own row cannot be."""
        row = self._row(number)
        if row is None:
            return None
        bare = Block(*row)
        samples = self._rows(_SAMPLES, bare.first_sample, bare.last_sample)
        return replace(bare, samples=samples, events=self._rows(_EVENTS, bare.first_event, bare.last_event))

    def _rows(self, query: str, first: int | None, last: int | None) -> list[StoredRow]:
        if first is None or last is None:
            return []
        try:
            return self._connection.execute(query, (first, last)).fetchall()
        except _DAMAGED:
            return []


def _opened(copy: Path) -> sqlite3.Connection:
    """Opens the copy; where its first page is damaged, with the first page that every session file begins with."""
    try:
        return connect(copy)
    except NotASession as damaged:
        kept = copy.read_bytes()
        _give_a_beginning(copy)
        try:
            return connect(copy)
        except NotASession:
            copy.write_bytes(kept)
            raise damaged from None


def _give_a_beginning(copy: Path) -> None:
    """The first page says where each table begins, and is the same in all session files but for its counts."""
    with tempfile.TemporaryDirectory(dir=copy.parent) as folder:
        empty = Path(folder) / "empty"
        with contextlib.closing(sqlite3.connect(empty, isolation_level=None)) as connection:
            connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
            for statement in (f"PRAGMA application_id = {APPLICATION_ID}", *SCHEMA):
                connection.execute(statement)
        page = bytearray(empty.read_bytes()[:PAGE_BYTES])
    page[PAGE_COUNT_AT] = (copy.stat().st_size // PAGE_BYTES).to_bytes(4, "big")
    page[FREE_PAGES_AT] = bytes(8)
    with copy.open("r+b") as file:
        file.write(page)


def _is_whole(block: Block, before: Block) -> bool:
    try:
        return block.hash_after(before.hash, []) == block.hash
    except _DAMAGED:
        return False
