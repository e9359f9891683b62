"""The serial line in virtual time: bytes go in at one end, and come out at the other a little later, or damaged."""

import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

LATENCY_US: Final = (1_000, 3_000)  # USB and two schedulers, each way


@dataclass(frozen=True, slots=True)
class LineFaults:
    """What goes wrong, each a probability for one write (`flip`: that one of its bits arrives turned over)."""

    drop: float = 0.0
    duplicate: float = 0.0
    flip: float = 0.0
    chop: float = 0.0  # arrives in two pieces, the second one later
    extra_us: int = 0  # more latency for every write
    dead: bool = False  # nothing arrives any more


@dataclass(slots=True)
class Lane:
    """One direction. Bytes never overtake each other."""

    draw: random.Random
    faults: LineFaults = field(default_factory=LineFaults)
    _under_way: deque[tuple[int, bytes]] = field(default_factory=deque)
    _last_due_us: int = 0

    def put(self, data: bytes, now_us: int) -> None:
        if not data or self.faults.dead:
            return
        for piece in self._damaged(data):
            due_us = now_us + self.draw.randint(*LATENCY_US) + self.faults.extra_us
            self._last_due_us = max(due_us, self._last_due_us)
            self._under_way.append((self._last_due_us, piece))

    def take(self, now_us: int) -> bytes:
        """All that has arrived by then."""
        arrived = bytearray()
        while self._under_way and self._under_way[0][0] <= now_us:
            arrived += self._under_way.popleft()[1]
        return bytes(arrived)

    def _damaged(self, data: bytes) -> Iterator[bytes]:
        faults, draw = self.faults, self.draw
        if faults.drop and draw.random() < faults.drop:
            return
        if faults.flip and draw.random() < faults.flip:
            data = _with_a_bit_flipped(data, draw)
        cut = draw.randrange(len(data)) if faults.chop and draw.random() < faults.chop else 0
        copies = 2 if faults.duplicate and draw.random() < faults.duplicate else 1
        for _ in range(copies):
            if cut:
                yield data[:cut]
            yield data[cut:]


class LatentLine:
    """Both directions, 1 to 3 ms each, deterministic per seed. `faults` may be exchanged at any time."""

    def __init__(self, seed: int) -> None:
        self.to_device = Lane(random.Random(f"to device {seed}"))
        self.to_host = Lane(random.Random(f"to host {seed}"))


def _with_a_bit_flipped(data: bytes, draw: random.Random) -> bytes:
    flipped = bytearray(data)
    flipped[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    return bytes(flipped)
