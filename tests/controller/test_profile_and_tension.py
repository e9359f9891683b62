"""The arithmetic under a session: the S-curve, the tension loop, slack take-up and the dose clock."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.dose_clock import COUNTED_GAP_US_MAX, DoseClock, counted
from controller.profile import Segment, ramp
from controller.take_up import LineFit, TakeUp, preload_n, stiffness, take_up_step
from controller.tension import Loop, SpeedLimits, gains, tension_step, timing

forces_n = st.floats(0, 600)
rates_n_s = st.floats(0.5, 20)
SPEEDS = SpeedLimits(pull_mm_s=5.0, payout_mm_s=40.0)


@given(from_n=forces_n, to_n=forces_n, rate_n_s=rates_n_s, share=st.floats(-0.5, 1.5))
def test_a_ramp_stays_between_its_ends_and_under_its_steepest_slope(from_n, to_n, rate_n_s, share) -> None:
    segment = ramp(from_n, to_n, rate_n_s)
    at_s = share * segment.duration_s

    assert min(from_n, to_n) - 1e-6 <= segment.force_n(at_s) <= max(from_n, to_n) + 1e-6
    assert abs(segment.rate_n_s(at_s)) <= rate_n_s * (1 + 1e-9)


@given(from_n=forces_n, to_n=forces_n, rate_n_s=rates_n_s, shares=st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_a_ramp_only_ever_goes_its_own_way(from_n, to_n, rate_n_s, shares) -> None:
    segment = ramp(from_n, to_n, rate_n_s)

    earlier, later = (segment.force_n(share * segment.duration_s) for share in sorted(shares))

    assert (later - earlier) * (to_n - from_n) >= -1e-6


def test_a_ramp_begins_and_ends_at_rest_and_its_rate_is_its_slope() -> None:
    segment = ramp(20.0, 300.0, 5.0)

    assert segment.force_n(0.0) == 20.0
    assert segment.force_n(segment.duration_s) == 300.0
    assert segment.rate_n_s(0.0) == segment.rate_n_s(segment.duration_s) == 0.0
    assert segment.rate_n_s(segment.duration_s / 2) == pytest.approx(5.0)
    slope_n_s = (segment.force_n(30.001) - segment.force_n(29.999)) / 0.002
    assert segment.rate_n_s(30.0) == pytest.approx(slope_n_s, rel=1e-4)


def test_a_segment_without_duration_is_at_its_end_and_still() -> None:
    holds = Segment(300.0, 300.0, 0.0)

    assert holds.force_n(0.0) == holds.force_n(99.0) == 300.0
    assert holds.rate_n_s(0.0) == 0.0


loops = st.builds(Loop, st.floats(-50, 50))
tunings = st.builds(gains, st.floats(2, 40), st.floats(0.02, 0.2))


@given(loop=loops, tuned=tunings, target_n=forces_n, rate_n_s=st.floats(-20, 20), force_n=st.floats(-50, 2000))
def test_the_loop_never_asks_for_more_than_the_speeds_it_may(loop, tuned, target_n, rate_n_s, force_n) -> None:
    after, speed_mm_s = tension_step(loop, tuned, target_n, rate_n_s, force_n, 0.01, SPEEDS)

    assert -SPEEDS.payout_mm_s <= speed_mm_s <= SPEEDS.pull_mm_s
    assert math.isfinite(after.integral_mm_s)


@given(tuned=tunings, target_n=forces_n, error_n=st.floats(0.01, 100))
def test_the_loop_pulls_when_force_is_short_and_pays_out_when_it_is_over(tuned, target_n, error_n) -> None:
    _, short_mm_s = tension_step(Loop(), tuned, target_n, 0.0, target_n - error_n, 0.01, SPEEDS)
    _, over_mm_s = tension_step(Loop(), tuned, target_n, 0.0, target_n + error_n, 0.01, SPEEDS)

    assert short_mm_s > 0 > over_mm_s


def test_the_integral_bleeds_away_in_an_upset_and_while_the_drive_cannot_follow() -> None:
    tuned = gains(6.7, 0.03)
    wound_up = Loop(3.0)

    upset, _ = tension_step(wound_up, tuned, 300.0, 0.0, 200.0, 0.01, SPEEDS)
    saturated, speed_mm_s = tension_step(wound_up, tuned, 300.0, 0.0, 295.0, 0.01, SPEEDS)

    assert 0 < upset.integral_mm_s < 3.0
    assert speed_mm_s == SPEEDS.pull_mm_s
    assert 0 < saturated.integral_mm_s < 3.0


def test_a_steady_error_is_integrated_away_on_an_ideal_patient() -> None:
    tuned, loop, force_n = gains(6.7, 0.03), Loop(), 290.0

    for _ in range(1000):
        loop, speed_mm_s = tension_step(loop, tuned, 300.0, 0.0, force_n, 0.01, SPEEDS)
        force_n += 6.7 * (speed_mm_s - 0.5) * 0.01  # creep takes 0.5 mm/s away

    assert force_n == pytest.approx(300.0, abs=0.01)
    assert loop.integral_mm_s == pytest.approx(0.5, abs=0.01)


def test_a_stiffer_patient_and_a_later_loop_are_held_with_a_lighter_hand() -> None:
    assert gains(13.3, 0.03).proportional < gains(6.7, 0.03).proportional
    assert gains(6.7, 0.06).proportional < gains(6.7, 0.03).proportional
    assert timing(80).delay_s > timing(320).delay_s
    assert timing(80).loop_period_s == 0.020
    assert timing(320).loop_period_s == 0.010


@pytest.mark.parametrize(
    ("target_n", "expected_n"), [(10, 10), (20, 20), (30, 20), (50, 20), (100, 40), (150, 60), (300, 60)]
)
def test_the_preload_is_a_share_of_the_target_and_never_above_it(target_n: float, expected_n: float) -> None:
    assert preload_n(target_n) == pytest.approx(expected_n)


def taken_up(n_per_mm: float, slack_mm: float = 5.0, target_n: float = 300.0) -> tuple[TakeUp, list[float]]:
    """Winds an ideal spring in until the preload."""
    memory, speed_mm_s, position_mm, force_n, speeds = TakeUp(), 0.0, 0.0, 0.0, []
    for step in range(20_000):
        position_mm += speed_mm_s / 320
        force_n = max(0.0, n_per_mm * (position_mm - slack_mm))
        memory, speed_mm_s = take_up_step(memory, step / 320, position_mm, force_n, target_n, 0.0)
        speeds.append(speed_mm_s)
        if force_n >= preload_n(target_n):
            break
    return memory, speeds


@pytest.mark.parametrize("n_per_mm", [2.5, 6.7, 13.3, 19.0])
def test_take_up_measures_the_stiffness_of_a_spring(n_per_mm: float) -> None:
    memory, _ = taken_up(n_per_mm)

    measured = stiffness(memory)

    assert measured is not None
    assert measured.measured_n_mm == pytest.approx(n_per_mm, rel=0.01)
    assert measured.loop_n_mm == pytest.approx(1.15 * n_per_mm, rel=0.01)
    assert measured.plausible


@pytest.mark.parametrize("n_per_mm", [1.5, 25.0])
def test_a_stiffness_that_no_patient_has_is_not_plausible_and_the_gain_stays_within_its_bounds(n_per_mm) -> None:
    memory, _ = taken_up(n_per_mm)

    measured = stiffness(memory)

    assert measured is not None
    assert not measured.plausible
    assert 2.0 <= measured.loop_n_mm <= 40.0


def test_a_force_that_does_not_follow_the_cable_is_not_plausible() -> None:
    fit = LineFit()
    for step in range(50):
        fit = fit.with_point(step * 0.1, 30.0 + 10.0 * (step % 2))

    measured = stiffness(TakeUp(fit=fit))

    assert measured is not None
    assert not measured.plausible


def test_too_few_points_and_a_cable_that_stands_still_measure_nothing() -> None:
    still = LineFit()
    for _ in range(50):
        still = still.with_point(1.0, 30.0)

    assert stiffness(TakeUp()) is None
    assert stiffness(TakeUp(fit=still)) is None


def test_slack_is_taken_up_fast_and_the_patient_met_slowly() -> None:
    _, speeds = taken_up(6.7)

    assert speeds[0] == 20.0
    assert speeds[-1] <= 5.0


def test_a_small_target_is_approached_slowly_from_the_start() -> None:
    _, speeds = taken_up(6.7, target_n=30.0)

    assert max(speeds) <= 5.0


def test_take_up_slows_down_where_force_rises_fast() -> None:
    _, soft = taken_up(6.7)
    _, stiff = taken_up(19.0)

    met = [sum(speed_mm_s < 20 for speed_mm_s in speeds) for speeds in (soft, stiff)]
    mean_rise_n_s = [(60 - 5) / (samples / 320) for samples in met]
    assert mean_rise_n_s[0] < 40
    assert mean_rise_n_s[1] < 60


finite = st.floats(-1e4, 1e4)


@given(st.lists(st.tuples(st.floats(0, 1e4), finite, finite), max_size=40), st.floats(20, 500))
def test_take_up_is_total_and_never_faster_than_it_may(samples, target_n: float) -> None:
    memory = TakeUp()

    for at_s, position_mm, force_n in samples:
        memory, speed_mm_s = take_up_step(memory, at_s, position_mm, force_n, target_n, 0.05)
        assert 0 < speed_mm_s <= (20.0 if force_n < 5 else 5.0)

    stiffness(memory)


def test_the_clock_counts_time_within_10_percent_and_apart_from_it_within_5() -> None:
    clock = DoseClock()

    for index, force_mn in enumerate([300_000, 300_000, 284_000, 269_000, 331_000, 330_000]):
        clock = counted(clock, 1_000_000 + index * 10_000, force_mn, 300_000)

    assert clock.held_us == 50_000
    assert clock.at_force_us == 30_000  # 300 (the second), 284 and 330 N
    assert clock.close_us == 10_000
    assert clock.within_5_percent == pytest.approx(0.2)


def test_a_gap_in_the_samples_counts_for_nothing() -> None:
    clock = counted(counted(DoseClock(), 0, 300_000, 300_000), COUNTED_GAP_US_MAX + 1, 300_000, 300_000)

    assert clock.held_us == clock.at_force_us == 0
    assert clock.within_5_percent is None


steps_us = st.lists(st.tuples(st.integers(-200_000, 200_000), st.integers(0, 400_000)), max_size=50)


@given(steps_us)
def test_the_clock_never_runs_faster_than_time_nor_backwards(steps) -> None:
    clock, taken_us = DoseClock(), 0

    for passed_us, force_mn in steps:
        taken_us += passed_us
        after = counted(clock, taken_us, force_mn, 300_000)
        assert 0 <= after.close_us - clock.close_us <= after.at_force_us - clock.at_force_us
        assert after.at_force_us - clock.at_force_us <= after.held_us - clock.held_us <= max(0, passed_us)
        clock = after
