"""The one gate. `review` answers yes or no to every motion; only its Permit can put motion on the wire.

It refuses, it does not clamp: a clamp hides a bug. What the reading says is judged before what was asked.
Paying out within its rate and letting go are never refused, whatever is broken.
"""

from dataclasses import dataclass
from typing import Final, Protocol

from safety import limits
from safety.alarms import AlarmId
from safety.interlock import Closed, Interlock, Tripped
from safety.limits import SessionLimits
from safety.motion import MOTIONS, Arm, CutPower, Hold, Motion, PayOut, Pull, Release
from safety.plausibility import channel_missing, channel_out_of_range, reading_is_fresh
from safety.reading import ForceReading, is_slack, largest_force
from safety.units import Micrometres, Microseconds, Milliseconds, whole_within

CALIBRATION_ID_MAX: Final = (1 << 32) - 1
# Twice the age at which a reading permits nothing that pulls or holds: a permit that is used at once is never that old.
PERMIT_GOOD_US: Final = Microseconds(2 * limits.SAMPLE_LOST_US)


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything that a decision rests on. What is not known is None, and None permits nothing but letting go.

    `age_us`: of the reading. `armed_for_us`: how long armed. `loaded_at_um`: cable position where force first passed
    15 N after arming; `took_up_from_um`: cable position at arming. `switch_seen_us`: age of the last time the
    patient's switch was pressed and seen. `calibration_age_days`: None when unknown. `frozen`: a finding says no pull.
    """

    reading: ForceReading | None
    age_us: Microseconds
    interlock: Interlock
    limits: SessionLimits | None
    armed_for_us: Microseconds | None
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
    """Yes, once, for one motion computed from one sample. Only `review` makes one; it cannot be changed or copied.

    `basis_seq` and `basis_us` name that sample: its number and the device's time. `basis_us` is None for what is never
    too late: letting go and paying out.
    """

    __slots__ = ("_unspent", "basis_seq", "basis_us", "lease_ms", "motion")

    motion: Motion
    basis_seq: int
    basis_us: Microseconds | None
    lease_ms: Milliseconds
    _unspent: bool

    def __init__(
        self, made_by: object, motion: Motion, basis_seq: int, basis_us: Microseconds | None, lease_ms: Milliseconds
    ) -> None:
        if made_by is not _MADE_BY_REVIEW:
            raise TypeError("A Permit is made by safety.limiter.review, and nowhere else.")
        object.__setattr__(self, "motion", motion)
        object.__setattr__(self, "basis_seq", basis_seq)
        object.__setattr__(self, "basis_us", basis_us)
        object.__setattr__(self, "lease_ms", lease_ms)
        object.__setattr__(self, "_unspent", True)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"A Permit does not change ({name}): ask safety.limiter.review for another.")

    def spend(self) -> bool:
        """True the first time, False ever after. One that `review` did not make was never unspent."""
        first = getattr(self, "_unspent", False)
        object.__setattr__(self, "_unspent", False)
        return first

    def is_good_at(self, newest_us: Microseconds | None) -> bool:
        """Whether it may still be used once the sample of that device time has come; None: none has.

        A sample from before its own is another clock's: the device was reset.
        """
        if self.basis_us is None:
            return True
        return newest_us is not None and 0 <= newest_us - self.basis_us <= PERMIT_GOOD_US


class Predicate(Protocol):
    def __call__(self, situation: Situation, /) -> bool: ...


Rule = tuple[str, AlarmId, Predicate, str]


def review(motion: Motion, situation: Situation) -> Permit | Refusal:
    """A Permit for that motion in that situation, or the first reason why not. Pure but for the Permit's one use."""
    # Exactly these types: one made of two motions would be judged as the milder and carried out as the other.
    match motion if type(motion) in MOTIONS else None:
        case Release():
            refusal = None
        case PayOut(speed_um_s=speed_um_s):
            refusal = None if whole_within(speed_um_s, 1, payout_limit_um_s(situation)) else _PAYOUT_TOO_FAST
        case Hold():
            refusal = _first_refusal(HOLD_RULES, situation)
        case CutPower():
            refusal = _first_refusal(CUT_RULES, situation)
        case Arm() as arm:
            refusal = _first_refusal(ARM_RULES, situation) or _arm_refusal(arm, situation)
        case Pull(speed_um_s=speed_um_s):
            refusal = _first_refusal(PULL_RULES, situation) or _speed_refusal(speed_um_s, situation)
        case _:
            # Deny by default: a caller without types may come here.
            refusal = Refusal(AlarmId.A45, "This is no motion that the limiter knows.")
    return _permit(motion, situation) if refusal is None else refusal


