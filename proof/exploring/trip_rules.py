"""What must trip, what a trip is, and the one way out of it."""

from collections.abc import Iterator
from typing import Final

from controller.inputs import (
    AcknowledgeAsked,
    Answer,
    ClearTrip,
    GateBroken,
    SampleArrived,
    TableFound,
    TableLost,
    TableSaid,
    Tick,
)
from controller.phases import CheckingZero, Ended, Idle, Releasing, Tripped
from firmware_bridge.messages import MessageType, Nak, NakReason, Trip
from proof.exploring.transition import DRIVING, ENERGISED, Transition
from safety import interlock
from safety.motion import Release, ReleaseProfile

STANDSTILL_US: Final = 200_000
RELEASE_AGAIN_US: Final = 60_000
REFUSED_AGAIN_US: Final = 100_000
CLEAR_US: Final = 2_000_000
ALARM_OF_CAUSE: Final = (
    *("A01", "A01", "A13", "A05", "A06", "A07", "A04", "A09", "A10", "A11"),  # causes 1 to 10
    *("A12", "A24", "A08", "A20", "A22", "A18", "A21", "A42", "A01"),
)
HIGH: Final = frozenset(ALARM_OF_CAUSE) - {"A09", "A42"} | {"A02", "A16", "A29", "A45"}


def phase_and_interlock_agree(t: Transition) -> Iterator[str]:
    """Tripped is the phase exactly while the interlock is tripped; it is closed only from the zero check to the end."""
    phase, lock = t.after.phase, t.after.interlock
    if isinstance(phase, Tripped) != isinstance(lock, interlock.Tripped):
        yield f"{type(phase).__name__} with the interlock {type(lock).__name__}"
    if isinstance(lock, interlock.Closed) and isinstance(phase, Idle | Ended | CheckingZero):
        yield f"closed in {type(phase).__name__}"


def what_must_trip_trips(t: Transition) -> Iterator[str]:
    """Each of these, while the drive may be on, is a trip in the same step."""
    if isinstance(t.after.phase, Tripped):
        return
    if isinstance(t.before.phase, ENERGISED):
        yield from (what for what, is_so in _must_trip_energised(t) if is_so)
    if isinstance(t.given, TableLost) and t.after.course is not None:
        yield "the link was lost, and the session goes on"
    match t.given:
        case TableSaid(message=Trip(cause=cause)) if t.before.device_trip is not cause:
            yield "the table's trip was ignored"


def _must_trip_energised(t: Transition) -> Iterator[tuple[str, bool]]:
    last_us = t.before.stepped_at_us
    yield "the controller stood still", last_us is not None and t.now_us - last_us >= STANDSTILL_US
    match t.given:
        case GateBroken():
            yield "the gate was broken", True
        case TableFound(restarted=True):
            yield "the table was reset", True
        case Tick(age_us=age_us):
            yield "nothing came for 250 ms", age_us is not None and age_us > 250_000
        case TableSaid(message=Nak(reason=NakReason.NOT_ARMED | NakReason.OUT_OF_RANGE, type=MessageType.MOVE)):
            refused_us = t.history.move_refused_us
            again = refused_us is not None and t.now_us - refused_us <= REFUSED_AGAIN_US
            yield "the table refused a motion, and again", again and isinstance(t.before.phase, DRIVING)
    if t.seen is None:
        return
    yield "the sample is older than 250 ms", t.seen.age_us > 250_000
    yield "a channel is missing", t.seen.is_missing
    yield "a channel was out of range twice", t.since.wild_samples >= 2
    yield "the channels were 40 N apart twice", t.since.far_samples >= 2
    armed = t.before.course is not None and t.before.course.armed_us is not None
    yield "force was over the ceiling twice", armed and t.since.over_samples >= 2
    let_go = isinstance(t.after.phase, Releasing | Ended)
    yield "the table tripped, and it went on", t.seen.tripped and not let_go


def the_tables_trip_has_its_alarm(t: Transition) -> Iterator[str]:
    """A trip that the table names is told as the alarm that belongs to its cause."""
    if isinstance(t.given, TableSaid) and isinstance(t.given.message, Trip) and t.history.cause is None:
        stalled = t.before.stepped_at_us is not None and t.now_us - t.before.stepped_at_us >= STANDSTILL_US
        wanted = ALARM_OF_CAUSE[t.given.message.cause - 1]
        if t.given.message.cause == 3 and t.before.course is None:
            wanted = "A16"
        if t.before.device_trip is not t.given.message.cause and t.since.cause != wanted and not stalled:
            yield f"cause {t.given.message.cause} was told as {t.since.cause}, not {wanted}"


