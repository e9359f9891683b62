"""What a run of readings says by itself: is it fresh, whole and possible? Judged before anything that is asked.

`watch` folds one reading in, `waited` folds in time without one. Both are pure and total; a finding says which
alarm, how to react, and what was measured. Findings come in the order of what is worst first.
"""

from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from safety import limits
from safety.alarms import AlarmId
from safety.motion import ReleaseProfile
from safety.reading import ForceReading, largest_force
from safety.units import Microseconds, Millinewtons, larger, percent_of

# The rise over 200 ms is judged on points this far apart, so that its memory stays small at any sample rate.
RISE_POINT_US: Final = Microseconds(20_000)
RISE_POINTS_MAX: Final = 12
# A leaky bucket: it fills while data is late and empties ten times slower, so 500 ms in any 5 s overflow it.
BUCKET_LEAK_DIVISOR: Final = limits.LATE_WINDOW_US // limits.LATE_IN_WINDOW_MAX_US


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
    late_us: Microseconds = Microseconds(0)
    judged_us: Microseconds | None = None
    rise_points: tuple[tuple[Microseconds, Millinewtons], ...] = ()


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the force is held against: the session's ceiling, and the target of the moment (None: no target)."""

    ceiling_mn: Millinewtons
    target_mn: Millinewtons | None


def watch(
    memory: Watch, reading: ForceReading, age_us: Microseconds, now_us: Microseconds, bounds: Bounds | None
) -> tuple[Watch, tuple[Finding, ...]]:
    """Folds one reading in. `age_us` is its age by the device's clock; `bounds` is None while nothing is armed."""
    after = _bucketed(_remembered(memory, reading, bounds), age_us, now_us)
    findings = (
        *_channel_findings(after, reading),
        *_force_findings(after, reading, bounds),
        *_age_findings(after, age_us),
    )
    return after, findings


def waited(memory: Watch, age_us: Microseconds, now_us: Microseconds) -> tuple[Watch, tuple[Finding, ...]]:
    """Folds in time that passed without a reading; `age_us` is the age of the newest one."""
    after = _bucketed(memory, age_us, now_us)
    return after, _age_findings(after, age_us)


def reading_is_fresh(age_us: Microseconds) -> bool:
    """At most 60 ms old. An age below zero is a clock gone wrong, and not fresh."""
    return 0 <= age_us <= limits.SAMPLE_AGE_MAX_US


def channels_allowed_apart(force_mn: Millinewtons) -> Millinewtons:
    """How far two channels may differ at that force: max(15 N, 8 %)."""
    return larger(limits.CHANNELS_DIFFER_MN, percent_of(force_mn, limits.CHANNELS_DIFFER_PERCENT))


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
    loaded = force_mn is not None and force_mn > limits.SLACK_MN
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


def _bucketed(memory: Watch, age_us: Microseconds, now_us: Microseconds) -> Watch:
    if memory.judged_us is None:
        return replace(memory, judged_us=now_us)
    passed_us = max(0, now_us - memory.judged_us)
    level_us = memory.late_us
    if reading_is_fresh(age_us):
        level_us = Microseconds(max(0, level_us - passed_us // BUCKET_LEAK_DIVISOR))
    else:
        # Only the part beyond 60 ms is late, also when this is the first look after a long silence.
        level_us = Microseconds(level_us + min(passed_us, max(0, age_us - limits.SAMPLE_AGE_MAX_US)))
    return replace(memory, late_us=level_us, judged_us=now_us)


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
            _out_of_range(reading.raw_a, reading.force_a_mn) or _out_of_range(reading.raw_b, reading.force_b_mn),
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
            memory.far_apart_samples >= 2
            or _lasted(memory.differ_since_us, reading.taken_us, limits.CHANNELS_DIFFER_US),
            AlarmId.A07,
            f"A {_shown(reading.force_a_mn)}, B {_shown(reading.force_b_mn)}",
        ),
    )
    return tuple(_tripping(alarm, detail) for broken, alarm, detail in rules if broken)


def channel_missing(reading: ForceReading) -> bool:
    return reading.force_a_mn is None or reading.force_b_mn is None


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
    if memory.over_ceiling_samples >= 2:
        findings.append(_tripping(AlarmId.A01, f"{force}, over the session ceiling of {_shown(bounds.ceiling_mn)}"))
    if memory.far_over_target_samples >= 2 or _lasted(
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
    if len(memory.rise_points) < 2:
        return False
    newest_us, newest_mn = memory.rise_points[-1]
    for taken_us, force_mn in memory.rise_points:
        if newest_us - taken_us <= limits.RISE_WINDOW_US:
            # The oldest point within 200 ms decides; a window not yet full cannot have lasted 200 ms.
            full = newest_us - taken_us > limits.RISE_WINDOW_US - RISE_POINT_US
            return full and (newest_mn - force_mn) * 1_000_000 > limits.RISE_FREEZE_MN_S * (newest_us - taken_us)
    return False


def _age_findings(memory: Watch, age_us: Microseconds) -> tuple[Finding, ...]:
    if age_us > limits.SAMPLE_LOST_US:
        return (_tripping(AlarmId.A13, f"the newest sample is {age_us // 1000} ms old"),)
    if memory.late_us > limits.LATE_IN_WINDOW_MAX_US:
        return (_tripping(AlarmId.A13, f"data was late for {memory.late_us // 1000} ms within 5 s"),)
    if not reading_is_fresh(age_us):
        detail = f"the newest sample is {age_us // 1000} ms old"
        return (Finding(AlarmId.A14, Reaction.FREEZE, ReleaseProfile.PROTECTIVE, detail),)
    return ()


def _shown(force_mn: Millinewtons | None) -> str:
    return "nothing" if force_mn is None else f"{force_mn // 1000} N"
