"""What holds of the gate in whatever situation: it never raises, it is deterministic, it denies by default."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from safety import limiter, limits
from safety.alarms import AlarmId
from safety.interlock import Closed, NotZeroed, Tripped
from safety.limiter import Permit, Situation, review
from safety.limits import SessionLimits
from safety.motion import Arm, CutPower, Hold, PayOut, Pull, Release, ReleaseProfile
from safety.reading import ForceReading

AGREED = SessionLimits(
    ceiling_mn=250_000,
    pull_um_s=5_000,
    take_up_um_s=20_000,
    payout_um_s=40_000,
    travel_um=150_000,
    take_up_travel_um=200_000,
    duration_us=1_800_000_000,
)


def around(*edges: int) -> st.SearchStrategy[int]:
    """Each limit and what lies just beside it, and now and then anything."""
    dense = st.sampled_from([edge + offset for edge in edges for offset in (-1, 0, 1)])
    return dense | dense | st.integers(-(2**40), 2**40)


def mostly(value: object, otherwise: st.SearchStrategy) -> st.SearchStrategy:
    return st.just(value) | st.just(value) | st.just(value) | otherwise


forces_mn = around(-30_000, -15_000, 0, 15_000, 200_000, 250_000)
readings = st.builds(
    ForceReading,
    seq=st.integers(0, 2**20),
    taken_us=st.integers(0, 2**40),
    raw_a=mostly(1_000, st.none() | around(7_969_177)),
    raw_b=mostly(1_000, st.none() | around(7_969_177)),
    force_a_mn=mostly(100_000, st.none() | forces_mn),
    force_b_mn=mostly(100_000, st.none() | forces_mn),
    cable_um=mostly(50_000, around(0, 150_000, 200_000)),
    velocity_um_s=st.integers(-40_000, 40_000),
    armed=mostly(True, st.booleans()),
    drive_enabled=mostly(True, st.booleans()),
    releasing=mostly(False, st.booleans()),
    tripped=mostly(False, st.booleans()),
    switch_connected=mostly(True, st.booleans()),
    switch_pressed=mostly(False, st.booleans()),
    emergency_stop=mostly(False, st.booleans()),
)
session_limits_of_any_size = st.builds(
    SessionLimits,
    ceiling_mn=around(0, 250_000, 600_000),
    pull_um_s=around(0, 5_000),
    take_up_um_s=around(0, 20_000),
    payout_um_s=around(0, 40_000),
    travel_um=around(0, 150_000),
    take_up_travel_um=around(0, 200_000),
    duration_us=around(0, 3_600_000_000),
)
situations = st.builds(
    Situation,
    reading=mostly(None, readings) | readings | readings,
    age_us=mostly(10_000, around(0, 60_000, 250_000)),
    interlock=mostly(
        Closed(zeroed_us=0),
        st.just(NotZeroed())
        | st.builds(
            Tripped,
            cause=st.sampled_from(AlarmId),
            tripped_us=st.integers(),
            quiet_since_us=st.none() | st.integers(),
            acknowledged=st.booleans(),
        ),
    ),
    limits=mostly(AGREED, st.none() | session_limits_of_any_size),
    armed_for_us=mostly(1_000_000, st.none() | around(0, 1_800_000_000)),
    took_up_from_um=mostly(0, st.none() | around(0)),
    loaded_at_um=mostly(0, st.none() | around(0)),
    switch_seen_us=mostly(1_000_000, st.none() | around(0, 120_000_000)),
    calibration_age_days=mostly(30, st.none() | around(0, 365)),
    calibration_matches=mostly(True, st.booleans()),
    frozen=mostly(False, st.booleans()),
)
speeds_um_s = around(0, 5_000, 20_000, 40_000)
motions = st.one_of(
    st.builds(Pull, speeds_um_s),
    st.builds(PayOut, speeds_um_s),
    st.just(Hold()),
    st.just(CutPower()),
    st.builds(Release, st.sampled_from(ReleaseProfile)),
    st.builds(Arm, mostly(AGREED, session_limits_of_any_size), around(0, 2**32), around(0, 2**32)),
)
many = settings(max_examples=400, deadline=None, derandomize=True)


def is_permitted(motion, situation: Situation) -> bool:
    return isinstance(review(motion, situation), Permit)


def told(motion, situation: Situation) -> tuple:
    verdict = review(motion, situation)
    if isinstance(verdict, Permit):
        return verdict.motion, verdict.basis_seq, verdict.lease_ms
    return verdict.alarm, verdict.sentence


@many
@given(motions, situations)
def test_it_never_raises_and_says_the_same_twice(motion, situation) -> None:
    assert told(motion, situation) == told(motion, situation)


@many
@given(speeds_um_s, situations)
def test_a_permitted_pull_means_that_every_condition_held(speed_um_s, situation) -> None:
    if not is_permitted(Pull(speed_um_s), situation):
        return

    reading, agreed = situation.reading, situation.limits
    larger_mn = max(reading.force_a_mn, reading.force_b_mn)
    assert all(holds(situation) for _name, _alarm, holds, _sentence in limiter.PULL_RULES)
    assert 0 <= situation.age_us <= 60_000
    assert not situation.frozen
    assert larger_mn <= agreed.ceiling_mn <= 600_000
    assert min(reading.force_a_mn, reading.force_b_mn) >= -30_000
    assert isinstance(situation.interlock, Closed)
    assert reading.armed
    assert reading.switch_connected
    assert not any((reading.tripped, reading.releasing, reading.switch_pressed, reading.emergency_stop))
    assert 0 < speed_um_s <= (5_000 if larger_mn > 15_000 else 20_000)
    assert 0 <= situation.armed_for_us <= agreed.duration_us <= 3_600_000_000
    if situation.loaded_at_um is None:
        assert larger_mn <= 15_000
        assert reading.cable_um - situation.took_up_from_um <= 200_000
    else:
        assert reading.cable_um - situation.loaded_at_um <= 150_000


@many
@given(speeds_um_s, situations, readings)
def test_a_pull_is_permitted_often_enough_for_that_to_mean_something(speed_um_s, situation, reading) -> None:
    healthy = replace(reading, force_a_mn=0, force_b_mn=0, raw_a=1, raw_b=2, cable_um=0, armed=True, releasing=False)
    healthy = replace(healthy, tripped=False, switch_connected=True, switch_pressed=False, emergency_stop=False)
    well = replace(situation, reading=healthy, age_us=0, interlock=Closed(0), limits=AGREED, armed_for_us=0)
    well = replace(well, took_up_from_um=0, loaded_at_um=0, frozen=False)

    assert is_permitted(Pull(speed_um_s), well) is (0 < speed_um_s <= 20_000)


@many
@given(motions, situations, st.integers(1, 2**40))
def test_an_older_reading_never_turns_a_refusal_into_a_permit(motion, situation, older_us) -> None:
    young = replace(situation, age_us=max(0, situation.age_us))
    old = replace(young, age_us=young.age_us + older_us)

    assert is_permitted(motion, young) or not is_permitted(motion, old)


@many
@given(motions, situations, readings, st.integers(0, 400_000), st.integers(1, 400_000))
def test_more_force_never_turns_a_refusal_into_a_permit(motion, situation, reading, force_mn, more_mn) -> None:
    less = replace(situation, reading=replace(reading, force_a_mn=force_mn))
    more = replace(situation, reading=replace(reading, force_a_mn=force_mn + more_mn))

    assert is_permitted(motion, less) or not is_permitted(motion, more)


@many
@given(st.integers(1, limits.PAYOUT_MAX_UM_S), situations)
def test_paying_out_within_its_rate_is_permitted_in_every_situation(speed_um_s, situation) -> None:
    slowest_um_s = min(speed_um_s, limiter.payout_limit_um_s(situation))

    assert is_permitted(PayOut(slowest_um_s), situation)
    assert 0 < limiter.payout_limit_um_s(situation) <= limits.PAYOUT_MAX_UM_S


@many
@given(st.sampled_from(ReleaseProfile), situations)
def test_letting_go_is_permitted_in_every_situation(profile, situation) -> None:
    assert is_permitted(Release(profile), situation)
