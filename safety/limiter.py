"""The one gate. `review` answers yes or no to every motion; only its Permit can put motion on the wire.

It refuses, it does not clamp: a clamp hides a bug. What the reading says is judged before what was asked.
Paying out within its rate and letting go are never refused, whatever is broken.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from safety import limits
from safety.alarms import AlarmId
from safety.interlock import Closed, Interlock, Tripped
from safety.limits import SessionLimits
from safety.motion import Arm, CutPower, Hold, Motion, PayOut, Pull, Release
from safety.plausibility import channel_missing, reading_is_fresh
from safety.reading import ForceReading, is_slack, largest_force
from safety.units import Micrometres, Microseconds, Milliseconds

# The fastest any drive of this protocol pays out; a Situation without limits is held to it.
PAYOUT_MAX_UM_S: Final = 40_000


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything that a decision rests on. What is not known is None, and None permits nothing but letting go.

    `age_us`: of the reading. `armed_us`: since when armed. `loaded_at_um`: cable position where force first passed
    15 N after arming; `took_up_from_um`: cable position at arming. `switch_seen_us`: age of the last time the
    patient's switch was pressed and seen. `calibration_age_days`: None when unknown. `frozen`: a finding says no pull.
    """

    reading: ForceReading | None
    age_us: Microseconds
    interlock: Interlock
    limits: SessionLimits | None
    armed_for_us: Microseconds
    took_up_from_um: Micrometres | None
    loaded_at_um: Micrometres | None
    switch_seen_us: Microseconds | None
    calibration_age_days: int | None
    calibration_matches: bool
    frozen: bool


class Refusal:
    """No, with the alarm that it belongs to and a sentence that says what a person can do."""

    __slots__ = ("alarm", "sentence")

    def __init__(self, alarm: AlarmId, sentence: str) -> None:
        self.alarm = alarm
        self.sentence = sentence

    def __repr__(self) -> str:
        return f"Refusal({self.alarm.value}, {self.sentence!r})"


_MADE_BY_REVIEW: Final = object()


class Permit:
    """Yes, once, for one motion computed from one sample. Only `review` makes one."""

    __slots__ = ("_spent", "basis_seq", "lease_ms", "motion")

    def __init__(self, made_by: object, motion: Motion, basis_seq: int, lease_ms: Milliseconds) -> None:
        if made_by is not _MADE_BY_REVIEW:
            raise TypeError("A Permit is made by safety.limiter.review, and nowhere else.")
        self.motion = motion
        self.basis_seq = basis_seq
        self.lease_ms = lease_ms
        self._spent = False

    def spend(self) -> bool:
        """True the first time, False ever after."""
        first, self._spent = not self._spent, True
        return first


Rule = tuple[str, AlarmId, Callable[[Situation], bool], str]


def review(motion: Motion, situation: Situation) -> Permit | Refusal:
    """A Permit for that motion in that situation, or the first reason why not. Pure but for the Permit's one use."""
    match motion:
        case Release():
            return _permit(motion, situation)
        case PayOut():
            refusal = None if 0 < motion.speed_um_s <= _payout_limit(situation) else _PAYOUT_TOO_FAST
        case Hold():
            refusal = _first_refusal(HOLD_RULES, situation)
        case CutPower():
            refusal = _first_refusal(CUT_RULES, situation)
        case Arm():
            refusal = _first_refusal(ARM_RULES, situation) or _arm_refusal(motion, situation)
        case Pull():
            refusal = _first_refusal(PULL_RULES, situation) or _speed_refusal(motion, situation)
        case _:
            # Deny by default: mypy shows this unreachable, a caller without types may still come here.
            refusal = Refusal(AlarmId.A45, "This is no motion that the limiter knows.")
    return _permit(motion, situation) if refusal is None else refusal


def _permit(motion: Motion, situation: Situation) -> Permit:
    basis_seq = 0 if situation.reading is None else situation.reading.seq
    return Permit(_MADE_BY_REVIEW, motion, basis_seq, limits.LEASE_MS_ASKED)


