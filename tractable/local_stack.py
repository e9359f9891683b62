"""Everything on one computer: broker, simulated table, controller and dashboard, each a process of its own."""

import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from dashboard.app import sign_in_path
from dashboard.control_client import ControlClient
from tractable.broker.port import free_port
from tractable.settings import DASHBOARD_PORT
from tractable.supervision import ChildPlan, Supervisor

SITE, TABLE = "demo", "1"
READY_WITHIN_S: Final = 20.0


class LocalStack:
    """Where everything is, and how to start it. `folder` keeps records and logs, `runtime` sockets; both exist.

    Without a `dashboard_port` it is the one that people know, where that is free.
    """

    def __init__(self, folder: Path, runtime: Path, rig: str, actor: str, *, dashboard_port: int | None = None) -> None:
        self.folder = folder
        self.sim_socket = runtime / "sim.sock"
        self.control = ControlClient(runtime / "control.sock", actor)
        self._runtime = runtime
        self._rig = rig
        self._key = secrets.token_urlsafe(24)
        self._broker_port = free_port()
        self._dashboard_port = dashboard_port or (free_port() if listens(DASHBOARD_PORT) else DASHBOARD_PORT)
        self._link = runtime / "table"

    @property
    def address(self) -> str:
        """What opens the dashboard."""
        return f"http://127.0.0.1:{self._dashboard_port}{sign_in_path(self._key)}"

    @property
    def environment(self) -> dict[str, str]:
        """The settings of every process of this stack."""
        return {
            "TRACTABLE_SITE": SITE,
            "TRACTABLE_TABLE": TABLE,
            "TRACTABLE_PORT": str(self._link),
            "TRACTABLE_DATA_FOLDER": str(self.folder),
            "TRACTABLE_RUNTIME_FOLDER": str(self._runtime),
            "TRACTABLE_BROKER_PORT": str(self._broker_port),
            "TRACTABLE_DASHBOARD_PORT": str(self._dashboard_port),
            "TRACTABLE_DASHBOARD_KEY": self._key,
        }

    @contextmanager
    def running(self, on_restart: Callable[[str], None] | None = None) -> Iterator[Supervisor]:
        """Starts all four; given `on_restart`, starts again what dies. Raises ChildFailed when one does not come up."""
        supervisor = Supervisor(on_restart or (lambda _name: None))
        try:
            supervisor.start(self._plan("broker"))
            supervisor.start(
                self._plan("sim", "--rig", self._rig, "--link", str(self._link), "--socket", str(self.sim_socket))
            )
            supervisor.wait_until("The broker", lambda: listens(self._broker_port), READY_WITHIN_S)
            supervisor.wait_until("The simulated table", self._link.exists, READY_WITHIN_S)
            supervisor.start(self._plan("table"))
            supervisor.start(self._plan("dashboard"))
            supervisor.wait_until("The controller", (self._runtime / "control.sock").exists, READY_WITHIN_S)
            supervisor.wait_until("The dashboard", lambda: listens(self._dashboard_port), READY_WITHIN_S)
            if on_restart is not None:
                supervisor.keep_running()
            yield supervisor
        finally:
            supervisor.close()

    def _plan(self, name: str, *arguments: str) -> ChildPlan:
        return ChildPlan(name, (name, *arguments), self.environment, self.folder / "logs" / f"{name}.log")

    def session_file(self, session_id: str) -> Path | None:
        """The record of that session; None while there is none."""
        found = sorted((self.folder / "sessions").glob(f"*/{session_id}*.tractable"))
        return found[0] if found else None


def listens(port: int) -> bool:
    """Whether somebody listens on that loopback port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
