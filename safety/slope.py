"""Whether winding in still raises force: while a force is held, cable that goes in and changes nothing is no hold.

Both channels may lose their gain together, or the harness slide: the reading then stays where it should be, and the
drum winds. Breathing comes back to where it was, a cough pays out first, and a patient who moves towards the table lets
force drop: none of them is meant here.
"""

from dataclasses import dataclass
from typing import Final

from safety import limits
from safety.reading import ForceReading, largest_force
from safety.units import Micrometres, Microseconds, Millinewtons, MillinewtonsPerMillimetre

POINT_US: Final = Microseconds(250_000)
UM_PER_MM: Final = 1000

Point = tuple[Microseconds, Micrometres, Millinewtons]


@dataclass(frozen=True, slots=True)
class Slope:
    """Points of the last 6 s with one and the same target. `is_vain`: as of the newest of them."""

    target_mn: Millinewtons | None = None
    points: tuple[Point, ...] = ()
    is_vain: bool = False


NOTHING_HELD: Final = Slope()


def slope_after(
    memory: Slope,
    reading: ForceReading,
    target_mn: Millinewtons | None,
    stiffness_mn_mm: MillinewtonsPerMillimetre | None,
) -> Slope:
    """Folds one reading in. Without a stiffness nothing is being held."""
    force_mn, taken_us = largest_force(reading), reading.taken_us
    if stiffness_mn_mm is None or target_mn is None or force_mn is None:
        return NOTHING_HELD
    points = memory.points if memory.target_mn == target_mn else ()
    if points and taken_us - points[-1][0] < POINT_US:
        return memory
    newest = (taken_us, reading.cable_um, force_mn)
    recent = (*(point for point in points if taken_us - point[0] <= limits.SLOPE_WINDOW_US), newest)
    return Slope(target_mn, recent, _is_vain(recent, target_mn, stiffness_mn_mm))


def _is_vain(points: tuple[Point, ...], target_mn: Millinewtons, stiffness_mn_mm: MillinewtonsPerMillimetre) -> bool:
    """The drum stands further in than it did in all of the older half, by what should have been felt as force."""
    newest_us, newest_um, _force_mn = points[-1]
    older_um = [cable_um for at_us, cable_um, _force_mn in points if newest_us - at_us >= limits.SLOPE_WINDOW_US // 2]
    dropped = any(force_mn < target_mn - limits.SLOPE_DROP_MN for _at_us, _cable_um, force_mn in points)
    if not older_um or dropped:
        return False
    return (newest_um - max(older_um)) * stiffness_mn_mm > limits.SLOPE_UNFELT_MN * UM_PER_MM