def _payout_limit(situation: Situation) -> int:
    return PAYOUT_MAX_UM_S if situation.limits is None else situation.limits.payout_um_s


def _first_refusal(rules: tuple[Rule, ...], situation: Situation) -> Refusal | None:
    for _name, alarm, holds, sentence in rules:
        if not holds(situation):
            return Refusal(alarm, sentence)
    return None


_PAYOUT_TOO_FAST: Final = Refusal(AlarmId.A45, "Paying out must be above zero and at most as fast as the drive may.")


def has_reading(s: Situation) -> bool:
    return s.reading is not None


def is_fresh(s: Situation) -> bool:
    return reading_is_fresh(s.age_us)


def both_channels_read(s: Situation) -> bool:
    return s.reading is not None and not channel_missing(s.reading)


def nothing_frozen(s: Situation) -> bool:
    return not s.frozen


def under_ceiling(s: Situation) -> bool:
    if s.reading is None or s.limits is None:
        return False
    force_mn = largest_force(s.reading)
    return force_mn is not None and force_mn <= s.limits.ceiling_mn


def slack(s: Situation) -> bool:
    return s.reading is not None and is_slack(s.reading)


def not_tripped(s: Situation) -> bool:
    return not isinstance(s.interlock, Tripped) and s.reading is not None and not s.reading.tripped


def interlock_closed(s: Situation) -> bool:
    return isinstance(s.interlock, Closed)


def has_limits(s: Situation) -> bool:
    return s.limits is not None


def device_armed(s: Situation) -> bool:
    return s.reading is not None and s.reading.armed and not s.reading.releasing


def device_not_armed(s: Situation) -> bool:
    return s.reading is not None and not s.reading.armed


def switch_plugged_in(s: Situation) -> bool:
    return s.reading is not None and s.reading.switch_connected


def switch_not_pressed(s: Situation) -> bool:
    return s.reading is not None and not s.reading.switch_pressed


def no_emergency_stop(s: Situation) -> bool:
    return s.reading is not None and not s.reading.emergency_stop


def switch_seen(s: Situation) -> bool:
    return s.switch_seen_us is not None and 0 <= s.switch_seen_us <= limits.SWITCH_SEEN_MAX_US


def calibration_fits(s: Situation) -> bool:
    return s.calibration_matches


def calibration_in_date(s: Situation) -> bool:
    return s.calibration_age_days is not None and 0 <= s.calibration_age_days <= limits.CALIBRATION_DAYS_MAX


def within_session_time(s: Situation) -> bool:
    return s.limits is not None and 0 <= s.armed_for_us <= s.limits.duration_us


def within_travel(s: Situation) -> bool:
    if s.limits is None or s.reading is None:
        return False
    return s.loaded_at_um is None or s.reading.cable_um - s.loaded_at_um <= s.limits.travel_um


def within_take_up(s: Situation) -> bool:
    if s.limits is None or s.reading is None or s.took_up_from_um is None:
        return False
    return s.loaded_at_um is not None or s.reading.cable_um - s.took_up_from_um <= s.limits.take_up_travel_um


