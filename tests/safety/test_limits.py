"""The numbers of a session follow from the prescription and the site, and only ever downwards."""

from dataclasses import fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safety import limits
from safety.limits import (
    SHIPPED,
    SessionLimits,
    SiteLimits,
    session_ceiling,
    session_limits,
    site_limit_errors,
    within_absolute,
)
from safety.units import larger, percent_of, smaller, whole_within


@pytest.mark.parametrize(
    ("agreed_n", "ceiling_n"),
    [(20, 60), (100, 140), (159, 199), (160, 200), (200, 250), (280, 350), (281, 350), (300, 350), (10_000, 350)],
)
def test_the_sessions_ceiling_is_40_newtons_or_a_quarter_above_and_at_most_the_sites(agreed_n, ceiling_n) -> None:
    assert session_ceiling(agreed_n * 1000, SHIPPED) == ceiling_n * 1000


def test_a_site_lowers_the_ceiling() -> None:
    assert session_ceiling(300_000, replace(SHIPPED, ceiling_mn=320_000)) == 320_000


def test_a_pull_is_raised_by_20_newtons_at_a_time() -> None:
    assert limits.RAISE_STEP_MAX_MN == 20_000


def test_a_quarter_is_rounded_down_to_the_tighter_side() -> None:
    assert session_ceiling(200_003, SHIPPED) == 250_003


def test_a_session_takes_the_tightest_of_all_limits() -> None:
    assert session_limits(200_000, 1_800, 20_000, SHIPPED) == SessionLimits(
        ceiling_mn=250_000,
        pull_um_s=5_000,
        take_up_um_s=20_000,
        payout_um_s=20_000,
        travel_um=150_000,
        take_up_travel_um=200_000,
        duration_us=1_800_000_000,
    )
    assert session_limits(200_000, 3_601, 20_000, SHIPPED).duration_us == 3_600_000_000


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.integers(20_000, 500_000), st.integers(1, 10_000), st.integers(1, 40_000))
def test_every_session_at_a_site_as_shipped_is_within_the_absolute_limits(agreed_mn, duration_s, payout_um_s) -> None:
    assert within_absolute(session_limits(agreed_mn, duration_s, payout_um_s, SHIPPED))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({}, None),
        ({"ceiling_mn": 600_000}, None),
        ({"ceiling_mn": 600_001}, "70 N and 600 N"),
        ({"ceiling_mn": 70_000, "setpoint_cap_mn": 20_000}, None),
        ({"ceiling_mn": 69_999, "setpoint_cap_mn": 20_000}, "70 N and 600 N"),
        ({"ceiling_mn": 600_000, "setpoint_cap_mn": 500_000}, None),
        ({"ceiling_mn": 600_000, "setpoint_cap_mn": 500_001}, "20 N and 500 N"),
        ({"setpoint_cap_mn": 19_999}, "20 N and 500 N"),
        ({"setpoint_cap_mn": 300_001}, "at least 50 N under"),
        ({"ramp_max_mn_s": 1}, None),
        ({"ramp_max_mn_s": 0}, "20 N/s"),
        ({"ramp_max_mn_s": 20_001}, "20 N/s"),
        ({"session_s_max": 60}, None),
        ({"session_s_max": 59}, "45 minutes"),
        ({"session_s_max": 2_701}, "45 minutes"),
        ({"ceiling_mn": float("nan")}, "70 N and 600 N"),
    ],
    ids=str,
)
def test_a_sites_limits_are_refused_by_name(change, named) -> None:
    errors = site_limit_errors(replace(SHIPPED, **change))

    assert (errors == ()) is (named is None)
    assert named is None or any(named in error for error in errors)


