"""Slack take-up: winds in until the cable is tight and a little loaded, and learns how stiff the patient is.

Pure. Forces in N, positions in mm, speeds in mm/s, stiffness in N/mm.
"""

from dataclasses import dataclass, replace

# Slack is taken up fast only while there is really none: from here on the strap's toe may tighten quickly. What is
# wound in before this is seen (7 ms of converter, 6 of line, 50 of slowing down) is force already.
TIGHTENING_FROM_N = 2.0
# The speed with which tightening begins, and by how much of it it may grow: a toe grows stiffer on the way.
TIGHTENING_MM_S = 2.0
QUICKENS_PER_S = 3.2
FAST_MM_S = 20.0
SLOW_MM_S = 5.0
FAST_ONLY_ABOVE_TARGET_N = 60.0
FORCE_RISE_AIMED_AT_N_S = 32.0  # at most 40 are allowed; the rest is for what the reading does not show yet
PRELOAD_N = (20.0, 60.0)
PRELOAD_OF_TARGET = 0.4
COLLECT_FROM_OF_PRELOAD = 1 / 3
# The slope is that of the toe and the patient together; the loop sees a little more at full force.
STIFFENING = 1.15
USABLE_N_MM = (2.0, 40.0)
PLAUSIBLE_N_MM = (2.0, 20.0)
FIT_MIN = 0.9
POINTS_MIN = 8
# A cough spoils the measurement: the cable is let out again, to so much of the preload, and stiffness measured anew.
TRIES_MAX = 3
BACK_OFF_TO_OF_PRELOAD = 0.25


def preload_n(target_n: float) -> float:
    """The force at which the cable counts as tight: a share of the target, never above it."""
    low, high = PRELOAD_N
    return min(target_n, max(low, min(high, PRELOAD_OF_TARGET * target_n)))


@dataclass(frozen=True, slots=True)
class LineFit:
    """Running sums of a least-squares line of force over position."""

    count: int = 0
    sum_x: float = 0.0
    sum_f: float = 0.0
    sum_xx: float = 0.0
    sum_xf: float = 0.0
    sum_ff: float = 0.0

    def with_point(self, x_mm: float, force_n: float) -> "LineFit":
        return LineFit(
            self.count + 1,
            self.sum_x + x_mm,
            self.sum_f + force_n,
            self.sum_xx + x_mm * x_mm,
            self.sum_xf + x_mm * force_n,
            self.sum_ff + force_n * force_n,
        )

    def slope_and_fit(self) -> tuple[float, float] | None:
        """Slope in N/mm and R squared; None while the points do not make a line."""
        spread_x = self.count * self.sum_xx - self.sum_x**2
        spread_f = self.count * self.sum_ff - self.sum_f**2
        shared = self.count * self.sum_xf - self.sum_x * self.sum_f
        if self.count < POINTS_MIN or spread_x <= 1e-9 or spread_f <= 1e-9:
            return None
        return shared / spread_x, shared**2 / (spread_x * spread_f)


@dataclass(frozen=True, slots=True)
class TakeUp:
    """Memory: recent cable positions (time s, mm) to undo the converter's delay, and the line so far.

    `backing_off`: letting out, to measure once more; `tries` counts the measurements.
    """

    positions: tuple[tuple[float, float], ...] = ()
    fit: LineFit = LineFit()
    last_force_n: float | None = None
    last_at_s: float = 0.0
    rise_n_s: float = 0.0
    speed_mm_s: float = 0.0
    tries: int = 1
    backing_off: bool = False


@dataclass(frozen=True, slots=True)
class Stiffness:
    """`loop_n_mm` is what the gains take; `measured_n_mm` what was measured; `plausible` whether to trust it."""

    measured_n_mm: float
    loop_n_mm: float
    fit: float
    plausible: bool


RISE_SMOOTHING_S = 0.05


def take_up_step(
    memory: TakeUp, at_s: float, position_mm: float, force_n: float, target_n: float, measuring_delay_s: float
) -> tuple[TakeUp, float]:
    """One sample: the next memory and the speed to wind in at, in mm/s; below zero lets out."""
    if memory.backing_off:
        if force_n > BACK_OFF_TO_OF_PRELOAD * preload_n(target_n):
            return memory, -SLOW_MM_S
        memory = TakeUp(tries=memory.tries)
    positions = (*(p for p in memory.positions if at_s - p[0] <= 2 * measuring_delay_s), (at_s, position_mm))
    fit = memory.fit
    if force_n >= preload_n(target_n) * COLLECT_FROM_OF_PRELOAD:
        fit = fit.with_point(_position_at(positions, at_s - measuring_delay_s), force_n)
    rise_n_s = _rise(memory, at_s, force_n)
    passed_s = max(0.0, at_s - memory.last_at_s)
    speed_mm_s = _speed(memory.speed_mm_s, passed_s, force_n, rise_n_s, target_n)
    return replace(
        memory,
        positions=positions,
        fit=fit,
        last_force_n=force_n,
        last_at_s=at_s,
        rise_n_s=rise_n_s,
        speed_mm_s=speed_mm_s,
    ), speed_mm_s


def once_more(memory: TakeUp) -> TakeUp | None:
    """What measures anew, from a lower force; None when it was tried often enough."""
    return TakeUp(tries=memory.tries + 1, backing_off=True) if memory.tries < TRIES_MAX else None


def _position_at(positions: tuple[tuple[float, float], ...], at_s: float) -> float:
    """The position nearest to that moment."""
    return min(positions, key=lambda p: abs(p[0] - at_s))[1]


def _rise(memory: TakeUp, at_s: float, force_n: float) -> float:
    if memory.last_force_n is None or at_s <= memory.last_at_s:
        return memory.rise_n_s
    passed_s = at_s - memory.last_at_s
    weight = passed_s / (passed_s + RISE_SMOOTHING_S)
    return memory.rise_n_s + weight * ((force_n - memory.last_force_n) / passed_s - memory.rise_n_s)


def _speed(last_mm_s: float, passed_s: float, force_n: float, rise_n_s: float, target_n: float) -> float:
    if force_n < TIGHTENING_FROM_N:
        return FAST_MM_S if target_n >= FAST_ONLY_ABOVE_TARGET_N else SLOW_MM_S
    before_mm_s = TIGHTENING_MM_S if last_mm_s > SLOW_MM_S else last_mm_s
    wanted_mm_s = SLOW_MM_S if rise_n_s <= 0 else before_mm_s * FORCE_RISE_AIMED_AT_N_S / rise_n_s
    return max(0.5, min(SLOW_MM_S, wanted_mm_s, before_mm_s * (1 + QUICKENS_PER_S * passed_s)))


def stiffness(memory: TakeUp) -> Stiffness | None:
    """What the take-up measured; None when it saw too little to say."""
    line = memory.fit.slope_and_fit()
    if line is None:
        return None
    slope, fit = line
    low, high = USABLE_N_MM
    plausible = PLAUSIBLE_N_MM[0] <= slope <= PLAUSIBLE_N_MM[1] and fit >= FIT_MIN
    return Stiffness(slope, min(high, max(low, STIFFENING * slope)), fit, plausible)
