"""What the notes of line and table say together: how long from each sample to its decision, and on to the wire."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from benchmarks.loop.line_watch import ECHOED, FROM_HOST, FROM_TABLE, Note
from firmware_bridge.framing import FrameDecoder
from firmware_bridge.messages import Move, Sample, Trip, TripCause

TICK_MS: Final = 20.0
NS_PER_MS: Final = 1e6
_ARRIVED, _DECIDED, _MOVED = 0, 1, 2


@dataclass(slots=True)
class Latencies:
    """In ms, in no order. The echo's is there and back."""

    to_decision_ms: list[float] = field(default_factory=list)
    to_wire_ms: list[float] = field(default_factory=list)
    tick_late_ms: list[float] = field(default_factory=list)
    echo_ms: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Seen:
    """The whole run: (when, what, sample number) in order, echoes and ticks with their times, leases that ended."""

    passed: Sequence[tuple[int, int, int]]
    echoes: Sequence[tuple[int, int]]
    ticks_ns: Sequence[int]
    leases_lost: int


def quantile(values: Sequence[float], part: float) -> float:
    """The smallest value that this part of them does not exceed. Infinite where there is none."""
    if not values:
        return math.inf
    return sorted(values)[max(0, math.ceil(part * len(values)) - 1)]


def seen(notes: Iterable[Note], decided: Sequence[Sequence[int]], ticks_ns: Sequence[int]) -> Seen:
    """Puts the notes of both processes in one order: they read one clock."""
    passed = [(at_ns, _DECIDED, seq) for seq, at_ns in zip(*decided, strict=True)]
    echoes: list[tuple[int, int]] = []
    leases_lost = 0
    decoders = {FROM_TABLE: FrameDecoder(), FROM_HOST: FrameDecoder()}
    for note in notes:
        if note.way == ECHOED:
            echoes.append((note.at_ns, int.from_bytes(note.data, "little")))
            continue
        for _counter, message in decoders[note.way].feed(note.data):
            match message:
                case Sample(seq=seq):
                    passed.append((note.at_ns, _ARRIVED, seq))
                case Move(basis=basis):
                    passed.append((note.at_ns, _MOVED, basis))
                case Trip(cause=TripCause.LEASE_ENDED):
                    leases_lost += 1
                case _:
                    pass
    return Seen(sorted(passed), echoes, ticks_ns, leases_lost)


def between(run: Seen, from_ns: int, to_ns: int) -> Latencies:
    """What there was in that time."""
    found = Latencies()
    arrived: dict[int, int] = {}
    decided: dict[int, int] = {}
    for at_ns, what, seq in run.passed:
        if what == _ARRIVED:
            arrived[seq] = at_ns
        elif what == _DECIDED:
            decided[seq] = at_ns
            if seq in arrived and from_ns <= at_ns < to_ns:
                found.to_decision_ms.append((at_ns - arrived.pop(seq)) / NS_PER_MS)
        elif seq in decided and from_ns <= at_ns < to_ns:
            found.to_wire_ms.append((at_ns - decided.pop(seq)) / NS_PER_MS)
    found.echo_ms = [took_ns / NS_PER_MS for at_ns, took_ns in run.echoes if from_ns <= at_ns < to_ns]
    ticks_ns = [at_ns for at_ns in run.ticks_ns if from_ns <= at_ns < to_ns]
    found.tick_late_ms = [(after - before) / NS_PER_MS - TICK_MS for before, after in pairwise(ticks_ns)]
    return found
