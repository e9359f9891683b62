"""The list of the records that were ended, `sessions/ended.jsonl`: what each one was when it was closed for good.

It is kept apart from the records, so that one whose end was cut off, that was written anew as a whole, or in which a
byte changed that belongs to no block, does not fit it any more. It is not signed: who edits both is not found out.
"""

import contextlib
import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from recorder.block_chain import Link

NAME: Final = "ended.jsonl"


@dataclass(frozen=True, slots=True)
class Ended:
    """`file` is the path below `sessions`. `sha256` is None where a reader kept the file from becoming one."""

    file: str
    blocks: int
    last_hash: str
    sha256: str | None


def note_ended(path: Path, last: Link) -> None:
    """Adds a record to the list, on the disk. A disk that does not take it costs this check, and no record."""
    with contextlib.suppress(OSError):
        alone = not path.with_name(path.name + "-wal").exists()
        ended = Ended(_name_of(path), last.number + 1, last.hash, sha256_of(path) if alone else None)
        line = json.dumps(asdict(ended)).encode() + b"\n"
        with _list_of(path).open("ab", buffering=0) as file:  # one write, so that several tables may share a folder
            file.write(line)
            os.fsync(file.fileno())


def as_ended(path: Path) -> Ended | None:
    """What the list says of the record at this path; None where it says nothing, or the record lies elsewhere."""
    with contextlib.suppress(OSError):
        for line in reversed(_list_of(path).read_bytes().splitlines()):
            with contextlib.suppress(ValueError, TypeError):
                ended = Ended(**json.loads(line))
                if ended.file == _name_of(path):
                    return ended
    return None


def sha256_of(path: Path) -> str:
    """Of the file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _list_of(path: Path) -> Path:
    return path.absolute().parent.parent / NAME


def _name_of(path: Path) -> str:
    return f"{path.absolute().parent.name}/{path.name}"
