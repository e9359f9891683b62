"""The `tractable` command as a person runs it: a process of its own, with an account's folders of its own."""

import os
import select
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from controller import prescription
from controller.commands import HUMAN_TICKS
from controller.inputs import EndAcknowledged, StartAsked, StopAsked
from controller.phases import Ended, Ramping
from recorder.journal import SessionJournal
from tractable.virtual_stack import VirtualStack

ENDS_WITHIN_S = 30.0
PRESCRIPTION = """\
[patient]
pseudonym = "K7-2F41"
body_mass = "80 kg"

[pull]
mode = "static"
force = "100 N"
time_at_force = "60 s"
ramp = "20 N/s"

[prescribed]
by = "clinician"
"""


@dataclass(frozen=True)
class Said:
    """What a command answered. Whatever goes wrong, it is never a traceback."""

    code: int
    out: str
    err: str


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An account that has nothing yet: no settings, no records, no broker. Its home."""
    for variable in [name for name in os.environ if name.startswith("TRACTABLE_")]:
        monkeypatch.delenv(variable)
    home = tmp_path / "home"
    for variable, folder in (
        ("HOME", home),
        ("XDG_DATA_HOME", home / "data"),
        ("XDG_CONFIG_HOME", home / "config"),
        ("XDG_RUNTIME_DIR", home / "run"),
    ):
        folder.mkdir()
        monkeypatch.setenv(variable, str(folder))
    monkeypatch.setenv("COLUMNS", "200")
    return home


@pytest.fixture
def settings_file(account: Path) -> Callable[[str], Path]:
    """Writes the account's settings."""

    def write(text: str) -> Path:
        path = account / "config" / "tractable" / "settings.toml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write


class Typed:
    """A command that was typed and runs, from `folder`."""

    def __init__(self, folder: Path, arguments: tuple[str | Path, ...]) -> None:
        self.process = subprocess.Popen(
            [Path(sys.executable).with_name("tractable"), *arguments],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def said(self) -> Said:
        out, err = self.process.communicate(timeout=ENDS_WITHIN_S)
        assert "Traceback" not in err, err
        return Said(self.process.returncode, out, err)

    def said_to(self, line: int, answer: Callable[[bytes], bytes]) -> Said:
        """Answers on that line whatever the command writes to it, until the command ends."""
        ended = os.pidfd_open(self.process.pid)
        try:
            while ended not in (ready := select.select([line, ended], [], [], ENDS_WITHIN_S)[0]):
                assert ready, "the command neither ended nor spoke"
                if reply := answer(os.read(line, 4096)):
                    os.write(line, reply)
        finally:
            os.close(ended)
        return self.said()


@pytest.fixture
def type_in(account: Path) -> Iterator[Callable[..., Typed]]:
    """Starts the command with these arguments; whatever still runs at the end of the test is killed."""
    begun: list[Typed] = []

    def type_in(*arguments: str | Path) -> Typed:
        begun.append(Typed(account, arguments))
        return begun[-1]

    yield type_in
    for typed in begun:
        typed.process.kill()
        typed.process.communicate()


@pytest.fixture
def tractable(type_in: Callable[..., Typed]) -> Callable[..., Said]:
    """Runs the command to its end."""
    return lambda *arguments: type_in(*arguments).said()


@pytest.fixture
def prescribe(account: Path) -> Callable[..., Path]:
    """Writes a prescription file, with each `old` replaced by `new`."""

    def write(*changes: tuple[str, str]) -> Path:
        text = PRESCRIPTION
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new)
        path = account / "prescription.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


SESSION_ID = "20260101-000001-ab12"


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with one session, which the clinician stopped while ramping. It is not to be changed."""
    folder = tmp_path_factory.mktemp("recorded")
    with SessionJournal(folder) as journal:
        stack = VirtualStack(journal=journal)
        _give_a_short_session(stack)
        assert journal.wait_until_written(10)
    return folder


def _give_a_short_session(stack: VirtualStack) -> None:
    prescribed = prescription.parse_toml(PRESCRIPTION)
    stack.run_for(1)
    start = StartAsked("clinician", "start-0001", SESSION_ID, prescribed, HUMAN_TICKS, prescribed.force_mn, False, 30)
    stack.to_table.put(stack.conductor.take(start, stack.now_us), stack.now_us)
    assert stack.run_until(lambda stack: isinstance(stack.state.phase, Ramping), 40)
    stack.run_for(1)
    stack.to_table.put(stack.conductor.take(StopAsked("clinician", "stop-00001"), stack.now_us), stack.now_us)
    assert stack.run_until(lambda stack: isinstance(stack.state.phase, Ended), 40)
    stack.to_table.put(stack.conductor.take(EndAcknowledged("clinician", "end-000001"), stack.now_us), stack.now_us)


@pytest.fixture
def data(recorded: Path, tmp_path: Path) -> Path:
    """A copy of that data folder."""
    return Path(shutil.copytree(recorded, tmp_path / "data"))


@pytest.fixture
def session_id() -> str:
    return SESSION_ID


@pytest.fixture
def listening_port() -> Iterator[int]:
    """A loopback port that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]
