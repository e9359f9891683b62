"""How a session begins, goes from phase to phase, is stopped, and ends; and that it is on record."""

from collections.abc import Iterator
from typing import Final

from controller.inputs import (
    AcknowledgeAsked,
    Answer,
    Began,
    ConditionChanged,
    GateBroken,
    GoOnAsked,
    LowerAsked,
    Over,
    PauseAsked,
    RaiseAsked,
    Record,
    RecordSample,
    SampleArrived,
    StartAsked,
    StopAsked,
    TableFound,
    TableLost,
    TableSaid,
    Tick,
    ZeroAsked,
)
from controller.phases import (
    AwaitingSwitchTest,
    CheckingZero,
    Ended,
    Holding,
    Idle,
    Paused,
    Phase,
    Ramping,
    Releasing,
    TakingUpSlack,
    Tripped,
)
from proof.exploring.transition import DRIVING, Transition
from safety.alarms import CATALOGUE
from safety.motion import Release

SLACK_MN: Final = 15_000
TICKED: Final = {"screening", "harness", "table_unlocked"}
ANYTHING: Final = (
    SampleArrived,
    Tick,
    TableFound,
    TableLost,
    TableSaid,
    StartAsked,
    StopAsked,
    AcknowledgeAsked,
    ZeroAsked,
    ConditionChanged,
    GateBroken,
)
# From which phase to which, and on what. What is not here must not be; a phase may always stay.
WAYS: Final[dict[tuple[type[Phase], type[Phase]], tuple[type, ...]]] = {
    (Idle, CheckingZero): (StartAsked,),
    (Idle, Tripped): (TableSaid, SampleArrived),
    (CheckingZero, AwaitingSwitchTest): (SampleArrived,),
    (CheckingZero, Ended): (SampleArrived, StopAsked, Tick, TableLost),
    (CheckingZero, Tripped): (TableSaid, SampleArrived),
    (AwaitingSwitchTest, TakingUpSlack): (SampleArrived,),
    (AwaitingSwitchTest, Ended): (SampleArrived, StopAsked, Tick, TableLost),
    (AwaitingSwitchTest, Tripped): (TableSaid, SampleArrived),
    (TakingUpSlack, Ramping): (SampleArrived,),
    (TakingUpSlack, Ended): (SampleArrived, TableSaid),
    (TakingUpSlack, Releasing): (SampleArrived, StopAsked),
    (TakingUpSlack, Tripped): ANYTHING,
    (Ramping, Releasing): (SampleArrived, StopAsked),
    (Ramping, Ended): (SampleArrived,),  # the table let go by itself, and is slack
    (Ramping, Tripped): ANYTHING,
    (Ramping, Holding): (SampleArrived, LowerAsked),
    (Ramping, Paused): (PauseAsked,),
    (Holding, Paused): (PauseAsked,),
    (Holding, Ramping): (LowerAsked, RaiseAsked),
    (Paused, Ramping): (GoOnAsked,),
    (Paused, Holding): (GoOnAsked,),
    (Paused, Releasing): (SampleArrived, StopAsked),
    (Paused, Ended): (SampleArrived,),
    (Paused, Tripped): ANYTHING,
    (Holding, Releasing): (SampleArrived, StopAsked),
    (Holding, Ended): (SampleArrived,),
    (Holding, Tripped): ANYTHING,
    (Releasing, Ended): (SampleArrived,),
    (Releasing, Tripped): ANYTHING,
    (Ended, CheckingZero): (StartAsked,),
    (Ended, Tripped): (TableSaid, SampleArrived),
    (Tripped, Idle): (SampleArrived,),
}


def phases_follow_their_ways(t: Transition) -> Iterator[str]:
    """No phase is entered but from where, and on what, it may be: nothing resumes by itself."""
    was, becomes = type(t.before.phase), type(t.after.phase)
    if was is not becomes and not isinstance(t.given, WAYS.get((was, becomes), ())):
        yield f"{was.__name__} became {becomes.__name__} on {type(t.given).__name__}"


