"""May this session begin? Every reason why not, as sentences, before anything moves."""

from collections.abc import Iterator

from controller import modes, prescription_rules
from controller.commands import HUMAN_TICK_TEXTS, HUMAN_TICKS
from controller.inputs import Answer, Began, Record, StartAsked
from controller.phases import CheckingZero, Ended, Idle, Tripped
from controller.quantities import in_three_units
from controller.state import Course, State, Step, calibration_matches, close, enter, note_alarm
from controller.tension import timing
from safety import interlock, limits, plausibility
from safety.alarms import AlarmId
from safety.limits import session_limits
from safety.reading import is_slack
from safety.units import MicrometresPerSecond, Microseconds

Objection = tuple[AlarmId | None, str]


def on_start(s: Step, asked: StartAsked) -> None:
    """Begins the session, or refuses with every reason."""
    objections = list(_objections(s.state, asked))
    if objections:
        _refuse(s, asked, objections)
    else:
        _begin(s, asked)


def _refuse(s: Step, asked: StartAsked, objections: list[Objection]) -> None:
    reason = " ".join(sentence for _alarm, sentence in objections)
    for alarm, sentence in objections:
        if alarm is not None:
            note_alarm(s, alarm, sentence)
    s.record(Record("command", asked.actor, f"Start refused: {reason}", {"command": asked.command_id}))
    s.outputs.append(Answer(asked.command_id, done=False, reason=reason))


def _begin(s: Step, asked: StartAsked) -> None:
    prescription, table = asked.prescription, s.state.table
    assert table is not None  # an objection otherwise
    agreed = session_limits(
        prescription.agreed_mn,
        modes.profile_duration_s(prescription) + limits.ARM_EXTRA_S,
        MicrometresPerSecond(table.identity.payout_um_s),
        s.state.site,
    )
    course = Course(
        session_id=asked.session_id,
        actor=asked.actor,
        prescription=prescription,
        profile=modes.profile_of(prescription),
        limits=agreed,
        timing=timing(table.identity.rate_hz),
        calibration_age_days=asked.calibration_age_days,
        holder=asked.actor,
    )
    close(s)  # of a session whose end nobody acknowledged
    s.set(course=course, interlock=interlock.opened(s.state.interlock), switch_seen_at_us=None, device_trip=None)
    s.set(watch=plausibility.Watch(), frozen=False)
    s.outputs.append(Began(asked.session_id, prescription, _as_json(agreed)))
    s.record(Record("command", asked.actor, "Start", _start_data(asked)))
    s.outputs.append(Answer(asked.command_id, done=True, data={"session_id": asked.session_id}))
    enter(s, CheckingZero(), "Checking zero: slack, drive off")


def _start_data(asked: StartAsked) -> dict[str, object]:
    return {
        "command": asked.command_id,
        "ticks": list(asked.ticks),
        "confirmed_mn": asked.confirmed_mn,
        "patient_confirmed": asked.patient is not None,
        "unattended": asked.unattended,
    }


def _as_json(agreed: limits.SessionLimits) -> dict[str, object]:
    return {name: getattr(agreed, name) for name in agreed.__dataclass_fields__}


def _objections(state: State, asked: StartAsked) -> Iterator[Objection]:
    yield from _objections_of_the_table(state)
    for alarm, sentence in asked.blocked:
        yield AlarmId(alarm), sentence
    for entry in state.board:
        if entry.id is AlarmId.A38:
            yield entry.id, f"A record may be altered ({entry.detail}): acknowledge A38 once that is seen to."
    yield from _objections_of_the_calibration(state, asked)
    for sentence in prescription_rules.refusals(asked.prescription, state.site):
        yield AlarmId.A30, sentence
    yield from _objections_of_the_start_list(asked)


def _objections_of_the_table(state: State) -> Iterator[Objection]:
    if isinstance(state.phase, Tripped):
        yield None, "A trip is latched: acknowledge its first cause before a new session."
    elif not isinstance(state.phase, Idle | Ended):
        yield (
            None,
            f"A session is running, held by {state.course.holder if state.course else 'somebody'}: stop it first.",
        )
    reading = state.reading
    if state.table is None or reading is None or not plausibility.reading_is_fresh(Microseconds(state.age_us)):
        yield None, "The table is not connected, or sends nothing: check its power and its cable."
        return
    if reading.emergency_stop:
        yield AlarmId.A12, "The emergency stop is pressed: turn it to let it spring back."
    if not reading.switch_connected:
        yield AlarmId.A11, "The patient's switch is not plugged in."
    if isinstance(state.phase, Idle | Ended) and not is_slack(reading):
        yield AlarmId.A27, "The cable is loaded: slacken it before a session."


def _objections_of_the_calibration(state: State, asked: StartAsked) -> Iterator[Objection]:
    age_days = asked.calibration_age_days
    if state.table is not None and not calibration_matches(state):
        yield AlarmId.A29, "The table holds another calibration than the computer's record: have it calibrated."
    elif age_days is None:
        yield AlarmId.A28, "It is not known when the table was calibrated: have it done."
    if age_days is not None and age_days < 0:
        yield AlarmId.A28, "The calibration is dated later than this computer's clock shows: set the clock."
    elif age_days is not None and age_days > limits.CALIBRATION_DAYS_MAX:
        yield (
            AlarmId.A28,
            f"The calibration is {age_days} days old, more than {limits.CALIBRATION_DAYS_MAX}: have it done.",
        )


def _objections_of_the_start_list(asked: StartAsked) -> Iterator[Objection]:
    for tick in HUMAN_TICKS:
        if tick not in asked.ticks:
            yield None, f'Not ticked on the start list: "{HUMAN_TICK_TEXTS[tick]}".'
    for sentence in _contradictions(asked):
        yield AlarmId.A30, sentence


def _contradictions(asked: StartAsked) -> Iterator[str]:
    """Where what was given a second time is missing, or is not what the prescription says."""
    prescription = asked.prescription
    force = in_three_units(prescription.force_mn)
    if asked.confirmed_mn is None:
        if prescription.needs_second_confirmation:
            above = f"{in_three_units(prescription.highest_mn)} is above 200 N or a quarter of the body weight"
            yield f"{above}: confirm it by giving the force again, {force}."
    elif asked.confirmed_mn != prescription.force_mn:
        again = in_three_units(asked.confirmed_mn)
        yield f"The prescription says {force}, and the force given again is {again}: find out which is meant."
    if asked.patient is not None and asked.patient != prescription.pseudonym:
        yield "The prescription is for another patient than the one who was read off: find out who lies here."
