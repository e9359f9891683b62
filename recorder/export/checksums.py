"""The list of checksums in a folder of exports, as `sha256sum --check SHA256SUMS` reads it."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

CHECKSUMS: Final = "SHA256SUMS"


def checksum_lines(folder: Path, paths: Iterable[tuple[str, Path]]) -> str:
    """The folder's list with these files in it: each as its name from the folder, and where it lies now."""
    sums = dict(listed(folder / CHECKSUMS))
    sums.update({name: sha256_of(path) for name, path in paths})
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items()))


def listed(checksums: Path) -> Iterator[tuple[str, str]]:
    """Name and checksum of each file in the list; none where there is no list."""
    if checksums.exists():
        for line in checksums.read_text(encoding="utf-8").splitlines():
            if found := re.fullmatch(r"([0-9a-f]{64})  (.+)", line):
                yield found[2], found[1]


def sha256_of(path: Path) -> str:
    """The file's SHA-256, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
