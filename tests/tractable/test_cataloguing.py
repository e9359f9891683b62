"""Ended sessions get into the catalogue beside the table's work; one that fails or hangs is a line in the log."""

import json
import logging
import socket
import sys
from contextlib import closing
from pathlib import Path

import pytest

from controller.journal import SessionHeader
from recorder.journal import SessionJournal
from tractable.cataloguing import Cataloguing, cataloguing
from tractable.settings import load_settings

WITHIN_S = 20.0
HEADER = SessionHeader("S", "2025-03-01T09:30:00Z", {"pseudonym": "K7"}, {}, {"serial": 1}, {}, {}, True)
SAYS_WHAT_IT_GETS = "import sys; open(sys.argv[1], 'a').write(' '.join(sys.argv[2:]) + '\\n')"


@pytest.fixture
def log(caplog):
    caplog.set_level(logging.WARNING, logger="tractable.cataloguing")
    return caplog


def one_session(folder: Path, running: Cataloguing) -> Path:
    with SessionJournal(folder, on_ended=lambda path: running.add([path])) as journal:
        journal.begin(HEADER)
        journal.end()
        assert journal.wait_until_written(WITHIN_S)
        path = journal.ended
    assert path is not None
    return path


def test_an_ended_session_is_in_the_catalogue_without_anybody_asking(tractable, account, log):
    with cataloguing(load_settings(data_folder=account)) as running:
        path = one_session(account, running)
        running.close(60.0)

    (row,) = json.loads(tractable("catalogue", "list", "--json", "--data", account).out)
    assert row["id"] == path.stem
    assert log.messages == []


def test_files_are_handed_over_in_their_order(tmp_path, log):
    with closing(Cataloguing([sys.executable, "-c", SAYS_WHAT_IT_GETS, str(tmp_path / "got")])) as running:
        running.add([])
        running.add([Path("a"), Path("b")])
        running.add([Path("c")])

    assert (tmp_path / "got").read_text() == "a b\nc\n"


def test_a_catalogue_that_cannot_be_reached_is_a_line_that_says_what_to_do(tmp_path, log, monkeypatch):
    monkeypatch.setenv("TRACTABLE_CATALOGUE_URL", "postgresql://anna:geheim@127.0.0.1:9/catalogue")
    command = [sys.executable, "-m", "tractable", "catalogue", "add", "--data", str(tmp_path)]
    running = Cataloguing(command)

    path = one_session(tmp_path, running)
    running.close(60.0)

    (line,) = log.messages
    assert line.startswith(
        f"Not in the catalogue: {path.name}. The catalogue postgresql+psycopg://anna:***@127.0.0.1:9"
    )
    assert line.endswith("Catch up with: tractable catalogue rebuild")


def test_a_catalogue_that_hangs_is_given_up(tmp_path, log):
    with closing(Cataloguing([sys.executable, "-c", "import time; time.sleep(600)"], within_s=0.5)) as running:
        running.add([Path("a")])

    assert "did not answer in time" in log.messages[0]


def test_who_ends_the_program_does_not_wait_for_long(tmp_path, log, elapsed_s):
    running = Cataloguing([sys.executable, "-c", "import time; time.sleep(600)"])
    running.add([Path("a")])
    running.add([Path("b")])

    running.close(0.5)

    assert elapsed_s() < WITHIN_S
    assert len(log.messages) == 2


def test_a_session_ends_at_once_whatever_the_catalogue_does(tmp_path, log):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        reads_for_ever = f"import socket; socket.create_connection(('127.0.0.1', {silent.getsockname()[1]})).recv(1)"
        running = Cataloguing([sys.executable, "-c", reads_for_ever])
        path = one_session(tmp_path, running)
        second = one_session(tmp_path / "second", running)
        running.close(0.5)

    assert path.exists()
    assert second.exists()
