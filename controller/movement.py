"""Tells movements of the patient apart by force and cable, in words, for the record. Decides nothing: safety does that.

An excursion begins when force leaves its target by more than `safety.limits.MOVED_MN`, and is over once it has been
back for a while. What it was follows from how far, how suddenly, how long, and where the cable stands afterwards.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from safety.alarms import AlarmId
from safety.limits import MOVED_MN, SLACK_MN

UM_PER_MM: Final = 1000
BACK_FOR_US: Final = 300_000  # the coughs of one fit are 0.7 s apart, and told one by one
# A cough is over in less; whoever turns takes longer.
COUGH_US_MAX: Final = 1_000_000
# Cable that stays wound in or paid out by more: the patient lies elsewhere, or the harness does.
MOVED_UM: Final = 2_500
# No body lets go of so much force within so little time: a strap does.
SUDDEN_US: Final = 180_000
SUDDEN_MN: Final = 20_000
# Breathing moves the cable by this much from end to end, while force stays: seen over two slow breaths.
BREATH_UM: Final = (300, 6_000)
BREATH_WINDOW_US: Final = 10_000_000


class Movement(StrEnum):
    BREATH = "breath"
    COUGH = "cough"
    SHIFT = "shift"
    GETTING_UP = "getting up"
    HARNESS_SLIP = "harness slip"
    CABLE_BREAK = "cable break"


REACTIONS: Final = {
    Movement.BREATH: "The pull follows it",
    Movement.COUGH: "Rode through",
    Movement.SHIFT: "Followed; the clock stood while force was off",
    Movement.GETTING_UP: "The force is gone: let go",
    Movement.HARNESS_SLIP: "Look at the harness",
    Movement.CABLE_BREAK: "Nothing holds the force any more: let go",
}


NOTHING_HOLDS: Final = (AlarmId.A08, AlarmId.A26)  # force is gone: at once, or for long
# How soon after leaving its target it went: in a sample or two a cable, sooner than a body moves a strap.
BREAK_US_MAX: Final = 15_000
STRAP_US_MAX: Final = 45_000


@dataclass(frozen=True, slots=True)
class Excursion:
    """Force off its target. Device times in us, positions in um; `extreme_mn` is the farthest, below zero for less."""

    began_us: int
    began_um: int
    extreme_mn: int
    extreme_at_us: int
    slack: bool
    off_until_us: int


@dataclass(frozen=True, slots=True)
class Watched:
    """What is remembered from sample to sample."""

    off: Excursion | None = None
    calm_from_us: int | None = None
    lowest_um: int = 0
    highest_um: int = 0
    breath_told: bool = False


NOTHING_SEEN: Final = Watched()


@dataclass(frozen=True, slots=True)
class Noticed:
    """`size_mn` is by how much force moved, and `duration_us` for how long; both 0 where no excursion was followed."""

    movement: Movement
    size_mn: int
    duration_us: int

    @property
    def sentence(self) -> str:
        seen = f", {self.size_mn / 1000:.0f} N for {self.duration_us / 1e6:.1f} s" if self.duration_us else ""
        return f"{self.movement.value.capitalize()}{seen}. {REACTIONS[self.movement]}."


def watched(
    memory: Watched, taken_us: int, off_mn: int, force_mn: int, cable_um: int, stiffness_mn_mm: int, *, steady: bool
) -> tuple[Watched, Noticed | None]:
    """One sample: `off_mn` is force less target. What is over by now is told once. `steady`: the target stands."""
    off = abs(off_mn) > MOVED_MN
    if memory.off is None and not off:
        if steady and not memory.breath_told:
            return _calm(memory, taken_us, cable_um, stiffness_mn_mm)
        return (memory if memory.calm_from_us is None else replace(memory, calm_from_us=None)), None
    excursion = memory.off or Excursion(taken_us, cable_um, off_mn, taken_us, False, taken_us)
    if off:
        further = abs(off_mn) > abs(excursion.extreme_mn)
        excursion = replace(
            excursion,
            extreme_mn=off_mn if further else excursion.extreme_mn,
            extreme_at_us=taken_us if further else excursion.extreme_at_us,
            slack=excursion.slack or force_mn <= SLACK_MN,
            off_until_us=taken_us,
        )
        return replace(memory, off=excursion, calm_from_us=None), None
    if taken_us - excursion.off_until_us < BACK_FOR_US:
        return memory, None
    return replace(memory, off=None, calm_from_us=None), _told(excursion, cable_um)


def let_go(memory: Watched, taken_us: int, cause: AlarmId) -> Noticed | None:
    """The pull ended by that cause: which movement that was; None when it was none."""
    if cause not in NOTHING_HOLDS:
        return None
    if memory.off is None:  # not watched, as in a pause; or gone within one sample
        return Noticed(Movement.GETTING_UP if cause is AlarmId.A26 else Movement.CABLE_BREAK, 0, 0)
    lasted_us = taken_us - memory.off.began_us
    return Noticed(_gone_within(lasted_us), memory.off.extreme_mn, lasted_us)


def _gone_within(lasted_us: int) -> Movement:
    if lasted_us <= BREAK_US_MAX:
        return Movement.CABLE_BREAK
    return Movement.HARNESS_SLIP if lasted_us <= STRAP_US_MAX else Movement.GETTING_UP


def _told(excursion: Excursion, cable_um: int) -> Noticed:
    lasted_us = excursion.off_until_us - excursion.began_us
    wound_in_um = cable_um - excursion.began_um
    reached_in_us = excursion.extreme_at_us - excursion.began_us
    dropped = excursion.extreme_mn <= -SUDDEN_MN and reached_in_us <= SUDDEN_US
    if dropped and wound_in_um > MOVED_UM:
        kind = Movement.HARNESS_SLIP
    elif abs(wound_in_um) > MOVED_UM or lasted_us > COUGH_US_MAX:
        kind = Movement.SHIFT
    else:
        kind = Movement.COUGH
    return Noticed(kind, excursion.extreme_mn, lasted_us)


def _calm(memory: Watched, taken_us: int, cable_um: int, stiffness_mn_mm: int) -> tuple[Watched, Noticed | None]:
    """Breathing shows in the cable, which follows it, and is told once."""
    if memory.calm_from_us is None:
        return replace(memory, calm_from_us=taken_us, lowest_um=cable_um, highest_um=cable_um), None
    lowest_um, highest_um = min(memory.lowest_um, cable_um), max(memory.highest_um, cable_um)
    if taken_us - memory.calm_from_us < BREATH_WINDOW_US:
        if (lowest_um, highest_um) == (memory.lowest_um, memory.highest_um):
            return memory, None
        return replace(memory, lowest_um=lowest_um, highest_um=highest_um), None
    swing_um = highest_um - lowest_um
    again = replace(memory, calm_from_us=None)
    if not BREATH_UM[0] <= swing_um <= BREATH_UM[1]:
        return again, None
    size_mn = swing_um * stiffness_mn_mm // (2 * UM_PER_MM)
    return replace(again, breath_told=True), Noticed(Movement.BREATH, size_mn, BREATH_WINDOW_US)
