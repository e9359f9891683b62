"""The state of a table as its viewers are told it: for screens, never for decisions."""

from datetime import datetime, timedelta
from typing import Any

from controller import alarm_board, blinding, messages
from controller.ahead import pull_n, pulls
from controller.phases import (
    AwaitingSwitchTest,
    CheckingZero,
    Ended,
    Holding,
    Idle,
    Paused,
    Ramping,
    Releasing,
    Resting,
    Tripped,
    name,
)
from controller.prescription_words import pulls_in_words
from controller.state import State
from controller.treatment import pause_left_us
from firmware_bridge.messages import IdentityFlag
from safety.alarms import CATALOGUE
from safety.interlock import Tripped as Latched

# What would tell the arm of a trial.
HIDDEN_WHERE_BLINDED = ("ceiling_mn", "agreed_mn", "stiffness_n_per_mm", "within_5_percent")


def shown_state(state: State, *, run: str, now_us: int, now: datetime, recording_failure: str | None) -> messages.State:
    """What is true now. `now` and `now_us` are the same moment by the wall clock and by the monotonic one."""
    shown = _shown_plainly(state, run=run, now_us=now_us, now=now, recording_failure=recording_failure)
    if state.course is None or not state.course.prescription.is_blinded:
        return shown
    p = state.course.prescription
    return shown.model_copy(
        update=dict.fromkeys(HIDDEN_WHERE_BLINDED)
        | {
            "blinded": True,
            "target_mn": force_for_screens(shown.target_mn, state),
            "setpoint_mn": blinding.PEAK,
            "movement": None if shown.movement is None else blinding.without_newtons(shown.movement),
            "suggestion": blinding.without_newtons(shown.suggestion),
            "prescription": shown.prescription
            and shown.prescription.model_copy(update={"ramp_mn_s": max(pull.ramp_mn_s for pull in p.pulls)}),
        }
    )


def force_for_screens(force_mn: int | None, state: State) -> int | None:
    """That force as viewers may know it: in mN, in a blinded session in thousandths of a percent of the peak."""
    course = state.course
    if course is None or not course.prescription.is_blinded:
        return force_mn
    p = course.prescription
    return blinding.shown_force(force_mn, course.target_mn, p.force_mn, p.sham_force_mn)


