"""What a patient does to the cable: breathing, coughing, moving about. Lengths in mm, forces in N, time in ms."""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from hw_sim.rig import Rig

TWO_PI: Final = 2.0 * math.pi
SHIFT_TAKES_MS: Final = (500, 2_000)

Shape = Callable[[float], float]  # of the time from 0 to 1 to the share of its size


class Breathing:
    """Where breathing has the trunk: from 0 at the end of each breath out to twice the amplitude away from the cable.

    Depth and length of each breath are drawn anew. The raised cosine starts and ends every breath at rest,
    so that one breath joins the next without a jolt. `at_breath_end` is called with the seconds of the breath to come.
    """

    __slots__ = ("_amplitude_mm", "_depth_mm", "_draw", "_hz", "_phase", "_phase_step", "_variation", "at_breath_end")

    def __init__(self, amplitude_mm: float, hz: float, variation: float, draw: random.Random) -> None:
        self.at_breath_end: Callable[[float], None] | None = None
        self._amplitude_mm = amplitude_mm
        self._hz = hz
        self._variation = variation
        self._draw = draw
        self._phase = 0.0
        self._next_breath()

    def advance_ms(self) -> float:
        """Millimetres towards the cable (so never positive), 1 ms on."""
        self._phase += self._phase_step
        if self._phase >= TWO_PI:
            self._phase -= TWO_PI
            self._next_breath()
        return self._depth_mm * (math.cos(self._phase) - 1.0)

    def _next_breath(self) -> None:
        vary = self._variation
        self._depth_mm = self._amplitude_mm * (1.0 + self._draw.uniform(-vary, vary))
        self._phase_step = TWO_PI * self._hz * 0.001 * (1.0 + self._draw.uniform(-vary, vary))
        if self.at_breath_end is not None:
            self.at_breath_end(TWO_PI / self._phase_step * 0.001)


class Habits:
    """How often this patient coughs and moves, asked at the end of each breath so that it costs nothing in between."""

    __slots__ = ("_draw", "_lies_at_mm", "_rig")

    def __init__(self, rig: Rig, draw: random.Random) -> None:
        self._rig = rig
        self._draw = draw
        self._lies_at_mm = 0.0

    @property
    def has_any(self) -> bool:
        return self._rig.coughs_per_min > 0 or self._rig.shifts_per_min > 0

    def cough_n(self, breath_s: float) -> float | None:
        """The height of a cough in the breath to come; None for no cough."""
        rig, draw = self._rig, self._draw
        if draw.random() * 60.0 >= rig.coughs_per_min * breath_s:
            return None
        return rig.cough_n * draw.uniform(0.5, 1.0)

    def shift(self, breath_s: float) -> tuple[float, int] | None:
        """A move in the breath to come: mm away from the cable, and its milliseconds; None for none."""
        rig, draw = self._rig, self._draw
        if draw.random() * 60.0 >= rig.shifts_per_min * breath_s:
            return None
        goal_mm = draw.uniform(-rig.shift_mm, rig.shift_mm)
        distance_mm = goal_mm - self._lies_at_mm
        self._lies_at_mm = goal_mm
        return distance_mm, draw.randint(*SHIFT_TAKES_MS)


@dataclass(frozen=True, slots=True)
class Disturbance:
    """A shape, `size` large, over `duration_ms` from `start_ms`. Before it: 0; after it: where the shape ends."""

    start_ms: int
    duration_ms: int
    size: float
    shape: Shape

    def at(self, t_ms: int) -> float:
        u = (t_ms - self.start_ms) / self.duration_ms
        return self.size * self.shape(min(max(u, 0.0), 1.0))

    def is_over(self, t_ms: int) -> bool:
        return t_ms >= self.start_ms + self.duration_ms


class Disturbances:
    """Several at once, added up. What is over leaves its end value behind and is not asked again."""

    __slots__ = ("_running", "_settled")

    def __init__(self, settled: float = 0.0) -> None:
        self._settled = settled
        self._running: list[Disturbance] = []

    def add(self, disturbance: Disturbance) -> None:
        """Raises ValueError where it would last no time."""
        if disturbance.duration_ms < 1:
            raise ValueError(f"A disturbance lasts 1 ms or more, not {disturbance.duration_ms} ms.")
        self._running.append(disturbance)

    def any_running(self) -> bool:
        return bool(self._running)

    def at(self, t_ms: int) -> float:
        if not self._running:
            return self._settled
        total = self._settled + sum(one.at(t_ms) for one in self._running)
        over = [one for one in self._running if one.is_over(t_ms)]
        self._settled += sum(one.at(t_ms) for one in over)
        self._running = [one for one in self._running if one not in over]
        return total


def half_sine(u: float) -> float:
    """A push that comes and goes: a cough."""
    return math.sin(math.pi * u)


def block(u: float) -> float:
    """A push that is there at once and gone at once."""
    return 1.0 if 0.0 < u < 1.0 else 0.0


def reach(u: float) -> float:
    """From 0 to 1 as people move (minimum jerk; Flash and Hogan 1985)."""
    return u * u * u * (10.0 + u * (6.0 * u - 15.0))
