"""Between sessions the table is disarmed, its brake holds, and it heeds neither its switch nor a rising force: but a
patient may still be strapped to the cable. Whoever loads it then, or presses the switch, is let go by the host's word.
"""

from typing import Final

from controller.inputs import Record
from controller.phases import AwaitingSwitchTest, CheckingZero, Ended, Idle, Tripped
from controller.state import Step, let_go
from safety.limits import SLACK_MN
from safety.motion import ReleaseProfile
from safety.reading import ForceReading, largest_force

# A release that the table took shows in the next samples; one that it cannot carry out is asked for no more often.
LET_GO_AGAIN_US: Final = 500_000
NOTED_AGAIN_US: Final = 10_000_000


def on_sample(s: Step, reading: ForceReading, *, in_service: bool) -> None:
    """`in_service`: the service jumper is closed, and it may be a technician's masses that hang there."""
    force_mn = largest_force(reading)
    if force_mn is None or force_mn <= SLACK_MN or reading.armed or reading.releasing or in_service:
        return
    because = _because(s, reading, by_both=_smallest_mn(reading) > SLACK_MN)
    said_at_us = s.state.released_at_us
    if because is None or (said_at_us is not None and s.now_us - said_at_us < LET_GO_AGAIN_US):
        return
    profile, why = because
    if said_at_us is None or s.now_us - said_at_us >= NOTED_AGAIN_US:
        s.record(Record("note", "controller", f"Letting go of {force_mn / 1000:.0f} N on a disarmed table: {why}"))
    let_go(s, profile)


def _smallest_mn(reading: ForceReading) -> int:
    """One channel alone may be what failed: it must not keep the drum paying out for ever."""
    return min(reading.force_a_mn or 0, reading.force_b_mn or 0)


def _because(s: Step, reading: ForceReading, *, by_both: bool) -> tuple[ReleaseProfile, str] | None:
    """How fast, and why; None while the load is nobody's."""
    match s.state.phase:
        case Idle() | Ended() | Tripped() | CheckingZero() | AwaitingSwitchTest() if reading.switch_pressed:
            return ReleaseProfile.EMERGENCY, "the patient presses the switch"
        case Ended() if by_both:
            return ReleaseProfile.NORMAL, "the session is over, and the patient moved"
        case Tripped(profile=profile) if by_both:
            return profile, "it tripped, and the patient moved"
        case _:
            return None
