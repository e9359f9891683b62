"""The line between table and computer, as a process that passes bytes on and notes when: nothing inside is touched.

    python -m benchmarks.loop.line_watch SIM_PORT LINK ECHO_LINK OUT

A pseudo-terminal at LINK is what the controller opens. Another at ECHO_LINK has a bare echo at its other end: half a
period behind each piece of the table's bytes, as many go there, and the time until they are back is the baseline of the
same moment. With SIGTERM everything that was noted is written to OUT.
"""

import contextlib
import os
import selectors
import signal
import struct
import sys
import time
import tty
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tractable.realtime import take_real_time_priority

READ_BYTES: Final = 4096
PROBE: Final = b"\x01" * 40  # as long as a sample's frame
PROBE_BEHIND_NS: Final = 1_500_000  # half a period at 320 a second
FROM_TABLE, FROM_HOST, ECHOED = 0, 1, 2
NOTE: Final = struct.Struct("<BqH")


@dataclass(frozen=True, slots=True)
class Note:
    """Bytes that passed: which way, and when by the monotonic clock (ns). An echo's `at_ns` is how long it took."""

    way: int
    at_ns: int
    data: bytes


def notes(path: Path) -> Iterator[Note]:
    """What a line watch has written."""
    content = memoryview(path.read_bytes())
    place = 0
    while place < len(content):
        way, at_ns, length = NOTE.unpack_from(content, place)
        place += NOTE.size
        yield Note(way, at_ns, bytes(content[place : place + length]))
        place += length


class LineWatch:
    """One line, and one to the echo, which has `answered` so many times."""

    def __init__(self, sim_port: Path, link: Path, echo_link: Path) -> None:
        self._sim = os.open(sim_port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self._sim)
        # Their other ends stay open here too, so that a line outlives who uses it.
        self._host, self._host_port = _pseudo_terminal(link)
        self._echo, self._echo_port = _pseudo_terminal(echo_link)
        self._noted: list[tuple[int, int, bytes]] = []
        self._probe_at_ns: int | None = None
        self._probed_at_ns: int | None = None
        self._echoed_bytes = 0
        self.answered = 0
        self.stopped = False

    def run(self) -> None:
        """Until it is told to stop."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._sim, selectors.EVENT_READ, self._from_table)
            selector.register(self._host, selectors.EVENT_READ, self._from_host)
            selector.register(self._echo, selectors.EVENT_READ, self._from_echo)
            while not self.stopped:
                for key, _ in selector.select(self._wait_s()):
                    key.data()
                self._probe_when_due()

    def _wait_s(self) -> float:
        if self._probe_at_ns is None:
            return 0.1
        return max(0.0, (self._probe_at_ns - time.monotonic_ns()) / 1e9)

    def _from_table(self) -> None:
        data = os.read(self._sim, READ_BYTES)
        now_ns = time.monotonic_ns()
        with contextlib.suppress(BlockingIOError):
            os.write(self._host, data)
        self._noted.append((FROM_TABLE, now_ns, data))
        if self._probe_at_ns is None and self._probed_at_ns is None:
            self._probe_at_ns = now_ns + PROBE_BEHIND_NS

    def _from_host(self) -> None:
        data = os.read(self._host, READ_BYTES)
        now_ns = time.monotonic_ns()
        with contextlib.suppress(BlockingIOError):
            os.write(self._sim, data)
        self._noted.append((FROM_HOST, now_ns, data))

    def _probe_when_due(self) -> None:
        if self._probe_at_ns is not None and time.monotonic_ns() >= self._probe_at_ns:
            self._probe_at_ns, self._echoed_bytes = None, 0
            self._probed_at_ns = time.monotonic_ns()
            os.write(self._echo, PROBE)

    def _from_echo(self) -> None:
        self._echoed_bytes += len(os.read(self._echo, READ_BYTES))
        if self._probed_at_ns is not None and self._echoed_bytes >= len(PROBE):
            now_ns = time.monotonic_ns()
            took = (now_ns - self._probed_at_ns).to_bytes(8, "little")
            self._noted.append((ECHOED, now_ns, took))
            self._probed_at_ns = None
            self.answered += 1

    def close(self) -> None:
        """Lets go of all lines."""
        for line in (self._sim, self._host, self._host_port, self._echo, self._echo_port):
            os.close(line)

    def write(self, out: Path) -> None:
        """All that was noted."""
        with out.open("wb") as file:
            for way, at_ns, data in self._noted:
                file.write(NOTE.pack(way, at_ns, len(data)) + data)


def _pseudo_terminal(link: Path) -> tuple[int, int]:
    """Both ends of a new one; the link leads to the second."""
    ours, theirs = os.openpty()
    tty.setraw(ours)
    tty.setraw(theirs)
    os.set_blocking(ours, False)
    link.unlink(missing_ok=True)
    link.symlink_to(os.ttyname(theirs))
    return ours, theirs


def main() -> None:
    sim_port, link, echo_link, out = map(Path, sys.argv[1:])
    watch = LineWatch(sim_port, link, echo_link)

    def stop(*_: object) -> None:
        watch.stopped = True

    signal.signal(signal.SIGTERM, stop)
    take_real_time_priority()
    watch.run()
    watch.write(out)


if __name__ == "__main__":
    main()
