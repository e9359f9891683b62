"""What a run of readings says by itself: is it fresh, whole and possible? Judged before anything that is asked.

`watch` folds one reading in, `waited` folds in time without one. Both are pure and total; a finding says which
alarm, how to react, and what was measured. Findings come in the order of what is worst first.
"""

from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from safety import limits
from safety.alarms import AlarmId
from safety.lateness import NEVER_LATE, Lateness, late_us, passed
from safety.motion import ReleaseProfile
from safety.noise import NO_NOISE, Noise, noise_after
from safety.reading import ForceReading, is_slack, largest_force
from safety.rise import NO_RISE, Rise, rise_after
from safety.slope import NOTHING_HELD, Feel, Slope, slope_after
from safety.units import Microseconds, Millinewtons, larger, percent_of

SAMPLES_IN_A_ROW: Final = 2  # one sample may be an outlier
SATURATED_COUNTS: Final = limits.CHANNEL_FULL_SCALE_COUNTS * limits.CHANNEL_SATURATED_PERCENT // 100


class Reaction(Enum):
    TELL = "tell"  # the therapy goes on
    FREEZE = "freeze"  # no pull; paying out stays allowed
    TRIP = "trip"  # let go, latched


@dataclass(frozen=True, slots=True)
class Finding:
    alarm: AlarmId
    reaction: Reaction
    profile: ReleaseProfile
    detail: str


@dataclass(frozen=True, slots=True)
class Watch:
    """Memory of the readings so far. Times are of the clock that the caller passes, the same in every call."""

    over_ceiling_samples: int = 0
    far_over_target_samples: int = 0
    over_target_since_us: Microseconds | None = None
    differ_since_us: Microseconds | None = None
    far_apart_samples: int = 0
    out_of_range_samples: int = 0
    stuck_a_samples: int = 0
    stuck_b_samples: int = 0
    last: ForceReading | None = None
    slack_since_us: Microseconds | None = None
    rise: Rise = NO_RISE
    noise: Noise = NO_NOISE
    slope: Slope = NOTHING_HELD
    lateness: Lateness = NEVER_LATE


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the force is held against: the session's ceiling, and the target of the moment (None: no target).

    `feel` is what was learned while loading; None while nothing pulls, or nothing was learned yet.
    """

    ceiling_mn: Millinewtons
    target_mn: Millinewtons | None
    feel: Feel | None = None


def watch(
    memory: Watch, reading: ForceReading, age_us: Microseconds, now_us: Microseconds, bounds: Bounds | None
) -> tuple[Watch, tuple[Finding, ...]]:
    """Folds one reading in. `age_us` is its age by the device's clock; `bounds` is None while nothing is armed."""
    before = memory if _is_in_order(memory, reading) else Watch(lateness=memory.lateness)
    after = _remembered(before, reading, passed(before.lateness, age_us, now_us), bounds)
    findings = (
        *_channel_findings(after, reading),
        *_force_findings(after, reading, bounds),
        *_age_findings(after, age_us),
    )
    return after, findings


def waited(memory: Watch, age_us: Microseconds, now_us: Microseconds) -> tuple[Watch, tuple[Finding, ...]]:
    """Folds in time that passed without a reading; `age_us` is the age of the newest one."""
    after = _with_lateness(memory, passed(memory.lateness, age_us, now_us))
    return after, _age_findings(after, age_us)


def reading_is_fresh(age_us: Microseconds) -> bool:
    """At most 60 ms old. An age below zero is a clock gone wrong, and not fresh."""
    return 0 <= age_us <= limits.SAMPLE_AGE_MAX_US


def channels_allowed_apart(force_mn: Millinewtons) -> Millinewtons:
    """How far two channels may differ at that force: max(15 N, 8 %)."""
    return larger(limits.CHANNELS_DIFFER_MN, percent_of(force_mn, limits.CHANNELS_DIFFER_PERCENT))


def _is_in_order(memory: Watch, reading: ForceReading) -> bool:
    """A clock that went back is another one (the table was reset): what was remembered by the old one is void."""
    return memory.last is None or reading.taken_us >= memory.last.taken_us


def _with_lateness(memory: Watch, lateness: Lateness) -> Watch:
    return replace(memory, lateness=lateness)


def _counted(condition: bool, count: int) -> int:
    return count + 1 if condition else 0


def _since(condition: bool, since_us: Microseconds | None, now_us: Microseconds) -> Microseconds | None:
    if not condition:
        return None
    return now_us if since_us is None else since_us


