"""The whole controller as one pure function: `step(state, input, now_us) -> (state, outputs)`.

The same function runs in the real controller, in simulation faster than real time, and in replay. Time is an argument:
`now_us` is the host's monotonic clock; forces and profiles follow the device's own clock. Nothing here does I/O.
"""

from typing import Final, assert_never

from controller import afterwards, alarm_board, steering, still_strapped, treatment
from controller.evolution import evolved
from controller.inputs import (
    AcknowledgeAsked,
    Answer,
    CameTooLate,
    ClearTrip,
    ConditionChanged,
    EndAcknowledged,
    Execute,
    GateBroken,
    GoOnAsked,
    Input,
    LowerAsked,
    Output,
    PainTold,
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
    TakeOverAsked,
    Tick,
    ZeroAsked,
)
from controller.journal import SampleRow
from controller.phases import AwaitingSwitchTest, CheckingZero, Ended, Holding, Idle, Ramping, Releasing, Tripped
from controller.readings import reading_of
from controller.starting import on_start
from controller.state import (
    State,
    Step,
    Table,
    calibration_matches,
    close,
    enter,
    is_under_way,
    let_go,
    let_go_again,
    note_alarm,
    propose,
    raise_alarm,
    trip,
)
from controller.zeroing import on_zero
from firmware_bridge.link import ReceivedSample
from firmware_bridge.messages import Ack, Nak, NakReason, Status, Trip, TripCause
from firmware_bridge.messages import MessageType as Type
from safety import interlock, plausibility
from safety.alarms import ALARM_OF_TRIP_CAUSE, CATALOGUE, AlarmId
from safety.motion import Hold, PayOut, Pull, ReleaseProfile
from safety.plausibility import Bounds, Finding, Reaction
from safety.reading import ForceReading, is_slack
from safety.units import Microseconds, Millinewtons

# Steps come every few ms, and a watchdog tick every 20 ms: a longer pause was this process standing still.
HOST_STALLED_US: Final = 200_000
# MOVE is refused by the table when its basis is older; holding still is not asked for beyond it.
BASIS_AGE_MAX_US: Final = 150_000
REFUSED_AGAIN_US: Final = 100_000
CLEAR_AGAIN_US: Final = 500_000
# The table tells the cause of its trip behind the sample that shows it; later than any line brings it, it was lost.
TRIP_TOLD_WITHIN_US: Final = 150_000
NOT_THE_SAME_CALIBRATION: Final = "the computer's calibration record is not the one that the table holds"
# On while a reading says so, and no longer.
BY_READING_ALONE: Final = frozenset((AlarmId.A03, AlarmId.A14, AlarmId.A46))
EMERGENCY_CAUSES: Final = (
    TripCause.PATIENT_SWITCH_PRESSED,
    TripCause.PATIENT_SWITCH_UNPLUGGED,
    TripCause.EMERGENCY_STOP,
)


def step(state: State, given: Input, now_us: int) -> tuple[State, tuple[Output, ...]]:
    """Takes in one input and says what is to be done. Total: every input is answered in every state."""
    s = Step(state, now_us, [])
    _notice_standstill(s)
    match given:
        case SampleArrived():
            _on_sample(s, given)
        case Tick():
            _on_tick(s, given)
        case TableFound():
            _on_table_found(s, given)
        case TableLost():
            _on_table_lost(s, given)
        case TableSaid():
            _on_table_said(s, given)
        case StartAsked():
            on_start(s, given)
        case StopAsked():
            _on_stop(s, given)
        case AcknowledgeAsked():
            _on_acknowledge(s, given)
        case ZeroAsked():
            on_zero(s, given)
        case PauseAsked() | GoOnAsked() | LowerAsked() | RaiseAsked() | TakeOverAsked():
            steering.on_steered(s, given)
        case PainTold():
            afterwards.on_pain(s, given)
        case EndAcknowledged():
            afterwards.on_end_acknowledged(s, given)
        case CameTooLate():
            _on_too_late(s, given)
        case ConditionChanged():
            _on_condition(s, given)
        case GateBroken():
            _on_gate_broken(s, given)
        case _:
            assert_never(given)
    s.set(board=alarm_board.swept(s.state.board, now_us), stepped_at_us=now_us)
    return s.state, tuple(s.outputs)


def _notice_standstill(s: Step) -> None:
    before_us = s.state.stepped_at_us
    if before_us is None or not is_under_way(s.state.phase):
        return
    still_us = s.now_us - before_us
    if still_us >= HOST_STALLED_US:
        trip(s, AlarmId.A16, f"the controller stood still for {still_us // 1000} ms", ReleaseProfile.PROTECTIVE)


