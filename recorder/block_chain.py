"""The chain that makes a change to a session file visible: each block's hash covers its rows and the hash before it.

The hash of a block is SHA-256 over one JSON array, UTF-8, without spaces, characters beyond ASCII escaped:

    [previous hash, number, kind, written_utc, first_sample, last_sample, first_event, last_event,
     meta, samples, events]

`meta` is the list of [key, value] pairs in the order of their keys in block 0, and empty in all others; `samples` and
`events` are lists of rows as stored, the row number first. The hash before block 0 is the empty string.

There is no secret in it. It shows every accident and every edit that does not rewrite all that follows; who keeps the
last hash elsewhere (it is on the receipt) sees that one too.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

BlockKind = Literal["opening", "rows", "closing"]
StoredValue = int | float | str | bytes | None
StoredRow = tuple[StoredValue, ...]

NO_HASH: Final = ""


@dataclass(frozen=True, slots=True)
class Rows:
    """What is to become one block: rows without their numbers yet, in the order of the columns."""

    kind: BlockKind
    written_utc: str
    meta: tuple[StoredRow, ...] = ()
    samples: tuple[StoredRow, ...] = ()
    events: tuple[StoredRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """Where a chain stands: its newest block, and the number of the newest row of each table (0 if there is none)."""

    number: int
    hash: str
    last_sample: int
    last_event: int


BEFORE_THE_FIRST: Final = Link(number=-1, hash=NO_HASH, last_sample=0, last_event=0)


@dataclass(frozen=True, slots=True)
class Block:
    """One row of `blocks`, together with the numbered rows that it covers."""

    number: int
    kind: str
    written_utc: str
    first_sample: int | None
    last_sample: int | None
    first_event: int | None
    last_event: int | None
    hash: str
    samples: Sequence[StoredRow] = ()
    events: Sequence[StoredRow] = ()

    def row(self) -> StoredRow:
        """The block as `blocks` stores it."""
        return (*self._described(), self.hash)

    def _described(self) -> StoredRow:
        ranges = (self.first_sample, self.last_sample, self.first_event, self.last_event)
        return (self.number, self.kind, self.written_utc, *ranges)

    def hash_after(self, previous: str, meta: Sequence[StoredRow]) -> str:
        """The hash that this block must have. Raises TypeError where a value is of a type that is never stored."""
        content = [previous, *self._described(), meta, self.samples, self.events]
        return hashlib.sha256(json.dumps(content, separators=(",", ":")).encode()).hexdigest()


def _numbered(rows: Sequence[StoredRow], last: int) -> tuple[StoredRow, ...]:
    return tuple((number, *row) for number, row in enumerate(rows, last + 1))


def _range(rows: Sequence[StoredRow], last: int) -> tuple[int | None, int | None]:
    return (last + 1, last + len(rows)) if rows else (None, None)


def block_after(link: Link, rows: Rows) -> Block:
    """The block that these rows become at this place in a chain."""
    unsealed = Block(
        link.number + 1,
        rows.kind,
        rows.written_utc,
        *_range(rows.samples, link.last_sample),
        *_range(rows.events, link.last_event),
        hash=NO_HASH,
        samples=_numbered(rows.samples, link.last_sample),
        events=_numbered(rows.events, link.last_event),
    )
    return replace(unsealed, hash=unsealed.hash_after(link.hash, rows.meta))


def link_to(link: Link, block: Block) -> Link:
    """Where the chain stands once this block is in it."""
    return Link(
        block.number,
        block.hash,
        link.last_sample if block.last_sample is None else block.last_sample,
        link.last_event if block.last_event is None else block.last_event,
    )
