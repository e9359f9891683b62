"""Readings and situations in which all is well, with one thing or another changed."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from safety.alarms import AlarmId
from safety.interlock import Closed, Tripped
from safety.limiter import Situation
from safety.limits import SessionLimits
from safety.reading import ForceReading

# Written out: what is under test must not be needed to collect its tests.
AGREED = SessionLimits(
    ceiling_mn=250_000,
    pull_um_s=5_000,
    take_up_um_s=20_000,
    payout_um_s=40_000,
    travel_um=150_000,
    take_up_travel_um=200_000,
    duration_us=1_800_000_000,
)
PULLING = ForceReading(
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
SLACK = replace(PULLING, force_a_mn=0, force_b_mn=100, cable_um=0, armed=False, drive_enabled=False)
PULLED = Situation(
    reading=PULLING,
    age_us=10_000,
    interlock=Closed(zeroed_us=1),
    limits=AGREED,
    armed_for_us=60_000_000,
    took_up_from_um=0,
    loaded_at_um=40_000,
    switch_seen_us=1_000_000,
    calibration_age_days=30,
    calibration_matches=True,
    frozen=False,
)
BEFORE_ARMING = replace(PULLED, reading=SLACK, armed_for_us=None, took_up_from_um=None, loaded_at_um=None)


def with_reading(situation: Situation, changes: dict[str, Any]) -> Situation:
    """Fields of a reading are changed in the reading, the others in the situation."""
    of_reading = {name: value for name, value in changes.items() if name in ForceReading.__dataclass_fields__}
    others = {name: value for name, value in changes.items() if name not in of_reading}
    changed = replace(situation, reading=replace(situation.reading, **of_reading)) if of_reading else situation
    return replace(changed, **others)


@pytest.fixture(scope="session")
def agreed() -> SessionLimits:
    """200 N at a site as shipped, so a ceiling of 250 N; half an hour."""
    return AGREED


@pytest.fixture(scope="session")
def reading() -> Callable[..., ForceReading]:
    """A sample in the hold at 200 N."""
    return lambda **changes: replace(PULLING, **changes)


@pytest.fixture(scope="session")
def pulling() -> Callable[..., Situation]:
    """A situation in which a Pull of 5 mm/s is permitted."""
    return lambda **changes: with_reading(PULLED, changes)


@pytest.fixture(scope="session")
def before_arming() -> Callable[..., Situation]:
    """A situation in which Arm is permitted: slack, zeroed, the switch seen."""
    return lambda **changes: with_reading(BEFORE_ARMING, changes)


@pytest.fixture(scope="session")
def tripped() -> Tripped:
    return Tripped(cause=AlarmId.A10, tripped_us=0, quiet_since_us=None, acknowledged=False)