def _shown_plainly(
    state: State, *, run: str, now_us: int, now: datetime, recording_failure: str | None
) -> messages.State:
    course, reading = state.course, state.reading
    armed_us = None if course is None else course.armed_us
    return messages.State(
        run=run,
        sent=now,
        valid_until=now + timedelta(seconds=messages.STATE_VALID_S),
        connected=state.table is not None,
        phase=name(state.phase),
        session_id=None if course is None else course.session_id,
        instruction=instruction(state),
        target_mn=None if course is None else course.target_mn,
        setpoint_mn=_setpoint_mn(state),
        ceiling_mn=None if course is None else course.limits.ceiling_mn,
        elapsed_s=None if armed_us is None or reading is None else max(0, reading.taken_us - armed_us) // 1_000_000,
        at_force_s=None if course is None else course.clock.at_force_us // 1_000_000,
        remaining_s=None if course is None else -(-course.remaining_us // 1_000_000),
        within_5_percent=None if course is None else course.clock.within_5_percent,
        stiffness_n_per_mm=None if course is None or course.stiffness is None else course.stiffness.measured_n_mm,
        patient_switch_connected=None if reading is None else reading.switch_connected,
        patient_switch_pressed=None if reading is None else reading.switch_pressed,
        alarms=tuple(_alarm(entry, now_us, now) for entry in alarm_board.in_order(state.board)),
        table=_table(state),
        prescription=_prescription(state),
        recording_failure=recording_failure,
        end_unacknowledged=state.open_end is not None,
        **_steering(state),
    )


def _step(state: State) -> int | None:
    """The number of the segment that the profile is in; None while it is not followed."""
    return state.phase.step if isinstance(state.phase, Ramping | Holding | Resting | Paused) else None


def _setpoint_mn(state: State) -> int | None:
    course, step = state.course, _step(state)
    if course is None:
        return None
    return course.prescription.force_mn if step is None else round(pull_n(course.profile.segments[step:]) * 1000)


def _steering(state: State) -> dict[str, Any]:
    """What a clinician steers by, while there is a session."""
    course, step, phase = state.course, _step(state), state.phase
    if course is None:
        return {} if state.open_end is None else {"pain": state.open_end.pain.last}
    segments = course.profile.segments
    pause_left = None
    if isinstance(phase, Paused) and state.reading is not None:
        pause_left = max(0, -(-pause_left_us(course, phase, state.reading.taken_us) // 1_000_000))
    return {
        "holder": course.holder,
        "agreed_mn": course.prescription.agreed_mn,
        "pull_number": None if step is None else max(1, pulls(segments[: step + 1])),
        "pulls": pulls(segments),
        "segment": None if step is None else step + 1,
        "segments": len(segments),
        "pause_left_s": pause_left,
        "pain": course.pain.last,
        "suggestion": course.pain.suggestion,
        "movement": None if course.moved is None else course.moved.sentence,
    }


def instruction(state: State) -> str:
    """What the person at the table should do next; empty when nothing."""
    match state.phase:
        case Ramping() | Holding() | Resting() if state.course is not None:
            return state.course.pain.suggestion
        case Paused():
            return "Paused at a low force; the clock stands. Go on, or stop."
        case Idle() | Ended() if state.table is None:
            return "Waiting for the table: check its power and its cable."
        case Idle():
            return "Ready. Fill in the prescription and the start list."
        case CheckingZero():
            return "Leave the cable slack and still."
        case AwaitingSwitchTest(pressed=pressed):
            return "The patient lets the switch go." if pressed else "The patient presses the switch now, once."
        case Releasing():
            return "Letting go. Stay with the patient until the cable is slack."
        case Ended(because=because):
            heard = "" if state.open_end is None else " Then acknowledge the end."
            return f"Ended: {because}. Free the patient from the harness.{heard}"
        case Tripped():
            return _after_a_trip(state)
        case _:
            return ""


def _after_a_trip(state: State) -> str:
    held = state.interlock
    if not isinstance(held, Latched):
        return ""
    if held.quiet_since_us is None:
        return CATALOGUE[held.cause].what_to_do
    if not held.acknowledged:
        return f"The cable is slack. Acknowledge {held.cause.value} once its cause is understood and gone."
    return "Clearing the table's latch."


def _alarm(entry: alarm_board.Raised, now_us: int, now: datetime) -> messages.ActiveAlarm:
    row = CATALOGUE[entry.id]
    return messages.ActiveAlarm(
        id=row.id.value,
        priority=row.priority.value,
        shown=row.shown,
        what_to_do=row.what_to_do,
        detail=entry.detail,
        since=now - timedelta(microseconds=now_us - entry.since_us),
        latched=row.latches,
        acknowledged=entry.acknowledged,
        root=entry.root,
    )


def _table(state: State) -> messages.TableIdentity | None:
    if state.table is None:
        return None
    identity = state.table.identity
    return messages.TableIdentity(
        model=identity.model,
        serial=identity.serial,
        firmware=f"{identity.fw_major}.{identity.fw_minor}.{identity.fw_patch}",
        rate_hz=identity.rate_hz,
        simulated=IdentityFlag.SIMULATED in identity.flags,
        calibration_a=state.table.calibration_a.id,
        calibration_b=state.table.calibration_b.id,
    )


def _prescription(state: State) -> messages.PrescriptionSummary | None:
    if state.course is None:
        return None
    p = state.course.prescription
    return messages.PrescriptionSummary(
        pseudonym=p.pseudonym,
        mode=p.mode,
        force_mn=p.force_mn,
        body_mass_g=p.body_mass_g,
        time_at_force_s=p.time_at_force_s,
        ramp_mn_s=p.ramp_mn_s,
        course=pulls_in_words(p),
    )
