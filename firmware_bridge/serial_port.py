"""The serial port, and the only place that knows one: bytes out without ever waiting, bytes in as they come.

pyserial opens and configures the port. From there a small transport of our own works on its descriptor, because a
peer that stops reading must be reported as a fault, and may never hold up the loop that decides about motion.
"""

import asyncio
import errno
import fcntl
import os
import struct
import termios
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

import serial

from firmware_bridge.framing import FRAME_END

BAUD: Final = 460_800
TRANSMIT_S_MAX: Final = 0.020  # a MOVE that has waited longer was computed from a sample that is no longer fresh
WAITING_BYTES_MAX: Final = 4_096  # what 20 ms can bring is far less
READ_BYTES_MAX: Final = 4_096


class PortUnavailable(Exception):
    """The port could not be opened; `reason` is a sentence that says what to do."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class PortLost:
    """The port is gone (unplugged, or the other end closed it). It is closed, and has to be opened anew."""

    reason: str


@dataclass(frozen=True, slots=True)
class StalledTransmit(PortLost):
    """The other end stopped taking bytes for 20 ms. What waited was dropped; the port is still open, and still read."""


class SerialPort:
    """An open port. Made by `open_port`; use it as an asynchronous context manager, or call `close`."""

    def __init__(
        self, device: serial.Serial, on_bytes: Callable[[bytes], None], on_lost: Callable[[PortLost], None]
    ) -> None:
        self._device = device
        self._path: str = device.port
        self._descriptor: int = device.fileno()
        self._on_bytes = on_bytes
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self._waiting = bytearray()  # what the kernel has not taken yet
        self._written_bytes = 0  # in all, taken by the kernel or waiting
        self._unsent: deque[tuple[int, float]] = deque()  # (its end, counted as in _written_bytes; when) of each write
        self._deadline: asyncio.TimerHandle | None = None
        self._torn = False  # a frame was cut off: the next bytes must begin by ending it
        self._stall_reported = False
        self._owner_closed = False
        self._loop.add_reader(self._descriptor, self._read)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def is_open(self) -> bool:
        return bool(self._device.is_open)

    def write(self, data: bytes) -> None:
        """Hands one frame to the line. Never waits and never raises: a fault goes to `on_lost`, once."""
        if not self.is_open or not data:
            return
        if self._oldest_unsent_s() > TRANSMIT_S_MAX or len(self._waiting) + len(data) > WAITING_BYTES_MAX:
            self._stall()
        if self._torn:
            data = FRAME_END + data
            self._torn = False
        self._waiting += data
        self._written_bytes += len(data)
        self._unsent.append((self._written_bytes, self._loop.time()))
        self._transmit()
        self._watch()

    def close(self) -> None:
        """Closes the port at once; nothing is reported after this. Bytes that the line has not taken are dropped."""
        self._owner_closed = True
        self._shut()

    def _read(self) -> None:
        try:
            data = os.read(self._descriptor, READ_BYTES_MAX)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._lose(os.strerror(error.errno or errno.EIO))
            return
        if data:
            self._on_bytes(data)
        else:
            self._lose("the other end is closed")

    def _transmit(self) -> None:
        """Gives the kernel what it takes, and asks to be called again only where it does not take all."""
        try:
            taken = os.write(self._descriptor, self._waiting)
        except (BlockingIOError, InterruptedError):
            taken = 0
        except OSError as error:
            self._lose(os.strerror(error.errno or errno.EIO))
            return
        del self._waiting[:taken]
        if self._waiting:
            self._loop.add_writer(self._descriptor, self._transmit_in_time)
        else:
            self._loop.remove_writer(self._descriptor)

    def _transmit_in_time(self) -> None:
        """When the kernel has room again: sends what waits, unless the loop itself was held up past the deadline."""
        if self._oldest_unsent_s() > TRANSMIT_S_MAX:
            self._stall()
        else:
            self._transmit()

    def _watch(self) -> None:
        """Looks again when the oldest unsent bytes reach their deadline; at most one timer runs."""
        if self._deadline is None and self.is_open:
            self._deadline = self._loop.call_later(TRANSMIT_S_MAX, self._check_deadline)

    def _check_deadline(self) -> None:
        self._deadline = None
        oldest_s = self._oldest_unsent_s()
        if oldest_s >= TRANSMIT_S_MAX:
            self._stall()
        elif self._unsent:
            self._deadline = self._loop.call_later(TRANSMIT_S_MAX - oldest_s, self._check_deadline)

    def _oldest_unsent_s(self) -> float:
        """How long ago the oldest bytes were written that are not on the line yet; 0 where all are."""
        sent_bytes = self._written_bytes - len(self._waiting) - self._queued_bytes()
        while self._unsent and self._unsent[0][0] <= sent_bytes:
            self._unsent.popleft()
        return self._loop.time() - self._unsent[0][1] if self._unsent else 0.0

    def _queued_bytes(self) -> int:
        """What the kernel has taken and the line has not, as far as the driver says."""
        try:
            queued: int = struct.unpack("i", fcntl.ioctl(self._descriptor, termios.TIOCOUTQ, bytes(4)))[0]
        except OSError:
            return 0
        return queued

    def _stall(self) -> None:
        """Drops what waits, here and in the kernel: late commands must not come out when the line moves again."""
        self._loop.remove_writer(self._descriptor)
        self._waiting.clear()
        self._unsent.clear()
        self._torn = True
        with suppress(OSError, termios.error):
            termios.tcflush(self._descriptor, termios.TCOFLUSH)
        if not self._stall_reported:
            self._stall_reported = True
            self._report(StalledTransmit(f"{self._path} has not taken what was sent to it within 20 ms."))

    def _lose(self, reason: str) -> None:
        if self.is_open:
            self._shut()
            self._report(PortLost(f"The connection at {self._path} is lost: {reason}."))

    def _report(self, fault: PortLost) -> None:
        """Tells the owner from the loop, never from inside a `write`."""
        self._loop.call_soon(lambda: None if self._owner_closed else self._on_lost(fault))

    def _shut(self) -> None:
        if not self.is_open:
            return
        self._loop.remove_reader(self._descriptor)
        self._loop.remove_writer(self._descriptor)
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if self._queued_bytes():  # else the kernel would wait in close, up to 30 s, for a line that does not move
            with suppress(OSError, termios.error):
                termios.tcflush(self._descriptor, termios.TCOFLUSH)
        self._device.close()


def open_port(
    path: str, *, baud: int = BAUD, on_bytes: Callable[[bytes], None], on_lost: Callable[[PortLost], None]
) -> SerialPort:
    """Opens a port for this process alone: 8N1, no flow control. Call it where an asyncio loop runs.

    `on_bytes` gets what arrives. `on_lost` gets a PortLost once, after which the port is closed, and before that at
    most one StalledTransmit. Raises PortUnavailable.
    """
    device = _open_device(path, baud)
    try:
        return SerialPort(device, on_bytes, on_lost)
    except BaseException:
        device.close()
        raise


def _open_device(path: str, baud: int) -> serial.Serial:
    """pyserial's open: its `exclusive` takes a lock (flock) that a second process is refused, root's as well."""
    device = serial.Serial(exclusive=True)
    try:
        device.baudrate = baud
        device.port = path
        device.open()
        _tell_nothing_from_hung_up(device.fileno())
    except (OSError, termios.error, ValueError, OverflowError) as error:
        device.close()
        raise PortUnavailable(_why_unavailable(path, baud, error)) from error
    return device


def _tell_nothing_from_hung_up(descriptor: int) -> None:
    """With pyserial's own setting a read returns 0 bytes for both; so, nothing to read is BlockingIOError."""
    attributes = termios.tcgetattr(descriptor)
    attributes[6][termios.VMIN] = 1
    termios.tcsetattr(descriptor, termios.TCSANOW, attributes)