# Each rule: its name, the alarm that a refusal belongs to, the predicate, and what a person can do.
_READING_RULES: Final[tuple[Rule, ...]] = (
    ("H19 reading", AlarmId.A13, has_reading, "No reading has come from the table: check that it is on and connected."),
    ("H19 fresh", AlarmId.A14, is_fresh, "The newest reading is older than 60 ms: check the cable to the table."),
    ("H06 channels", AlarmId.A05, both_channels_read, "A force channel gives nothing: have the load cell looked at."),
    ("H22 emergency stop", AlarmId.A12, no_emergency_stop, "Turn the emergency stop to let it spring back."),
    ("H22 switch there", AlarmId.A11, switch_plugged_in, "Plug in the patient's switch."),
    ("H22 switch open", AlarmId.A10, switch_not_pressed, "The patient's switch is pressed: let it go."),
)
_NOT_TRIPPED: Final[Rule] = (
    "H05 not tripped",
    AlarmId.A45,
    not_tripped,
    "A trip is latched: acknowledge its first cause when slack.",
)
HOLD_RULES: Final[tuple[Rule, ...]] = (
    ("H19 reading", AlarmId.A13, has_reading, "No reading has come from the table: check that it is on and connected."),
    _NOT_TRIPPED,
    ("H03 armed", AlarmId.A45, device_armed, "The table is not armed."),
)
CUT_RULES: Final[tuple[Rule, ...]] = (
    ("H02 slack", AlarmId.A21, slack, "Power is cut only when the cable is slack: release first."),
)
ARM_RULES: Final[tuple[Rule, ...]] = (
    *_READING_RULES,
    _NOT_TRIPPED,
    ("H05 disarmed", AlarmId.A45, device_not_armed, "The table is armed already."),
    ("H13 slack", AlarmId.A27, slack, "The cable is loaded: slacken it first."),
    ("H13 zeroed", AlarmId.A27, interlock_closed, "Slacken the cable and run the zero check first."),
    (
        "H22 switch seen",
        AlarmId.A11,
        switch_seen,
        "Have the patient press the switch once, so that it is seen to work.",
    ),
    ("H12 calibration", AlarmId.A29, calibration_fits, "The table holds another calibration than the computer's."),
    (
        "H12 in date",
        AlarmId.A28,
        calibration_in_date,
        "The calibration is older than 365 days: have the table calibrated.",
    ),
)
PULL_RULES: Final[tuple[Rule, ...]] = (
    *_READING_RULES,
    ("H01 ceiling", AlarmId.A01, under_ceiling, "Force is over the session's ceiling."),
    ("H18 frozen", AlarmId.A14, nothing_frozen, "The reading says to wait: no pull until it is calm."),
    ("H03 travel", AlarmId.A09, within_travel, "The cable has travelled more than 150 mm under load."),
    (
        "H15 take-up",
        AlarmId.A26,
        within_take_up,
        "200 mm of cable were taken up and nothing pulls back: check the harness.",
    ),
    _NOT_TRIPPED,
    ("H13 zeroed", AlarmId.A27, interlock_closed, "Slacken the cable and run the zero check first."),
    ("H05 limits", AlarmId.A45, has_limits, "No limits were agreed for this session."),
    ("H03 armed", AlarmId.A45, device_armed, "The table is not armed."),
    ("H36 time", AlarmId.A24, within_session_time, "The session's time is over."),
)


def _speed_refusal(motion: Pull, s: Situation) -> Refusal | None:
    if s.limits is None or s.reading is None:
        return Refusal(AlarmId.A45, "No limits were agreed for this session.")
    force_mn = largest_force(s.reading)
    loaded = force_mn is None or force_mn > limits.SLACK_MN
    fastest_um_s = s.limits.pull_um_s if loaded else s.limits.take_up_um_s
    if 0 < motion.speed_um_s <= fastest_um_s:
        return None
    return Refusal(AlarmId.A45, f"Pulling must be above zero and at most {fastest_um_s} um/s here.")


def _arm_refusal(motion: Arm, s: Situation) -> Refusal | None:
    if motion.limits != s.limits:
        return Refusal(AlarmId.A45, "The limits to arm are not the ones that were agreed.")
    asked = motion.limits
    absolute = (
        0 < asked.ceiling_mn <= limits.SITE_CEILING_MAX_MN
        and 0 < asked.pull_um_s <= limits.PULL_MAX_UM_S
        and 0 < asked.take_up_um_s <= limits.TAKE_UP_MAX_UM_S
        and 0 < asked.payout_um_s <= PAYOUT_MAX_UM_S
        and 0 < asked.travel_um <= limits.TRAVEL_MAX_UM
        and 0 < asked.take_up_travel_um <= limits.TAKE_UP_TRAVEL_MAX_UM
        and 0 < asked.duration_us <= limits.DEVICE_SESSION_S_MAX * 1_000_000
    )
    return None if absolute else Refusal(AlarmId.A45, "A limit to arm is missing or above the absolute one.")
