"""The real processes on one computer: broker, simulated table behind a pseudo-terminal, controller, dashboard."""

import asyncio
import json
import os
import select
import signal
import socket
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from controller.commands import HUMAN_TICKS, Status
from controller.messages import State
from controller.quantities import force_mn
from dashboard.control_client import Answer, Outcome, new_command_id
from hw_sim.table import Truth
from tractable.broker.port import free_port
from tractable.local_stack import LocalStack
from tractable.supervision import ChildPlan, Supervisor

ACTOR: Final = "tester"
PSEUDONYM: Final = "SYS-1"
POLL_S: Final = 0.05
READY_WITHIN_S: Final = 20.0
ENDED_WITHIN_S: Final = 10.0


class RunningStack:
    """The stack, and what a person beside it could see and do."""

    def __init__(self, stack: LocalStack, supervisor: Supervisor) -> None:
        self.stack = stack
        self.supervisor = supervisor

    def status(self) -> tuple[State, int | None]:
        answer = self._ask(Status(do="status", id=new_command_id(), actor=ACTOR))
        assert answer.outcome is Outcome.DONE, answer.sentence
        return State.model_validate(answer.data["state"]), answer.data["force_mn"]

    def answers(self) -> bool:
        """Whether a controller answers at all."""
        return self._ask(Status(do="status", id=new_command_id(), actor=ACTOR)).outcome is Outcome.DONE

    def start(self, force: str = "100 N", time_at_force: str = "60 s") -> str:
        """Starts a session and returns its id."""
        document = {
            "patient": {"pseudonym": PSEUDONYM, "body_mass": "80 kg"},
            "pull": {"mode": "static", "force": force, "time_at_force": time_at_force, "ramp": "20 N/s"},
            "prescribed": {"by": ACTOR},
        }
        answer = _await(self.stack.control.start(document, HUMAN_TICKS, force_mn(force, 80_000)))
        assert answer.outcome is Outcome.DONE, answer.sentence
        return str(answer.data["session_id"])

    def hold(self, force: str = "100 N") -> str:
        """Starts a session and returns its id once the table holds that force."""
        session_id = self.start(force)
        self.wait_until(lambda: self.status()[0].phase == "holding", 40)
        return session_id

    def stop(self) -> Answer:
        return _await(self.stack.control.stop())

    def acknowledge_end(self) -> Answer:
        return _await(self.stack.control.acknowledge_end())

    def acknowledge(self, alarm: str) -> Answer:
        return _await(self.stack.control.acknowledge(alarm))

    # At the simulated table

    def truth(self) -> dict[str, Any]:
        """What the simulated patient really feels."""
        reply: dict[str, Any] = self._simulator({"do": "truth"})["truth"]
        return reply

    def truly(self) -> Truth:
        return Truth(**self.truth())

    def inject(self, fault: str) -> None:
        reply = self._simulator({"do": "inject", "fault": fault})
        assert reply["ok"], reply

    def withdraw(self, fault: str) -> None:
        reply = self._simulator({"do": "withdraw", "fault": fault})
        assert reply["ok"], reply

    # To the processes

    def signal(self, name: str, number: signal.Signals) -> None:
        os.kill(self.supervisor.pid(name), number)

    def kill_host(self) -> None:
        """The computer loses its power: all of it dies, and only the table is left."""
        for name in ("table", "dashboard", "broker"):
            self.signal(name, signal.SIGKILL)

    def start_controller(self, module: str = "tractable", *arguments: str) -> None:
        """Another controller in the place of the one that ended; returns once it answers."""
        log = self.stack.folder / "logs" / "table.log"
        plan = ChildPlan("table", arguments or ("table",), self.stack.environment, log, module)
        self.supervisor.start(plan)
        self.wait_until(self.answers, READY_WITHIN_S)

    def replace_controller(self, module: str, *arguments: str) -> None:
        """Ends the controller in order, and starts that module instead."""
        self.signal("table", signal.SIGTERM)
        self.supervisor.wait_for_end("table", ENDED_WITHIN_S)
        self.start_controller(module, *arguments)

    # Waiting

    def wait_until(self, condition: Callable[[], bool], within_s: float) -> float:
        """Returns the seconds that it took. Fails after `within_s`."""
        began = time.monotonic()
        while not condition():
            assert time.monotonic() - began < within_s, f"not within {within_s} s; the log ends:\n{self.last_words()}"
            select.select([], [], [], POLL_S)
        return time.monotonic() - began

    def last_words(self) -> str:
        return "\n".join(self.log().splitlines()[-12:])

    def log(self) -> str:
        """Of the controllers of this stack, one after the other."""
        return (self.stack.folder / "logs" / "table.log").read_text(encoding="utf-8")

    def wait_until_slack(self, within_s: float) -> float:
        return self.wait_until(lambda: bool(self.truth()["force_mn"] <= 15_000), within_s)

    def _ask(self, command: Any) -> Answer:
        return _await(self.stack.control.ask(command))

    def _simulator(self, request: dict[str, Any]) -> dict[str, Any]:
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(self.stack.sim_socket))
            line.sendall(json.dumps(request).encode() + b"\n")
            reply: dict[str, Any] = json.loads(line.makefile().readline())
            return reply


@contextmanager
def running_stack(folder: Path, rig: str = "nominal") -> Iterator[RunningStack]:
    """Everything runs, nothing is started yet. The paths of sockets must be short, so they are not below `folder`."""
    with tempfile.TemporaryDirectory(prefix="tt-") as runtime:
        stack = LocalStack(folder, Path(runtime), rig, ACTOR, dashboard_port=free_port())
        with stack.running() as supervisor:
            yield RunningStack(stack, supervisor)


def _await(asking: Coroutine[Any, Any, Answer]) -> Answer:
    """In a thread of its own: where a loop runs already, another one cannot."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, asking).result()
