"""Migrations: up from nothing and from every earlier version, with a backup that can be put back; never down."""

import os
import sqlite3
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from recorder.catalogue.database import CatalogueUnusable, opened
from recorder.catalogue.models import Patient, Table
from recorder.catalogue.store import catalogue
from recorder.catalogue.upgrade import newest, upgrade, version_of, versions

EARLIER = versions()[:-1]


def do(url: str, *statements: str) -> None:
    with opened(url, make=True) as engine, engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def test_an_empty_database_gets_the_tables_that_the_program_works_with(url: str, site: SimpleNamespace) -> None:
    done = upgrade(url, site.backups)

    assert (done.before, done.after, done.backup) == (None, newest(), None)
    with opened(url) as engine, engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Table.metadata) == []


@pytest.mark.usefixtures("dump_is_there")
@pytest.mark.parametrize("earlier", EARLIER)
def test_a_catalogue_of_an_earlier_version_comes_up_with_what_is_in_it(
    url: str, site: SimpleNamespace, earlier: str
) -> None:
    upgrade(url, site.backups, to=earlier)
    do(url, "INSERT INTO patients VALUES ('P1')")

    done = upgrade(url, site.backups)

    assert (done.before, done.after) == (earlier, newest())
    with catalogue(url, site.key, site.heads) as kept, kept.asking() as session:
        assert session.scalars(sa.select(Patient.pseudonym)).all() == ["P1"]
    with opened(url) as engine, engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Table.metadata) == []


def test_the_backup_of_an_sqlite_catalogue_lies_beside_it_and_is_one(tmp_path: Path, site: SimpleNamespace) -> None:
    url = f"sqlite:///{tmp_path / 'catalogue.db'}"
    upgrade(url, site.backups, to=EARLIER[0])
    do(url, "INSERT INTO patients VALUES ('P1')")

    backup = upgrade(url, site.backups).backup

    assert backup is not None
    assert backup.parent == tmp_path
    assert backup.stat().st_mode & 0o777 == 0o600
    put_back = f"sqlite:///{backup}"
    with opened(put_back) as engine:
        assert version_of(engine) == EARLIER[0]
    connection = sqlite3.connect(backup)
    assert connection.execute("SELECT * FROM patients").fetchall() == [("P1",)]
    connection.close()


def test_the_backup_of_a_postgresql_catalogue_is_put_back_by_psql(
    server, site: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{server.programs}{os.pathsep}{os.environ['PATH']}")
    url, empty = server.new_database(), server.new_database()
    upgrade(url, site.backups, to=EARLIER[0])
    do(url, "INSERT INTO patients VALUES ('P1')")

    backup = upgrade(url, site.backups).backup

    assert backup is not None
    put_back = [server.programs / "psql", "--quiet", "--set=ON_ERROR_STOP=1", "--file", backup, empty]
    subprocess.run(put_back, check=True, timeout=60, stdout=subprocess.DEVNULL)
    with opened(empty) as engine, engine.connect() as connection:
        assert version_of(engine) == EARLIER[0]
        assert connection.exec_driver_sql("SELECT pseudonym FROM patients").scalars().all() == ["P1"]


def test_without_a_backup_there_is_no_upgrade(
    server, site: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    url = server.new_database()
    upgrade(url, site.backups, to=EARLIER[0])

    with pytest.raises(CatalogueUnusable, match="pg_dump is not here"):
        upgrade(url, site.backups)

    with opened(url) as engine:
        assert version_of(engine) == EARLIER[0]


def test_a_migration_that_fails_half_way_leaves_the_catalogue_as_it_was(tmp_path: Path, site: SimpleNamespace) -> None:
    url = f"sqlite:///{tmp_path / 'catalogue.db'}"
    upgrade(url, site.backups, to=EARLIER[-1])
    do(url, "CREATE TABLE exercise_reports (in_the_way INTEGER)")

    with pytest.raises(CatalogueUnusable, match="already exists"):
        upgrade(url, site.backups)

    with opened(url) as engine:
        assert version_of(engine) == EARLIER[-1]
        assert "episodes" not in sa.inspect(engine).get_table_names()


def test_there_is_no_way_down(url: str, site: SimpleNamespace) -> None:
    upgrade(url, site.backups)

    with pytest.raises(CatalogueUnusable, match=r"not brought down .* Put back the backup"):
        upgrade(url, site.backups, to=EARLIER[0])


def test_a_catalogue_of_a_newer_program_is_left_alone(url: str, site: SimpleNamespace) -> None:
    upgrade(url, site.backups)
    do(url, "UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(CatalogueUnusable, match="made by a newer program"):
        upgrade(url, site.backups)
    with pytest.raises(CatalogueUnusable, match="made by a newer program"), catalogue(url, site.key, site.heads):
        pass


def test_another_programs_database_is_left_alone(url: str, site: SimpleNamespace) -> None:
    do(url, "CREATE TABLE invoices (number INTEGER)")

    with pytest.raises(CatalogueUnusable, match=r"another program \(invoices\)"):
        upgrade(url, site.backups)


def test_an_earlier_version_is_not_worked_with_and_says_what_to_run(url: str, site: SimpleNamespace) -> None:
    upgrade(url, site.backups, to=EARLIER[0])

    with pytest.raises(CatalogueUnusable, match="tractable catalogue upgrade"), catalogue(url, site.key, site.heads):
        pass
