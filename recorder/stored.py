"""Opens a session file for reading only, also while another process writes it, and reads its header."""

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from recorder.foreign import not_a_session
from recorder.session_format import APPLICATION_ID, FORMAT_VERSION, NewerFormat, NotASession


def connect(path: Path) -> sqlite3.Connection:
    """A read-only connection to a session file of a format that this version can read.

    Raises NotASession, or NewerFormat. A file that is there but damaged further in raises sqlite3.DatabaseError later.
    """
    if not path.is_file():
        raise NotASession(f"There is no file {path}.")
    connection = open_read_only(path)
    try:
        _require_readable(connection)
    except (sqlite3.DatabaseError, ValueError, TypeError) as error:
        # ValueError: SQLite's message may quote damaged text that is no UTF-8, or the version is no JSON.
        connection.close()
        raise NotASession(not_a_session(path, error)) from error
    except BaseException:
        connection.close()
        raise
    return connection


def read_meta(connection: sqlite3.Connection) -> dict[str, Any]:
    """The header: every key of `meta` with its value."""
    return {key: json.loads(value) for key, value in connection.execute("SELECT key, value FROM meta")}


def open_read_only(path: Path) -> sqlite3.Connection:
    """A connection that changes nothing, to whatever the file holds. Raises NotASession where it cannot be opened."""
    address = path.absolute().as_uri()
    connection = _connect_uri(f"{address}?mode=ro")
    try:
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        # On a medium that takes no writing SQLite cannot set up its shared index; nobody else can be writing there.
        connection.close()
        if path.with_name(path.name + "-wal").exists():
            raise NotASession(f"{path} cannot be opened ({error}). Copy it together with its -wal file.") from error
        return _connect_uri(f"{address}?mode=ro&immutable=1")
    except (sqlite3.DatabaseError, ValueError):
        pass  # damaged: what is asked of it next will say how
    return connection


def _connect_uri(uri: str) -> sqlite3.Connection:
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    # The file may come from anywhere: none of its own code runs, and its pages are checked as they are read.
    for setting in ("query_only = ON", "trusted_schema = OFF", "cell_size_check = ON"):
        connection.execute(f"PRAGMA {setting}")
    return connection


def _require_readable(connection: sqlite3.Connection) -> None:
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    if application_id != APPLICATION_ID:
        raise ValueError("its application id is another's")
    (version,) = connection.execute("SELECT value FROM meta WHERE key = 'format_version'").fetchone()
    if int(version) > FORMAT_VERSION:
        raise NewerFormat(
            f"The file has format {version}, and this version reads up to {FORMAT_VERSION}. "
            "Install the version that wrote it, or a newer one."
        )


@contextlib.contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """`connect` for a `with` block: one consistent state of the file, closed at its end."""
    connection = connect(path)
    try:
        connection.execute("BEGIN")
        yield connection
    finally:
        connection.close()
