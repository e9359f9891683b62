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
from safety.reading import ForceReading, is_slack, largest_force
from safety.units import Microseconds, Millinewtons, larger, percent_of

# The rise is judged on points this far apart, so that its memory stays small at any sample rate.
RISE_POINT_US: Final = Microseconds(20_000)
RISE_POINTS_MAX: Final = limits.RISE_RELEASE_WINDOW_US // RISE_POINT_US + 1
SAMPLES_IN_A_ROW: Final = 2  # one sample may be an outlier


class Reaction(Enum):
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
    stuck_a_samples: int = 0
    stuck_b_samples: int = 0
    last: ForceReading | None = None
    risen_samples: int = 0
    rise_points: tuple[tuple[Microseconds, Millinewtons], ...] = ()
    lateness: Lateness = NEVER_LATE


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the force is held against: the session's ceiling, and the target of the moment (None: no target)."""

    ceiling_mn: Millinewtons
    target_mn: Millinewtons | None


def watch(
    memory: Watch, reading: ForceReading, age_us: Microseconds, now_us: Microseconds, bounds: Bounds | None
) -> tuple[Watch, tuple[Finding, ...]]:
    """Folds one reading in. `age_us` is its age by the device's clock; `bounds` is None while nothing is armed."""
    before = memory if _is_in_order(memory, reading) else Watch(lateness=memory.lateness)
    after = _aged(_remembered(before, reading, bounds), age_us, now_us)
    findings = (
        *_channel_findings(after, reading),
        *_force_findings(after, reading, bounds),
        *_age_findings(after, age_us),
    )
    return after, findings


def waited(memory: Watch, age_us: Microseconds, now_us: Microseconds) -> tuple[Watch, tuple[Finding, ...]]:
    """Folds in time that passed without a reading; `age_us` is the age of the newest one."""
    after = _aged(memory, age_us, now_us)
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


def _aged(memory: Watch, age_us: Microseconds, now_us: Microseconds) -> Watch:
    return replace(memory, lateness=passed(memory.lateness, age_us, now_us))


def _counted(condition: bool, count: int) -> int:
    return count + 1 if condition else 0


def _since(condition: bool, since_us: Microseconds | None, now_us: Microseconds) -> Microseconds | None:
    if not condition:
        return None
    return now_us if since_us is None else since_us


def _remembered(memory: Watch, reading: ForceReading, bounds: Bounds | None) -> Watch:
    force_mn = largest_force(reading)
    apart_mn = _apart(reading)
    last = memory.last
    loaded = not is_slack(reading)
    target_mn = None if bounds is None else bounds.target_mn
    return replace(
        memory,
        over_ceiling_samples=_counted(
            _over(force_mn, None if bounds is None else bounds.ceiling_mn), memory.over_ceiling_samples
        ),
        far_over_target_samples=_counted(
            _over(
                force_mn, None if target_mn is None else Millinewtons(target_mn + limits.over_ceiling_margin(target_mn))
            ),
            memory.far_over_target_samples,
        ),
        over_target_since_us=_since(
            _over(
                force_mn, None if target_mn is None else Millinewtons(target_mn + limits.over_target_margin(target_mn))
            ),
            memory.over_target_since_us,
            reading.taken_us,
        ),
        differ_since_us=_since(
            apart_mn is not None and force_mn is not None and apart_mn > channels_allowed_apart(force_mn),
            memory.differ_since_us,
            reading.taken_us,
        ),
        far_apart_samples=_counted(
            apart_mn is not None and apart_mn > limits.CHANNELS_FAR_APART_MN, memory.far_apart_samples
        ),
        stuck_a_samples=_counted(loaded and last is not None and last.raw_a == reading.raw_a, memory.stuck_a_samples),
        stuck_b_samples=_counted(loaded and last is not None and last.raw_b == reading.raw_b, memory.stuck_b_samples),
        last=reading,
        risen_samples=_counted(_has_risen_far(memory.rise_points, reading.taken_us, force_mn), memory.risen_samples),
        rise_points=_rise_points(memory.rise_points, reading.taken_us, force_mn),
    )


def _over(force_mn: Millinewtons | None, limit_mn: Millinewtons | None) -> bool:
    return force_mn is not None and limit_mn is not None and force_mn > limit_mn


def _apart(reading: ForceReading) -> Millinewtons | None:
    if reading.force_a_mn is None or reading.force_b_mn is None:
        return None
    return Millinewtons(abs(reading.force_a_mn - reading.force_b_mn))


def _rise_points(
    points: tuple[tuple[Microseconds, Millinewtons], ...], taken_us: Microseconds, force_mn: Millinewtons | None
) -> tuple[tuple[Microseconds, Millinewtons], ...]:
    if force_mn is None or (points and taken_us - points[-1][0] < RISE_POINT_US):
        return points
    return (*points[-(RISE_POINTS_MAX - 1) :], (taken_us, force_mn))