def _permit(motion: Motion, situation: Situation) -> Permit:
    reading = situation.reading
    if reading is None:  # and so it lets go or pays out
        return Permit(_MADE_BY_REVIEW, motion, 0, None, limits.LEASE_MS_ASKED)
    basis_us = None if isinstance(motion, Release | PayOut) else reading.taken_us
    return Permit(_MADE_BY_REVIEW, motion, reading.seq, basis_us, limits.LEASE_MS_ASKED)


def payout_limit_um_s(s: Situation) -> int:
    """The session's; without one, or where it is none, the drive's. A wrong limit must not keep cable back."""
    if s.limits is None or not whole_within(s.limits.payout_um_s, 1, limits.PAYOUT_MAX_UM_S):
        return limits.PAYOUT_MAX_UM_S
    return s.limits.payout_um_s


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


def is_not_lost(s: Situation) -> bool:
    return s.age_us <= limits.SAMPLE_LOST_US


def both_channels_read(s: Situation) -> bool:
    return s.reading is not None and not channel_missing(s.reading)


def channels_in_range(s: Situation) -> bool:
    return s.reading is not None and not channel_out_of_range(s.reading)


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


def limits_are_absolute(s: Situation) -> bool:
    return s.limits is not None and limits.within_absolute(s.limits)


def device_armed(s: Situation) -> bool:
    return s.reading is not None and s.reading.armed and not s.reading.releasing


def device_not_armed(s: Situation) -> bool:
    reading = s.reading
    return reading is not None and not (reading.armed or reading.releasing or reading.drive_enabled)


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
    return s.limits is not None and s.armed_for_us is not None and 0 <= s.armed_for_us <= s.limits.duration_us


def within_travel(s: Situation) -> bool:
    if s.limits is None or s.reading is None:
        return False
    if s.loaded_at_um is None:
        # Loaded, and nobody noted where: how far it has travelled is not known.
        return not _is_loaded(s.reading)
    return s.reading.cable_um - s.loaded_at_um <= s.limits.travel_um


def _is_loaded(reading: ForceReading) -> bool:
    force_mn = largest_force(reading)
    return force_mn is None or force_mn > limits.SLACK_MN


def within_take_up(s: Situation) -> bool:
    if s.limits is None or s.reading is None or s.took_up_from_um is None:
        return False
    return s.loaded_at_um is not None or s.reading.cable_um - s.took_up_from_um <= s.limits.take_up_travel_um


