"""Says what a file is that is no session file, as far as its first bytes tell."""

import contextlib
import sqlite3
from pathlib import Path
from typing import Final

HEAD_BYTES: Final = 512
APPLICATION_ID_AT: Final = slice(68, 72)
SQLITE: Final = b"SQLite format 3\0"
BEGINNINGS: Final = {
    b"PAR1": "a Parquet file, perhaps an export of a session",
    b"\x89HDF\r\n\x1a\n": "an HDF5 file, perhaps an export of a session",
    b"0       ": "an EDF file, perhaps an export of a session",
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a ZIP archive",
    b"\x1f\x8b": "a gzip archive",
    b"\x37\x7f\x06\x82": "an SQLite write-ahead log: it belongs beside its session file",
    b"\x37\x7f\x06\x83": "an SQLite write-ahead log: it belongs beside its session file",
    b"{": "a JSON text",
    b"[": "a text, perhaps a prescription or settings",
}


def not_a_session(path: Path, error: Exception) -> str:
    """A sentence on a file that did not open as a session; `error` is what SQLite or its header said."""
    return f"{path} is not a session file, or its beginning is damaged: it is {_what_it_is(path)} ({error})."


def _what_it_is(path: Path) -> str:
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as problem:
        return f"not readable here ({problem.strerror})"
    if not head:
        return "empty: nothing was ever written to it"
    if head.startswith(SQLITE):
        return _which_database(path, head)
    for beginning, what in BEGINNINGS.items():
        if head.startswith(beginning):
            return what
    if not any(head):
        return "a file that begins with nothing but zeros: its contents never reached the disk, or were wiped"
    return "a text file" if _is_text(head) else "of a kind that is not known here"


def _which_database(path: Path, head: bytes) -> str:
    number = int.from_bytes(head[APPLICATION_ID_AT], "big")
    with contextlib.suppress(sqlite3.Error, ValueError):
        uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        with contextlib.closing(sqlite3.connect(uri, uri=True)) as connection:
            tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        held = f"holds the tables {', '.join(sorted(tables)[:8])}" if tables else "holds no tables"
        return f"an SQLite database (application id {number:#x}) that {held}"
    return f"an SQLite database (application id {number:#x}) whose beginning cannot be read"


def _is_text(head: bytes) -> bool:
    try:
        text = head.decode("utf-8", errors="strict")
    except UnicodeDecodeError as error:
        text = head[: error.start].decode() if error.start > HEAD_BYTES - 4 else "\0"
    return all(letter.isprintable() or letter in "\r\n\t\f" for letter in text)
