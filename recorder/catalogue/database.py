"""Opens the catalogue's database: SQLite by default, PostgreSQL by its URL.

SQLite is told to wait for the disk at every commit, to keep foreign keys, and to begin a transaction that writes as one
that writes, so that two programs wait for each other instead of failing half-way.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, Connection, Engine, make_url

BUSY_TIMEOUT_S: Final = 10.0
CONNECT_WITHIN_S: Final = 5
# Any number, the same for every program that writes this audit trail.
AUDIT_LOCK: Final = 0x54524354


class CatalogueUnusable(Exception):
    """The catalogue cannot be used; the sentence says why and what to do."""


def parsed(url: str) -> URL:
    """The URL with the driver that is used here. Raises CatalogueUnusable."""
    try:
        known = make_url(url)
    except sa.exc.ArgumentError as error:
        raise CatalogueUnusable("The catalogue's address is none: use sqlite:///FILE or postgresql://...") from error
    match known.get_backend_name():
        case "sqlite":
            return known.set(drivername="sqlite")
        case "postgresql":
            return known.set(drivername="postgresql+psycopg")
    raise CatalogueUnusable(f"The catalogue can be SQLite or PostgreSQL, not {known.get_backend_name()}.")


@contextmanager
def opened(url: str, *, make: bool = False) -> Iterator[Engine]:
    """An engine for a `with` block. Raises CatalogueUnusable where the database cannot be reached or refuses.

    An SQLite file that is not there is made only with `make`.
    """
    engine = _engine(parsed(url), make)
    try:
        yield engine
    except sa.exc.DBAPIError as error:
        raise CatalogueUnusable(f"The catalogue {shown(url)} does not do it: {_reason(error)}.") from error
    finally:
        engine.dispose()


def shown(url: str) -> str:
    """The address without its password."""
    return parsed(url).render_as_string(hide_password=True)


def _reason(error: sa.exc.DBAPIError) -> str:
    return str(error.orig).strip().splitlines()[0].rstrip(".") if str(error.orig).strip() else type(error.orig).__name__


def _engine(url: URL, make: bool) -> Engine:
    if url.get_backend_name() == "postgresql":
        try:
            return sa.create_engine(url, connect_args={"connect_timeout": CONNECT_WITHIN_S}, poolclass=sa.NullPool)
        except ModuleNotFoundError as error:
            raise CatalogueUnusable(
                "PostgreSQL needs psycopg: install tractable with its postgresql extra, or use SQLite."
            ) from error
    file = Path(url.database or "")
    if make:
        file.absolute().parent.mkdir(parents=True, exist_ok=True)
    elif not file.is_file():
        raise CatalogueUnusable(f"There is no catalogue {file} yet. Make it with: tractable catalogue rebuild")
    engine = sa.create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_S}, poolclass=sa.NullPool)
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin)
    return engine


def _set_up(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions begin where we say, also around CREATE TABLE
    for setting in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {setting}")


def _begin(connection: Connection) -> None:
    writing = connection.get_execution_options().get("writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def alone(connection: Connection) -> None:
    """From here to the end of the transaction, nobody else adds to the audit trail."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": AUDIT_LOCK})
