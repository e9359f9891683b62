"""Everything that a step knows, as one frozen value, and the small questions that several parts ask of it."""

from dataclasses import dataclass
from typing import Any, Final

from controller import alarm_board
from controller import movement as movements
from controller.calibration import Calibration, ChannelCalibration
from controller.dose_clock import DoseClock
from controller.evolution import evolved
from controller.inputs import Execute, Output, Over, Record
from controller.movement import NOTHING_SEEN, Noticed, Watched
from controller.pain import NOTHING_TOLD, Pain
from controller.phases import (
    Holding,
    Idle,
    Paused,
    Phase,
    Ramping,
    Releasing,
    Resting,
    TakingUpSlack,
    Tripped,
    name,
)
from controller.prescription import Prescription
from controller.profile import Profile
from controller.take_up import Stiffness
from controller.tension import Timing
from firmware_bridge import messages
from safety import interlock as interlocks
from safety.alarms import CATALOGUE, AlarmId
from safety.interlock import Interlock, NotZeroed
from safety.limiter import Permit, Refusal, Situation, review
from safety.limits import SessionLimits, SiteLimits
from safety.motion import Motion, Pull, Release, ReleaseProfile
from safety.plausibility import Watch
from safety.reading import ForceReading
from safety.slope import Feel
from safety.units import Micrometres, MicrometresPerSecond, Microseconds

# A release is said again while the table does not show that it is letting go; well before the lease would end, since a
# release that was lost once must not become a trip.
RELEASE_AGAIN_US: Final = 60_000
SLOWEST_UM_S: Final = MicrometresPerSecond(1)


@dataclass(frozen=True, slots=True)
class Table:
    """The table at the other end, as it described itself."""

    identity: messages.Identity
    calibration_a: messages.Calibration
    calibration_b: messages.Calibration


@dataclass(frozen=True)
class Course:
    """A session under way. Times are the device's, in us; positions in um; the tare is for control only.

    `profile` is the plan as it stands: what was given until now, and what lies ahead.
    """

    session_id: str
    actor: str
    prescription: Prescription
    profile: Profile
    limits: SessionLimits
    timing: Timing
    calibration_age_days: int | None
    tare_mn: int = 0
    armed_us: int | None = None
    took_up_from_um: int | None = None
    loaded_at_um: int | None = None
    stiffness: Stiffness | None = None
    preloaded: ForceReading | None = None  # the reading with which the ramp began
    feel: Feel | None = None  # of cable and drive, learned in the ramp
    clock: DoseClock = DoseClock()
    target_mn: int | None = None
    moved_us: int | None = None
    minute_announced: bool = False
    holder: str = ""  # the operator who may change the pull; whoever started it, when nobody took over
    paused_us: int = 0  # of the pauses that are over
    pain: Pain = NOTHING_TOLD
    movement: Watched = NOTHING_SEEN
    moved: Noticed | None = None  # the newest movement that was told

    @property
    def remaining_us(self) -> int:
        """Of the time at force: what the profile asks for, less what was given."""
        return max(0, round(self.profile.at_force_s * 1_000_000) - self.clock.at_force_us)


@dataclass(frozen=True, slots=True)
class OpenEnd:
    """A session is over and nobody has acknowledged it: its record is still open. `since_us` is the host's time."""

    since_us: int
    session_id: str
    pain: Pain


@dataclass(frozen=True)
class State:
    """Host times (`now_us` and what is named after it) are of the monotonic clock."""

    site: SiteLimits
    calibration: Calibration | None = None
    phase: Phase = Idle()
    interlock: Interlock = NotZeroed()
    watch: Watch = Watch()
    board: alarm_board.Board = ()
    table: Table | None = None
    reading: ForceReading | None = None
    age_us: int = 0
    frozen: bool = False
    course: Course | None = None
    switch_seen_at_us: int | None = None
    device_trip: messages.TripCause | None = None
    released_at_us: int | None = None
    cleared_at_us: int | None = None
    move_refused_at_us: int | None = None
    stepped_at_us: int | None = None
    open_end: OpenEnd | None = None  # of the session before, until it was acknowledged


@dataclass(slots=True)
class Step:
    """One step in the making: the state so far, and what is to be done. Lives only inside `session.step`."""

    state: State
    now_us: int
    outputs: list[Output]

    def set(self, **changes: Any) -> None:
        """The state with these changes. What is the same already costs nothing: most steps change little."""
        state = self.state
        for field, value in changes.items():
            if getattr(state, field) is not value:
                self.state = evolved(state, **changes)
                return

    def set_course(self, **changes: Any) -> None:
        if self.state.course is not None:
            self.state = evolved(self.state, course=evolved(self.state.course, **changes))

    def record(self, record: Record) -> None:
        self.outputs.append(record)


# Asked for every sample: making the union anew each time costs more than asking.
UNDER_WAY: Final = (TakingUpSlack, Ramping, Holding, Resting, Paused, Releasing)


def is_under_way(phase: Phase) -> bool:
    """The drive is, or may be, energised for a session."""
    return isinstance(phase, UNDER_WAY)


def calibration_matches(state: State) -> bool:
    """The record that the computer holds is the one that the table holds, number for number."""
    if state.table is None or state.calibration is None:
        return False
    return _is_the_same(state.calibration.channel_a, state.table.calibration_a) and _is_the_same(
        state.calibration.channel_b, state.table.calibration_b
    )


def _is_the_same(ours: ChannelCalibration, theirs: messages.Calibration) -> bool:
    return ours.zero_counts == theirs.zero_counts and ours.span_q20 == theirs.span_q20 and ours.id == theirs.id


