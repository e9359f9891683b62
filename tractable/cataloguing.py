"""Puts ended sessions into the catalogue, each time by a process of its own: nothing that a catalogue does, or fails to
do, reaches a session. What did not get in is a line in the log, and `tractable catalogue rebuild` catches up with it.
"""

import contextlib
import logging
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Final

from recorder.background_process import begin
from tractable.settings import Settings

log = logging.getLogger(__name__)

WITHIN_S: Final = 120.0  # a long session takes three seconds; the rest is for a database far away
CLOSE_WITHIN_S: Final = 10.0
# Whoever stops a table waits for five seconds, and kills it then; what is not in yet comes in at its next start.
TABLE_CLOSES_WITHIN_S: Final = 2.0
SAID_BYTES_MAX: Final = 4096


class Cataloguing:
    """Takes files over and returns at once; a thread starts the processes, one after the other."""

    def __init__(self, command: Sequence[str], within_s: float = WITHIN_S) -> None:
        """`command` gets the files behind it."""
        self._command = command
        self._within_s = within_s
        self._files: SimpleQueue[list[Path] | None] = SimpleQueue()
        self._closed_at = float("inf")
        self._thread = threading.Thread(target=self._run, name="cataloguing", daemon=True)
        self._thread.start()

    def add(self, paths: Iterable[Path]) -> None:
        if listed := list(paths):
            self._files.put(listed)

    def close(self, within_s: float = CLOSE_WITHIN_S) -> None:
        """Finishes what it has within that time, and ends."""
        self._closed_at = time.monotonic() + within_s
        self._files.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (paths := self._files.get()) is not None:
            try:
                problem = self._added(paths)
            except OSError as error:
                problem = str(error)
            if problem is not None:
                names = ", ".join(path.name for path in paths)
                log.warning("Not in the catalogue: %s. %s Catch up with: tractable catalogue rebuild", names, problem)

    def _added(self, paths: list[Path]) -> str | None:
        """None when it is done; else why it is not."""
        if time.monotonic() >= self._closed_at:
            return "The program ended first."
        reading, writing = os.pipe()
        with os.fdopen(reading, "rb", buffering=0) as said:
            try:
                process = begin([*self._command, *map(str, paths)], writing, errors_too=True)
            finally:
                os.close(writing)
            text, in_time = self._read(said.fileno())
            if not in_time:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            _pid, status = os.waitpid(process, 0)
        if not in_time:
            return "The catalogue did not answer in time."
        return None if os.waitstatus_to_exitcode(status) == 0 else " ".join(text.split()) or "The process broke off."

    def _read(self, said: int) -> tuple[str, bool]:
        """What the process prints until it ends, and whether it ended in time."""
        until = time.monotonic() + self._within_s
        text = b""
        while (left := min(until, self._closed_at) - time.monotonic()) > 0:
            if not select.select([said], [], [], min(left, 0.25))[0]:
                continue
            if not (more := os.read(said, SAID_BYTES_MAX)):
                return text[-SAID_BYTES_MAX:].decode(errors="replace"), True
            text = (text + more)[-SAID_BYTES_MAX:]
        return "", False


@contextmanager
def cataloguing(settings: Settings, close_within_s: float = CLOSE_WITHIN_S) -> Iterator[Cataloguing]:
    """For a `with` block, at whose end it finishes what it has within that time."""
    running = Cataloguing(_catalogue_command(settings, "add"))
    try:
        yield running
    finally:
        running.close(close_within_s)


def trail_check_command(settings: Settings) -> list[str]:
    """What verifies the audit trail, and prints what is wrong with it."""
    return _catalogue_command(settings, "verify", "--trail")


def _catalogue_command(settings: Settings, *what: str) -> list[str]:
    return [sys.executable, "-m", "tractable", "catalogue", *what, "--data", str(settings.data_folder)]
