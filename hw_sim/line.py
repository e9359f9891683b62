"""The serial line in virtual time: bytes go in at one end, and come out at the other a little later, or damaged."""

import random
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

LATENCY_US: Final = (1_000, 3_000)  # USB and two schedulers, each way
RECORDED_US: Final = 10_000_000
WAITING_BYTES_MAX: Final = 65_536  # of driver and kernel together; what does not fit is lost
US_PER_S: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class LineTiming:
    """How late bytes reach the host: drawn evenly, and then not before the serial chip's timer runs out."""

    to_host_us: tuple[int, int] = LATENCY_US
    chip_timer_us: int = 0  # 0: it passes bytes on at once


DIRECT: Final = LineTiming()
# The chip of most USB serial cables collects bytes until its timer runs out: 16 ms as shipped, 1 ms where it is set.
TIMINGS: Final[Mapping[str, LineTiming]] = {
    "direct": DIRECT,
    "usual": LineTiming((1_000, 5_000), chip_timer_us=1_000),
    "degraded": LineTiming((1_000, 13_000), chip_timer_us=16_000),
}


@dataclass(frozen=True, slots=True)
class LineFaults:
    """What goes wrong. The first five are each a probability for one write."""

    drop: float = 0.0
    duplicate: float = 0.0
    flip: float = 0.0  # up to `flip_bits` of its bits arrive turned over
    chop: float = 0.0  # arrives in two pieces, the second one later
    reorder: float = 0.0  # arrives after the write that comes after it
    flip_bits: int = 1
    cut_every: int = 0  # every so many writes one loses its tail, at each of its bytes in turn
    extra_us: int = 0  # more latency for every write
    flap_us: int = 0  # down for so long, up for so long, and again
    flap_from_us: int = 0
    garbage_bytes_s: int = 0  # random bytes, anywhere between and within the frames
    oversize_bytes: int = 0  # once a second so many bytes come that no frame can be
    dead: bool = False  # nothing is taken any more
    blocked: bool = False  # nothing arrives; what was sent waits

    def __deepcopy__(self, _memo: object) -> "LineFaults":
        return self  # nothing in it can change, and a lane knows `NO_FAULTS` by its identity


NO_FAULTS: Final = LineFaults()


