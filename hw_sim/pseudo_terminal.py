"""A simulated table behind a pseudo-terminal, in real time: to a host it is a serial port like any other.

The table follows the monotonic clock. Where this process was held up for longer than 250 ms, the time beyond that is
lost to the table as if it had stood still with its patient: to catch up in a burst would be stranger than to be late.
"""

import contextlib
import errno
import os
import selectors
import threading
import time
import tty
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hw_sim.control_socket import ControlSocket
from hw_sim.table import SimulatedTable

STEP_S: Final = 0.002
CATCH_UP_US_MAX: Final = 250_000
READ_BYTES: Final = 4096


def serve(
    table: SimulatedTable,
    *,
    link_path: Path | None = None,
    socket_path: Path | None = None,
    stop: threading.Event | None = None,
    on_ready: Callable[[str], None] = print,
) -> None:
    """Runs the table until `stop` is set. `on_ready` gets the name of the port once a host can open it.

    `link_path` becomes a symbolic link to the port, `socket_path` the control socket; both go away at the end.
    Raises FileExistsError where something other than a link stands at `link_path`.
    """
    stop = stop if stop is not None else threading.Event()
    with contextlib.ExitStack() as stack:
        selector = stack.enter_context(selectors.DefaultSelector())
        port = stack.enter_context(_open_port())
        selector.register(port.master, selectors.EVENT_READ, lambda: table.receive(port.read()))
        if link_path is not None:
            stack.enter_context(_linked(link_path, port.name))
        if socket_path is not None:
            stack.enter_context(contextlib.closing(ControlSocket(socket_path, table, selector)))
        on_ready(port.name)
        _run(table, port, selector, stop)


def _run(table: SimulatedTable, port: "_Port", selector: selectors.BaseSelector, stop: threading.Event) -> None:
    pace = Pace(_monotonic_us() - table.now_us)
    while not stop.is_set():
        ready = selector.select(STEP_S)
        table.advance(pace.until_us(_monotonic_us(), table.now_us))
        for key, _ in ready:
            key.data()
        port.write(table.transmit())


@dataclass(slots=True)
class Pace:
    """How far the table may go by now; `started_us` is the monotonic time at which its own began."""

    started_us: int

    def until_us(self, monotonic_us: int, table_us: int) -> int:
        """What a stall took beyond `CATCH_UP_US_MAX` is never made up for."""
        due_us = monotonic_us - self.started_us
        lost_us = max(0, due_us - table_us - CATCH_UP_US_MAX)
        self.started_us += lost_us
        return due_us - lost_us


class _Port:
    """The table's end of the pseudo-terminal; a host that does not read loses whole writes, and never delays one."""

    def __init__(self, master: int, name: str) -> None:
        self.master = master
        self.name = name
        self._unsent = b""

    def read(self) -> bytes:
        try:
            return os.read(self.master, READ_BYTES)
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EIO):
                return b""
            raise

    def write(self, data: bytes) -> None:
        if self._unsent:  # first the rest of a frame that is half through, then nothing of what came meanwhile
            self._unsent = self._unsent[self._put(self._unsent) :]
        elif data:
            sent = self._put(data)
            self._unsent = data[sent:] if sent else b""

    def _put(self, data: bytes) -> int:
        try:
            return os.write(self.master, data)
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EIO):
                return 0
            raise


@contextlib.contextmanager
def _open_port() -> Iterator[_Port]:
    master, slave = os.openpty()
    try:
        tty.setraw(master)
        tty.setraw(slave)
        os.set_blocking(master, False)
        # Our own hold on the host's end keeps the port and its settings alive while no host has it open.
        yield _Port(master, os.ttyname(slave))
    finally:
        os.close(master)
        os.close(slave)


@contextlib.contextmanager
def _linked(link_path: Path, target: str) -> Iterator[None]:
    if link_path.exists() and not link_path.is_symlink():
        raise FileExistsError(f"{link_path} is not a link; name another place for the link to the simulated port.")
    link_path.unlink(missing_ok=True)
    link_path.symlink_to(target)
    try:
        yield
    finally:
        if link_path.is_symlink() and str(link_path.readlink()) == target:
            link_path.unlink()


def _monotonic_us() -> int:
    return time.monotonic_ns() // 1000
