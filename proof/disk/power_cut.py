"""What is on a disk after the power went: what was synced for certain, and of the rest any part, in any order.

The calls are those that SQLite made (`failing_disk`). A file's writes are certain once it was synced; a sync that
failed loses them for good. A file that was deleted may be there again until something else was synced.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from proof.disk.failing_disk import Call

SECTOR_BYTES: Final = 512
Fate = Literal["all lost", "all there", "some, torn and in another order"]
FATES: Final[tuple[Fate, ...]] = ("all lost", "all there", "some, torn and in another order")


@dataclass(slots=True)
class _File:
    certain: bytearray | None = None  # None: not there
    pending: list[Call] = field(default_factory=list)

    def synced(self) -> None:
        self.certain = _after(self.certain, self.pending)
        self.pending = []


def _after(content: bytearray | None, calls: Iterable[Call]) -> bytearray | None:
    """The file once those calls have reached the disk."""
    now = None if content is None else bytearray(content)
    for call in calls:
        if call.kind == "delete":
            now = None
            continue
        now = bytearray() if now is None else now
        if call.kind == "truncate":
            del now[call.offset :]
        elif call.kind == "write":
            now.extend(bytes(max(0, call.offset - len(now))))
            now[call.offset : call.offset + len(call.data)] = call.data
    return now


class Disk:
    """The files of one folder, call by call."""

    def __init__(self, there: Iterable[Path] = ()) -> None:
        """`there`: empty files that were made, and are certain, before the first call."""
        self._files: dict[Path, _File] = {path: _File(bytearray()) for path in there}

    def goes_through(self, call: Call) -> None:
        file = self._files.setdefault(call.path, _File())
        match call.kind:
            case "sync":
                file.synced()
                self._deletions_are_certain()
            case "lost":
                file.pending = []
            case _:
                file.pending.append(call)

    def _deletions_are_certain(self) -> None:
        for file in self._files.values():
            if file.pending and file.pending[-1].kind == "delete":
                file.synced()

    def after_a_cut(self, fate: Fate, draw: random.Random) -> dict[Path, bytes]:
        """What is there when it comes up again."""
        contents = {path: _after(file.certain, _kept(file.pending, fate, draw)) for path, file in self._files.items()}
        return {path: bytes(content) for path, content in contents.items() if content is not None}


def _kept(pending: Sequence[Call], fate: Fate, draw: random.Random) -> list[Call]:
    if fate == "all lost":
        return []
    if fate == "all there":
        return list(pending)
    some = [call for call in pending if draw.random() < 0.5]
    draw.shuffle(some)
    return [_torn(call) if call.kind == "write" and draw.random() < 0.2 else call for call in some]


def _torn(call: Call) -> Call:
    """Only its first sectors."""
    return Call("write", call.path, call.offset, call.data[: len(call.data) // 2 // SECTOR_BYTES * SECTOR_BYTES])


def every_cut(calls: Sequence[Call], there: Iterable[Path], seed: int) -> Iterator[tuple[int, Fate, dict[Path, bytes]]]:
    """Behind each number of calls, once for each fate of what was not certain then."""
    disk, draw = Disk(there), random.Random(seed)
    for number in range(len(calls) + 1):
        for fate in FATES:
            yield number, fate, disk.after_a_cut(fate, draw)
        if number < len(calls):
            disk.goes_through(calls[number])


def written_into(folder: Path, contents: dict[Path, bytes]) -> list[Path]:
    """Puts those files there, and nothing else; returns their paths."""
    for old in folder.iterdir():
        old.unlink()
    for path, content in contents.items():
        (folder / path.name).write_bytes(content)
    return sorted(folder / path.name for path in contents)
