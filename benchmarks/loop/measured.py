"""One rate, measured: the stack with a line that is watched, a session at force, and one condition after the other."""

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.loop.latencies import Latencies, between, seen
from benchmarks.loop.line_watch import notes
from proof.processes.running_stack import RunningStack
from tractable.broker.port import free_port
from tractable.local_stack import READY_WITHIN_S, LocalStack, listens
from tractable.supervision import ChildPlan, Supervisor

ACTOR: Final = "bench"
FORCE: Final = "100 N"
HELD_WITHIN_S: Final = 60.0
SETTLES_S: Final = 1.0
VIEWERS: Final = 50
VIEWERS_OPEN_S: Final = 3.0
SPIN: Final = "while True: pass"


@dataclass(frozen=True, slots=True)
class Measured:
    """`held` counts the conditions through which it held; `frozen` the objects that the collector leaves alone."""

    latencies: Mapping[str, Latencies]
    held: int
    leases_lost: int
    frozen: int


class WatchedStack(LocalStack):
    """Everything on one computer; the controller's port is the watched line's."""

    def __init__(self, folder: Path, runtime: Path, rig: str) -> None:
        super().__init__(folder, runtime, rig, ACTOR, dashboard_port=free_port())
        self.noted_by_line, self.noted_by_table = folder / "line.notes", folder / "table.json"
        self._watched, self._echo = runtime / "watched", runtime / "echo"

    @property
    def environment(self) -> dict[str, str]:
        return {**super().environment, "TRACTABLE_PORT": str(self._watched)}

    def start(self, supervisor: Supervisor) -> None:
        """Each process, as soon as what it needs is there. Raises ChildFailed."""
        supervisor.start(self._plan("broker"))
        supervisor.start(
            self._plan("sim", "--rig", self._rig, "--link", str(self._link), "--socket", str(self.sim_socket))
        )
        supervisor.wait_until("The broker", lambda: listens(self._broker_port), READY_WITHIN_S)
        supervisor.wait_until("The simulated table", self._link.exists, READY_WITHIN_S)
        line = (str(self._link), str(self._watched), str(self._echo), str(self.noted_by_line))
        supervisor.start(self._module("line", "benchmarks.loop.line_watch", *line))
        supervisor.wait_until("The line", self._echo.exists, READY_WITHIN_S)
        supervisor.start(self._module("echo", "benchmarks.loop.bare_echo", str(self._echo)))
        supervisor.start(self._module("table", "benchmarks.loop.timed_table", str(self.noted_by_table)))
        supervisor.start(self._plan("dashboard"))
        supervisor.wait_until("The controller", (self._runtime / "control.sock").exists, READY_WITHIN_S)
        supervisor.wait_until("The dashboard", lambda: listens(self._dashboard_port), READY_WITHIN_S)

    def _module(self, name: str, module: str, *arguments: str) -> ChildPlan:
        return ChildPlan(name, arguments, self.environment, self.folder / "logs" / f"{name}.log", module)


def measure(rig: str, lasting_s: float) -> Measured:
    """A session at 100 N, and so long under each condition. Raises ChildFailed where a process does not come up."""
    with tempfile.TemporaryDirectory(prefix="tractable-bench-") as folder, tempfile.TemporaryDirectory() as runtime:
        stack = WatchedStack(Path(folder), Path(runtime), rig)
        supervisor = Supervisor(lambda _name: None)
        try:
            stack.start(supervisor)
            times, held = _measured_times(RunningStack(stack, supervisor), lasting_s)
        finally:
            supervisor.close()
        table = json.loads(stack.noted_by_table.read_text(encoding="ascii"))
        run = seen(notes(stack.noted_by_line), table["decided"], table["ticked"][1])
        found = {name: between(run, *span) for name, span in times.items()}
        return Measured(found, held, run.leases_lost, table["frozen"])


def _measured_times(running: RunningStack, lasting_s: float) -> tuple[dict[str, tuple[int, int]], int]:
    """When each condition was there, by the monotonic clock (ns), and through how many of them the force was held."""
    running.start(FORCE, "30 min")
    running.wait_until(lambda: running.status()[0].phase == "holding", HELD_WITHIN_S)
    times: dict[str, tuple[int, int]] = {}
    held = 0
    for name, condition in CONDITIONS.items():
        with condition(running):
            time.sleep(SETTLES_S)
            began_ns = time.monotonic_ns()
            time.sleep(lasting_s)
            times[name] = (began_ns, time.monotonic_ns())
            held += running.status()[0].phase == "holding"
    running.stop()
    return times, held


@contextmanager
def _slow_disk(running: RunningStack) -> Iterator[None]:
    running.signal("table", signal.SIGUSR1)
    yield
    running.signal("table", signal.SIGUSR2)


@contextmanager
def _frozen_broker(running: RunningStack) -> Iterator[None]:
    running.signal("broker", signal.SIGSTOP)
    try:
        yield
    finally:
        running.signal("broker", signal.SIGCONT)


@contextmanager
def _viewers(running: RunningStack) -> Iterator[None]:
    with _beside("-m", "benchmarks.loop.viewers", running.stack.address, str(VIEWERS)):
        time.sleep(VIEWERS_OPEN_S)
        yield


def _busy(_running: RunningStack) -> AbstractContextManager[None]:
    return _beside("-c", SPIN)


@contextmanager
def _beside(*arguments: str) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, *arguments])
    try:
        yield
        if process.poll() is not None:
            raise RuntimeError(f"What was to run beside the table ended by itself: {' '.join(arguments[:2])}")
    finally:
        process.kill()
        process.wait()


CONDITIONS: Final[Mapping[str, Callable[[RunningStack], AbstractContextManager[None]]]] = {
    "alone": lambda _running: nullcontext(),
    "slow disk": _slow_disk,
    "frozen broker": _frozen_broker,
    f"{VIEWERS} viewers": _viewers,
    "a busy processor": _busy,
}