def _on_sample(s: Step, arrived: SampleArrived) -> None:
    reading = reading_of(arrived.received, s.state.calibration)
    memory, findings = plausibility.watch(
        s.state.watch, reading, Microseconds(arrived.age_us), Microseconds(s.now_us), _bounds(s.state)
    )
    s.set(reading=reading, age_us=arrived.age_us, watch=memory)
    _react(s, findings)
    if is_under_way(s.state.phase) or reading.armed or reading.releasing:
        _react_to_switches(s, reading)
    _observe_interlock(s, reading)
    if reading.tripped and is_under_way(s.state.phase):
        _follow_the_table(s)
    treatment.on_sample(s, reading)
    still_strapped.on_sample(s, reading, in_service=Status.SERVICE_JUMPER in arrived.received.sample.status)
    _record_sample(s, reading, arrived.received)


def _bounds(state: State) -> Bounds | None:
    course = state.course
    if course is None or course.armed_us is None:
        return None
    target_mn = None if course.target_mn is None else Millinewtons(course.target_mn)
    pulls = isinstance(state.phase, Ramping | Holding)
    return Bounds(course.limits.ceiling_mn, target_mn, course.feel if pulls else None)


def _react(s: Step, findings: tuple[Finding, ...]) -> None:
    """Trips count while the drive may be energised; before that the start list refuses by itself."""
    s.set(frozen=any(finding.reaction is not Reaction.TELL for finding in findings))
    under_way = is_under_way(s.state.phase)
    for finding in findings:
        if not under_way:
            continue
        if finding.reaction is Reaction.TRIP:
            trip(s, finding.alarm, finding.detail, finding.profile)
        else:
            raise_alarm(s, finding.alarm, finding.detail)
    if s.state.board:
        still_on = {finding.alarm for finding in findings}
        for alarm in BY_READING_ALONE - still_on:
            s.set(board=alarm_board.condition_gone(s.state.board, alarm, s.now_us))


def _react_to_switches(s: Step, reading: ForceReading) -> None:
    if reading.emergency_stop:
        trip(s, AlarmId.A12, "the emergency stop is pressed", ReleaseProfile.EMERGENCY)
    if not reading.switch_connected:
        trip(s, AlarmId.A11, "the patient's switch was unplugged", ReleaseProfile.EMERGENCY)
    elif reading.switch_pressed:
        trip(s, AlarmId.A10, "the patient pressed the switch", ReleaseProfile.EMERGENCY)


def _follow_the_table(s: Step) -> None:
    """The table tripped, and lets go already. Its message with the cause comes after this sample, and is the trip.

    Where that was lost on its way, contact with the table was; the cause is shown when the table says it again.
    """
    if not isinstance(s.state.phase, Releasing):
        treatment.release(s, "the table tripped by itself", ReleaseProfile.PROTECTIVE)
    match s.state.phase:
        case Releasing(table_tripped_us=None) as phase:
            s.set(phase=evolved(phase, table_tripped_us=s.now_us))
        case Releasing(table_tripped_us=int(since_us)) if s.now_us - since_us >= TRIP_TOLD_WITHIN_US:
            trip(
                s, AlarmId.A13, "the table has let go by itself; its cause is not known yet", ReleaseProfile.PROTECTIVE
            )
        case _:
            pass


def _observe_interlock(s: Step, reading: ForceReading) -> None:
    """Leads out of a trip: slack and quiet for 2 s, acknowledged, the table's own latch cleared by name."""
    phase, held = s.state.phase, s.state.interlock
    if not isinstance(phase, Tripped) or not isinstance(held, interlock.Tripped):
        return
    let_go_again(s, phase.profile)
    quiet = (
        is_slack(reading)
        and not s.state.frozen
        and not (reading.releasing or reading.armed or _is_cause_there(reading))
    )
    if quiet and held.acknowledged and reading.tripped:
        _clear_table(s)
        return
    after = interlock.observed(held, quiet, Microseconds(s.now_us))
    s.set(interlock=after)
    if not isinstance(after, interlock.Tripped):
        s.set(board=alarm_board.without_trip(s.state.board), device_trip=None)
        enter(s, Idle(), "The trip was acknowledged and has been cleared")
        close(s)


def _is_cause_there(reading: ForceReading) -> bool:
    return reading.emergency_stop or reading.switch_pressed or not reading.switch_connected


