"""The drive, the cable and what can happen to them."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hw_sim.plant import Plant
from hw_sim.rigs import load_rig

NOMINAL = load_rig("nominal")
STILL = replace(NOMINAL, breathing_mm=0.0)


def wind(plant: Plant, um_s: int, for_ms: int) -> list[float]:
    forces = []
    for _ in range(for_ms):
        plant.step(um_s, drive_enabled=True, brake_on=False)
        forces.append(plant.force_n)
    return forces


def wound_to(force_n: float) -> Plant:
    plant = Plant(STILL, seed=1)
    while plant.force_n < force_n:
        plant.step(5_000, drive_enabled=True, brake_on=False)
    wind(plant, 0, 500)
    return plant


def test_a_slack_cable_has_exactly_no_force() -> None:
    plant = Plant(NOMINAL, seed=1)

    forces = wind(plant, 5_000, 3_500)  # 17 of 20 mm of slack, and a breath less than 2

    assert plant.cable_um > 16_000
    assert set(forces) == {0.0}


@settings(derandomize=True, deadline=None)
@given(st.lists(st.tuples(st.integers(-400_000, 400_000), st.booleans()), min_size=1, max_size=8))
def test_the_drum_never_turns_faster_than_the_gear_allows(commands: list[tuple[int, bool]]) -> None:
    plant = Plant(load_rig("nominal_80"), seed=1)

    for command_um_s, enabled in commands:
        for _ in range(150):
            plant.step(command_um_s, drive_enabled=enabled, brake_on=False)
            assert abs(plant.velocity_um_s) <= 20_000


def test_the_drum_speeds_up_no_faster_than_the_ramp() -> None:
    plant = Plant(NOMINAL, seed=1)

    wind(plant, 40_000, 50)
    halfway_um_s = plant.velocity_um_s
    wind(plant, 40_000, 150)

    assert 10_000 < halfway_um_s < 20_000  # 50 ms at 0.4 m/s2 is 20 mm/s, and the motor lags
    assert plant.velocity_um_s == pytest.approx(40_000, abs=10)


def test_the_encoder_counts_whole_steps_of_6_25_micrometres() -> None:
    plant = Plant(NOMINAL, seed=1)

    positions = []
    for _ in range(1_000):
        plant.step(1_000, drive_enabled=True, brake_on=False)
        positions.append(plant.cable_um)

    assert positions[-1] == pytest.approx(1_000, abs=30)
    assert {b - a for a, b in pairwise(positions)} <= {0, 6, 7}


def test_turning_round_first_takes_up_the_lost_motion() -> None:
    plant = wound_to(200)
    start_n, start_um = plant.force_n, plant.cable_um

    while plant.cable_um > start_um - 20:
        wind(plant, -500, 1)
    inside_n = plant.force_n
    while plant.cable_um > start_um - 300:
        wind(plant, -500, 1)
    wind(plant, 0, 500)
    turn_n, turn_um = plant.force_n, plant.cable_um
    while plant.cable_um < turn_um + 20:
        wind(plant, 500, 1)

    assert inside_n == pytest.approx(start_n, abs=0.05)
    assert turn_n < start_n - 1.0
    assert plant.force_n == pytest.approx(turn_n, abs=0.05)


def test_a_cable_cannot_push_however_fast_it_is_paid_out() -> None:
    plant = wound_to(20)

    forces = wind(plant, -40_000, 1_000)

    assert min(forces) == 0.0


@pytest.mark.parametrize("enabled", [False, True])
def test_the_brake_locks_the_drum_whatever_the_drive_does(enabled: bool) -> None:
    plant = wound_to(200)
    before_um = plant.cable_um

    for _ in range(500):
        plant.step(20_000, drive_enabled=enabled, brake_on=True)

    assert plant.cable_um == before_um
    assert plant.velocity_um_s == 0


def test_a_drive_that_stalls_winds_in_no_further_draws_its_stall_current_and_still_pays_out() -> None:
    plant = Plant(replace(STILL, stall_n=200.0), seed=1)

    forces = wind(plant, 5_000, 30_000)
    stalled_ma = plant.current_ma
    wind(plant, -5_000, 2_000)

    assert 195 < forces[-1] < max(forces) < 205
    assert stalled_ma == 3_000
    assert plant.force_n < 160
    assert plant.current_ma < 1_200


def test_an_unpowered_drive_without_brake_lets_go_slowly_by_itself() -> None:
    plant = wound_to(350)
    forces = []

    for _ in range(10_000):
        plant.step(40_000, drive_enabled=False, brake_on=False)
        forces.append(plant.force_n)
        assert -12_000 <= plant.velocity_um_s <= 0

    assert forces[-1] < 15
    assert max(a - b for a, b in zip(forces, forces[100:], strict=False)) < 15


def test_an_unpowered_drive_on_a_slack_cable_stays_where_it_is() -> None:
    plant = Plant(NOMINAL, seed=1)

    for _ in range(1_000):
        plant.step(40_000, drive_enabled=False, brake_on=False)

    assert plant.cable_um == 0


def test_current_tells_of_load_of_stalling_and_of_no_power() -> None:
    plant = wound_to(200)

    loaded_ma = plant.current_ma
    plant.step(5_000, drive_enabled=True, brake_on=True)
    stalled_ma = plant.current_ma
    plant.step(0, drive_enabled=False, brake_on=True)

    assert loaded_ma == pytest.approx(300 + 4 * plant.force_n, abs=20)
    assert stalled_ma == 3_000
    assert plant.current_ma == 0


def test_a_patient_who_leaves_takes_the_force_along_for_good() -> None:
    plant = wound_to(250)

    plant.leave()
    wind(plant, 0, 300)

    assert set(wind(plant, 5_000, 5_000)) == {0.0}


def test_a_cable_that_snaps_has_no_force_after_5_milliseconds() -> None:
    plant = wound_to(250)

    plant.snap()
    wind(plant, 0, 5)

    assert set(wind(plant, 0, 1_000)) == {0.0}


def test_a_harness_that_slips_leaves_that_much_slack() -> None:
    plant = wound_to(250)

    plant.slip(distance_mm=60, duration_ms=200)
    wind(plant, 0, 500)

    assert plant.force_n == 0.0
    wind(plant, 10_000, 8_000)
    assert plant.force_n > 200


def test_a_snagged_cable_stiffens_and_springs_free() -> None:
    plant = wound_to(100)

    plant.snag(stiffness_n_per_mm=1_000, duration_ms=300)
    caught = wind(plant, 1_000, 299)
    wind(plant, 0, 200)

    assert max(caught) > 250
    assert plant.force_n < 110


def test_whoever_leans_on_the_cable_adds_to_its_force_while_leaning() -> None:
    plant = wound_to(200)
    before_n = plant.force_n

    plant.lean(force_n=150, duration_ms=1_000)
    first_n = wind(plant, 0, 3)[-1]
    wind(plant, 0, 1_500)

    assert first_n - before_n == pytest.approx(150, abs=5)
    assert plant.force_n == pytest.approx(before_n, abs=8)


def test_a_disturbance_that_lasts_no_time_is_refused() -> None:
    with pytest.raises(ValueError, match="1 ms or more"):
        Plant(NOMINAL, seed=1).cough(duration_ms=0)
