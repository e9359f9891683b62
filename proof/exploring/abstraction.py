"""When two states count as one: what of a state decides about what comes next, and no more.

Numbers become classes (a force is slack, loaded, or not to be trusted; an age is fresh, late or lost; a time is before
or after the moment that matters), and what plays no part in a phase is left out there.
"""

from collections.abc import Hashable
from typing import Final

from controller.phases import (
    AwaitingSwitchTest,
    CheckingZero,
    Ended,
    Idle,
    Phase,
    Releasing,
    TakingUpSlack,
    Tripped,
)
from controller.state import State, calibration_matches
from safety import interlock, plausibility
from safety.reading import ForceReading, is_slack
from safety.units import Microseconds

Abstract = tuple[Hashable, ...]

QUIET_US: Final = 2_000_000
LOOKED_US: Final = 250_000
AGAIN_US: Final = 60_000
REFUSED_AGAIN_US: Final = 100_000
TOLD_WITHIN_US: Final = 150_000


def abstracted(state: State) -> Abstract:
    return (*outline(state), *_detail(state))


def outline(state: State) -> Abstract:
    """Phase, interlock and session, without what was last seen."""
    return (_phase(state.phase), _interlock(state), _course(state), _table(state))


def _phase(phase: Phase) -> Abstract:
    named = type(phase).__name__
    match phase:
        case CheckingZero(started_us=started_us):
            return named, started_us is not None
        case AwaitingSwitchTest(pressed=pressed):
            return named, pressed
        case TakingUpSlack(since_us=since_us):
            return named, since_us is not None
        case Releasing(profile=profile) | Tripped(profile=profile):
            return named, profile.value
        case _:
            return (named,)


def _interlock(state: State) -> Abstract:
    held = state.interlock
    if not isinstance(held, interlock.Tripped):
        return (type(held).__name__,)
    quiet = "loud"
    if held.quiet_since_us is not None and held.observed_us is not None:
        quiet = "quiet" if held.observed_us - held.quiet_since_us < QUIET_US else "quiet for 2 s"
        if (state.stepped_at_us or 0) - held.observed_us > LOOKED_US:
            quiet = "not looked at"
    return "Tripped", quiet, held.acknowledged, state.device_trip is not None


def _course(state: State) -> Abstract:
    course = state.course
    if course is None:
        return ("no session", state.open_end is not None)
    if isinstance(state.phase, Tripped | Releasing):
        return ("session",)
    return course.armed_us is not None, course.loaded_at_um is not None, course.feel is not None, course.holder


def _table(state: State) -> str:
    if isinstance(state.phase, Tripped):
        return "no record" if state.calibration is None else "record"
    if state.table is None:
        return "no table"
    return "table" if calibration_matches(state) else "another table"


def _detail(state: State) -> Abstract:
    """What a step asks of the newest reading before another one comes: a start, a tick, a stop."""
    match state.phase:
        case Idle() | Ended():
            return _resting(state.reading), _hands(state.reading), _age(state) == "fresh"
        case CheckingZero() | AwaitingSwitchTest():
            return (_age(state),)
        case Tripped():
            return (_unheard(state),)
        case Releasing(table_tripped_us=tripped_us):
            return _unheard(state), _counting(state), _told(state, tripped_us)
        case _:
            seen = (_motion(state.reading), _force(state.reading), _age(state))
            return (state.frozen, *seen, _counting(state), _was_refused(state))


def _resting(reading: ForceReading | None) -> str:
    if _force(reading) != "slack":
        return "not slack"
    return "slack" if _motion(reading) == "resting" else "slack, and the drive is on"


def _motion(reading: ForceReading | None) -> str:
    if reading is None:
        return "unknown"
    moving = "releasing" if reading.releasing else "armed" if reading.armed else "resting"
    return f"{moving}, tripped" if reading.tripped else moving


def _force(reading: ForceReading | None) -> str:
    if reading is None or plausibility.channel_missing(reading) or plausibility.is_wild(reading):
        return "unsure"
    return "slack" if is_slack(reading) else "loaded"


def _hands(reading: ForceReading | None) -> str:
    if reading is None or not reading.switch_connected:
        return "not there"
    if reading.emergency_stop:
        return "emergency stop"
    return "pressed" if reading.switch_pressed else "free"


def _age(state: State) -> str:
    if plausibility.reading_is_fresh(Microseconds(state.age_us)):
        return "fresh"
    return "late" if state.age_us <= LOOKED_US else "lost"


def _unheard(state: State) -> str:
    """Whether the table has heard the release; and if not, whether it would be said again at once."""
    if _motion(state.reading) not in ("unknown", "armed", "armed, tripped"):
        return "heard"
    said_us = state.released_at_us
    due = said_us is None or (state.stepped_at_us or 0) - said_us >= AGAIN_US
    return "say it again" if due else "said"


def _told(state: State, tripped_us: int | None) -> str:
    """The table's samples show a trip, whose cause is yet to come."""
    if tripped_us is None:
        return "no trip"
    return "soon" if (state.stepped_at_us or 0) - tripped_us < TOLD_WITHIN_US else "overdue"


def _counting(state: State) -> bool:
    """One sample of the two in a row that would trip was there."""
    watch = state.watch
    return max(watch.over_ceiling_samples, watch.far_apart_samples, watch.out_of_range_samples) > 0


def _was_refused(state: State) -> bool:
    """The table refused a motion just now: one more refusal trips."""
    refused_us = state.move_refused_at_us
    return refused_us is not None and (state.stepped_at_us or 0) - refused_us <= REFUSED_AGAIN_US
