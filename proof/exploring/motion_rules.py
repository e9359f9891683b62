"""What a step may put on the line, and what it must never keep back."""

from collections.abc import Iterator
from typing import Final

from controller.inputs import (
    AcknowledgeAsked,
    CameTooLate,
    ConditionChanged,
    EndAcknowledged,
    GateBroken,
    GoOnAsked,
    LowerAsked,
    PainTold,
    PauseAsked,
    RaiseAsked,
    Record,
    SampleArrived,
    TableFound,
    TableLost,
    TableSaid,
    TakeOverAsked,
    Tick,
    ZeroAsked,
)
from controller.phases import Paused, Tripped
from controller.state import State, Step, situation
from firmware_bridge.messages import Ack
from proof.exploring.plain import CEILING_MN
from proof.exploring.transition import DRIVING, Transition
from safety import interlock
from safety.limiter import Permit, review
from safety.motion import Arm, CutPower, Hold, Motion, PayOut, Pull, Release, ReleaseProfile
from safety.units import MicrometresPerSecond

SLACK_MN: Final = 15_000
TAKE_UP_UM_S: Final = 20_000
PULL_UM_S: Final = 5_000
PAY_OUT_UM_S: Final = 20_000  # of this table
TRAVEL_UM: Final = 150_000
TAKE_UP_UM: Final = 200_000
LEASE_MS: Final = 200
WORDS: Final = (
    TableSaid,
    TableFound,
    TableLost,
    ConditionChanged,
    GateBroken,
    AcknowledgeAsked,
    ZeroAsked,
    PauseAsked,
    GoOnAsked,
    LowerAsked,
    RaiseAsked,
    PainTold,
    TakeOverAsked,
    EndAcknowledged,
    CameTooLate,
)


def at_most_one_pull(t: Transition) -> Iterator[str]:
    """A step puts at most one motion that pulls or holds on the line, and none beside a release."""
    kinds = [type(motion) for motion in t.motions]
    driving = [kind for kind in kinds if kind in (Pull, Hold, PayOut, Arm)]
    if len(driving) > 1 or (driving and Release in kinds):
        yield f"in one step: {', '.join(kind.__name__ for kind in kinds)}"


def a_pull_has_every_reason(t: Transition) -> Iterator[str]:
    """A pull is made of this very sample, and that sample and this session meet every condition."""
    for permit in t.permits:
        if type(permit.motion) is Pull:
            yield from (f"pulled although {what}" for what in _against_a_pull(t, permit, permit.motion))


def _against_a_pull(t: Transition, permit: Permit, pull: Pull) -> Iterator[str]:
    seen, course = t.seen, t.after.course
    if seen is None or course is None:
        yield "no sample, or no session, says so"
        return
    loaded = seen.largest_mn is None or seen.largest_mn > SLACK_MN
    lock = t.after.interlock
    against = {
        "its basis is another sample": (permit.basis_seq, permit.basis_us) != (seen.seq, seen.t_us),
        "its lease is not 200 ms": permit.lease_ms != LEASE_MS,
        "it is older than 60 ms": not 0 <= seen.age_us <= 60_000,
        "a channel is missing or out of range": seen.is_missing or seen.is_out_of_range,
        "it is over the ceiling": seen.is_over,
        "the agreed ceiling is another": course.limits.ceiling_mn != CEILING_MN,
        "a switch says no": seen.is_held,
        "the table is not armed": not seen.armed or seen.releasing or seen.tripped,
        "the interlock is not closed": not isinstance(lock, interlock.Closed),
        "the pull is frozen": t.after.frozen,
        "the phase does not pull": not isinstance(t.after.phase, DRIVING),
        "it is paused": isinstance(t.after.phase, Paused),
        "force rises fast": t.after.watch.rise.is_fast,
        "the speed is too high": not 0 < pull.speed_um_s <= (PULL_UM_S if loaded else TAKE_UP_UM_S),
        "the cable has travelled too far": course.loaded_at_um is not None
        and seen.cable_um - course.loaded_at_um > TRAVEL_UM,
        "too much slack was taken up": course.loaded_at_um is None
        and (course.took_up_from_um is None or seen.cable_um - course.took_up_from_um > TAKE_UP_UM or loaded),
        "the session's time is over": course.armed_us is None
        or seen.t_us - course.armed_us > course.limits.duration_us,
        "the past does not allow it": not t.since.may_pull,
    }
    yield from (what for what, is_so in against.items() if is_so)


