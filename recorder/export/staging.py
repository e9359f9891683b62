"""Files that appear together or not at all: they are written into a hidden folder beside their place, then renamed.

A crash between two renames leaves whole files of one export, never a part of a file.
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from recorder.export.checksums import CHECKSUMS, checksum_lines

_PREFIX: Final = ".partial-"


class CannotExport(Exception):
    """Nothing was exported; the sentence says why and what to do."""


class Staging:
    """`folder` takes the files, each at the place that it is to have below the target. `written` lists them after."""

    def __init__(self, folder: Path, target: Path) -> None:
        self.folder = folder
        self.written: list[Path] = []
        self._target = target

    def move_in(self, overwrite: bool) -> None:
        """Gives every file its name, and the target its list of checksums."""
        staged = sorted(path for path in self.folder.rglob("*") if path.is_file())
        names = [path.relative_to(self.folder).as_posix() for path in staged]
        taken = [name for name in names if (self._target / name).exists()]
        if taken and not overwrite:
            raise already_there(self._target, taken)
        sums = self.folder / CHECKSUMS
        with ThreadPoolExecutor(1) as thread:  # the disk writes while sums are reckoned
            on_disk = thread.map(_sync, staged)
            sums.write_text(checksum_lines(self._target, zip(names, staged, strict=True)), encoding="utf-8")
            _sync(sums)
            list(on_disk)
        for name in (*names, CHECKSUMS):
            self._move(name)

    def _move(self, name: str) -> None:
        source, place = self.folder / name, self._target / name
        place.parent.mkdir(parents=True, exist_ok=True)
        source.replace(place)
        self.written.append(place)


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def already_there(target: Path, names: list[str]) -> CannotExport:
    """The refusal where files are in the way."""
    shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
    return CannotExport(f"{target} already holds {shown}. Choose another folder, or ask to overwrite (--overwrite).")


@contextlib.contextmanager
def staged(target: Path, *, overwrite: bool) -> Iterator[Staging]:
    """Makes the target folder, and moves in what was written once the block ends well. Nothing stays if it does not.

    Raises CannotExport where the disk does not take it, or a file is there already (unless `overwrite`).
    """
    made = [folder for folder in (target, *target.parents) if not folder.exists()]
    try:
        target.mkdir(parents=True, exist_ok=True)
        _clear_leftovers(target)
        with tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{os.getpid()}-", dir=target) as hidden:
            staging = Staging(Path(hidden), target)
            yield staging
            staging.move_in(overwrite)
    except OSError as error:
        _remove_empty(made)
        raise CannotExport(f"The export to {target} failed ({error}). Free some space, or choose another.") from error
    except BaseException:
        _remove_empty(made)
        raise


def _clear_leftovers(target: Path) -> None:
    """Removes what an export that was killed left in this folder; one that still runs is let alone."""
    for leftover in target.glob(f"{_PREFIX}*"):
        writer = leftover.name.removeprefix(_PREFIX).partition("-")[0]
        if writer.isdecimal() and not Path("/proc", writer).exists():
            shutil.rmtree(leftover, ignore_errors=True)


def _remove_empty(folders: list[Path]) -> None:
    for folder in folders:
        with contextlib.suppress(OSError):
            folder.rmdir()
