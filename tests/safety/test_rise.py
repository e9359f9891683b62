"""What the rise remembers: points 20 ms apart over half a second, and what was said last."""

import pytest

from safety.rise import NO_RISE, Rise, rise_after


def after(forces_mn, period_us: int = 20_000) -> Rise:
    memory = NO_RISE
    for number, force_mn in enumerate(forces_mn):
        memory = rise_after(memory, number * period_us, force_mn)
    return memory


def test_nothing_rises_before_the_first_reading() -> None:
    assert Rise(None, None, (), None, False, False) == NO_RISE


def test_half_a_second_of_points_is_remembered_and_no_more() -> None:
    memory = after([50_000] * 40)

    assert [taken_us for taken_us, _force_mn in memory.points] == list(range(14 * 20_000, 40 * 20_000, 20_000))
    assert memory.points[-1][0] - memory.points[0][0] == 500_000


@pytest.mark.parametrize(("period_us", "points"), [(19_999, 1), (20_000, 2)])
def test_a_point_is_20_ms_after_the_one_before(period_us, points) -> None:
    assert len(after([50_000] * 2, period_us).points) == points


def test_the_lowest_point_is_forgotten_with_the_point() -> None:
    low_first = [10_000, 10_000, *[60_000] * 25]

    assert after(low_first).lowest_mn == 10_000
    assert after([*low_first, 60_000, 60_000]).lowest_mn == 60_000


def test_a_reading_without_a_force_keeps_what_was_said_and_begins_the_median_anew() -> None:
    rising = after([20_000 + 2_000 * number for number in range(12)])

    without = rise_after(rising, 240_000, None)

    assert rising.is_fast
    assert without == Rise(None, None, rising.points, rising.lowest_mn, is_fast=True, is_far=False)


@pytest.mark.parametrize(
    ("forces_mn", "is_far"),
    [
        ([0, 0, 75_001, 75_001], True),
        ([0, 0, 75_000, 75_000], False),
        ([0, 0, 75_001], False),
        ([-20_000, -20_000, 55_001, 55_001], True),
        ([-20_000, -20_000, 55_000, 55_000], False),
    ],
)
def test_a_rise_is_far_from_75_newtons_on(forces_mn, is_far) -> None:
    assert after(forces_mn).is_far is is_far


@pytest.mark.parametrize(("now_mn", "is_far"), [(85_000, False), (85_001, True)])
def test_a_point_older_than_half_a_second_counts_for_nothing_though_it_is_the_lowest(now_mn, is_far) -> None:
    memory = after([0, 10_000, 10_000, now_mn, now_mn], period_us=300_000)

    assert memory.lowest_mn == 0
    assert memory.is_far is is_far


@pytest.mark.parametrize(
    ("forces_mn", "median_mn"),
    [
        ((1,), 1),
        ((1, 2), 1),
        ((2, 1), 1),
        ((1, 2, 3), 2),
        ((1, 3, 2), 2),
        ((2, 1, 3), 2),
        ((2, 3, 1), 2),
        ((3, 1, 2), 2),
        ((3, 2, 1), 2),
    ],
)
def test_a_point_is_the_median_of_the_last_three(forces_mn, median_mn) -> None:
    assert after(forces_mn).points[-1][1] == median_mn
