"""Two guards, and each is enough for what it can reach: with one of them taken away, the other keeps the force.

The project counts on the device alone for over-force. What the host does without it is held to a bound all the same.
"""

import os
from collections.abc import Callable

import pytest

from controller import state
from firmware.limiter import Limiter
from proof.guards import (
    BEYOND_THE_HOST,
    JUDGES,
    MAD,
    MAY_RAISE_FORCE,
    ONLY_THE_HOST_SEES,
    Peak,
    device_alone,
    host_alone,
    peaks,
)
from safety.limiter import review

NIGHTLY = os.environ.get("PROOF_DEPTH") == "nightly"
OVER_CEILING_N_MAX = {"nominal": 20, "stiff": 35}
# Of each kind: a channel that lies, a drive that runs, a cable that catches, a line that is cut, a cough.
WORST = ("SE02", "SE05", "SE12", "AC01", "AC03", "AC06", "LK01", "HO15", "HU13")
FAULTS = MAY_RAISE_FORCE if NIGHTLY else WORST
PHASES = ("RAMP", "HOLD") if NIGHTLY else ("HOLD",)

pytestmark = pytest.mark.timeout(1_200 if NIGHTLY else 120)


@pytest.fixture(scope="module")
def measured() -> Callable[[Callable, tuple[str, ...]], list[Peak]]:
    return lambda guard, faults: list(peaks(guard, faults, phases=PHASES))


def over(measured: list[Peak]) -> list[Peak]:
    return [peak for peak in measured if peak.over_ceiling_n > OVER_CEILING_N_MAX[peak.rig]]


def test_the_device_alone_keeps_true_force_at_its_ceiling_even_from_a_host_gone_mad(measured) -> None:
    seen_by_the_device = tuple(fault for fault in FAULTS if fault not in ONLY_THE_HOST_SEES)

    found = measured(device_alone, (*seen_by_the_device, MAD))

    assert over(found) == []
    assert max(peak.over_ceiling_n for peak in found if peak.fault == MAD) > 0  # it was pulled to the ceiling


def test_the_host_alone_keeps_true_force_under_the_ceiling_where_the_drive_obeys(measured) -> None:
    in_reach = tuple(fault for fault in FAULTS if fault not in BEYOND_THE_HOST)

    found = measured(host_alone, in_reach)

    assert over(found) == []
    assert max(peak.over_ceiling_n for peak in found) < 0


def test_a_drive_that_does_not_obey_is_beyond_the_host_and_it_says_so(measured) -> None:
    found = measured(host_alone, ("AC01",))

    assert over(found) == found
    assert {peak.root for peak in found} <= {"A01", "A02"}


def test_with_neither_guard_the_force_does_go_over(measured) -> None:
    with device_alone():
        found = measured(host_alone, (MAD,))

    assert over(found) == found


def test_a_guard_that_was_taken_away_is_back_afterwards() -> None:
    judges = [getattr(Limiter, judge) for judge in JUDGES]

    with device_alone(), host_alone():
        assert state.review is not review
        assert [getattr(Limiter, judge) for judge in JUDGES] != judges
    assert state.review is review
    assert [getattr(Limiter, judge) for judge in JUDGES] == judges
