"""Exports a session into a folder, in one or several formats that hold the same samples, with a list of checksums."""

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from recorder.export.model import ExportedSession, Progress
from recorder.export.staging import CannotExport, already_there, staged
from recorder.reading import Session
from recorder.verification import State

# Format: the module here that writes it.
FORMATS: Final[dict[str, str]] = {
    "csv": "csv_package",
    "parquet": "parquet",
    "edf": "edf",
    "bids": "bids",
    "hdf5": "hdf5",
    "fhir": "fhir",
}


@dataclass(frozen=True, slots=True)
class Writer:
    """`files` are what the names of a session's files (or of its folder) end in; `write` fills them in a folder."""

    files: tuple[str, ...]
    write: Callable[[ExportedSession, Path], None]


def writers(formats: Sequence[str]) -> dict[str, Writer]:
    """What writes each of these formats. Raises CannotExport for one that there is not, and names the nearest."""
    for name in formats:
        if name not in FORMATS:
            near = difflib.get_close_matches(name, FORMATS, n=1, cutoff=0.0)[0]
            raise CannotExport(f"There is no format {name}; did you mean {near}? Choose from: {', '.join(FORMATS)}.")
    if not formats:
        raise CannotExport(f"No format was given. Choose from: {', '.join(FORMATS)}.")
    return {name: _writer(name) for name in formats}


def _writer(name: str) -> Writer:
    module: Any = import_module(f"recorder.export.{FORMATS[name]}")
    return Writer(module.FILES, module.write)


def export(
    session: Session,
    folder: Path,
    formats: Sequence[str],
    *,
    overwrite: bool = False,
    key: bytes | None = None,
    texts: bool = False,
    progress: Progress | None = None,
    state: State | None = None,
) -> list[Path]:
    """Writes `<id>.samples.csv` and so on into the folder, and lists them in its SHA256SUMS. Returns what was written.

    What somebody typed is left out, unless `texts` asks for the events as recorded. `key` makes the patient's
    pseudonym; without it the patient is left out. `progress` hears the number of rows of each batch read. `state` is
    what a verification of the record found: the exports say it.

    Raises CannotExport for a format that is not known, a file that is there already (unless `overwrite`), or a disk
    that does not take it; no half-written file stays.
    """
    chosen = writers(formats)
    name = session.path.stem
    files = [f"{name}.{ending}" for writer in chosen.values() for ending in writer.files]
    taken = [file for file in files if (folder / file).exists()]
    if taken and not overwrite:
        raise already_there(folder, taken)
    exported = ExportedSession(session, name, key, texts=texts, progress=progress, state=state)
    with staged(folder, overwrite=overwrite) as staging, session.unchanging():
        for writer in chosen.values():
            writer.write(exported, staging.folder)
    return staging.written
