"""Whether winding in still raises force: while a force is held, cable that goes in and changes nothing is no hold.

Where both channels lose their gain together, the reading stays where it should be, the drum winds in, and the drive
works ever harder. A patient who slides towards the table lets the drum wind in too, but the drive feels nothing of it.
"""

from dataclasses import dataclass
from typing import Final

from safety import limits
from safety.reading import ForceReading, largest_force
from safety.units import Micrometres, Microseconds, Millinewtons, MillinewtonsPerMillimetre

POINT_US: Final = Microseconds(250_000)
UM_PER_MM: Final = 1000
MN_PER_KN: Final = 1_000_000

Point = tuple[Microseconds, Micrometres, int, Millinewtons]  # when, where the drum was, the drive's current, force


@dataclass(frozen=True, slots=True)
class Feel:
    """What was learned while loading: force a millimetre of cable, and drive current a kilonewton.

    `loaded`: the point at which the ramp had reached its force. None while it is not known.
    """

    stiffness_mn_mm: MillinewtonsPerMillimetre
    current_ma_kn: int
    loaded: Point | None = None


@dataclass(frozen=True, slots=True)
class Slope:
    """Points of the last 6 s with one and the same target. `is_vain`: as of the newest of them."""

    target_mn: Millinewtons | None = None
    points: tuple[Point, ...] = ()
    is_vain: bool = False


NOTHING_HELD: Final = Slope()


def slope_after(memory: Slope, reading: ForceReading, target_mn: Millinewtons | None, feel: Feel | None) -> Slope:
    """Folds one reading in. Without a target, or with nothing learned, nothing is being held."""
    force_mn, taken_us = largest_force(reading), reading.taken_us
    if feel is None or target_mn is None or force_mn is None:
        return NOTHING_HELD
    points = memory.points if memory.target_mn == target_mn else ()
    if points and taken_us - points[-1][0] < POINT_US:
        return memory
    recent = tuple(point for point in points if taken_us - point[0] <= limits.SLOPE_WINDOW_US)
    newest = (taken_us, reading.cable_um, reading.current_ma, force_mn)
    vain = _is_vain(recent, newest, feel) or _has_drifted((*recent, newest), feel)
    return Slope(target_mn, (*recent, newest), vain)


def _is_vain(points: tuple[Point, ...], newest: Point, feel: Feel) -> bool:
    """The drum stands further in than in all of the older half, and the drive works harder, by more than was felt."""
    newest_us, newest_um, newest_ma, newest_mn = newest
    older = [point for point in points if newest_us - point[0] >= limits.SLOPE_WINDOW_US // 2]
    if not older:
        return False
    wound_um = newest_um - max(cable_um for _at_us, cable_um, _current_ma, _force_mn in older)
    harder_ma = newest_ma - max(current_ma for _at_us, _cable_um, current_ma, _force_mn in older)
    felt_mn = newest_mn - min(force_mn for _at_us, _cable_um, _current_ma, force_mn in older)
    by_cable = wound_um * feel.stiffness_mn_mm > (felt_mn + limits.SLOPE_UNFELT_MN) * UM_PER_MM
    by_drive = harder_ma * MN_PER_KN > feel.current_ma_kn * (felt_mn + limits.SLOPE_UNFELT_MN // 2)
    return by_cable and by_drive


def _has_drifted(points: tuple[Point, ...], feel: Feel) -> bool:
    """Over the whole window the cable is further in, and the drive works harder, than at the ramp's end, by more than
    was felt since: what is lost too slowly for the window."""
    if feel.loaded is None or points[-1][0] - points[0][0] < limits.SLOPE_WINDOW_US // 2:
        return False
    _then_us, loaded_um, loaded_ma, loaded_mn = feel.loaded
    for _at_us, cable_um, current_ma, force_mn in points:
        felt_mn = force_mn - loaded_mn
        by_cable = (cable_um - loaded_um) * feel.stiffness_mn_mm > (felt_mn + limits.SLOPE_DRIFTED_MN) * UM_PER_MM
        harder_ma = (current_ma - loaded_ma) * MN_PER_KN
        if not by_cable or harder_ma <= feel.current_ma_kn * (felt_mn + limits.SLOPE_DRIFTED_MN // 2):
            return False
    return True
