"""Child processes: started together, started again when one dies, stopped together, and never left behind."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

# Linux: the kernel sends this to a child whose parent dies, so that not even kill -9 leaves one behind.
PR_SET_PDEATHSIG: Final = 1
RESTART_AFTER_S: Final = 0.5
STOP_WITHIN_S: Final = 5.0
POLL_S: Final = 0.1


class ChildFailed(RuntimeError):
    """A child ended while it was needed; the text holds its last words and where its log is."""


@dataclass(frozen=True, slots=True)
class ChildPlan:
    """What to start: `python -m MODULE ARGUMENTS...`, with these variables over the environment."""

    name: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    log_file: Path
    module: str = "tractable"


@dataclass(frozen=True, slots=True)
class _Child:
    process: subprocess.Popen[bytes]
    log_from: int  # where its own words begin in the log, which goes on from run to run


class Supervisor:
    """Keeps its children running until `close`. `on_restart` is told the name of each that died by itself."""

    def __init__(self, on_restart: Callable[[str], None] = lambda _name: None) -> None:
        self._on_restart = on_restart
        self._plans: dict[str, ChildPlan] = {}
        self._children: dict[str, _Child] = {}
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._watcher: threading.Thread | None = None

    def start(self, plan: ChildPlan) -> None:
        with self._lock:
            self._plans[plan.name] = plan
            self._children[plan.name] = _spawn(plan)

    def keep_running(self) -> None:
        """From now on a child that dies is started again."""
        self._watcher = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        self._watcher.start()

    def pid(self, name: str) -> int:
        with self._lock:
            return self._children[name].process.pid

    def wait_for_end(self, name: str, within_s: float) -> int:
        """Waits until that child has ended, and gives its exit code. Raises subprocess.TimeoutExpired."""
        with self._lock:
            process = self._children[name].process
        return process.wait(within_s)

    def wait_until(self, what: str, ready: Callable[[], bool], within_s: float) -> None:
        """Polls until `ready`. Raises ChildFailed when a child ends before, or the time is over."""
        until = time.monotonic() + within_s
        while not ready():
            self._require_alive()
            if time.monotonic() > until:
                raise ChildFailed(f"{what} was not ready within {within_s:g} s. The logs: {self._log_folder()}")
            time.sleep(POLL_S)

    def close(self) -> None:
        """Asks every child to stop, in reverse order, and waits; one that does not is killed."""
        self._closing.set()
        if self._watcher is not None:
            self._watcher.join()
        with self._lock:
            for child in reversed(self._children.values()):
                _stop(child.process)

    def _require_alive(self) -> None:
        with self._lock:
            for name, child in self._children.items():
                if child.process.poll() is not None:
                    words = _last_words(self._plans[name].log_file, child.log_from)
                    raise ChildFailed(f"{name} ended with {child.process.returncode}: {words}")

    def _watch(self) -> None:
        while not self._closing.wait(RESTART_AFTER_S):
            with self._lock:
                dead = [name for name, child in self._children.items() if child.process.poll() is not None]
                for name in dead:
                    self._children[name] = _spawn(self._plans[name])
            for name in dead:
                self._on_restart(name)

    def _log_folder(self) -> Path:
        return next(iter(self._plans.values())).log_file.parent


def _spawn(plan: ChildPlan) -> _Child:
    plan.log_file.parent.mkdir(parents=True, exist_ok=True)
    log: IO[bytes]
    with plan.log_file.open("ab") as log:
        log_from = log.tell()
        process = subprocess.Popen(
            [sys.executable, "-m", plan.module, *plan.arguments],
            env={**os.environ, **plan.environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C in the terminal is for the parent, which then stops them in order
            preexec_fn=_die_with_parent,
        )
    return _Child(process, log_from)


_libc = ctypes.CDLL(None, use_errno=True)


def _die_with_parent() -> None:
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _stop(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        child.terminate()
    try:
        child.wait(STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _last_words(log_file: Path, log_from: int) -> str:
    lines = log_file.read_bytes()[log_from:].decode(errors="replace").splitlines()
    return " ".join(lines[-3:]) or "it said nothing"
