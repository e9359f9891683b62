"""The gate and the watch over the readings, in any situation: total, the same twice, and never laxer for worse news."""

import functools
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller import quantities
from safety import limits, plausibility
from safety.alarms import AlarmId
from safety.interlock import Closed, NotZeroed, Tripped
from safety.limiter import Permit, Situation, payout_limit_um_s, review
from safety.limits import SessionLimits
from safety.motion import Arm, CutPower, Hold, PayOut, Pull, Release, ReleaseProfile
from safety.plausibility import Bounds, Reaction, Watch
from safety.reading import ForceReading
from safety.slope import Feel

AGREED = SessionLimits(250_000, 5_000, 20_000, 40_000, 150_000, 200_000, 1_800_000_000)
WELL = ForceReading(
    seq=1_000,
    taken_us=5_000_000,
    raw_a=1_600_001,
    raw_b=1_599_998,
    force_a_mn=200_000,
    force_b_mn=199_000,
    cable_um=120_000,
    velocity_um_s=0,
    armed=True,
    drive_enabled=True,
    releasing=False,
    tripped=False,
    switch_connected=True,
    switch_pressed=False,
    emergency_stop=False,
    current_ma=1_100,
)
many = settings(max_examples=250, deadline=None, derandomize=True, database=None)


def mostly(value: object, otherwise: st.SearchStrategy) -> st.SearchStrategy:
    return st.just(value) | st.just(value) | st.just(value) | st.just(value) | otherwise


def near(*edges: int) -> st.SearchStrategy[int]:
    return st.sampled_from([edge + off for edge in edges for off in (-1, 0, 1)]) | st.integers(-(10**7), 10**7)


forces_mn = near(-30_000, -15_000, 0, 15_000, 200_000, 250_000)
readings = st.builds(
    ForceReading,
    seq=st.integers(0, 2**20),
    taken_us=st.just(5_000_000),
    raw_a=mostly(1_000, st.none() | near(7_969_177)),
    raw_b=mostly(1_000, st.none() | near(7_969_177)),
    force_a_mn=mostly(100_000, st.none() | forces_mn),
    force_b_mn=mostly(100_000, st.none() | forces_mn),
    cable_um=mostly(50_000, near(0, 150_000, 200_000)),
    velocity_um_s=st.integers(-40_000, 40_000),
    armed=mostly(True, st.booleans()),
    drive_enabled=mostly(True, st.booleans()),
    releasing=mostly(False, st.booleans()),
    tripped=mostly(False, st.booleans()),
    switch_connected=mostly(True, st.booleans()),
    switch_pressed=mostly(False, st.booleans()),
    emergency_stop=mostly(False, st.booleans()),
    current_ma=st.integers(-5_000, 5_000),
)
ALARMS = st.sampled_from(AlarmId)
locks = mostly(Closed(0), st.just(NotZeroed()) | st.builds(Tripped, ALARMS, st.just(0), st.none(), st.booleans()))
situations = st.builds(
    Situation,
    reading=mostly(WELL, readings | st.none()) | readings,
    age_us=mostly(10_000, near(0, 60_000, 250_000)),
    interlock=locks,
    limits=mostly(AGREED, st.none()),
    armed_for_us=mostly(1_000_000, st.none() | near(0, 1_800_000_000)),
    took_up_from_um=mostly(0, st.none() | near(0)),
    loaded_at_um=mostly(0, st.none() | near(0)),
    switch_seen_us=mostly(1_000_000, st.none() | near(0, 120_000_000)),
    calibration_age_days=mostly(30, st.none() | near(0, 365)),
    calibration_matches=mostly(True, st.booleans()),
    frozen=mostly(False, st.booleans()),
)
motions = st.one_of(
    st.builds(Pull, near(0, 5_000, 20_000)),
    st.builds(PayOut, near(0, 40_000)),
    st.just(Hold()),
    st.just(CutPower()),
    st.builds(Release, st.sampled_from(ReleaseProfile)),
    st.builds(Arm, mostly(AGREED, st.just(replace(AGREED, ceiling_mn=1))), near(1, 2**32), near(1, 2**32)),
)


def is_permitted(motion: object, situation: Situation) -> bool:
    return isinstance(review(motion, situation), Permit)


# What makes a situation worse; each takes an amount of 1 or more where it has one.


def older(s: Situation, more: int) -> Situation:
    return s if s.age_us < 0 else replace(s, age_us=s.age_us + more)


def in_reading(changed):
    return lambda s, more: s if s.reading is None else replace(s, reading=changed(s.reading, more))


def more_force(reading: ForceReading, more: int) -> ForceReading:
    """On the channel that shows the larger force already."""
    a, b = reading.force_a_mn, reading.force_b_mn
    if a is None or b is None or min(a, b) < 0:
        return reading
    return replace(reading, force_a_mn=a + more) if a >= b else replace(reading, force_b_mn=b + more)