def only_driving_phases_drive(t: Transition) -> Iterator[str]:
    """Pulling, holding and paying out belong to take-up, ramp, hold and pause; pulling and arming to a sample."""
    for motion in t.motions:
        kind = type(motion)
        if kind in (Pull, Hold, PayOut) and not isinstance(t.after.phase, DRIVING):
            yield f"{kind.__name__} in {type(t.after.phase).__name__}"
        if kind in (Pull, PayOut) and t.seen is None:
            yield f"{kind.__name__} without a sample"
        if kind is Hold and not isinstance(t.given, SampleArrived | Tick):
            yield f"Hold on {type(t.given).__name__}"
        if kind is CutPower:
            yield "power was cut, which only the table does"


def held_only_on_a_reading(t: Transition) -> Iterator[str]:
    """Holding still is asked for while the newest sample is at most 250 ms old, armed, and nobody says stop."""
    if not any(type(motion) is Hold for motion in t.motions):
        return
    reading, age_us = t.after.reading, t.after.age_us
    if reading is None or age_us > 250_000:
        yield "held blind"
    elif not reading.armed or reading.releasing or reading.tripped:
        yield "held at a table that is not armed"
    elif reading.switch_pressed or reading.emergency_stop or not reading.switch_connected:
        yield "held although a switch says no"
    if t.since.ended:
        yield "held for a session that was stopped"


def armed_once_after_both_checks(t: Transition) -> Iterator[str]:
    """The table is armed once a session, after the zero check and the switch test, with the limits agreed."""
    for motion in t.motions:
        if isinstance(motion, Arm):
            if t.history.arm_asked or not (t.since.zero_passed and t.since.switch_tested):
                yield "armed twice, or before the checks were passed"
            if motion.limits.ceiling_mn != CEILING_MN or motion.limits.pull_um_s > PULL_UM_S:
                yield f"armed with other limits: {motion.limits}"
            if t.seen is None or not t.seen.is_slack or t.seen.is_held or not 0 <= t.seen.age_us <= 60_000:
                yield "armed although the sample says no"


def paying_out_is_within_its_rate(t: Transition) -> Iterator[str]:
    """Paying out is never faster than the table may."""
    for motion in t.motions:
        if isinstance(motion, PayOut) and not 0 < motion.speed_um_s <= PAY_OUT_UM_S:
            yield f"paid out at {motion.speed_um_s} um/s"


def letting_go_is_never_refused(t: Transition) -> Iterator[str]:
    """No release and no paying out that was asked for is refused; in the state reached none would be."""
    for output in t.outputs:
        if isinstance(output, Record) and output.kind == "verdict" and "motion" in output.data:
            motion = str(output.data["motion"])
            if motion.startswith(("Release", "PayOut")):
                yield f"{motion} was refused"


def letting_go_would_be_permitted(state: State, now_us: int) -> Iterator[str]:
    """In that state every release and paying out at the table's rate gets its permit."""
    judged = situation(Step(state, now_us, []))
    speeds = (MicrometresPerSecond(1), MicrometresPerSecond(PAY_OUT_UM_S))
    motions: tuple[Motion, ...] = (*map(Release, ReleaseProfile), *map(PayOut, speeds))
    for motion in motions:
        if not isinstance(review(motion, judged), Permit):
            yield f"{motion} would be refused"


def what_freezes_freezes(t: Transition) -> Iterator[str]:
    """A sample that is late, or from the future, or that rises fast, says no pull."""
    if t.seen is not None and isinstance(t.after.phase, DRIVING) and not t.after.frozen:
        if not 0 <= t.seen.age_us <= 60_000:
            yield f"not frozen at an age of {t.seen.age_us} us"
        if t.after.watch.rise.is_fast and isinstance(t.before.phase, DRIVING):
            yield "not frozen while force rises fast"


def words_alone_move_nothing(t: Transition) -> Iterator[str]:
    """What a table says, a condition, a found table and a lost one never pull, hold or arm."""
    if isinstance(t.given, WORDS):
        moving = [type(motion).__name__ for motion in t.motions if type(motion) is not Release]
        if moving:
            yield f"{', '.join(moving)} on {type(t.given).__name__}"
    match t.given:
        case TableSaid(message=Ack()) if t.before.phase is not t.after.phase and not isinstance(t.after.phase, Tripped):
            yield "an acknowledgement of the table changed the phase"