# Each rule: the row of hazards.toml that it controls and its name, the alarm that a refusal belongs to, the predicate,
# and what a person can do. What the reading says comes first.
_READING: Final[Rule] = (
    "H17 reading",
    AlarmId.A13,
    has_reading,
    "No reading has come from the table: check that it is on and connected.",
)
_FRESH: Final[Rule] = (
    "H17 fresh",
    AlarmId.A14,
    is_fresh,
    "The newest reading is older than 60 ms: check the cable to the table.",
)
_WHOLE_AND_FREE: Final[tuple[Rule, ...]] = (
    ("H06 channels", AlarmId.A05, both_channels_read, "A force channel gives nothing: have the load cell looked at."),
    ("H06 in range", AlarmId.A05, channels_in_range, "A force channel is out of range: have the load cell looked at."),
    ("H23 emergency stop", AlarmId.A12, no_emergency_stop, "Turn the emergency stop to let it spring back."),
    ("H22 switch there", AlarmId.A11, switch_plugged_in, "Plug in the patient's switch."),
    ("H22 switch open", AlarmId.A10, switch_not_pressed, "The patient's switch is pressed: let it go."),
)
_AGREED: Final[tuple[Rule, ...]] = (
    ("H05 limits", AlarmId.A45, has_limits, "No limits were agreed for this session."),
    ("H05 absolute", AlarmId.A45, limits_are_absolute, "A limit of this session is missing or above the absolute one."),
)
_FROZEN: Final[Rule] = (
    "H17 frozen",
    AlarmId.A14,
    nothing_frozen,
    "The reading says to wait: no pull until it is calm.",
)
_NOT_TRIPPED: Final[Rule] = (
    "H26 not tripped",
    AlarmId.A45,
    not_tripped,
    "A trip is latched: acknowledge its first cause when slack.",
)
_ZEROED: Final[Rule] = (
    "H13 zeroed",
    AlarmId.A27,
    interlock_closed,
    "Slacken the cable and run the zero check first.",
)
_ARMED: Final[Rule] = ("H05 armed", AlarmId.A45, device_armed, "The table is not armed.")
_IN_TIME: Final[Rule] = ("H24 time", AlarmId.A24, within_session_time, "The session's time is over.")

# Holding is not safe: it needs all that pulling needs, but for what a freeze waits for.
HOLD_RULES: Final[tuple[Rule, ...]] = (
    _READING,
    ("H17 lost", AlarmId.A13, is_not_lost, "The newest reading is older than 250 ms: check the cable to the table."),
    *_WHOLE_AND_FREE,
    *_AGREED,
    _NOT_TRIPPED,
    _ZEROED,
    _ARMED,
    _IN_TIME,
)
CUT_RULES: Final[tuple[Rule, ...]] = (
    _READING,
    _FRESH,
    ("H03 slack", AlarmId.A21, slack, "Power is cut only when the cable is slack: release first."),
)
ARM_RULES: Final[tuple[Rule, ...]] = (
    _READING,
    _FRESH,
    *_WHOLE_AND_FREE,
    _FROZEN,
    *_AGREED,
    _NOT_TRIPPED,
    ("H05 disarmed", AlarmId.A45, device_not_armed, "The table is armed already, or its drive is on."),
    ("H13 slack", AlarmId.A27, slack, "The cable is loaded: slacken it first."),
    _ZEROED,
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
    _READING,
    _FRESH,
    *_WHOLE_AND_FREE,
    *_AGREED,
    ("H01 ceiling", AlarmId.A01, under_ceiling, "Force is over the session's ceiling."),
    _FROZEN,
    ("H14 travel", AlarmId.A09, within_travel, "The cable has travelled more than 150 mm under load."),
    (
        "H15 take-up",
        AlarmId.A26,
        within_take_up,
        "200 mm of cable were taken up and nothing pulls back: check the harness.",
    ),
    _NOT_TRIPPED,
    _ZEROED,
    _ARMED,
    _IN_TIME,
)


def pull_limit_um_s(s: Situation) -> int:
    """How fast winding in may be with that reading: slower once loaded, and 0 while nothing is known."""
    if s.limits is None or s.reading is None:
        return 0
    return s.limits.pull_um_s if _is_loaded(s.reading) else s.limits.take_up_um_s


def _speed_refusal(speed_um_s: int, s: Situation) -> Refusal | None:
    fastest_um_s = pull_limit_um_s(s)
    if whole_within(speed_um_s, 1, fastest_um_s):
        return None
    return Refusal(AlarmId.A45, f"Pulling must be above zero and at most {fastest_um_s} um/s here.")


def _arm_refusal(arm: Arm, s: Situation) -> Refusal | None:
    if arm.limits != s.limits:
        return Refusal(AlarmId.A45, "The limits to arm are not the ones that were agreed.")
    known = whole_within(arm.calibration_a, 1, CALIBRATION_ID_MAX) and whole_within(
        arm.calibration_b, 1, CALIBRATION_ID_MAX
    )
    return None if known else Refusal(AlarmId.A29, "A calibration was never made: have the table calibrated.")