def more_travel(reading: ForceReading, more: int) -> ForceReading:
    return replace(reading, cable_um=reading.cable_um + more)


def longer(name: str):
    """Of what is known, and not from the future."""

    def change(s: Situation, more: int) -> Situation:
        value = getattr(s, name)
        return s if value is None or value < 0 else replace(s, **{name: value + more})

    return change


def tighter(name: str):
    def change(s: Situation, more: int) -> Situation:
        if s.limits is None:
            return s
        return replace(s, limits=replace(s.limits, **{name: getattr(s.limits, name) - more}))

    return change


def flagged(**flags: bool):
    return in_reading(lambda reading, _more: replace(reading, **flags))


def lost(name: str, to: object = None):
    return lambda s, _more: replace(s, **{name: to})


WORSE = {
    "older data": older,
    "more force": in_reading(more_force),
    "more travel": in_reading(more_travel),
    "armed for longer": longer("armed_for_us"),
    "a switch seen longer ago": longer("switch_seen_us"),
    "an older calibration": longer("calibration_age_days"),
    **{f"a lower {name}": tighter(name) for name in SessionLimits.__dataclass_fields__ if name != "payout_um_s"},
    "a pressed switch": flagged(switch_pressed=True),
    "an unplugged switch": flagged(switch_connected=False),
    "an emergency stop": flagged(emergency_stop=True),
    "a tripped table": flagged(tripped=True),
    "a releasing table": flagged(releasing=True),
    "a channel that gives nothing": in_reading(lambda reading, _more: replace(reading, force_a_mn=None, raw_a=None)),
    "a saturated channel": in_reading(lambda reading, _more: replace(reading, raw_b=8_388_607)),
    "no reading": lost("reading"),
    "no limits": lost("limits"),
    "a trip": lost("interlock", Tripped(AlarmId.A10, 0, None, False)),
    "no zero check": lost("interlock", NotZeroed()),
    "another calibration": lost("calibration_matches", False),
    "a freeze": lost("frozen", True),
    "no switch test": lost("switch_seen_us"),
    "an unknown start of the take-up": lost("took_up_from_um"),
    "an unknown time": lost("armed_for_us"),
}


@pytest.mark.parametrize("worse", WORSE.values(), ids=WORSE)
def test_worse_news_never_turns_a_refusal_into_a_permit(worse) -> None:
    @settings(many, max_examples=80)
    @given(motions, situations, near(1, 5_000, 60_000, 250_000).filter(lambda more: more > 0))
    def check(motion, situation: Situation, more: int) -> None:
        changed = worse(situation, more)
        if isinstance(motion, Arm) and changed.limits != situation.limits:
            motion = replace(motion, limits=changed.limits or motion.limits)
        assert is_permitted(motion, situation) or not is_permitted(motion, changed)

    check()


@many
@given(situations, st.integers(1, 40_000), st.integers(1, 40_000))
def test_a_faster_motion_is_never_permitted_where_a_slower_one_is_not(situation, speed_um_s, more_um_s) -> None:
    for kind in (Pull, PayOut):
        slower, faster = kind(speed_um_s), kind(speed_um_s + more_um_s)

        assert is_permitted(slower, situation) or not is_permitted(faster, situation)


@many
@given(motions, situations)
def test_every_permit_is_of_the_reading_at_hand_and_its_lease_is_short(motion, situation) -> None:
    permit = review(motion, situation)

    if isinstance(permit, Permit):
        assert 1 <= permit.lease_ms <= limits.LEASE_MS_MAX
        assert permit.motion is motion
        if situation.reading is not None:
            assert permit.basis_seq == situation.reading.seq
            assert permit.basis_us in (situation.reading.taken_us, None)
        assert (permit.basis_us is None) == isinstance(motion, Release | PayOut)


