"""Says whether a session file is what the recorder wrote: whole, interrupted, or altered, and where.

It goes by the record itself and, where it lies in its data folder, by the list of records that were ended. What it
cannot see: the last blocks removed cleanly from a record that was never ended, and a record and the list both rewritten
with fresh hashes. Compare `last_hash` with a copy kept elsewhere for those.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any, Final, Literal

from recorder.block_chain import BEFORE_THE_FIRST, Block, Link, StoredRow, link_to
from recorder.ended_list import Ended, as_ended, sha256_of
from recorder.session_format import BLOCK_COLUMNS, EVENT_COLUMNS, NewerFormat, NotASession, names, schema_of
from recorder.stored import read_meta, reading

State = Literal["whole", "interrupted", "altered"]

_BLOCKS: Final = f"SELECT number, {names(BLOCK_COLUMNS)} FROM blocks ORDER BY number"  # noqa: S608 - our names
# Whatever columns its format has: that there are no others, the schema's check says.
_SAMPLES: Final = "SELECT * FROM samples WHERE row BETWEEN ? AND ? ORDER BY row"
_EVENTS: Final = f"SELECT row, {names(EVENT_COLUMNS)} FROM events WHERE row BETWEEN ? AND ? ORDER BY row"  # noqa: S608
# A scan of the whole table, not a look at its last row: what lies between must be counted as well.
_COUNTS: Final = "SELECT (SELECT count(*) FROM samples NOT INDEXED), (SELECT count(*) FROM events NOT INDEXED)"


@dataclass(frozen=True, slots=True)
class Verification:
    """`blocks`, `samples` and `events` count what the chain vouches for, from the start up to the first bad block.

    `unchained_rows` lie behind the last block and belong to none. `finding` is a sentence for people.
    """

    path: str
    state: State
    finding: str
    blocks: int
    samples: int
    events: int
    first_bad_block: int | None
    unchained_rows: int
    last_hash: str

    def as_json(self) -> dict[str, Any]:
        """The same as JSON values."""
        return asdict(self)


class _Altered(Exception):
    """What is wrong, and from which block on. None where it concerns no block."""

    def __init__(self, block: int | None, finding: str, unchained_rows: int = 0) -> None:
        super().__init__(finding)
        self.block = block
        self.finding = finding
        self.unchained_rows = unchained_rows


@dataclass(slots=True)
class _Progress:
    link: Link = BEFORE_THE_FIRST
    closed: bool = False


def verify(path: Path) -> Verification:
    """Recomputes the whole chain. Raises NotASession or NewerFormat where there is nothing to verify."""
    found, ended = _by_itself(path), as_ended(path)
    if ended is not None and found.state != "altered":
        found = _as_it_ended(path, found, ended)
    if found.state != "altered":
        found = _as_it_goes_on(path, found, listed=ended is not None)
    return found if found.state == "altered" else replace(found, finding=found.finding + _recovered_from(path))


def state_of(path: Path) -> State:
    """The same in a word, and quickly where every byte is as it was when the record was ended."""
    ended = as_ended(path)
    if ended is not None and ended.sha256 is not None and ended.sha256 == sha256_of(path):
        return "whole"
    return verify(path).state


def _as_it_ended(path: Path, found: Verification, ended: Ended) -> Verification:
    gone = ended.blocks - found.blocks
    if gone > 0:
        finding = f"The record was ended with {ended.blocks} blocks, and the last {gone} of them are gone."
        return replace(found, state="altered", finding=finding, first_bad_block=found.blocks)
    if found.last_hash != ended.last_hash:
        finding = "The record was written anew: it does not end with the hash that it was ended with."
        return replace(found, state="altered", finding=finding)
    if ended.sha256 is not None and ended.sha256 != sha256_of(path):
        finding = "Every block is as it was written, but other bytes of the file are not."
        return replace(found, state="altered", finding=finding)
    return found


def _as_it_goes_on(path: Path, found: Verification, *, listed: bool) -> Verification:
    """A later part vouches for the one before it, up to the block that it goes on from."""
    with reading(path) as connection:
        continues = read_meta(connection).get("continues")
    if not isinstance(continues, dict):
        return found
    before = path.with_name(Path(str(continues.get("file"))).name)
    if not before.exists():
        finding = f"{before.name}, from which this part goes on, is gone."
        return replace(found, state="altered", finding=finding) if listed else _also(found, finding)
    try:
        there = holds_block(before, str(continues.get("hash")))
    except (NotASession, NewerFormat, sqlite3.DatabaseError):
        return _also(found, f"{before.name}, from which this part goes on, cannot be read.")
    if not there:
        finding = f"{before.name} does not hold the block from which this part goes on: it was cut off or edited."
        return replace(found, state="altered", finding=finding)
    return found


def holds_block(path: Path, block_hash: str) -> bool:
    """Whether one of the file's blocks has this hash. Raises NotASession or NewerFormat."""
    with reading(path) as connection:
        return connection.execute("SELECT 1 FROM blocks WHERE hash = ?", (block_hash,)).fetchone() is not None


def _also(found: Verification, finding: str) -> Verification:
    return replace(found, finding=f"{found.finding} {finding}")


