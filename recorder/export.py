"""Exports a session into a folder, in one or several formats that hold the same samples, with a list of checksums.

A file appears under its name only when it is complete: it is written beside it first, then renamed.
"""

import contextlib
import hashlib
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from recorder import export_csv, export_parquet
from recorder.reading import Session

CHECKSUMS: Final = "SHA256SUMS"
_PARTIAL: Final = ".partial"


class CannotExport(Exception):
    """Nothing was exported; the sentence says why and what to do."""


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """`files` are the names' endings; `write` fills the path given for each."""

    files: tuple[str, ...]
    write: Callable[[Session, dict[str, Path]], None]


FORMATS: Final = {
    "csv": ExportFormat(export_csv.FILES, export_csv.write),
    "parquet": ExportFormat(export_parquet.FILES, export_parquet.write),
}


def export(session: Session, folder: Path, formats: Sequence[str], *, overwrite: bool = False) -> list[Path]:
    """Writes `<id>.samples.csv` and so on into the folder, and lists them in its SHA256SUMS. Returns what was written.

    Raises CannotExport for a format that is not known, a file that is there already (unless `overwrite`), or a disk
    that does not take it; no half-written file stays.
    """
    unknown = [name for name in formats if name not in FORMATS]
    if unknown or not formats:
        raise CannotExport(f"There is no format {', '.join(unknown) or 'given'}. Choose from: {', '.join(FORMATS)}.")
    chosen = {name: FORMATS[name] for name in formats}
    targets = [folder / f"{session.path.stem}.{ending}" for each in chosen.values() for ending in each.files]
    taken = [path.name for path in targets if path.exists()]
    if taken and not overwrite:
        raise CannotExport(f"{folder} already holds {', '.join(taken)}. Choose another folder, or ask to overwrite.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write_all(session, folder, list(chosen.values()))
        checksums = _add_checksums(folder, targets)
    except OSError as error:
        raise CannotExport(f"The export to {folder} failed ({error}). Free some space, or choose another.") from error
    return [*targets, checksums]


def _write_all(session: Session, folder: Path, formats: Sequence[ExportFormat]) -> None:
    """All formats first, then all names: the files of one export appear together or not at all."""
    with contextlib.ExitStack() as stack:
        finished: list[tuple[Path, Path]] = []
        for each in formats:
            partial = {ending: folder / f".{session.path.stem}.{ending}{_PARTIAL}" for ending in each.files}
            for path in partial.values():
                stack.callback(path.unlink, missing_ok=True)
            each.write(session, partial)
            finished += [(path, folder / f"{session.path.stem}.{ending}") for ending, path in partial.items()]
        for path, target in finished:
            _flush_to_disk(path)
            path.replace(target)


def _flush_to_disk(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _add_checksums(folder: Path, paths: Sequence[Path]) -> Path:
    """Adds these files to the folder's list, which `sha256sum --check SHA256SUMS` reads."""
    target = folder / CHECKSUMS
    sums = dict(_listed(target))
    sums.update({path.name: _sha256(path) for path in paths})
    partial = target.with_name(f".{CHECKSUMS}{_PARTIAL}")
    partial.write_text("".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items())), encoding="utf-8")
    partial.replace(target)
    return target


def _listed(checksums: Path) -> Iterator[tuple[str, str]]:
    if checksums.exists():
        for line in checksums.read_text(encoding="utf-8").splitlines():
            if found := re.fullmatch(r"([0-9a-f]{64})  (.+)", line):
                yield found[2], found[1]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
