"""Whether winding in still raises force: cable that goes in and changes nothing is no pull.

Where both channels lose their gain together, the reading stays where it should be, the drum winds in, and the drive
works ever harder. A patient who slides towards the table lets the drum wind in too, but the drive feels nothing of it.
"""

from dataclasses import dataclass
from typing import Final

from safety import limits
from safety.reading import ForceReading, largest_force
from safety.units import Micrometres, Microseconds, Millinewtons, MillinewtonsPerMillimetre

POINT_US: Final = Microseconds(250_000)
# So many points in a row more was wound in than is felt: 3 s while a force is held, where coughs and shifts come and
# go; 1 s while the target moves, when each second adds to the force.
UNFELT_POINTS_HELD: Final = 13
UNFELT_POINTS_MOVING: Final = 5
UM_PER_MM: Final = 1000
MN_PER_KN: Final = 1_000_000

Point = tuple[Microseconds, Micrometres, int, Millinewtons]  # when, where the drum was, the drive's current, force


@dataclass(frozen=True, slots=True)
class Feel:
    """What was learned while loading: force a millimetre of cable, and drive current a kilonewton.

    `loaded`: the point at which that was learned, on the way up and again at the ramp's end; None where it is not
    known.
    """

    stiffness_mn_mm: MillinewtonsPerMillimetre
    current_ma_kn: int
    loaded: Point | None = None


@dataclass(frozen=True, slots=True)
class Slope:
    """Points of the last 6 s with one and the same target. `unfelt_points`: how many in a row, the newest among them,
    lost force since it was learned what is felt. `is_vain`: as of the newest of them."""

    target_mn: Millinewtons | None = None
    points: tuple[Point, ...] = ()
    unfelt_points: int = 0
    is_vain: bool = False


NOTHING_HELD: Final = Slope()


def slope_after(memory: Slope, reading: ForceReading, target_mn: Millinewtons | None, feel: Feel | None) -> Slope:
    """Folds one reading in. Without a target, or with nothing learned, nothing is being pulled."""
    force_mn, taken_us = largest_force(reading), reading.taken_us
    if feel is None or target_mn is None or force_mn is None:
        return NOTHING_HELD
    if memory.points and taken_us - memory.points[-1][0] < POINT_US:
        return memory
    held = memory.target_mn == target_mn
    recent = tuple(point for point in memory.points if held and taken_us - point[0] <= limits.SLOPE_WINDOW_US)
    newest = (taken_us, reading.cable_um, reading.current_ma, force_mn)
    unfelt_points = memory.unfelt_points + 1 if _is_unfelt(newest, feel) else 0
    enough = UNFELT_POINTS_HELD if held else UNFELT_POINTS_MOVING
    vain = _is_vain(recent, newest, feel) or unfelt_points >= enough
    return Slope(target_mn, (*recent, newest), unfelt_points, vain)


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


def _is_unfelt(newest: Point, feel: Feel) -> bool:
    """The cable is further in, and the drive works harder, than when it was learned, by more than was felt since: what
    is lost too slowly for the window, or while there is no window."""
    if feel.loaded is None:
        return False
    _now_us, cable_um, current_ma, force_mn = newest
    _then_us, loaded_um, loaded_ma, loaded_mn = feel.loaded
    felt_mn = force_mn - loaded_mn
    by_cable = (cable_um - loaded_um) * feel.stiffness_mn_mm > (felt_mn + limits.SLOPE_DRIFTED_MN) * UM_PER_MM
    harder_ma = (current_ma - loaded_ma) * MN_PER_KN
    return by_cable and harder_ma > feel.current_ma_kn * (felt_mn + limits.SLOPE_DRIFTED_MN // 2)
