"""Where session files lie, whether there is room for one, and what to say when the disk refuses."""

import errno
import os
import re
import shutil
import sqlite3
import threading
from pathlib import Path
from typing import Final

from recorder.session_format import SUFFIX

NEEDED_BYTES: Final = 200_000_000  # an hour at 320 samples/s takes about 70 MB; the rest is room to spare
FULL_BELOW_BYTES: Final = 1_000_000

STEM_MAX: Final = 200  # with what comes behind it, a file's name may have 255 bytes
ANSWERS_WITHIN_S: Final = 0.1  # who asks may be at a table that pulls, and must not stand still for 0.2 s

# The system forgets what it could not flush, and says yes the next time: a file that this happened to is given up.
_SYNC_FAILED: Final = {sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC}
_FULL: Final = {errno.ENOSPC, errno.EDQUOT}
_REFUSED: Final = {errno.EROFS, errno.EACCES, errno.EPERM}


def session_path(root: Path, session_id: str, started_utc: str, part: int) -> Path:
    """`sessions/<year>/<id>.tractable` under the data folder; a later part of the same session is `<id>.part2`."""
    stem = re.sub(r"[^A-Za-z0-9._-]", "_", session_id).lstrip(".")[:STEM_MAX] or "session"
    year = started_utc[:4] if re.fullmatch(r"\d{4}", started_utc[:4]) else "undated"
    return root / "sessions" / year / (stem + (f".part{part}" if part > 1 else "") + SUFFIX)


def session_files(root: Path) -> list[Path]:
    """The paths of all session files under the data folder."""
    return sorted((root / "sessions").glob(f"*/*{SUFFIX}"))


class FreeSpace:
    """Refuses a session while the data folder cannot take its record."""

    def __init__(self, root: Path, needed_bytes: int = NEEDED_BYTES) -> None:
        self._root = root
        self._needed_bytes = needed_bytes
        self._asking: threading.Thread | None = None
        self._answer: str | None = None

    def refusal(self) -> str | None:
        """None when there is room to write; else a sentence that says what to do. Waits for no disk that hangs."""
        if self._asking is None or not self._asking.is_alive():
            self._asking = threading.Thread(target=self._ask, name="free-space", daemon=True)
            self._asking.start()
            self._asking.join(ANSWERS_WITHIN_S)
        return disk_hangs(self._root) if self._asking.is_alive() else self._answer

    def _ask(self) -> None:
        self._answer = self._looked_at()

    def _looked_at(self) -> str | None:
        try:
            free = shutil.disk_usage(_nearest_existing(self._root / "sessions")).free
            closed = is_closed(self._root)
        except OSError as error:
            return failure_sentence(error, self._root)
        if closed:
            return _cannot_be_written_to(self._root)
        if free < self._needed_bytes:
            return (
                f"Only {free // 1_000_000} MB are free for session records in {self._root}, "
                f"and {self._needed_bytes // 1_000_000} MB are needed. Free some space, or name another data folder."
            )
        return None


def is_closed(root: Path) -> bool:
    """Whether nothing can be written below that folder, whatever room there is."""
    folder = _nearest_existing(root / "sessions")
    return not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK))


def closed_sentence(root: Path) -> str:
    return f"The session cannot be recorded. {_cannot_be_written_to(root)}"


def disk_hangs(root: Path) -> str:
    return f"The disk that holds {root} does not answer. Check the disk and its connection."


def _nearest_existing(folder: Path) -> Path:
    return next(place for place in (folder, *folder.absolute().parents) if place.exists())


def _cannot_be_written_to(folder: Path) -> str:
    return f"The folder {folder} cannot be written to. Give this program the right to write there, or name another."


def failure_sentence(error: sqlite3.Error | OSError, root: Path) -> str:
    """What went wrong with the record, and what to do, for the person at the table."""
    if place_is_full(error, root):
        return f"The session cannot be recorded: the disk that holds {root} is full. Free some space there."
    if place_is_closed(error):
        return closed_sentence(root)
    match _primary_code(error):
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            reason = f"another program holds the session file in {root}. Close what has it open."
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            reason = f"the session file in {root} was damaged from outside. Check the disk."
        case _:
            reason = f"the disk that holds {root} reports an error ({error}). Check the disk and its connection."
    return f"The session cannot be recorded: {reason}"


def place_is_full(error: sqlite3.Error | OSError, root: Path) -> bool:
    """Whether the error means a full disk; SQLite calls some of those plain input/output errors."""
    if isinstance(error, OSError):
        return error.errno in _FULL
    return _primary_code(error) == sqlite3.SQLITE_FULL or (
        _primary_code(error) == sqlite3.SQLITE_IOERR and _free_bytes(root) < FULL_BELOW_BYTES
    )


def place_is_closed(error: sqlite3.Error | OSError) -> bool:
    """Whether the error means that the place takes no writing at all."""
    if isinstance(error, OSError):
        return error.errno in _REFUSED
    return _primary_code(error) == sqlite3.SQLITE_READONLY


def sync_failed(error: sqlite3.Error | OSError) -> bool:
    """Whether the disk said that it did not keep what was written before."""
    return getattr(error, "sqlite_errorcode", None) in _SYNC_FAILED


def _primary_code(error: BaseException) -> int | None:
    # The low byte is SQLite's primary result code, the rest says more of where it came from.
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else int(code) & 0xFF


def _free_bytes(root: Path) -> int:
    try:
        return shutil.disk_usage(_nearest_existing(root / "sessions")).free
    except OSError:
        return FULL_BELOW_BYTES
