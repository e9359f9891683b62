"""A wall clock that jumps or was never set is told of, and changes nothing in the pull."""

from datetime import UTC, datetime, timedelta

import pytest

from controller.phases import Holding
from controller.wall_clock import WallClock, looked_at

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def test_a_clock_that_goes_as_time_does_is_well() -> None:
    clock, first = looked_at(WallClock(), NOON, 5_000_000)
    _, second = looked_at(clock, NOON + timedelta(seconds=20), 25_000_000)

    assert (first, second) == (None, None)


@pytest.mark.parametrize(("ahead_s", "expected"), [(0.999, None), (-0.999, None), (1.0, "+1.0 s"), (-1.0, "-1.0 s")])
def test_a_jump_of_a_second_is_told_with_its_size(ahead_s, expected) -> None:
    clock, _ = looked_at(WallClock(), NOON, 0)

    _, told = looked_at(clock, NOON + timedelta(seconds=20 + ahead_s), 20_000_000)

    assert (told is None) if expected is None else (expected in str(told))


def test_a_slow_drift_is_no_jump() -> None:
    clock, told = looked_at(WallClock(), NOON, 0)

    for at_s in range(1, 100):
        clock, told = looked_at(clock, NOON + timedelta(seconds=1.5 * at_s), at_s * 1_000_000)
        assert told is None


def test_a_clock_that_was_never_set_is_told_of_once() -> None:
    clock, first = looked_at(WallClock(), datetime(1970, 1, 1, tzinfo=UTC), 0)
    _, second = looked_at(clock, datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC), 1_000_000)

    assert first == "it shows 1970-01-01, so it was never set"
    assert second is None


@pytest.mark.parametrize("hours", [1, -1])
def test_in_a_hold_the_pull_and_its_clock_go_on(holding, hours) -> None:
    at_force_us = holding.state.course.clock.at_force_us

    holding.wall_clock_ahead = timedelta(hours=hours)
    holding.run_for(5)

    assert "A40" in holding.alarms_told
    assert holding.alarms_told.count("A40") == 1
    assert isinstance(holding.state.phase, Holding)
    assert holding.state.course.clock.at_force_us - at_force_us == pytest.approx(5_000_000, abs=20_000)
