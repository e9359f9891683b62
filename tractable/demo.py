"""The demonstration: broker, simulated table, controller and dashboard as processes, and one whole session."""

import asyncio
import secrets
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from controller.commands import HUMAN_TICKS, Start, Status
from controller.messages import PhaseName, State
from dashboard.control_client import Answer, ControlClient, Outcome, new_command_id
from tractable.broker.port import free_port
from tractable.exit_codes import Exit
from tractable.live_line import LinePrinter
from tractable.receipt import print_receipt
from tractable.settings import DASHBOARD_PORT
from tractable.supervision import ChildFailed, ChildPlan, Supervisor

ACTOR: Final = "demonstration"
SITE, TABLE = "demo", "table-1"
STATUS_EVERY_S: Final = 0.25
READY_WITHIN_S: Final = 20.0
# About two minutes: zero, switch, slack, half a minute of ramp, a minute at force, a quarter of letting go.
PRESCRIPTION: Final[dict[str, Any]] = {
    "patient": {"pseudonym": "DEMO-1", "body_mass": "80 kg"},
    "pull": {"mode": "static", "force": "300 N", "time_at_force": "60 s", "ramp": "15 N/s"},
    "prescribed": {"by": "demonstration"},
}


class DemoFailed(RuntimeError):
    """The demonstration did not come to its end; the text says why."""


def run_demo(folder: Path, once: bool, rig: str) -> Exit:
    """Runs everything; with `once` ends after the session, else serves until Ctrl-C."""
    console = Console()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with tempfile.TemporaryDirectory(prefix="tractable-") as runtime:
        demo = Demo(folder.resolve(), Path(runtime), rig, console, stop)
        try:
            with demo.running():
                session_file = asyncio.run(demo.give_session())
                if session_file is not None:
                    demo.report(session_file)
                if not once and not stop.is_set():
                    console.print(f"Serving {demo.address} until Ctrl-C.", soft_wrap=True)
                    stop.wait()
        except (ChildFailed, DemoFailed) as problem:
            Console(stderr=True, soft_wrap=True).print(str(problem), style="red", markup=False)
            return Exit.REFUSED
    return Exit.DONE


class Demo:
    """One demonstration: its processes, its session and its report."""

    def __init__(self, folder: Path, runtime: Path, rig: str, console: Console, stop: threading.Event) -> None:
        self._folder = folder
        self._runtime = runtime
        self._rig = rig
        self._console = console
        self._stop = stop
        self._key = secrets.token_urlsafe(24)
        self._dashboard_port = _dashboard_port()
        self._link = runtime / "table"
        self._environment = {
            "TRACTABLE_SITE": SITE,
            "TRACTABLE_TABLE": TABLE,
            "TRACTABLE_PORT": str(self._link),
            "TRACTABLE_DATA_FOLDER": str(folder),
            "TRACTABLE_RUNTIME_FOLDER": str(runtime),
            "TRACTABLE_BROKER_PORT": str(free_port()),
            "TRACTABLE_DASHBOARD_PORT": str(self._dashboard_port),
            "TRACTABLE_DASHBOARD_KEY": self._key,
        }
        self._client = ControlClient(runtime / "control.sock", ACTOR)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._dashboard_port}/?key={self._key}"

    @contextmanager
    def running(self) -> Iterator[None]:
        """Broker, simulated table, controller and dashboard, each a process of its own."""
        supervisor = Supervisor(lambda name: self._console.print(f"{name} had stopped and was started again."))
        broker_port = int(self._environment["TRACTABLE_BROKER_PORT"])
        try:
            supervisor.start(self._plan("broker"))
            sim_socket = str(self._runtime / "sim.sock")
            supervisor.start(self._plan("sim", "--rig", self._rig, "--link", str(self._link), "--socket", sim_socket))
            supervisor.wait_until("The broker", lambda: _listens(broker_port), READY_WITHIN_S)
            supervisor.wait_until("The simulated table", self._link.exists, READY_WITHIN_S)
            supervisor.start(self._plan("table"))
            supervisor.start(self._plan("dashboard"))
            supervisor.wait_until("The controller", (self._runtime / "control.sock").exists, READY_WITHIN_S)
            supervisor.wait_until("The dashboard", lambda: _listens(self._dashboard_port), READY_WITHIN_S)
            supervisor.keep_running()
            self._console.print(f"Dashboard: {self.address}", soft_wrap=True)
            self._console.print("A simulated table, a simulated patient: nobody is being pulled.")
            yield
        finally:
            supervisor.close()

    def _plan(self, name: str, *arguments: str) -> ChildPlan:
        return ChildPlan(name, (name, *arguments), self._environment, self._folder / "logs" / f"{name}.log")

    async def give_session(self) -> Path | None:
        """Starts the demonstration session and follows it. None when Ctrl-C ended it before the start."""
        started = await self._start_when_ready()
        if started is None:
            return None
        await self._follow()
        return self._session_file(str(started.data["session_id"]))

    async def _start_when_ready(self) -> Answer | None:
        until = time.monotonic() + READY_WITHIN_S
        while not self._stop.is_set():
            answer = await self._client.ask(self._start())
            if answer.outcome is Outcome.DONE:
                return answer
            if time.monotonic() > until:
                raise DemoFailed(f"The demonstration session could not start: {answer.sentence}")
            await asyncio.sleep(STATUS_EVERY_S)
        return None

    def _start(self) -> Start:
        return Start(
            do="start",
            id=new_command_id(),
            actor=ACTOR,
            expires_us=time.monotonic_ns() // 1000 + 2_000_000,
            prescription=PRESCRIPTION,
            ticks=HUMAN_TICKS,
            confirmed_mn=300_000,
            unattended=True,
        )

    async def _follow(self) -> None:
        printer = LinePrinter(self._console)
        asked_to_stop = False
        while True:
            if self._stop.is_set() and not asked_to_stop:
                asked_to_stop = True
                await self._client.stop()
            answer = await self._client.ask(Status(do="status", id=new_command_id(), actor=ACTOR))
            if answer.outcome is Outcome.DONE:
                state = State.model_validate(answer.data["state"])
                printer.show(state, answer.data["force_mn"])
                if state.phase in (PhaseName.ENDED, PhaseName.IDLE, PhaseName.TRIPPED):
                    printer.finish()
                    return
            await asyncio.sleep(STATUS_EVERY_S)

    def _session_file(self, session_id: str) -> Path:
        found = sorted((self._folder / "sessions").glob(f"*/{session_id}*.tractable"))
        if not found:
            raise DemoFailed(f"No session file for {session_id} was written below {self._folder}.")
        return found[0]

    def report(self, session_file: Path) -> None:
        """The delivered dose, the exports, and where everything is."""
        from recorder.export import export

        from recorder.reading import open_session

        print_receipt(session_file, self._console)
        with open_session(session_file) as session:
            for path in export(session, self._folder / "exports" / session_file.stem, ("csv", "parquet")):
                self._console.print(f"Export: {path}", markup=False, highlight=False, soft_wrap=True)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _dashboard_port() -> int:
    """The usual port, unless it is taken."""
    return free_port() if _listens(DASHBOARD_PORT) else DASHBOARD_PORT
