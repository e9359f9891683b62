"""A copy of the whole catalogue in one file, that the database's own tools put back.

SQLite: a database beside the first one, of the same form. PostgreSQL: what pg_dump writes, for psql to read.
"""

import contextlib
import os
import shutil
import sqlite3
import subprocess
from pathlib import Path
from typing import Final

from sqlalchemy.engine import URL, Engine

from recorder.catalogue.database import CatalogueUnusable

DUMP_WITHIN_S: Final = 3600


def back_up(engine: Engine, folder: Path, name: str) -> Path:
    """Writes the backup, on the disk when this returns, and gives its path. Raises CatalogueUnusable."""
    if engine.dialect.name == "postgresql":
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"catalogue.{name}.sql"
        _dump(engine.url, path)
    else:
        source = Path(engine.url.database or "")
        path = source.with_name(f"{source.name}.{name}")
        _copy(source, path)
    _sync(path)
    return path


def _copy(source: Path, path: Path) -> None:
    _make_private(path)
    with (
        contextlib.closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as before,
        contextlib.closing(sqlite3.connect(path)) as copy,
    ):
        before.backup(copy)


def _dump(url: URL, path: Path) -> None:
    program = shutil.which("pg_dump")
    if program is None:
        raise CatalogueUnusable(
            "An upgrade makes a backup first, and pg_dump is not here: install PostgreSQL's client programs."
        )
    _make_private(path)
    address = url.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    environment = os.environ | ({"PGPASSWORD": str(url.password)} if url.password else {})
    done = subprocess.run(
        [program, "--no-owner", "--file", str(path), "--dbname", address],
        env=environment,
        capture_output=True,
        text=True,
        timeout=DUMP_WITHIN_S,
        check=False,
    )
    if done.returncode != 0:
        path.unlink()
        raise CatalogueUnusable(f"The backup failed, so nothing was changed: {done.stderr.strip()}")


def _make_private(path: Path) -> None:
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _sync(path: Path) -> None:
    for place in (path, path.parent):
        descriptor = os.open(place, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
