import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.device_clock import BUCKET_US, DRIFT_PPM_MAX, LEAP_US_MAX, WINDOW_US, DeviceClock

PERIOD_US = 3_125
HOST_AT_ZERO_US = 987_654_321  # what the host's clock showed when the device's began
S = 1_000_000


def settled(delay_us: int = 400, until_us: int = 2 * WINDOW_US) -> DeviceClock:
    """A clock that has seen a line of constant delay for two windows, and so knows the device's time up to that."""
    clock = DeviceClock()
    for t_us in range(0, until_us, PERIOD_US):
        clock.observe(t_us, HOST_AT_ZERO_US + t_us + delay_us)
    return clock


def test_age_is_how_long_ago_the_sample_was_taken_but_for_the_least_delay() -> None:
    clock = settled(delay_us=400)

    assert clock.age_us(5 * S, HOST_AT_ZERO_US + 5 * S + 400) == 0
    assert clock.age_us(5 * S, HOST_AT_ZERO_US + 5 * S + 60_400) == 60_000


def test_before_the_first_sample_no_age_is_made_up() -> None:
    with pytest.raises(ValueError, match="no sample has been observed"):
        DeviceClock().age_us(1, 2)


@given(st.lists(st.integers(0, LEAP_US_MAX), min_size=1, max_size=200))
def test_a_sample_on_arrival_is_never_from_the_future_and_never_older_than_its_delay(delays_us: list[int]) -> None:
    clock = DeviceClock()

    for number, delay_us in enumerate(delays_us):
        t_us = number * PERIOD_US
        arrival_us = HOST_AT_ZERO_US + t_us + delay_us
        clock.observe(t_us, arrival_us)

        assert 0 <= clock.age_us(t_us, arrival_us) <= delay_us


@given(st.lists(st.tuples(st.integers(0, 3 * WINDOW_US), st.integers(0, 5 * S)), min_size=2, max_size=60))
def test_the_estimate_rises_by_at_most_200_ppm_of_the_time_that_passed(steps: list[tuple[int, int]]) -> None:
    clock = DeviceClock()
    arrival_us = HOST_AT_ZERO_US
    offsets = []

    for pause_us, delay_us in steps:
        arrival_us += pause_us
        clock.observe(arrival_us - HOST_AT_ZERO_US - delay_us, arrival_us)
        offsets.append((arrival_us, clock.host_us(0)))

    for number, (earlier_us, lower_us) in enumerate(offsets):
        for later_us, higher_us in offsets[number:]:
            assert higher_us - lower_us <= (later_us - earlier_us) * DRIFT_PPM_MAX // 1_000_000 + 1


def test_a_line_that_becomes_late_is_seen_as_late_and_stays_so() -> None:
    clock = settled(delay_us=400)
    late_by_us = 120_000

    ages_us = []
    for t_us in range(2 * WINDOW_US, 8 * WINDOW_US, PERIOD_US):
        arrival_us = HOST_AT_ZERO_US + t_us + 400 + late_by_us
        clock.observe(t_us, arrival_us)
        ages_us.append(clock.age_us(t_us, arrival_us))

    assert set(ages_us[: (WINDOW_US - S) // PERIOD_US]) == {late_by_us}
    assert min(ages_us) >= late_by_us - 6 * WINDOW_US * DRIFT_PPM_MAX // 1_000_000


@pytest.mark.parametrize("drift_ppm", [-100, 100])
def test_a_device_whose_crystal_is_off_is_followed(drift_ppm: int) -> None:
    clock = DeviceClock()
    oldest_us = 0

    for t_us in range(0, 600 * S, PERIOD_US):
        arrival_us = HOST_AT_ZERO_US + t_us + t_us * drift_ppm // 1_000_000
        clock.observe(t_us, arrival_us)
        oldest_us = max(oldest_us, clock.age_us(t_us, arrival_us))

    assert oldest_us <= WINDOW_US * 100 // 1_000_000 + BUCKET_US * 100 // 1_000_000 + 1


def test_first_samples_that_waited_in_a_buffer_do_not_make_later_ones_seem_to_come_from_the_future() -> None:
    clock = DeviceClock()
    clock.observe(0, HOST_AT_ZERO_US + 900_000)

    clock.observe(S, HOST_AT_ZERO_US + S + 400)

    assert clock.age_us(S, HOST_AT_ZERO_US + S + 400) == 0
    assert clock.leaps == 0


def test_a_leap_of_the_devices_clock_is_not_believed_and_its_samples_are_not_fresh() -> None:
    clock = settled(delay_us=400)
    t_us = 2 * WINDOW_US
    arrival_us = HOST_AT_ZERO_US + t_us + 400

    leapt_us = t_us + LEAP_US_MAX + 1
    clock.observe(leapt_us, arrival_us)

    assert clock.age_us(leapt_us, arrival_us) < 0
    assert clock.age_us(t_us, arrival_us) == 0
    assert clock.leaps == 1


def test_after_an_hour_of_silence_a_late_line_is_still_seen_as_late() -> None:
    clock = settled(delay_us=400)
    t_us = 3_600 * S
    arrival_us = HOST_AT_ZERO_US + t_us + 400 + 120_000

    clock.observe(t_us, arrival_us)

    assert clock.age_us(t_us, arrival_us) >= 120_000 - WINDOW_US * DRIFT_PPM_MAX // 1_000_000


def test_what_is_remembered_is_bounded_though_every_sample_is_later_than_the_one_before() -> None:
    clock = DeviceClock()

    for number in range(20_000):
        clock.observe(number * 1_000, HOST_AT_ZERO_US + number * 1_001)

    assert len(clock._least) <= WINDOW_US // BUCKET_US + 1