def _remembered(memory: Watch, reading: ForceReading, lateness: Lateness, bounds: Bounds | None) -> Watch:
    force_mn, last, taken_us = largest_force(reading), memory.last, reading.taken_us
    compared = None if is_slack(reading) else last  # a slack cable may well give the same code again
    return Watch(
        over_ceiling_samples=_counted(_over(force_mn, _ceiling(bounds)), memory.over_ceiling_samples),
        far_over_target_samples=_counted(_over(force_mn, _far_over_target(bounds)), memory.far_over_target_samples),
        over_target_since_us=_since(_over(force_mn, _over_target(bounds)), memory.over_target_since_us, taken_us),
        differ_since_us=_since(_differ(reading), memory.differ_since_us, taken_us),
        far_apart_samples=_counted(_over(_apart(reading), limits.CHANNELS_FAR_APART_MN), memory.far_apart_samples),
        out_of_range_samples=_counted(channel_out_of_range(reading), memory.out_of_range_samples),
        stuck_a_samples=_counted(compared is not None and compared.raw_a == reading.raw_a, memory.stuck_a_samples),
        stuck_b_samples=_counted(compared is not None and compared.raw_b == reading.raw_b, memory.stuck_b_samples),
        last=reading,
        slack_since_us=_since(_is_slack_under_target(reading, bounds), memory.slack_since_us, taken_us),
        rise=rise_after(memory.rise, taken_us, force_mn),
        noise=noise_after(memory.noise, last, reading),
        slope=_slope(memory, reading, bounds),
        lateness=lateness,
    )


def _slope(memory: Watch, reading: ForceReading, bounds: Bounds | None) -> Slope:
    if bounds is None:
        return NOTHING_HELD
    return slope_after(memory.slope, reading, bounds.target_mn, bounds.feel)


def _ceiling(bounds: Bounds | None) -> Millinewtons | None:
    return None if bounds is None else bounds.ceiling_mn


def _over_target(bounds: Bounds | None) -> Millinewtons | None:
    if bounds is None or bounds.target_mn is None:
        return None
    return Millinewtons(bounds.target_mn + limits.over_target_margin(bounds.target_mn))


def _far_over_target(bounds: Bounds | None) -> Millinewtons | None:
    if bounds is None or bounds.target_mn is None:
        return None
    return Millinewtons(bounds.target_mn + limits.over_ceiling_margin(bounds.target_mn))


def _over(force_mn: Millinewtons | None, limit_mn: Millinewtons | None) -> bool:
    return force_mn is not None and limit_mn is not None and force_mn > limit_mn


def _apart(reading: ForceReading) -> Millinewtons | None:
    if reading.force_a_mn is None or reading.force_b_mn is None:
        return None
    return Millinewtons(abs(reading.force_a_mn - reading.force_b_mn))


def _is_slack_under_target(reading: ForceReading, bounds: Bounds | None) -> bool:
    return bounds is not None and bounds.target_mn is not None and is_slack(reading)


def _has_moved(reading: ForceReading, bounds: Bounds) -> bool:
    """Both channels are off the target, and to the same side."""
    a, b, target_mn = reading.force_a_mn, reading.force_b_mn, bounds.target_mn
    if a is None or b is None or target_mn is None:
        return False
    above = min(a, b) > target_mn + limits.MOVED_MN
    return above or max(a, b) < target_mn - limits.MOVED_MN


def _differ(reading: ForceReading) -> bool:
    apart_mn, force_mn = _apart(reading), largest_force(reading)
    return apart_mn is not None and force_mn is not None and apart_mn > channels_allowed_apart(force_mn)


def _tripping(alarm: AlarmId, detail: str) -> Finding:
    return Finding(alarm, Reaction.TRIP, ReleaseProfile.PROTECTIVE, detail)


def _channel_findings(memory: Watch, reading: ForceReading) -> tuple[Finding, ...]:
    findings: list[Finding] = []
    if channel_missing(reading):
        findings.append(_tripping(AlarmId.A05, "a force channel gave no reading"))
    if memory.out_of_range_samples >= SAMPLES_IN_A_ROW:
        findings.append(_tripping(AlarmId.A05, f"a force channel is out of range: {_both_shown(reading)}"))
    if _is_stuck(memory.stuck_a_samples) or _is_stuck(memory.stuck_b_samples):
        findings.append(_tripping(AlarmId.A06, f"{limits.CHANNEL_STUCK_SAMPLES} identical readings under load"))
    if memory.far_apart_samples >= SAMPLES_IN_A_ROW or _lasted(
        memory.differ_since_us, reading.taken_us, limits.CHANNELS_DIFFER_US
    ):
        findings.append(_tripping(AlarmId.A07, _both_shown(reading)))
    return tuple(findings)