@dataclass(slots=True)
class Lane:
    """One direction. Bytes never overtake each other, unless `faults` says so."""

    draw: random.Random
    faults: LineFaults = NO_FAULTS
    timing: LineTiming = DIRECT
    recorded: deque[tuple[int, bytes]] | None = None  # of the last 10 s, where it is recorded at all
    _under_way: deque[tuple[int, bytes]] = field(default_factory=deque)
    _waiting_bytes: int = 0
    _last_due_us: int = 0
    _taken_us: int = 0
    _written: int = 0
    _overtaken: bytes = b""
    _disturbances: list[dict[str, Any]] = field(default_factory=list)

    def put(self, data: bytes, now_us: int) -> None:
        if not data:
            return
        if self.recorded is not None:
            self._record(data, now_us)
        if self.faults is NO_FAULTS:
            self._send(data, now_us)
        elif not self._is_down(now_us):
            for piece in self._damaged(data):
                self._send(piece, now_us)

    def take(self, now_us: int) -> bytes:
        """All that has arrived by then."""
        since_us, self._taken_us = self._taken_us, now_us
        if self.faults is not NO_FAULTS:
            return self._take_disturbed(since_us, now_us)
        under_way = self._under_way
        return self._arrived(now_us) if under_way and under_way[0][0] <= now_us else b""

    def through(self, data: bytes, now_us: int) -> bytes:
        """`put` and `take` in one, for a line that has a latency of its own: unless it is disturbed, it adds none."""
        if self.faults is NO_FAULTS and not self._under_way:
            self._taken_us = now_us
            if data and self.recorded is not None:
                self._record(data, now_us)
            return data
        self.put(data, now_us)
        return self.take(now_us)

    def disturb(self, **changes: Any) -> Callable[[], None]:
        """Changes those of `faults`, on top of what disturbs already; what it returns takes just these away again."""
        self._disturbances.append(changes)
        self._merge_disturbances()
        return partial(self._calm, changes)

    def replay(self, now_us: int) -> None:
        """Sends once more, from now, what was recorded, at the pace at which it came."""
        recorded = list(self.recorded or ())
        for at_us, data in recorded:
            self._send(data, now_us + at_us - recorded[0][0])

    def clear(self) -> None:
        """What is on its way is lost."""
        self._under_way.clear()
        self._waiting_bytes = 0
        self._overtaken = b""

    def _calm(self, changes: dict[str, Any]) -> None:
        self._disturbances = [one for one in self._disturbances if one is not changes]
        self._merge_disturbances()

    def _merge_disturbances(self) -> None:
        faults = NO_FAULTS
        for changes in self._disturbances:
            faults = replace(faults, **changes)
        self.faults = faults

    def _record(self, data: bytes, now_us: int) -> None:
        assert self.recorded is not None
        self.recorded.append((now_us, data))
        while self.recorded[0][0] < now_us - RECORDED_US:
            self.recorded.popleft()

    def _send(self, data: bytes, now_us: int) -> None:
        if self._waiting_bytes + len(data) > WAITING_BYTES_MAX and self.faults.blocked:
            return
        due_us = now_us + self.draw.randint(*self.timing.to_host_us) + self.faults.extra_us
        if timer_us := self.timing.chip_timer_us:
            due_us = -(-due_us // timer_us) * timer_us
        self._last_due_us = max(due_us, self._last_due_us)
        self._waiting_bytes += len(data)
        self._under_way.append((self._last_due_us, data))

    def _arrived(self, now_us: int) -> bytes:
        arrived = bytearray()
        while self._under_way and self._under_way[0][0] <= now_us:
            arrived += self._under_way.popleft()[1]
        self._waiting_bytes -= len(arrived)
        return bytes(arrived)

    def _take_disturbed(self, since_us: int, now_us: int) -> bytes:
        faults = self.faults
        if faults.blocked:
            return b""
        arrived = self._arrived(now_us)
        if faults.oversize_bytes and since_us // US_PER_S != now_us // US_PER_S:
            arrived += b"\xff" * faults.oversize_bytes + b"\0"
        if faults.garbage_bytes_s:
            rate = faults.garbage_bytes_s
            arrived = self._strewn(arrived, rate * now_us // US_PER_S - rate * since_us // US_PER_S)
        return arrived

    def _strewn(self, data: bytes, count: int) -> bytes:
        strewn, draw = bytearray(data), self.draw
        for _ in range(count):
            strewn.insert(draw.randrange(len(strewn) + 1), draw.randrange(256))
        return bytes(strewn)

    def _is_down(self, now_us: int) -> bool:
        faults = self.faults
        if faults.dead:
            return True
        return bool(faults.flap_us) and (now_us - faults.flap_from_us) // faults.flap_us % 2 == 0

    def _damaged(self, data: bytes) -> Iterator[bytes]:
        faults, draw = self.faults, self.draw
        if faults.drop and draw.random() < faults.drop:
            return
        if faults.flip and draw.random() < faults.flip:
            data = _with_bits_flipped(data, draw, faults.flip_bits)
        data = self._cut_short(data)
        cut = draw.randrange(len(data)) if faults.chop and draw.random() < faults.chop else 0
        copies = 2 if faults.duplicate and draw.random() < faults.duplicate else 1
        if faults.reorder and not self._overtaken and draw.random() < faults.reorder:
            self._overtaken = data
            return
        for _ in range(copies):
            if cut:
                yield data[:cut]
            yield data[cut:]
        if self._overtaken:
            overtaken, self._overtaken = self._overtaken, b""
            yield overtaken

    def _cut_short(self, data: bytes) -> bytes:
        every = self.faults.cut_every
        if not every:
            return data
        self._written += 1
        cuts, rest = divmod(self._written, every)
        return data if rest else data[: 1 + cuts % max(1, len(data) - 1)]


class LatentLine:
    """Both directions, deterministic per seed: 1 to 3 ms to the device, `timing` to the host."""

    def __init__(self, seed: int, timing: LineTiming = DIRECT) -> None:
        self.to_device = Lane(random.Random(f"to device {seed}"))
        self.to_host = Lane(random.Random(f"to host {seed}"), timing=timing, recorded=deque())

    def unplug(self) -> None:
        """What is on its way is lost. A line with a name loses that too."""
        self.to_device.clear()
        self.to_host.clear()

    def plug_in(self) -> None:
        """A line with a name comes back under another one."""


def _with_bits_flipped(data: bytes, draw: random.Random, bits_max: int) -> bytes:
    flipped = bytearray(data)
    for _ in range(1 if bits_max == 1 else draw.randint(1, bits_max)):
        flipped[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    return bytes(flipped)
