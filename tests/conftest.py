"""What holds for every test: nothing may be left running or open, and a part that is missing is named.

Also the `broker` fixture: a real message broker in a process of its own.
"""

import asyncio
import gc
import inspect
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.on_micropython import find_micropython
from controller.broker_address import BrokerAddress
from tractable.broker.accounts import BrokerAccounts
from tractable.broker.choice import BrokerKind, broker_command
from tractable.broker.mosquitto import find_mosquitto
from tractable.broker.port import free_port, wait_until_listening

AXE = Path(sys.prefix) / "axe-core" / "axe.min.js"
LEAVE_TIMEOUT_S = 2.0
# Held open by the tools around the tests, and by nothing of ours: the database of hypothesis, and what Python's
# own modules keep once they were first used.
FOREIGN_FILES = (".hypothesis", "/dev/null", "/dev/urandom")
# Threads of the test tools themselves.
FOREIGN_THREADS = ("pytest_timeout",)


def chromium() -> str | None:
    return shutil.which("/usr/bin/chromium")


PARTS: dict[str, Callable[[], str | None]] = {
    "chromium": chromium,
    "mosquitto": find_mosquitto,
    "node": lambda: shutil.which("node"),
    "axe-core": lambda: str(AXE) if AXE.is_file() else None,
    "micropython": lambda: str(find_micropython() or "") or None,
}


# What starts processes and is held against the clock runs one at a time; all else shares the cores (`make test`).
AGAINST_THE_CLOCK = (
    "broker/",
    "dashboard/",
    "system/",
    "telemetry/",
    "controller/test_control_socket.py",
    "docs/test_examples.py",
    "firmware_bridge/test_serial_port.py",
    "project/test_wheel.py",
    "proof/test_network_proof.py",
    "proof/test_storage.py",
    "recorder/test_surviving.py",
    "recorder/catalogue/",
    "test_nothing_is_left_behind.py",
    "tractable/test_command_line.py",
    "tractable/test_local_stack.py",
    "tractable/test_session_run_refused.py",
    "tractable/test_sim_commands.py",
    "tractable/test_supervision.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.relative_to(here).as_posix().startswith(AGAINST_THE_CLOCK):
            item.add_marker("realtime")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test that needs an absent part is skipped by name; where everything is promised (CI=true), it fails."""
    for part in (name for mark in item.iter_markers("needs") for name in mark.args):
        if PARTS[part]() is not None:
            continue
        missing = f"{part} is not on this computer (deploy/install_test_parts.sh installs it)"
        if os.environ.get("CI") == "true":
            pytest.fail(missing, pytrace=False)
        pytest.skip(missing)


@pytest.fixture(autouse=True)
def nothing_left_open() -> Iterator[None]:
    """Fails a test that leaves a thread or a file descriptor behind.

    What fixtures of a wider scope hold (a browser, a server for a whole file) was there before, and is not counted.
    """
    threads, files = set(threading.enumerate()), open_files()
    yield
    left_running = [thread for thread in new_threads(threads) if not ended(thread)]
    left_open = new_files(files)
    assert not left_running, f"threads left running: {left_running}"
    assert not left_open, f"left open: {left_open}"


@pytest.fixture(autouse=True)
def nothing_left_running(request: pytest.FixtureRequest, nothing_left_open: None) -> None:
    if inspect.iscoroutinefunction(inspect.unwrap(request.function)):
        request.getfixturevalue("no_task_left")


@pytest.fixture
async def no_task_left() -> AsyncIterator[None]:
    """Fails an asynchronous test that leaves a task behind. It was set up first, so all other fixtures are gone."""
    before = asyncio.all_tasks()
    yield
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    if left:
        _, left = await asyncio.wait(left, timeout=LEAVE_TIMEOUT_S)
    assert not left, f"tasks left running: {left}"


def new_threads(before: set[threading.Thread]) -> list[threading.Thread]:
    now = set(threading.enumerate()) - before
    return [thread for thread in now if not thread.name.startswith(FOREIGN_THREADS)]


def ended(thread: threading.Thread) -> bool:
    thread.join(LEAVE_TIMEOUT_S)
    return not thread.is_alive()


def open_files() -> dict[str, str]:
    """Descriptor -> what it is (empty where the system does not tell)."""
    found = {}
    folder = Path("/proc/self/fd")
    for descriptor in folder.iterdir() if folder.exists() else ():
        try:
            found[descriptor.name] = str(descriptor.readlink())
        except OSError:  # the one that lists the folder itself
            continue
    return {descriptor: target for descriptor, target in found.items() if not target.startswith("/proc/")}


def new_files(before: dict[str, str]) -> dict[str, str]:
    def difference() -> dict[str, str]:
        return {
            descriptor: target
            for descriptor, target in open_files().items()
            if before.get(descriptor) != target and not any(foreign in target for foreign in FOREIGN_FILES)
        }

    if difference():
        gc.collect()  # what only a reference cycle keeps is on its way out
    return difference()


class BrokerProcess:
    """A real broker on loopback, that can be killed, started again, and frozen."""

    def __init__(self, kind: BrokerKind, folder: Path) -> None:
        self.kind, self.port = kind, free_port()
        self.accounts = BrokerAccounts.generate("clinic", "table-1")
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def address(self, user: str) -> BrokerAddress:
        return self.accounts.address(user, self.port)

    async def start(self) -> None:
        self._launch()
        await wait_until_listening(self.address("table"))

    def _launch(self) -> None:
        command = broker_command(self.kind, self._folder, self.port, self.accounts)
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def freeze(self) -> None:
        self._send(signal.SIGSTOP)

    def thaw(self) -> None:
        self._send(signal.SIGCONT)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(LEAVE_TIMEOUT_S)

    def _send(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)


@pytest.fixture(params=["embedded", pytest.param("mosquitto", marks=pytest.mark.needs("mosquitto"))])
async def broker(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[BrokerProcess]:
    """A running broker of each kind, with a table's and a dashboard's account at site `clinic`, table `table-1`."""
    process = BrokerProcess(BrokerKind(request.param), tmp_path / "broker")
    try:
        await process.start()
        yield process
    finally:
        process.kill()


@pytest.fixture
def elapsed_s() -> Callable[[], float]:
    began = time.monotonic()
    return lambda: time.monotonic() - began
