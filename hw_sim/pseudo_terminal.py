"""A simulated table behind a pseudo-terminal, in real time: to a host it is a serial port like any other.

The table follows the monotonic clock. Where this process was held up for longer than 250 ms, the time beyond that is
lost to the table as if it had stood still with its patient: to catch up in a burst would be stranger than to be late.
"""

import contextlib
import errno
import os
import selectors
import sys
import threading
import time
import tty
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hw_sim.control_socket import ControlSocket
from hw_sim.faults import Injector
from hw_sim.line import LatentLine
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
        line = stack.enter_context(contextlib.closing(PortLine(table, link_path, selector)))
        if socket_path is not None:
            injector = Injector(table, line, on_refused=lambda refused: print(refused, file=sys.stderr, flush=True))
            stack.enter_context(contextlib.closing(ControlSocket(socket_path, injector, selector)))
        on_ready(line.name)
        _run(table, line, selector, stop)


def _run(table: SimulatedTable, line: "PortLine", selector: selectors.BaseSelector, stop: threading.Event) -> None:
    pace = Pace(_monotonic_us() - table.now_us)
    while not stop.is_set():
        line.listen()
        ready = selector.select(STEP_S)
        table.advance(pace.until_us(_monotonic_us(), table.now_us))
        for key, _ in ready:
            key.data()
        line.carry()


class PortLine(LatentLine):
    """The line as a pseudo-terminal: bytes pass as they come, and through the lanes while a fault is at work."""

    def __init__(self, table: SimulatedTable, link_path: Path | None, selector: selectors.BaseSelector) -> None:
        super().__init__(seed=0)
        self.name = ""
        self._table = table
        self._link_path = link_path
        self._selector = selector
        self._port: _Port | None = None
        self._listening = False
        if link_path is not None and link_path.exists() and not link_path.is_symlink():
            raise FileExistsError(f"{link_path} is not a link; name another place for the link to the simulated port.")
        self.plug_in()

    def plug_in(self) -> None:
        """The port is there, under another name than before; the link leads to it."""
        if self._port is not None:
            return
        self._port = _open_port(unlike=self.name)
        self.name = self._port.name
        if self._link_path is not None:
            self._link_path.unlink(missing_ok=True)
            self._link_path.symlink_to(self.name)

    def unplug(self) -> None:
        """The port is gone, for whoever has it open too, and the link with it."""
        super().unplug()
        port, self._port = self._port, None
        if port is None:
            return
        self._listen(port, wanted=False)
        port.close()
        link = self._link_path
        if link is not None and link.is_symlink() and str(link.readlink()) == port.name:
            link.unlink()

    close = unplug

    def listen(self) -> None:
        """Reads what the host writes from now on, or leaves it where it is while nothing is to be taken."""
        if self._port is not None:
            self._listen(self._port, wanted=not self.to_device.faults.blocked)

    def carry(self) -> None:
        """What is due, both ways."""
        now_us = self._table.now_us
        self._table.receive(self.to_device.through(b"", now_us))
        sent = self.to_host.through(self._table.transmit(), now_us)
        if self._port is not None:
            self._port.write(sent)

    def _listen(self, port: "_Port", *, wanted: bool) -> None:
        if wanted and not self._listening:
            self._selector.register(port.master, selectors.EVENT_READ, self._read)
        elif self._listening and not wanted:
            self._selector.unregister(port.master)
        self._listening = wanted

    def _read(self) -> None:
        if self._port is not None:
            self._table.receive(self.to_device.through(self._port.read(), self._table.now_us))


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

    def __init__(self, master: int, slave: int, name: str) -> None:
        self.master = master
        self.name = name
        self._slave = slave  # our own hold on the host's end keeps the port alive while no host has it open
        self._unsent = b""

    def close(self) -> None:
        os.close(self.master)
        os.close(self._slave)

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


def _open_port(unlike: str) -> _Port:
    """A new pseudo-terminal; the kernel gives a name that is free again to the next who asks."""
    port = _new_port()
    if port.name != unlike:
        return port
    other = _new_port()
    port.close()
    return other


def _new_port() -> _Port:
    master, slave = os.openpty()
    tty.setraw(master)
    tty.setraw(slave)
    os.set_blocking(master, False)
    return _Port(master, slave, os.ttyname(slave))


def _monotonic_us() -> int:
    return time.monotonic_ns() // 1000