def _has_risen_far(
    points: tuple[tuple[Microseconds, Millinewtons], ...], taken_us: Microseconds, force_mn: Millinewtons | None
) -> bool:
    return force_mn is not None and any(
        taken_us - before_us <= limits.RISE_RELEASE_WINDOW_US and force_mn - before_mn > limits.RISE_RELEASE_MN
        for before_us, before_mn in points
    )


def _tripping(alarm: AlarmId, detail: str) -> Finding:
    return Finding(alarm, Reaction.TRIP, ReleaseProfile.PROTECTIVE, detail)


def _channel_findings(memory: Watch, reading: ForceReading) -> tuple[Finding, ...]:
    rules = (
        (
            channel_missing(reading),
            AlarmId.A05,
            "a force channel gave no reading",
        ),
        (
            channel_out_of_range(reading),
            AlarmId.A05,
            f"a force channel is out of range: A {_shown(reading.force_a_mn)}, B {_shown(reading.force_b_mn)}",
        ),
        (
            memory.stuck_a_samples >= limits.CHANNEL_STUCK_SAMPLES - 1
            or memory.stuck_b_samples >= limits.CHANNEL_STUCK_SAMPLES - 1,
            AlarmId.A06,
            f"{limits.CHANNEL_STUCK_SAMPLES} identical readings under load",
        ),
        (
            memory.far_apart_samples >= SAMPLES_IN_A_ROW
            or _lasted(memory.differ_since_us, reading.taken_us, limits.CHANNELS_DIFFER_US),
            AlarmId.A07,
            f"A {_shown(reading.force_a_mn)}, B {_shown(reading.force_b_mn)}",
        ),
    )
    return tuple(_tripping(alarm, detail) for broken, alarm, detail in rules if broken)


def channel_missing(reading: ForceReading) -> bool:
    """Either channel gave nothing."""
    return reading.force_a_mn is None or reading.force_b_mn is None


def channel_out_of_range(reading: ForceReading) -> bool:
    """Either channel at 95 % of full scale, or below -30 N."""
    return _out_of_range(reading.raw_a, reading.force_a_mn) or _out_of_range(reading.raw_b, reading.force_b_mn)


def _out_of_range(raw: int | None, force_mn: Millinewtons | None) -> bool:
    saturated = limits.CHANNEL_FULL_SCALE_COUNTS * limits.CHANNEL_SATURATED_PERCENT // 100
    return (raw is not None and abs(raw) >= saturated) or (
        force_mn is not None and force_mn < limits.CHANNEL_NEGATIVE_MN
    )


def _lasted(since_us: Microseconds | None, now_us: Microseconds, for_us: Microseconds) -> bool:
    return since_us is not None and now_us - since_us >= for_us


def _force_findings(memory: Watch, reading: ForceReading, bounds: Bounds | None) -> tuple[Finding, ...]:
    if bounds is None:
        return ()
    force = _shown(largest_force(reading))
    findings: list[Finding] = []
    if memory.over_ceiling_samples >= SAMPLES_IN_A_ROW:
        findings.append(_tripping(AlarmId.A01, f"{force}, over the session ceiling of {_shown(bounds.ceiling_mn)}"))
    if memory.risen_samples >= SAMPLES_IN_A_ROW:
        findings.append(_tripping(AlarmId.A01, f"{force}, risen by more than 75 N within 500 ms"))
    if memory.far_over_target_samples >= SAMPLES_IN_A_ROW or _lasted(
        memory.over_target_since_us, reading.taken_us, limits.TARGET_MARGIN_US
    ):
        findings.append(
            _tripping(AlarmId.A02, f"{force}, over the target of {_shown(bounds.target_mn)} and its margin")
        )
    if _rises_fast(memory):
        detail = f"{force}, rising faster than 60 N/s"
        findings.append(Finding(AlarmId.A03, Reaction.FREEZE, ReleaseProfile.PROTECTIVE, detail))
    return tuple(findings)


def _rises_fast(memory: Watch) -> bool:
    """Over the whole of the last 200 ms: from the oldest point within them to the newest."""
    window = [point for point in memory.rise_points if _is_within_rise_window(memory, point)]
    if len(window) < 2:
        return False
    (oldest_us, oldest_mn), (newest_us, newest_mn) = window[0], window[-1]
    passed_us = newest_us - oldest_us
    # A window not yet full cannot have lasted 200 ms.
    full = passed_us > limits.RISE_WINDOW_US - RISE_POINT_US
    return full and (newest_mn - oldest_mn) * limits.US_PER_S > limits.RISE_FREEZE_MN_S * passed_us


def _is_within_rise_window(memory: Watch, point: tuple[Microseconds, Millinewtons]) -> bool:
    return memory.rise_points[-1][0] - point[0] <= limits.RISE_WINDOW_US


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