def stop_is_done(t: Transition) -> Iterator[str]:
    """A stop is answered as done, in every state, and lets go; nothing is under way after it."""
    if not isinstance(t.given, StopAsked):
        return
    answers = [output for output in t.outputs if isinstance(output, Answer)]
    if [(answer.command_id, answer.done) for answer in answers] != [(t.given.command_id, True)]:
        yield "not answered as done"
    if not any(type(motion) is Release for motion in t.motions):
        yield "nothing was let go"
    if not isinstance(t.after.phase, Idle | Ended | Releasing | Tripped):
        yield f"it goes on: {type(t.after.phase).__name__}"


def a_start_needs_everything(t: Transition) -> Iterator[str]:
    """A start is accepted only idle, with a matching table in sight, slack, the switch there, all ticked and agreed."""
    if not isinstance(t.given, StartAsked):
        return
    answers = [output for output in t.outputs if isinstance(output, Answer)]
    if len(answers) != 1 or answers[0].done == bool(answers[0].reason):
        yield "not answered once, with a reason where refused"
        return
    if not answers[0].done:
        if t.before.phase is not t.after.phase and not isinstance(t.after.phase, Tripped):
            yield "refused, and yet something began"
        return
    yield from (f"accepted although {what}" for what in _against_a_start(t, t.given))


def _against_a_start(t: Transition, asked: StartAsked) -> Iterator[str]:
    state, reading = t.before, t.before.reading
    heavy = asked.prescription.force_mn > 200_000
    against = {
        "something is under way or tripped": not isinstance(state.phase, Idle | Ended) or t.history.cause is not None,
        "no table is there": state.table is None,
        "nothing fresh comes": reading is None or not 0 <= state.age_us <= 60_000,
        "the cable is loaded": reading is None
        or max(abs(reading.force_a_mn or 0), abs(reading.force_b_mn or 0)) > SLACK_MN,
        "a channel is missing": reading is None or reading.force_a_mn is None or reading.force_b_mn is None,
        "the emergency stop is pressed": reading is not None and reading.emergency_stop,
        "the patient's switch is not there": reading is not None and not reading.switch_connected,
        "it is not ticked": not set(asked.ticks) >= TICKED,
        "it is not confirmed": (heavy or asked.confirmed_mn is not None)
        and asked.confirmed_mn != asked.prescription.force_mn,
        "it is for another patient": asked.patient not in (None, asked.prescription.pseudonym),
        "it is too much": asked.prescription.force_mn > 300_000,
        "the calibration is too old": asked.calibration_age_days is None or asked.calibration_age_days > 365,
        "something blocks it": bool(asked.blocked),
        "the calibration does not match": state.table is not None
        and (state.calibration is None or state.table.calibration_a.id != state.calibration.channel_a.id),
    }
    yield from (what for what, is_so in against.items() if is_so)


def a_session_begins_and_ends_once(t: Transition) -> Iterator[str]:
    """Began comes with a start alone, Over after it and once; in between is a course, or an end not acknowledged."""
    began = sum(isinstance(output, Began) for output in t.outputs)
    over = sum(isinstance(output, Over) for output in t.outputs)
    if began and (not isinstance(t.given, StartAsked) or t.history.session > over or began > 1):
        yield "began twice, or without a start"
    is_open = (t.after.course is not None) + (t.after.open_end is not None)
    if over > t.history.session + began or t.history.session + began - over != is_open:
        yield "over twice, or without a beginning, or the course outlives it"
    if t.after.course is None and isinstance(t.after.phase, (CheckingZero, AwaitingSwitchTest, *DRIVING)):
        yield f"{type(t.after.phase).__name__} without a session"


def every_sample_is_on_record(t: Transition) -> Iterator[str]:
    """A sample in a session is recorded, once, with its own number."""
    rows = [output.row for output in t.outputs if isinstance(output, RecordSample)]
    if t.seen is not None and t.before.course is not None and t.after.course is not None:
        if [row.seq for row in rows] != [t.seen.seq]:
            yield "not recorded once"
    elif rows and t.seen is None:
        yield "a row without a sample"


def every_new_alarm_is_told(t: Transition) -> Iterator[str]:
    """What comes onto the board is on record; what does not latch and comes again while it is still shown was told."""
    known = {entry.id for entry in t.before.board if entry.on or not CATALOGUE[entry.id].latches}
    told = {output.data.get("alarm") for output in t.outputs if isinstance(output, Record) and output.kind == "alarm"}
    new = {entry.id.value for entry in t.after.board if entry.on and entry.id not in known}
    if new - told:
        yield f"not told: {', '.join(sorted(new - told))}"
