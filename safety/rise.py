"""How fast force rises: a cough freezes the pull, and what no cough does releases it.

Judged on the median of three samples, so that one wild conversion is no rise, and on points 20 ms apart, so that the
memory stays small at any sample rate.
"""

from dataclasses import dataclass
from typing import Final

from safety import limits
from safety.units import Microseconds, Millinewtons

POINT_US: Final = Microseconds(20_000)
POINTS_MAX: Final = limits.RISE_RELEASE_WINDOW_US // POINT_US + 1

Point = tuple[Microseconds, Millinewtons]


@dataclass(frozen=True, slots=True)
class Rise:
    """`is_fast`: over the last 200 ms. `is_far`: more than 75 N over a point of the last 500 ms."""

    last_mn: Millinewtons | None = None
    before_mn: Millinewtons | None = None
    points: tuple[Point, ...] = ()
    lowest_mn: Millinewtons | None = None  # of the points
    is_fast: bool = False
    is_far: bool = False


NO_RISE: Final = Rise()


def rise_after(memory: Rise, taken_us: Microseconds, force_mn: Millinewtons | None) -> Rise:
    """Folds one reading in. Without a force nothing is known to rise."""
    if force_mn is None:
        return Rise(None, None, memory.points, memory.lowest_mn, memory.is_fast)
    median_mn = _median(memory, force_mn)
    is_far = _is_far_up(memory, taken_us, median_mn)
    points = memory.points
    if points and taken_us - points[-1][0] < POINT_US:
        return Rise(force_mn, memory.last_mn, points, memory.lowest_mn, memory.is_fast, is_far)
    after = (*points[-(POINTS_MAX - 1) :], (taken_us, median_mn))
    lowest_mn = min(point_mn for _taken_us, point_mn in after)
    return Rise(force_mn, memory.last_mn, after, lowest_mn, _is_fast(after), is_far)


def _median(memory: Rise, force_mn: Millinewtons) -> Millinewtons:
    """Of the last three; the smaller of two, the first alone."""
    if memory.last_mn is None:
        return force_mn
    low_mn, high_mn = min(memory.last_mn, force_mn), max(memory.last_mn, force_mn)
    return low_mn if memory.before_mn is None else max(low_mn, min(high_mn, memory.before_mn))


def _is_far_up(memory: Rise, taken_us: Microseconds, force_mn: Millinewtons) -> bool:
    if memory.lowest_mn is None or force_mn - memory.lowest_mn <= limits.RISE_RELEASE_MN:
        return False
    return any(
        taken_us - before_us <= limits.RISE_RELEASE_WINDOW_US and force_mn - before_mn > limits.RISE_RELEASE_MN
        for before_us, before_mn in memory.points
    )


def _is_fast(points: tuple[Point, ...]) -> bool:
    """Over the whole of the last 200 ms: from the oldest point within them to the newest."""
    newest_us, newest_mn = points[-1]
    window = [point for point in points if newest_us - point[0] <= limits.RISE_WINDOW_US]
    oldest_us, oldest_mn = window[0]
    passed_us = newest_us - oldest_us
    # A window not yet full cannot have lasted 200 ms.
    full = passed_us > limits.RISE_WINDOW_US - POINT_US
    return full and (newest_mn - oldest_mn) * limits.US_PER_S > limits.RISE_FREEZE_MN_S * passed_us