DECIDED = {
    "SITE_CEILING_MAX_MN": 600_000,
    "SITE_CEILING_SHIPPED_MN": 350_000,
    "SETPOINT_CAP_MAX_MN": 500_000,
    "SETPOINT_CAP_SHIPPED_MN": 300_000,
    "SETPOINT_UNDER_CEILING_MN": 50_000,
    "SETPOINT_MIN_MN": 20_000,
    "CEILING_MARGIN_MN": 40_000,
    "CEILING_MARGIN_PERCENT": 25,
    "TARGET_MARGIN_MN": 15_000,
    "TARGET_MARGIN_PERCENT": 10,
    "TARGET_MARGIN_US": 2_000_000,
    "RAMP_MAX_MN_S": 20_000,
    "RAMP_SHIPPED_MN_S": 5_000,
    "SLACK_MN": 15_000,
    "TAKE_UP_TRAVEL_MAX_UM": 200_000,
    "TRAVEL_MAX_UM": 150_000,
    "PULL_MAX_UM_S": 5_000,
    "TAKE_UP_MAX_UM_S": 20_000,
    "PAYOUT_MAX_UM_S": 40_000,
    "SAMPLE_AGE_MAX_US": 60_000,
    "SAMPLE_LOST_US": 250_000,
    "LATE_IN_WINDOW_MAX_US": 500_000,
    "LATE_WINDOW_US": 5_000_000,
    "LEASE_MS_MAX": 250,
    "LEASE_MS_ASKED": 200,
    "CHANNELS_DIFFER_MN": 15_000,
    "CHANNELS_DIFFER_PERCENT": 8,
    "CHANNELS_DIFFER_US": 200_000,
    "CHANNELS_FAR_APART_MN": 40_000,
    "CHANNEL_NEGATIVE_MN": -30_000,
    "CHANNEL_STUCK_SAMPLES": 25,
    "CHANNEL_FULL_SCALE_COUNTS": 2**23,
    "CHANNEL_SATURATED_PERCENT": 95,
    "RISE_FREEZE_MN_S": 60_000,
    "RISE_WINDOW_US": 200_000,
    "RISE_RELEASE_MN": 75_000,
    "RISE_RELEASE_WINDOW_US": 500_000,
    "NOISE_SIGMA_MAX_MN": 5_000,
    "NOISE_WINDOW_US": 1_000_000,
    "SLOPE_UNFELT_MN": 25_000,
    "SLOPE_WINDOW_US": 6_000_000,
    "SLACK_UNDER_TARGET_US": 3_000_000,
    "MOVED_MN": 10_000,
    "ZERO_WITHIN_MN": 5_000,
    "CALIBRATION_DAYS_MAX": 365,
    "SWITCH_SEEN_MAX_US": 120_000_000,
    "SESSION_S_MAX": 2_700,
    "DEVICE_SESSION_S_MAX": 3_600,
    "ARM_EXTRA_S": 900,
    "US_PER_S": 1_000_000,
}


@pytest.mark.parametrize(("name", "decided"), DECIDED.items(), ids=DECIDED)
def test_a_number_is_the_one_that_was_decided(name, decided) -> None:
    assert getattr(limits, name) == decided


def test_a_site_as_shipped_allows_what_was_decided() -> None:
    assert SiteLimits(350_000, 300_000, 20_000, 2_700) == SHIPPED


SMALLEST = SessionLimits(1, 1, 1, 1, 1, 1, 1_000_000)


def test_the_smallest_whole_limits_are_limits() -> None:
    assert within_absolute(SMALLEST)


@pytest.mark.parametrize("name", [field.name for field in fields(SessionLimits)])
@pytest.mark.parametrize("value", [0, -1, None, 0.5, 10**12])
def test_one_limit_that_is_none_is_enough_for_all_to_be_refused(name, value) -> None:
    assert not within_absolute(replace(SMALLEST, **{name: value}))


def test_what_holds_between_the_constants() -> None:
    assert limits.SETPOINT_CAP_SHIPPED_MN <= limits.SITE_CEILING_SHIPPED_MN - limits.SETPOINT_UNDER_CEILING_MN
    assert limits.RAMP_SHIPPED_MN_S <= limits.RAMP_MAX_MN_S
    assert limits.PULL_MAX_UM_S <= limits.TAKE_UP_MAX_UM_S <= limits.PAYOUT_MAX_UM_S
    assert limits.SAMPLE_AGE_MAX_US < limits.SAMPLE_LOST_US <= limits.LATE_IN_WINDOW_MAX_US
    assert limits.SESSION_S_MAX + limits.ARM_EXTRA_S <= limits.DEVICE_SESSION_S_MAX


@pytest.mark.parametrize(
    ("value", "passes"), [(0, False), (1, True), (2, True), (3, False), (1.0, False), (True, False), (None, False)]
)
def test_only_a_whole_number_is_one(value, passes) -> None:
    assert whole_within(value, 1, 2) is passes


def test_smaller_larger_and_shares() -> None:
    assert (smaller(1, 2), smaller(2, 1), larger(1, 2), larger(2, 1)) == (1, 1, 2, 2)
    assert percent_of(199, 10) == 19