def situation(s: Step) -> Situation:
    """What the limiter is to judge by, now."""
    state, course = s.state, s.state.course
    armed_us = None if course is None else course.armed_us
    taken_us = 0 if state.reading is None else state.reading.taken_us
    seen_at_us = state.switch_seen_at_us
    return Situation(
        reading=state.reading,
        age_us=Microseconds(state.age_us),
        interlock=state.interlock,
        limits=None if course is None else course.limits,
        armed_for_us=None if armed_us is None else Microseconds(taken_us - armed_us),
        took_up_from_um=None
        if course is None or course.took_up_from_um is None
        else Micrometres(course.took_up_from_um),
        loaded_at_um=None if course is None or course.loaded_at_um is None else Micrometres(course.loaded_at_um),
        switch_seen_us=None if seen_at_us is None else Microseconds(s.now_us - seen_at_us),
        calibration_age_days=None if course is None else course.calibration_age_days,
        calibration_matches=calibration_matches(state),
        frozen=state.frozen,
    )


def enter(s: Step, phase: Phase, text: str, **data: object) -> None:
    """Goes to that phase, on record."""
    s.set(phase=phase)
    s.record(Record("phase", "controller", text, {"phase": str(name(phase)), **data}))


def propose(s: Step, motion: Motion) -> None:
    """Asks the limiter; a refusal of the controller's own motion trips, with the alarm that it belongs to."""
    verdict = _reviewed(motion, s)
    if isinstance(verdict, Refusal):
        s.record(Record("verdict", "controller", verdict.sentence, {"motion": repr(motion), "permitted": False}))
        trip(s, verdict.alarm, verdict.sentence, ReleaseProfile.PROTECTIVE)
    else:
        s.outputs.append(Execute(verdict))


def _reviewed(motion: Motion, s: Step) -> Permit | Refusal:
    """The limiter never raises. Should it do so all the same, that is a no."""
    try:
        return review(motion, situation(s))
    except Exception as broken:  # noqa: BLE001 - deny by default, whatever went wrong
        return Refusal(AlarmId.A45, f"The limiter itself failed ({type(broken).__name__}): have the software checked.")


def why_no_pull(s: Step) -> str | None:
    """What speaks against any pull now, by the limiter's own word; None when nothing does. Moves nothing."""
    verdict = _reviewed(Pull(SLOWEST_UM_S), s)
    return verdict.sentence if isinstance(verdict, Refusal) else None


def close(s: Step) -> None:
    """No session any more, and no record that is open."""
    if s.state.course is not None or s.state.open_end is not None:
        s.outputs.append(Over())
        s.set(course=None, open_end=None)


def let_go(s: Step, profile: ReleaseProfile) -> None:
    """Letting go is permitted always."""
    s.set(released_at_us=s.now_us)
    propose(s, Release(profile))


def let_go_again(s: Step, profile: ReleaseProfile) -> None:
    """Repeats the release while the table is armed and does not show it."""
    reading, said_at_us = s.state.reading, s.state.released_at_us
    unheard = reading is None or (reading.armed and not reading.releasing)
    if unheard and (said_at_us is None or s.now_us - said_at_us >= RELEASE_AGAIN_US):
        let_go(s, profile)


def raise_alarm(s: Step, alarm: AlarmId, detail: str, root: bool = False) -> None:
    """Puts the alarm on the board, and on record when it was not there: one that flickers is one alarm."""
    if not alarm_board.is_told(s.state.board, alarm) or root:
        entry = CATALOGUE[alarm]
        text = f"{alarm.value} {entry.shown}: {detail}"
        s.record(
            Record("alarm", "controller", text, {"alarm": alarm.value, "priority": entry.priority.value, "root": root})
        )
    s.set(board=alarm_board.raised(s.state.board, alarm, detail, s.now_us, root))


def note_alarm(s: Step, alarm: AlarmId, detail: str) -> None:
    """Shows an alarm whose moment is over: it stays until it was read, or acknowledged where it latches."""
    lasting = alarm_board.is_on(s.state.board, alarm)
    raise_alarm(s, alarm, detail)
    if not lasting:
        s.set(board=alarm_board.condition_gone(s.state.board, alarm, s.now_us))


def note_movement(s: Step, noticed: Noticed) -> None:
    """A movement of the patient or of the harness, in words, on record."""
    data: dict[str, object] = {
        "movement": noticed.movement.value,
        "size_mn": noticed.size_mn,
        "duration_s": round(noticed.duration_us / 1e6, 2),
    }
    s.record(Record("note", "controller", noticed.sentence, data))
    s.set_course(moved=noticed)


def trip(s: Step, alarm: AlarmId, detail: str, profile: ReleaseProfile) -> None:
    """Latches the first cause and lets go; what follows from it is shown, and does not bury it."""
    if isinstance(s.state.interlock, interlocks.Tripped):
        if not any(entry.id is alarm for entry in s.state.board):
            note_alarm(s, alarm, detail)
        _release_faster(s, profile)
        return
    if s.state.course is not None and s.state.reading is not None:
        noticed = movements.let_go(s.state.course.movement, s.state.reading.taken_us, alarm)
        if noticed is not None:
            note_movement(s, noticed)
    s.set(interlock=interlocks.trip(s.state.interlock, alarm, Microseconds(s.now_us)))
    s.set(board=alarm_board.condition_gone(s.state.board, AlarmId.A25, s.now_us))
    raise_alarm(s, alarm, detail, root=True)
    enter(s, Tripped(s.now_us, profile), CATALOGUE[alarm].shown, alarm=alarm.value)
    s.set_course(target_mn=None)
    let_go(s, profile)


def _release_faster(s: Step, profile: ReleaseProfile) -> None:
    phase = s.state.phase
    if isinstance(phase, Tripped) and profile.value > phase.profile.value:
        s.set(phase=evolved(phase, profile=profile))
        let_go(s, profile)