def a_trip_has_its_root(t: Transition) -> Iterator[str]:
    """Every trip has one root alarm on the board: the first cause, the same until it is left. Else there is none."""
    roots = [entry for entry in t.after.board if entry.root]
    lock = t.after.interlock
    if not isinstance(lock, interlock.Tripped):
        if roots:
            yield "a root without a trip"
        return
    if [entry.id for entry in roots] != [lock.cause]:
        yield f"tripped by {lock.cause.value}, and the board's roots are {[entry.id.value for entry in roots]}"
    if t.history.cause is not None and t.history.cause != lock.cause.value:
        yield f"the first cause {t.history.cause} became {lock.cause.value}"


def a_trip_lets_go_at_once(t: Transition) -> Iterator[str]:
    """The step that trips, or that begins to release, says so to the table."""
    begins = not isinstance(t.before.phase, Tripped | Releasing) and isinstance(t.after.phase, Tripped | Releasing)
    worse = isinstance(t.after.phase, Tripped) and not isinstance(t.before.phase, Tripped)
    if (begins or worse) and not any(type(motion) is Release for motion in t.motions):
        yield "nothing was let go"


def a_switch_is_heard(t: Transition) -> Iterator[str]:
    """A switch or emergency stop trips while the drive may be on, and has the table let go at the fastest rate."""
    if t.seen is None or not t.seen.is_held:
        return
    if isinstance(t.before.phase, ENERGISED) and not isinstance(t.after.phase, Tripped):
        yield "a switch was ignored"
    moving = t.seen.armed or t.seen.releasing
    if moving and isinstance(t.after.phase, Tripped) and t.since.profile < ReleaseProfile.EMERGENCY.value:
        yield "a switch released slowly"


def a_release_is_repeated(t: Transition) -> Iterator[str]:
    """While the table is armed and does not show that it lets go, the release is said again within 60 ms."""
    reading = t.after.reading
    unheard = reading is None or (reading.armed and not reading.releasing)
    if (
        not isinstance(t.given, SampleArrived | Tick)
        or not isinstance(t.after.phase, Releasing | Tripped)
        or not unheard
    ):
        return
    said_us = t.since.released_us
    if said_us is None or t.now_us - said_us > RELEASE_AGAIN_US:
        yield "not said again"


def an_acknowledgement_is_earned(t: Transition) -> Iterator[str]:
    """The first cause is acknowledged by its name, and only after 2 s of slack; each is answered once."""
    if not isinstance(t.given, AcknowledgeAsked):
        return
    answers = [output for output in t.outputs if isinstance(output, Answer)]
    if len(answers) != 1 or answers[0].done == bool(answers[0].reason):
        yield "not answered once, with a reason where refused"
    lock, was = t.after.interlock, t.before.interlock
    newly = isinstance(lock, interlock.Tripped) and lock.acknowledged and not getattr(was, "acknowledged", False)
    if newly and t.given.alarm != t.history.cause:
        yield f"{t.given.alarm} acknowledged the trip by {t.history.cause}"
    since_us, seen_us = t.history.quiet_since_us, t.history.quiet_seen_us
    quiet = since_us is not None and seen_us is not None and seen_us - since_us >= CLEAR_US
    if newly and not (quiet and seen_us is not None and t.now_us - seen_us <= 250_000):
        yield "acknowledged before it was slack for 2 s"


def only_an_acknowledged_trip_is_cleared(t: Transition) -> Iterator[str]:
    """The table's latch is cleared after the acknowledgement, naming the cause that the table told."""
    for output in t.outputs:
        if isinstance(output, ClearTrip):
            if not t.since.acknowledged or not isinstance(t.after.phase, Tripped):
                yield "cleared without an acknowledgement"
            if output.cause is not t.before.device_trip:
                yield "cleared another cause than the table's"


def a_trip_is_left_by_its_door(t: Transition) -> Iterator[str]:
    """Out of a trip leads one way: slack and quiet for 2 s, the first cause acknowledged, the table's latch cleared."""
    if not isinstance(t.before.phase, Tripped) or isinstance(t.after.phase, Tripped):
        return
    since_us = t.since.quiet_since_us
    if t.seen is None or not t.seen.is_quiet or t.seen.tripped:
        yield "left although the sample does not show slack, rest and no cause"
    if since_us is None or t.now_us - since_us < CLEAR_US:
        yield "left before it was quiet for 2 s"
    if not t.since.acknowledged:
        yield "left without the first cause being acknowledged"
    if not isinstance(t.after.interlock, interlock.NotZeroed) or t.after.course is not None:
        yield "left for something else than a new beginning"


def high_alarms_let_go(t: Transition) -> Iterator[str]:
    """No alarm of high priority stands on the board while the drive goes on pulling or holding."""
    if isinstance(t.after.phase, DRIVING):
        high = [entry.id.value for entry in t.after.board if entry.on and entry.id.value in HIGH]
        if high:
            yield f"{', '.join(high)} on, and it goes on"
