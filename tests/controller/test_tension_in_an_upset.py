"""What the tension loop does in an upset that it does not in a hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.tension import FIRMER_BY, Loop, SpeedLimits, firmness, gains, tension_step

SPEEDS = SpeedLimits(pull_mm_s=5.0, payout_mm_s=40.0)
TUNED = gains(6.7, 0.03)
PERIOD_S = 0.01


def speed_mm_s(before_n: float | None, force_n: float, target_n: float = 300.0, rate_n_s: float = 0.0) -> float:
    _, speed = tension_step(Loop(0.0, before_n), TUNED, target_n, rate_n_s, force_n, PERIOD_S, SPEEDS)
    return speed


def test_small_errors_are_met_with_the_plain_gain_and_large_ones_with_a_firmer_hand() -> None:
    assert firmness(0.3) == firmness(-0.3) == 1.0
    assert firmness(2.0) == firmness(-2.0) == pytest.approx(1 + FIRMER_BY)


@given(st.floats(0, 10), st.floats(0, 10))
def test_a_larger_error_is_never_met_with_a_smaller_gain(one_mm: float, other_mm: float) -> None:
    less_mm, more_mm = sorted((one_mm, other_mm))

    assert firmness(less_mm) <= firmness(more_mm)


def test_less_is_paid_out_while_an_excess_falls_by_itself() -> None:
    assert speed_mm_s(315.0, 312.0) > speed_mm_s(312.0, 312.0)
    assert speed_mm_s(None, 312.0) == speed_mm_s(312.0, 312.0)


def test_a_falling_excess_is_never_a_reason_to_pull() -> None:
    assert speed_mm_s(400.0, 301.0) == 0.0


def test_noise_and_breath_do_not_count_as_a_fall() -> None:
    assert speed_mm_s(302.4, 302.0) == speed_mm_s(302.0, 302.0)


def test_a_falling_force_that_is_short_is_pulled_as_ever() -> None:
    assert speed_mm_s(295.0, 294.0) == speed_mm_s(294.0, 294.0) > 0.0


def test_a_force_that_falls_with_its_target_is_no_fall() -> None:
    falling = speed_mm_s(312.6, 312.0, rate_n_s=-60.0)

    assert falling == speed_mm_s(312.0, 312.0, rate_n_s=-60.0)