def _clear_table(s: Step) -> None:
    cause, cleared_at_us = s.state.device_trip, s.state.cleared_at_us
    if cause is not None and (cleared_at_us is None or s.now_us - cleared_at_us >= CLEAR_AGAIN_US):
        s.set(cleared_at_us=s.now_us)
        s.outputs.append(ClearTrip(cause))


def _record_sample(s: Step, reading: ForceReading, received: ReceivedSample) -> None:
    course = s.state.course
    if course is None:
        return
    row = SampleRow(
        seq=reading.seq,
        t_us=reading.taken_us,
        raw_a=reading.raw_a,
        raw_b=reading.raw_b,
        force_a_mn=reading.force_a_mn,
        force_b_mn=reading.force_b_mn,
        target_mn=course.target_mn,
        cable_um=reading.cable_um,
        velocity_um_s=reading.velocity_um_s,
        current_ma=received.sample.current_ma,
        status=int(received.sample.status),
        late=not plausibility.reading_is_fresh(Microseconds(s.state.age_us)),
        host_us=s.now_us,
        age_us=s.state.age_us,
        asked_um_s=_asked_um_s(s.outputs),
    )
    s.outputs.append(RecordSample(row))


def _asked_um_s(outputs: list[Output]) -> int | None:
    """The speed that this step was permitted, a pull positive; None for no move."""
    for output in reversed(outputs):
        if isinstance(output, Execute):
            match output.permit.motion:
                case Pull(speed_um_s=speed_um_s):
                    return speed_um_s
                case PayOut(speed_um_s=speed_um_s):
                    return -speed_um_s
                case Hold():
                    return 0
                case _:
                    return None
    return None


def _on_tick(s: Step, tick: Tick) -> None:
    if tick.age_us is not None:
        s.set(age_us=tick.age_us)
        memory, findings = plausibility.waited(s.state.watch, Microseconds(tick.age_us), Microseconds(s.now_us))
        s.set(watch=memory)
        if findings:
            _react(s, findings)
            _hold_while_late(s, tick.age_us)
    treatment.on_time(s)


def _hold_while_late(s: Step, age_us: int) -> None:
    armed = s.state.course is not None and s.state.course.armed_us is not None
    if (
        armed
        and is_under_way(s.state.phase)
        and not isinstance(s.state.phase, Releasing)
        and age_us <= BASIS_AGE_MAX_US
        and not (s.state.reading is None or plausibility.is_wild(s.state.reading))
    ):
        propose(s, Hold())


def _on_table_found(s: Step, found: TableFound) -> None:
    s.set(table=Table(found.identity, found.calibration_a, found.calibration_b), calibration=found.record)
    identity = found.identity
    s.record(Record("link", "table", f"Table {identity.model} {identity.serial} found", {"boot": identity.boot_nonce}))
    if found.restarted and is_under_way(s.state.phase):
        trip(s, AlarmId.A18, "the table was reset during a session", ReleaseProfile.PROTECTIVE)
    if calibration_matches(s.state):
        s.set(board=alarm_board.condition_gone(s.state.board, AlarmId.A29, s.now_us))
        s.set(board=alarm_board.acknowledged(s.state.board, AlarmId.A29))
    elif is_under_way(s.state.phase):
        trip(s, AlarmId.A29, NOT_THE_SAME_CALIBRATION, ReleaseProfile.PROTECTIVE)
    else:
        raise_alarm(s, AlarmId.A29, NOT_THE_SAME_CALIBRATION)


def _on_table_lost(s: Step, lost: TableLost) -> None:
    s.record(Record("link", "controller", lost.sentence))
    if isinstance(s.state.phase, CheckingZero | AwaitingSwitchTest):
        treatment.end(s, f"contact with the table was lost before the pull: {lost.sentence}")
    elif s.state.course is not None:
        trip(s, AlarmId.A13, lost.sentence, ReleaseProfile.PROTECTIVE)
    s.set(table=None)


def _on_table_said(s: Step, said: TableSaid) -> None:
    match said.message:
        case Trip(cause=cause):
            _on_device_trip(s, cause)
        case Ack(type=Type.ARM):
            pass  # the samples' status shows it
        case Nak(type=Type.ARM, reason=reason):
            treatment.on_arm_refused(s, reason)
        case Nak(type=Type.MOVE, reason=NakReason.OUT_OF_RANGE | NakReason.NOT_ARMED as reason):
            _on_move_refused(s, reason)
        case Ack() | Nak():
            pass  # a move too late for the table renews nothing, and the lease decides