def _recovered_from(path: Path) -> str:
    with reading(path) as connection:
        note = read_meta(connection).get("recovered")
    if not isinstance(note, dict):
        return ""
    missing = f" without its blocks {note.get('lost_blocks')}" if note.get("lost_blocks") else ""
    header = "" if note.get("header_whole") else "; its header was not as it was written"
    return f" It was recovered from {note.get('file')}{missing}{header}."


def _by_itself(path: Path) -> Verification:
    progress = _Progress()
    with reading(path) as connection:
        try:
            _follow_chain(connection, progress)
            _require_nothing_else(connection, progress)
        except _Altered as wrong:
            return _result(path, "altered", wrong.finding, progress.link, wrong.block, wrong.unchained_rows)
        except (sqlite3.DatabaseError, TypeError, ValueError, OverflowError) as error:
            finding = f"The file is damaged: after block {progress.link.number} it cannot be read ({error})."
            return _result(path, "altered", finding, progress.link, progress.link.number + 1)
    if progress.closed:
        return _result(path, "whole", "The record is whole: every block is as it was written.", progress.link)
    finding = (
        "The record stops without its end: recording was interrupted, or is still going on. "
        "All that was written is as it was written."
    )
    return _result(path, "interrupted", finding, progress.link)


def _result(
    path: Path, state: State, finding: str, link: Link, bad_block: int | None = None, unchained_rows: int = 0
) -> Verification:
    counts = (link.number + 1, link.last_sample, link.last_event)
    return Verification(str(path), state, finding, *counts, bad_block, unchained_rows, link.hash)


def _follow_chain(connection: sqlite3.Connection, progress: _Progress) -> None:
    meta = connection.execute("SELECT key, value FROM meta ORDER BY key").fetchall()
    for row in connection.execute(_BLOCKS):
        if progress.closed:
            raise _Altered(progress.link.number + 1, "There are blocks behind the one that ends the record.")
        block = _with_its_rows(connection, row)
        _check_place(block, progress.link)
        _check_rows(connection, block)
        if block.hash_after(progress.link.hash, meta if block.number == 0 else []) != block.hash:
            raise _Altered(block.number, _what_was_edited(block))
        progress.link = link_to(progress.link, block)
        progress.closed = block.kind == "closing"


def _with_its_rows(connection: sqlite3.Connection, row: tuple[Any, ...]) -> Block:
    bare = Block(*row)
    samples = connection.execute(_SAMPLES, (bare.first_sample, bare.last_sample)).fetchall()
    events = connection.execute(_EVENTS, (bare.first_event, bare.last_event)).fetchall()
    return replace(bare, samples=samples, events=events)


def _check_place(block: Block, link: Link) -> None:
    expected = link.number + 1
    if block.number != expected:
        raise _Altered(expected, f"Block {expected} is missing.")
    for first, last in ((block.first_sample, link.last_sample), (block.first_event, link.last_event)):
        if first is not None and first != last + 1:
            raise _Altered(expected, f"Block {expected} does not go on where the one before it stopped: it was edited.")


def _check_rows(connection: sqlite3.Connection, block: Block) -> None:
    parts = (
        ("samples", block.samples, block.first_sample, block.last_sample),
        ("events", block.events, block.first_event, block.last_event),
    )
    for table, rows, first, last in parts:
        if first is None or last is None:
            continue
        if len(rows) != last - first + 1:
            raise _Altered(block.number, _what_is_gone(connection, block.number, table, _first_missing(rows, first)))


def _first_missing(rows: Sequence[StoredRow], first: int) -> int:
    present = {row[0] for row in rows}
    return next(number for number in count(first) if number not in present)


def _what_is_gone(connection: sqlite3.Connection, block: int, table: str, missing: int) -> str:
    (last_there,) = connection.execute(f"SELECT coalesce(max(row), 0) FROM {table}").fetchone()  # noqa: S608 - our name
    if last_there < missing:
        return f"The file was truncated: {table} from row {missing} on, which block {block} vouches for, are gone."
    return f"Something was deleted from block {block}: row {missing} of {table}, and perhaps more behind it."


def _what_was_edited(block: Block) -> str:
    if block.number == 0:
        return "The header was edited: meta is not what block 0 vouches for."
    ranges = [
        f"{table} {first} to {last}"
        for table, first, last in (
            ("samples", block.first_sample, block.last_sample),
            ("events", block.first_event, block.last_event),
        )
        if first is not None
    ]
    return f"Something was edited in block {block.number}: {' or '.join([*ranges, 'the block itself'])}."


def _require_nothing_else(connection: sqlite3.Connection, progress: _Progress) -> None:
    link = progress.link
    if link.number < 0:
        raise _Altered(0, "Block 0 is missing.")
    samples, events = connection.execute(_COUNTS).fetchone()
    unchained = samples - link.last_sample + events - link.last_event
    if unchained:
        finding = f"{unchained} rows belong to no block: they were added, or the blocks that vouched for them are gone."
        raise _Altered(link.number + 1, finding, unchained)
    schema = {sql for (sql,) in connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")}
    if schema != set(schema_of(int(read_meta(connection)["format_version"]))):
        raise _Altered(None, "The file's tables or its guards against changes are not those that the recorder makes.")