def _is_stuck(same_samples: int) -> bool:
    """The first of identical readings is the same as none before it."""
    return same_samples >= limits.CHANNEL_STUCK_SAMPLES - 1


def channel_missing(reading: ForceReading) -> bool:
    """Either channel gave nothing."""
    return reading.force_a_mn is None or reading.force_b_mn is None


def channel_out_of_range(reading: ForceReading) -> bool:
    """Either channel at 95 % of full scale, or below -30 N."""
    return _out_of_range(reading.raw_a, reading.force_a_mn) or _out_of_range(reading.raw_b, reading.force_b_mn)


def is_wild(reading: ForceReading) -> bool:
    """What one sample alone may be by mistake, and two in a row are not: out of range, or the channels far apart."""
    return channel_out_of_range(reading) or _over(_apart(reading), limits.CHANNELS_FAR_APART_MN)


def _out_of_range(raw: int | None, force_mn: Millinewtons | None) -> bool:
    return (raw is not None and abs(raw) >= SATURATED_COUNTS) or (
        force_mn is not None and force_mn < limits.CHANNEL_NEGATIVE_MN
    )


def _lasted(since_us: Microseconds | None, now_us: Microseconds, for_us: Microseconds) -> bool:
    return since_us is not None and now_us - since_us >= for_us


def _force_findings(memory: Watch, reading: ForceReading, bounds: Bounds | None) -> tuple[Finding, ...]:
    if bounds is None:
        return ()
    findings: list[Finding] = []
    if memory.over_ceiling_samples >= SAMPLES_IN_A_ROW:
        detail = f"{_largest_shown(reading)}, over the session ceiling of {_shown(bounds.ceiling_mn)}"
        findings.append(_tripping(AlarmId.A01, detail))
    if memory.rise.is_far:
        findings.append(_tripping(AlarmId.A01, f"{_largest_shown(reading)}, risen by more than 75 N within 500 ms"))
    if memory.far_over_target_samples >= SAMPLES_IN_A_ROW or _lasted(
        memory.over_target_since_us, reading.taken_us, limits.TARGET_MARGIN_US
    ):
        detail = f"{_largest_shown(reading)}, over the target of {_shown(bounds.target_mn)} and its margin"
        findings.append(_tripping(AlarmId.A02, detail))
    if memory.rise.is_fast:
        detail = f"{_largest_shown(reading)}, rising faster than 60 N/s"
        findings.append(Finding(AlarmId.A03, Reaction.FREEZE, ReleaseProfile.PROTECTIVE, detail))
    elif _has_moved(reading, bounds):
        detail = f"{_both_shown(reading)}, off the target of {_shown(bounds.target_mn)}"
        findings.append(Finding(AlarmId.A03, Reaction.TELL, ReleaseProfile.PROTECTIVE, detail))
    if _lasted(memory.slack_since_us, reading.taken_us, limits.SLACK_UNDER_TARGET_US):
        findings.append(_tripping(AlarmId.A26, "the cable has been slack for 3 s"))
    if memory.slope.is_vain:
        findings.append(_tripping(AlarmId.A41, f"{_largest_shown(reading)}, and the drum goes on winding in"))
    if memory.noise.is_noisy:
        detail = "the signal jumps from one sample to the next"
        findings.append(Finding(AlarmId.A46, Reaction.TELL, ReleaseProfile.PROTECTIVE, detail))
    return tuple(findings)


def _age_findings(memory: Watch, age_us: Microseconds) -> tuple[Finding, ...]:
    if age_us > limits.SAMPLE_LOST_US:
        return (_tripping(AlarmId.A13, f"the newest sample is {age_us // 1000} ms old"),)
    late = late_us(memory.lateness)
    if late > limits.LATE_IN_WINDOW_MAX_US:
        return (_tripping(AlarmId.A13, f"data was late for {late // 1000} ms within 5 s"),)
    if not reading_is_fresh(age_us):
        detail = f"the newest sample is {age_us // 1000} ms old"
        return (Finding(AlarmId.A14, Reaction.FREEZE, ReleaseProfile.PROTECTIVE, detail),)
    return ()


def _shown(force_mn: Millinewtons | None) -> str:
    return "nothing" if force_mn is None else f"{force_mn // 1000} N"


def _largest_shown(reading: ForceReading) -> str:
    return _shown(largest_force(reading))


def _both_shown(reading: ForceReading) -> str:
    return f"A {_shown(reading.force_a_mn)}, B {_shown(reading.force_b_mn)}"
