"""Makes the catalogue's tables, and brings those of an earlier version up to this one, after a backup. Never down."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection, Engine

from recorder.catalogue.backup import back_up
from recorder.catalogue.database import CatalogueUnusable, alone, opened, shown

MIGRATIONS: Final = Path(__file__).with_name("migrations")
VERSION_TABLE: Final = "alembic_version"


@dataclass(frozen=True, slots=True)
class Upgrade:
    """From which version to which; None is an empty database. `backup` is the file that was made first."""

    before: str | None
    after: str
    backup: Path | None


def newest() -> str:
    """The version of the tables that this program works with."""
    head = _scripts().get_current_head()
    assert head is not None
    return head


def versions() -> list[str]:
    """All versions there have been, the oldest first."""
    return [script.revision for script in reversed(list(_scripts().walk_revisions()))]


def version_of(engine: Engine) -> str | None:
    """The version of the tables in that database; None where there are none. Raises CatalogueUnusable for others'."""
    with engine.connect() as connection:
        version = MigrationContext.configure(connection).get_current_revision()
        tables = set(sa.inspect(connection).get_table_names()) - {VERSION_TABLE}
    if version is None and tables:
        raise CatalogueUnusable(
            f"The database holds tables of another program ({', '.join(sorted(tables)[:5])}). Name an empty one."
        )
    return version


def require_newest(engine: Engine, url: str) -> None:
    """Raises CatalogueUnusable, with what to do, unless the tables are those of this version."""
    version = version_of(engine)
    if version == newest():
        return
    if version is None:
        raise CatalogueUnusable(f"There is no catalogue in {shown(url)} yet. Make it with: tractable catalogue rebuild")
    _refuse_newer(version, url)
    raise CatalogueUnusable(
        f"The catalogue has version {version}, and this program needs {newest()}. Run: tractable catalogue upgrade"
    )


def upgrade(url: str, backups: Path, to: str | None = None) -> Upgrade:
    """Brings the tables up to this version, or to an earlier one `to` that is above theirs.

    What is there is backed up first: beside an SQLite file, in the folder `backups` for PostgreSQL. Raises
    CatalogueUnusable for a database of a newer version: there is no way down but a backup.
    """
    target = to or newest()
    with opened(url, make=True) as engine:
        before = version_of(engine)
        if before == target:
            return Upgrade(before, target, None)
        if before is not None:
            _refuse_newer(before, url)
            _refuse_down(before, target)
        backup = None if before is None else back_up(engine, backups, f"before-{before}-to-{target}-{_now()}")
        with _writing(engine) as connection:
            command.upgrade(_config(connection), target)
    return Upgrade(before, target, backup)


def _refuse_newer(version: str, url: str) -> None:
    if version not in versions():
        raise CatalogueUnusable(
            f"The catalogue {shown(url)} has version {version}, made by a newer program; this one knows up to "
            f"{newest()}. Install the newer program again, or put back the backup that was made before the upgrade."
        )


def _refuse_down(before: str, target: str) -> None:
    if versions().index(target) < versions().index(before):
        raise CatalogueUnusable(
            f"The catalogue has version {before} and is not brought down to {target}: what came with it would be lost. "
            "Put back the backup that was made before the upgrade."
        )


@contextmanager
def _writing(engine: Engine) -> Iterator[Connection]:
    with engine.connect().execution_options(writing=True) as connection, connection.begin():
        alone(connection)
        yield connection


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _now() -> str:
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}"