ABSENT: Final = "There is no table at {path}. Plug in its cable and switch the table on, or name another port."
_FORBIDDEN: Final = (
    "This account may not use {path}. Add it to the group dialout (sudo usermod -aG dialout $USER), "
    "then sign out and in again."
)
_IN_USE: Final = "{path} is in use by another program. Close that program first: only one may drive a table."
_NO_SERIAL_PORT: Final = "{path} is not a serial port. Name the port that the table is plugged into."
_REASONS: Final = {
    errno.ENOENT: ABSENT,
    errno.ENXIO: ABSENT,
    errno.ENODEV: ABSENT,
    errno.EIO: ABSENT,  # what a port says that has a name in /dev and no hardware
    errno.EACCES: _FORBIDDEN,
    errno.EPERM: _FORBIDDEN,
    errno.EAGAIN: _IN_USE,
    errno.EBUSY: _IN_USE,
    errno.EISDIR: _NO_SERIAL_PORT,
    errno.ENOTDIR: _NO_SERIAL_PORT,
    errno.ENOTTY: _NO_SERIAL_PORT,
}


def _why_unavailable(path: str, baud: int, error: Exception) -> str:
    number = _error_number(error)
    if number is None:
        return f"{path} cannot run at {baud} baud. The table's own rate is {BAUD}."
    return _REASONS.get(number, "{path} cannot be opened: " + os.strerror(number) + ".").format(path=path)


def _error_number(error: BaseException | None) -> int | None:
    """The system's number for it, which pyserial keeps in the error or in the one that led to it."""
    if isinstance(error, termios.error):
        return int(error.args[0])
    if isinstance(error, OSError):
        return error.errno or _error_number(error.__context__)
    return None