@many
@given(situations, st.sampled_from(ReleaseProfile), st.integers(1, 100))
def test_letting_go_needs_nothing_at_all(situation, profile, percent) -> None:
    speed_um_s = max(1, payout_limit_um_s(situation) * percent // 100)

    assert is_permitted(Release(profile), situation)
    assert is_permitted(PayOut(speed_um_s), situation)
    assert not is_permitted(PayOut(limits.PAYOUT_MAX_UM_S + 1), situation)


# The watch over the readings

moments = st.tuples(readings, mostly(5_000, near(0, 60_000, 250_000)), st.integers(1_000, 100_000))
bounds = st.builds(
    Bounds,
    ceiling_mn=st.just(250_000),
    target_mn=mostly(100_000, st.none() | st.integers(0, 500_000)),
    feel=st.none() | st.builds(Feel, st.integers(1, 40_000), st.integers(1, 50_000)),
)
SEVERITY = [Reaction.TELL, Reaction.FREEZE, Reaction.TRIP]


def worst(findings: tuple) -> int:
    return max((SEVERITY.index(finding.reaction) for finding in findings), default=-1)


def watched(run, within: Bounds | None) -> tuple[Watch, list[tuple]]:
    """The memory after all those moments, and what was found at each."""
    memory, now_us, found = Watch(), 10_000_000, []
    for reading, age_us, passed_us in run:
        now_us += passed_us
        memory, findings = plausibility.watch(memory, replace(reading, taken_us=now_us), age_us, now_us, within)
        found.append(findings)
    return memory, found


runs = st.lists(moments, min_size=1, max_size=12)


@many
@given(runs, st.none() | bounds, near(0, 60_000, 250_000))
def test_the_watch_never_raises_and_finds_the_same_twice(run, within, age_us) -> None:
    memory, found = watched(run, within)

    assert watched(run, within) == (memory, found)
    assert plausibility.waited(memory, age_us, 11_000_000) == plausibility.waited(memory, age_us, 11_000_000)


@many
@given(runs, bounds, st.integers(1, 500_000))
def test_older_data_is_never_taken_more_lightly(run, within, more_us) -> None:
    *before, (reading, age_us, passed_us) = run

    young = watched([*before, (reading, max(0, age_us), passed_us)], within)[1][-1]
    old = watched([*before, (reading, max(0, age_us) + more_us, passed_us)], within)[1][-1]

    assert worst(old) >= worst(young)


@many
@given(runs, bounds, st.integers(1, 300_000))
def test_a_lower_ceiling_never_finds_less(run, within, less_mn) -> None:
    found = watched(run, within)[1]
    tighter_found = watched(run, replace(within, ceiling_mn=within.ceiling_mn - less_mn))[1]

    assert [worst(one) for one in tighter_found] >= [worst(one) for one in found]
    assert all(worst(after) >= worst(before) for before, after in zip(found, tighter_found, strict=True))


@many
@given(st.integers(251_000, 2_000_000), st.integers(0, 2_000_000), bounds)
def test_two_samples_over_the_ceiling_are_a_trip_and_more_force_is_no_way_out(force_mn, more_mn, within) -> None:
    def over(mn: int):
        return replace(WELL, force_a_mn=mn, force_b_mn=mn), 5_000, 3_125

    for mn in (force_mn, force_mn + more_mn):
        found = watched([over(mn), over(mn)], within)[1]
        assert worst(found[-1]) == SEVERITY.index(Reaction.TRIP)


@many
@given(readings, st.none() | bounds)
def test_the_watch_forgets_so_that_its_memory_stays_small(reading, within) -> None:
    memory, _found = watched([(reading, 5_000, 12_500)] * 200, within)

    assert len(memory.rise.points) <= 30
    assert len(memory.slope.points) <= 30
    assert len(memory.lateness.slots) <= 30


# What people write becomes whole millinewtons, never more than they wrote: the whole grid of what can be typed

NEWTONS = {"N": Fraction(1), "kgf": Fraction("9.80665"), "lbf": Fraction("4.4482216152605")}
GRIDS = {"N": (600, 100), "kgf": (62, 1_000), "lbf": (135, 500)}  # up to so many, in so many steps each


@pytest.mark.parametrize("unit", GRIDS)
def test_every_force_that_can_be_written_is_rounded_down(unit: str) -> None:
    most, steps = GRIDS[unit]

    for hundredths in range(most * steps + 1):
        written = Fraction(hundredths, steps)
        parsed_mn = quantities.force_mn(f"{float(written):.3f} {unit}", 80_000)
        assert 0 <= written * NEWTONS[unit] * 1000 - parsed_mn < 1


def test_every_share_of_every_body_weight_is_rounded_down() -> None:
    gravity = Fraction("9.80665")

    for mass_kg in range(20, 301, 4):
        for tenths in range(0, 1_001, 5):
            parsed_mn = quantities.force_mn(f"{tenths / 10:.1f} % body weight", mass_kg * 1000)
            assert 0 <= Fraction(tenths, 1000) * mass_kg * 1000 * gravity - parsed_mn < 1


def test_every_margin_of_every_force_is_rounded_towards_the_tighter_limit() -> None:
    for agreed_mn in range(20_000, 500_001, 37):
        ceiling_mn = limits.session_ceiling(agreed_mn, limits.SHIPPED)
        assert ceiling_mn <= min(agreed_mn + max(Fraction(40_000), Fraction(agreed_mn, 4)), 350_000)
        assert limits.over_target_margin(agreed_mn) <= max(15_000, Fraction(agreed_mn, 10))


def test_both_channels_are_allowed_apart_by_no_more_than_they_may() -> None:
    exact = functools.partial(Fraction, denominator=100)

    for force_mn in range(0, 600_001, 101):
        assert plausibility.channels_allowed_apart(force_mn) <= max(15_000, exact(force_mn * 8))
