"""Writes what is whole of a damaged session file to a new one, and leaves the old one as it is.

The new file is a session file like any other, with a chain of its own. Its `meta` has one key more, `recovered`: the
old file's name and hash, whether its header was as it was written, and which blocks are missing. Nothing is filled in:
where a block is gone, sample numbers are missing.
"""

import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from recorder.block_chain import Block, BlockKind, Rows, StoredRow
from recorder.damage import StillWritten, Wreck, copy_for_reading
from recorder.ended_list import sha256_of
from recorder.session_file import SessionFile, json_text
from recorder.session_format import FORMAT_VERSION, SAMPLE_COLUMNS, UNITS, NewerFormat, NotASession

ROWS_A_BLOCK: Final = 4096  # each block is one wait for the disk

__all__ = ["CannotRecover", "NewerFormat", "NotASession", "Recovery", "recover"]


class CannotRecover(Exception):
    """Nothing was written; the sentence says why and what to do."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """What was written to the new file, and which blocks of the old one are not in it (by number)."""

    path: str
    recovered_from: str
    blocks: int
    samples: int
    events: int
    header_whole: bool
    lost_blocks: tuple[int, ...]
    ended: bool

    def as_json(self) -> dict[str, Any]:
        """The same as JSON values."""
        return asdict(self)

    @property
    def sentence(self) -> str:
        """For people."""
        kept = f"{self.path}: {self.blocks} blocks, {self.samples} samples, {self.events} events."
        header = "" if self.header_whole else " The header is not as it was written: do not trust what it says."
        lost = f" Left out: {spans(self.lost_blocks)}." if self.lost_blocks else " No block was left out."
        return kept + lost + header


def recover(source: Path, out: Path) -> Recovery:
    """Writes every whole block of `source` to the new file `out`.

    Raises NotASession or NewerFormat where there is nothing to recover, CannotRecover, or OSError.
    """
    if out.exists():
        raise CannotRecover(f"{out} is there already. Name a file that is not.")
    if not source.is_file():
        raise NotASession(f"There is no file {source}.")
    with tempfile.TemporaryDirectory(prefix="tractable-recovery-") as folder:
        try:
            wreck = Wreck(copy_for_reading(source, Path(folder)))
        except StillWritten as written:
            raise CannotRecover(str(written)) from written
        try:
            return _write(wreck, source, out)
        finally:
            wreck.close()


def _write(wreck: Wreck, source: Path, out: Path) -> Recovery:
    lost = tuple(block for block in wreck.blocks() if isinstance(block, int))
    note = {
        "file": source.name,
        "sha256": sha256_of(source),
        "header_whole": wreck.header.whole,
        "lost_blocks": lost,
        "recovered_utc": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
    }
    meta = _with(wreck.header.rows, "recovered", json_text(note))
    meta = _with(_with(meta, "format_version", json_text(FORMAT_VERSION)), "units", json_text(UNITS))
    file = SessionFile.create(out, Rows("opening", str(note["recovered_utc"]), meta=meta))
    try:
        ended = _append_all(file, (block for block in wreck.blocks() if not isinstance(block, int)))
    except BaseException:
        file.close()
        out.unlink(missing_ok=True)
        raise
    file.finish()
    counts = (file.last.number + 1, file.last.last_sample, file.last.last_event)
    return Recovery(str(out), str(source), *counts, wreck.header.whole, lost, ended)


def _append_all(file: SessionFile, blocks: Iterable[Block]) -> bool:
    """Adds the blocks, several as one. True if the last of them ends the record."""
    waiting: list[Block] = []
    ended = False
    for block in blocks:
        waiting.append(block)
        ended = block.kind == "closing"
        if ended or sum(len(each.samples) + len(each.events) for each in waiting) >= ROWS_A_BLOCK:
            file.append(_as_one(waiting))
            waiting = []
    if waiting:
        file.append(_as_one(waiting))
    return ended


def _as_one(blocks: list[Block]) -> Rows:
    """The blocks' rows without their numbers: the new file counts its own, without a break."""
    samples = tuple(_in_this_format(row[1:]) for block in blocks for row in block.samples)
    events = tuple(row[1:] for block in blocks for row in block.events)
    kind: BlockKind = "closing" if blocks[-1].kind == "closing" else "rows"
    return Rows(kind, blocks[-1].written_utc, (), samples, events)


def _in_this_format(sample: StoredRow) -> StoredRow:
    """Columns that an older format had not are absent."""
    return sample + (None,) * (len(SAMPLE_COLUMNS) - len(sample))


def _with(meta: tuple[StoredRow, ...], key: str, value: str) -> tuple[StoredRow, ...]:
    return tuple(sorted([*(row for row in meta if row[0] != key), (key, value)], key=lambda row: str(row[0])))


def spans(numbers: Iterable[int]) -> str:
    """Numbers in words, runs of them as one: "blocks 3, 7 to 9"."""
    listed = sorted(numbers)
    breaks = [i for i, (a, b) in enumerate(pairwise(listed), 1) if b != a + 1]
    runs = [listed[start:end] for start, end in pairwise([0, *breaks, len(listed)])]
    said = ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs)
    return f"block{'s' if len(listed) > 1 else ''} {said}"
