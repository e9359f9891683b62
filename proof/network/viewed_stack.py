"""The real processes on one computer, with everything between table, broker and dashboard in our hands.

The table speaks to its broker over TLS through one relay, the dashboard through another; the broker can be killed, and
started again as the other kind.
"""

import contextlib
import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from controller.commands import HUMAN_TICKS
from proof.network.certificates import Certificates, make_certificates
from proof.network.relay import LOOPBACK
from tractable.broker.accounts import TABLE_USER, kept_accounts
from tractable.broker.choice import ACCOUNTS_FILE, BrokerKind, broker_command
from tractable.broker.mosquitto import find_mosquitto
from tractable.broker.port import free_port
from tractable.local_stack import READY_WITHIN_S, SITE, TABLE, LocalStack, listens
from tractable.supervision import ChildPlan, Supervisor

ACTOR: Final = "tester"
FORCE_N: Final = 100
POLL_S: Final = 0.02
ANSWER_WITHIN_S: Final = 5.0
STOP_WITHIN_S: Final = 5.0
# Slow enough that several faults find the table in one ramp, of a minute and a half: it begins at 40 N, and gently.
RAMP: Final = {"RAMP": "1 N/s", "HOLD": "20 N/s"}
RAMP_FROM_N, RAMP_TO_N = 45.0, 70.0
HOLD_WITHIN_S: Final = 60.0
PR_SET_PDEATHSIG: Final = 1

_libc = ctypes.CDLL(None, use_errno=True)


class StackFailed(RuntimeError):
    """The stack did not come to where it was wanted."""


def broker_kinds() -> tuple[BrokerKind, ...]:
    """Those that this computer can start."""
    return (BrokerKind.MOSQUITTO, BrokerKind.EMBEDDED) if find_mosquitto() else (BrokerKind.EMBEDDED,)