def _on_move_refused(s: Step, reason: NakReason) -> None:
    """A limit switch that closes is seen by the command before it is seen by the sample: then the table trips at once,
    and says so. A table that goes on refusing and does not trip is one that knows other limits."""
    refused_at_us = s.state.move_refused_at_us
    s.set(move_refused_at_us=s.now_us)
    if isinstance(s.state.phase, Tripped | Releasing):
        return
    s.record(Record("link", "table", f"The table refused a motion: {reason.spelled}", {"reason": int(reason)}))
    if refused_at_us is not None and s.now_us - refused_at_us <= REFUSED_AGAIN_US:
        trip(s, AlarmId.A42, f"the table refused a motion: {reason.spelled}", ReleaseProfile.PROTECTIVE)


def _on_device_trip(s: Step, cause: TripCause) -> None:
    if s.state.device_trip is cause:
        return
    s.set(device_trip=cause)
    alarm = ALARM_OF_TRIP_CAUSE[int(cause)]
    if cause is TripCause.LEASE_ENDED and s.state.course is None:
        alarm = AlarmId.A16  # no session of this process: the one before it stopped under load
    s.record(
        Record("trip", "table", f"The table tripped: {cause.spelled}", {"cause": int(cause), "alarm": alarm.value})
    )
    profile = ReleaseProfile.EMERGENCY if cause in EMERGENCY_CAUSES else ReleaseProfile.PROTECTIVE
    trip(s, alarm, f"the table reports: {cause.spelled}", profile)


def _on_stop(s: Step, asked: StopAsked) -> None:
    """Stop needs no session and cannot be refused."""
    s.record(Record("command", asked.actor, "Stop", {"command": asked.command_id}))
    s.outputs.append(Answer(asked.command_id, done=True))
    match s.state.phase:
        case Idle() | Ended():
            let_go(s, ReleaseProfile.NORMAL)
        case Tripped(profile=profile):
            let_go(s, profile)
        case Releasing(profile=profile):
            let_go(s, profile)
        case phase if is_under_way(phase):
            treatment.release(s, f"stopped by {asked.actor}")
        case _:
            let_go(s, ReleaseProfile.NORMAL)
            treatment.end(s, f"stopped by {asked.actor} before the pull", refused=False)


def _on_too_late(s: Step, late: CameTooLate) -> None:
    reason = "The command came too late and was not carried out: give it again."
    s.record(Record("command", late.actor, f"Refused: {late.asked}. {reason}", {"command": late.command_id}))
    s.outputs.append(Answer(late.command_id, done=False, reason=reason))


def _on_acknowledge(s: Step, asked: AcknowledgeAsked) -> None:
    refusal = _acknowledge(s, asked.alarm)
    outcome = "Acknowledged" if refusal is None else "Acknowledgement refused"
    text = f"{outcome}: {asked.alarm}" + ("" if refusal is None else f". {refusal}")
    s.record(Record("command", asked.actor, text, {"command": asked.command_id, "alarm": asked.alarm}))
    s.outputs.append(Answer(asked.command_id, done=refusal is None, reason=refusal or ""))


def _acknowledge(s: Step, name: str) -> str | None:
    """None when done, else why not."""
    known = next((alarm for alarm in CATALOGUE if alarm.value == name), None)
    entry = next((raised for raised in s.state.board if raised.id is known), None)
    if known is None or entry is None:
        return f"There is no alarm {name} to acknowledge."
    if entry.root:
        after = interlock.acknowledged(s.state.interlock, known, Microseconds(s.now_us))
        if isinstance(after, str):
            return after
        s.set(interlock=after, cleared_at_us=None)
    s.set(board=alarm_board.acknowledged(s.state.board, known))
    return None


def _on_condition(s: Step, changed: ConditionChanged) -> None:
    alarm = AlarmId(changed.alarm)
    if changed.detail is not None:
        raise_alarm(s, alarm, changed.detail)
    elif alarm_board.is_on(s.state.board, alarm):
        s.set(board=alarm_board.condition_gone(s.state.board, alarm, s.now_us))
        s.record(Record("alarm", "controller", f"{alarm.value} is over", {"alarm": alarm.value, "over": True}))


def _on_gate_broken(s: Step, broken: GateBroken) -> None:
    s.record(Record("verdict", "controller", broken.sentence, {"permitted": False}))
    if is_under_way(s.state.phase):
        trip(s, AlarmId.A45, broken.sentence, ReleaseProfile.PROTECTIVE)
    else:
        note_alarm(s, AlarmId.A45, broken.sentence)
