"""A patient who pulls away while the table lets go is followed, and still never let go of abruptly."""

from collections.abc import Callable

import pytest

from proof.bench import Bench

AWAY_MM = 40
WITHIN_MS = 2000
FALL_N_MAX = 15


@pytest.mark.parametrize(("rig", "above_start_n"), [("nominal", 75), ("stiff", 280)])
def test_a_patient_who_moves_away_during_a_release_is_followed(
    hold: Callable[..., Bench], rig: str, above_start_n: float
) -> None:
    bench = hold(rig)
    bench.stop()
    bench.run_for(0.4)
    bench.fault_now()
    bench.table.plant.shift(AWAY_MM, WITHIN_MS)
    bench.run_for(12)

    assert bench.peak_since_fault_n < 300 + above_start_n
    assert bench.steepest_fall_n() < FALL_N_MAX


def test_breathing_does_not_quicken_a_release(hold: Callable[..., Bench]) -> None:
    bench = hold()
    bench.stop()
    bench.run_for(10)

    assert bench.steepest_fall_n(500) < 20
