"""The demonstration: broker, simulated table, controller and dashboard as processes, and one whole session."""

import asyncio
import signal
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from controller.commands import HUMAN_TICKS, Status
from controller.messages import PhaseName, State
from dashboard.control_client import Answer, Outcome, new_command_id
from tractable.exit_codes import Exit
from tractable.live_line import LinePrinter
from tractable.local_stack import LocalStack
from tractable.receipt import print_receipt
from tractable.supervision import ChildFailed

ACTOR: Final = "demonstration"
STATUS_EVERY_S: Final = 0.25
START_WITHIN_S: Final = 20.0
# About two minutes: zero, switch, slack, half a minute of ramp, a minute at force, a quarter of letting go.
FORCE_MN: Final = 300_000
PRESCRIPTION: Final[dict[str, Any]] = {
    "patient": {"pseudonym": "DEMO-1", "body_mass": "80 kg"},
    "pull": {"mode": "static", "force": "300 N", "time_at_force": "60 s", "ramp": "15 N/s"},
    "prescribed": {"by": "demonstration"},
}


class DemoFailed(RuntimeError):
    """The demonstration did not come to its end; the text says why."""


def run_demo(folder: Path, once: bool, rig: str) -> Exit:
    """Runs everything in that folder, which exists; with `once` ends after the session, else serves until Ctrl-C."""
    console = Console()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with tempfile.TemporaryDirectory(prefix="tractable-") as runtime:
        stack = LocalStack(folder.resolve(), Path(runtime), rig, ACTOR)
        try:
            with stack.running(lambda name: console.print(f"{name} had stopped and was started again.")):
                console.print(f"Dashboard: {stack.address}", soft_wrap=True)
                console.print("A simulated table, a simulated patient: nobody is being pulled.")
                _give_and_report(Demo(stack, console, stop))
                if not once and not stop.is_set():
                    console.print(f"Serving {stack.address} until Ctrl-C.", soft_wrap=True)
                    stop.wait()
        except (ChildFailed, DemoFailed) as problem:
            Console(stderr=True, soft_wrap=True).print(str(problem), style="red", markup=False)
            return Exit.REFUSED
    return Exit.DONE


def _give_and_report(demo: "Demo") -> None:
    session_file = asyncio.run(demo.give_session())
    if session_file is not None:
        demo.report(session_file)


class Demo:
    """The demonstration's session and its report, on a running stack."""

    def __init__(self, stack: LocalStack, console: Console, stop: threading.Event) -> None:
        self._stack = stack
        self._console = console
        self._stop = stop

    async def give_session(self) -> Path | None:
        """Starts the demonstration session and follows it. None when Ctrl-C ended it before the start."""
        started = await self._start_when_ready()
        if started is None:
            return None
        await self._follow()
        return self._session_file(str(started.data["session_id"]))

    async def _start_when_ready(self) -> Answer | None:
        until = time.monotonic() + START_WITHIN_S
        while not self._stop.is_set():
            answer = await self._stack.control.start(PRESCRIPTION, HUMAN_TICKS, FORCE_MN, unattended=True)
            if answer.outcome is Outcome.DONE:
                return answer
            if time.monotonic() > until:
                raise DemoFailed(f"The demonstration session could not start: {answer.sentence}")
            await asyncio.sleep(STATUS_EVERY_S)
        return None

    async def _follow(self) -> None:
        printer = LinePrinter(self._console)
        asked_to_stop = False
        while True:
            if self._stop.is_set() and not asked_to_stop:
                asked_to_stop = True
                await self._stack.control.stop()
            answer = await self._stack.control.ask(Status(do="status", id=new_command_id(), actor=ACTOR))
            if answer.outcome is Outcome.DONE:
                state = State.model_validate(answer.data["state"])
                printer.show(state, answer.data["force_mn"])
                if state.phase in (PhaseName.ENDED, PhaseName.IDLE, PhaseName.TRIPPED):
                    printer.finish()
                    return
            await asyncio.sleep(STATUS_EVERY_S)

    def _session_file(self, session_id: str) -> Path:
        found = self._stack.session_file(session_id)
        if found is None:
            raise DemoFailed(f"No session file for {session_id} was written below {self._stack.folder}.")
        return found

    def report(self, session_file: Path) -> None:
        """The delivered dose, the exports, and where everything is."""
        from recorder.export import export
        from recorder.reading import open_session

        print_receipt(session_file, self._console)
        with open_session(session_file) as session:
            for path in export(session, self._stack.folder / "exports" / session_file.stem, ("csv", "parquet")):
                self._console.print(f"Export: {path}", markup=False, highlight=False, soft_wrap=True)