class ViewedStack(LocalStack):
    """Use it within `with stack.running_with(...)`."""

    def __init__(self, folder: Path, runtime: Path) -> None:
        super().__init__(folder, runtime, "nominal", ACTOR)
        self.supervisor = Supervisor()
        self.accounts = kept_accounts(runtime / "broker" / ACCOUNTS_FILE, SITE, TABLE)
        self.broker_port = self._broker_port
        self.broker_log = folder / "logs" / "broker.log"
        self.certificates: Certificates = make_certificates(runtime / "tls")
        self._table_port, self._dashboard_relay_port = free_port(), free_port()
        self._broker: subprocess.Popen[bytes] | None = None
        self._relays: dict[str, subprocess.Popen[bytes]] = {}
        self.broker_log.parent.mkdir(parents=True, exist_ok=True)

    @property
    def page_port(self) -> int:
        return self._dashboard_port

    @property
    def key(self) -> str:
        """Of the dashboard's address."""
        return self._key

    @property
    def log_folder(self) -> Path:
        return self.folder / "logs"

    @contextlib.contextmanager
    def running_with(self, broker: BrokerKind | None) -> Iterator[None]:
        """Starts everything, the broker only where one is named. Raises ChildFailed when a process does not come up."""
        try:
            if broker is not None:
                self.start_broker(broker)
            self.start_relay("table", self.certificates.valid)
            self.start_relay("dashboard", None)
            files = ("--link", str(self._link), "--socket", str(self.sim_socket))
            self.supervisor.start(self._plan("sim", "--rig", self._rig, *files))
            self.supervisor.wait_until("The simulated table", self._link.exists, READY_WITHIN_S)
            self.supervisor.start(self._plan("table"))
            self.supervisor.start(self._plan("dashboard"))
            control = self._runtime / "control.sock"
            self.supervisor.wait_until("The controller", control.exists, READY_WITHIN_S)
            self.supervisor.wait_until("The dashboard", lambda: listens(self.page_port), READY_WITHIN_S)
            yield
        finally:
            for name in list(self._relays):
                self.stop_relay(name)
            self.supervisor.close()
            self.kill_broker()

    def _plan(self, name: str, *arguments: str) -> ChildPlan:
        plan = super()._plan(name, *arguments)
        more = {"TRACTABLE_BROKER_PORT": str(self._dashboard_relay_port)}
        if name == "table":
            password = quote(self.accounts.table_password, safe="")
            more = {
                "TRACTABLE_BROKER_URL": f"mqtts://{TABLE_USER}:{password}@{LOOPBACK}:{self._table_port}",
                "SSL_CERT_FILE": str(self.certificates.authority),
            }
        return replace(plan, environment={**plan.environment, **more})

    # The broker and the lines to it

    def start_broker(self, kind: BrokerKind, *, changed: Callable[[Path], None] = lambda _folder: None) -> None:
        """On its port; `changed` may rewrite the files in its folder first. Returns when it listens."""
        folder = self._runtime / "broker"
        command = broker_command(kind, folder, self.broker_port, self.accounts)
        changed(folder)
        with self.broker_log.open("ab") as log:
            self._broker = spawn(command, log)
        self.wait_until(f"the {kind} broker", lambda: listens(self.broker_port), READY_WITHIN_S)

    def kill_broker(self) -> None:
        """As `kill -9`."""
        kill(self._broker)
        self._broker = None

    @property
    def broker_runs(self) -> bool:
        return self._broker is not None and self._broker.poll() is None

    def start_relay(self, client: str, certificate: Path | None) -> None:
        port = self._table_port if client == "table" else self._dashboard_relay_port
        arguments = [str(port), str(self.broker_port), *([str(certificate)] if certificate else [])]
        with (self.log_folder / f"relay-{client}.log").open("ab") as log:
            self._relays[client] = spawn([sys.executable, "-m", "proof.network.relay", *arguments], log)
        self.wait_until(f"the {client}'s relay", lambda: listens(port), READY_WITHIN_S)

    def stop_relay(self, client: str) -> None:
        kill(self._relays.pop(client))

    def signal_relays(self, number: signal.Signals, *clients: str) -> None:
        """SIGSTOP cuts the network, SIGCONT mends it, SIGUSR1 begins or ends the shuffling."""
        for client in clients:
            self._relays[client].send_signal(number)

    # What a person beside it could see and do

    def status(self) -> dict[str, Any]:
        """The controller's state; Raises StackFailed where it does not answer."""
        data: dict[str, Any] = self._ask({"do": "status"})["data"]
        state: dict[str, Any] = data["state"]
        return state

    @property
    def phase(self) -> str:
        return str(self.status()["phase"])

    def alarms(self) -> frozenset[str]:
        return frozenset(alarm["id"] for alarm in self.status()["alarms"])

    def start(self, ramp: str, time_at_force: str = "25 min") -> str:
        """Asks for 100 N; returns the session's id. Raises StackFailed where it is refused."""
        expires_us = time.monotonic_ns() // 1000 + round(ANSWER_WITHIN_S * 1e6)
        prescription = prescription_of(ramp, time_at_force)
        asked = {"do": "start", "expires_us": expires_us, "prescription": prescription, "ticks": HUMAN_TICKS}
        return str(self._ask(asked)["data"]["session_id"])

    def stop(self) -> None:
        self._ask({"do": "stop"})

    def truth(self) -> dict[str, Any]:
        """What the simulated patient really feels, and what the drive really does."""
        truth: dict[str, Any] = exchange(self.sim_socket, {"do": "truth"})["truth"]
        return truth

    @property
    def force_n(self) -> float:
        return float(self.truth()["force_mn"]) / 1000

    def wait_until(self, what: str, condition: Callable[[], bool], within_s: float) -> float:
        """Returns the seconds that it took. Raises StackFailed after `within_s`."""
        began = time.monotonic()
        while not condition():
            if time.monotonic() - began > within_s:
                raise StackFailed(f"{what}: not within {within_s:g} s. The table's log ends: {self._last_words()}")
            time.sleep(POLL_S)
        return time.monotonic() - began

    def bring_to(self, phase: str) -> None:
        """RAMP: in a ramp that lasts half a minute more. HOLD: it holds. Else: nothing runs.

        Raises StackFailed where it does not come to that.
        """
        match phase, self.phase:
            case ("HOLD", "holding"):
                return
            case ("RAMP", "ramping") if RAMP_FROM_N < self.force_n < RAMP_TO_N:
                return
            case _:
                self._end_session()
        if phase in RAMP:
            self.start(RAMP[phase])
            self.wait_until("the pull", self._is_there if phase == "HOLD" else self._is_ramping, HOLD_WITHIN_S)

    def _end_session(self) -> None:
        if self.phase == "tripped":
            raise StackFailed("the table has tripped")
        if self.phase not in ("idle", "ended"):
            self.stop()
        self.wait_until("the end of the session", lambda: self.phase in ("idle", "ended"), HOLD_WITHIN_S)

    def _is_there(self) -> bool:
        return self.phase == "holding"

    def _is_ramping(self) -> bool:
        return self.phase == "ramping" and self.force_n > RAMP_FROM_N

    def _ask(self, command: dict[str, Any]) -> dict[str, Any]:
        named = {"id": f"proof-{time.monotonic_ns()}", "actor": ACTOR, **command}
        answer = exchange(self._runtime / "control.sock", named)
        if answer["outcome"] != "done":
            raise StackFailed(str(answer["reason"]))
        return answer

    def _last_words(self) -> str:
        log = self.log_folder / "table.log"
        return " | ".join(log.read_text("utf-8").splitlines()[-4:]) if log.exists() else "it said nothing"


def prescription_of(ramp: str = "5 N/s", time_at_force: str = "1 min") -> dict[str, Any]:
    """100 N on 80 kg."""
    return {
        "patient": {"pseudonym": "NET-1", "body_mass": "80 kg"},
        "pull": {"mode": "static", "force": f"{FORCE_N} N", "time_at_force": time_at_force, "ramp": ramp},
        "prescribed": {"by": ACTOR},
    }


def exchange(path: Path, request: dict[str, Any]) -> dict[str, Any]:
    """One JSON line there, one back. Raises StackFailed where nobody answers."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(ANSWER_WITHIN_S)
        try:
            line.connect(str(path))
            line.sendall(json.dumps(request).encode() + b"\n")
            with line.makefile() as answers:
                answer: dict[str, Any] = json.loads(answers.readline())
        except (OSError, ValueError) as problem:
            raise StackFailed(f"{path.name} does not answer: {problem}") from problem
    return answer


def spawn(command: list[str], log: Any) -> subprocess.Popen[bytes]:
    """A process that does not outlive this one."""
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=_die_with_parent, env=dict(os.environ)
    )


def kill(process: subprocess.Popen[bytes] | None) -> None:
    if process is not None:
        process.kill()
        process.wait(STOP_WITHIN_S)


def _die_with_parent() -> None:
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
