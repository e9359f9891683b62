"""The plant against what its model says: statics, small signals, breathing, creep, coughs and shifts."""

import cmath
import math
from dataclasses import replace
from itertools import pairwise
from statistics import fmean

import pytest

from hw_sim.plant import Plant
from hw_sim.rigs import Rig, load_rig

STILL = replace(load_rig("frictionless"), breathing_mm=0.0)
# A drive without lost motion or steps, so that what is measured is harness and body.
IDEAL = replace(STILL, lost_motion_mm=0.0, step_um=0.001)


def pulled_to(force_n: float, rig: Rig, seed: int = 1) -> Plant:
    plant = Plant(rig, seed)
    while plant.force_n < force_n:
        plant.step(20_000 if plant.force_n < 15 else 5_000, drive_enabled=True, brake_on=False)
    return plant


def locked(plant: Plant, for_ms: int) -> list[float]:
    forces = []
    for _ in range(for_ms):
        plant.step(0, drive_enabled=False, brake_on=True)
        forces.append(plant.force_n)
    return forces


def small_signal_n_per_mm(plant: Plant, hz: float, cycles: int) -> complex:
    """Force over cable, for a sine of 0.1 mm at the drum, once the first second of it has passed."""
    omega = 2 * math.pi * hz
    forces, cables = [], []
    for i in range(1000 + cycles * round(1000 / hz)):
        plant.step(round(100 * omega * math.cos(omega * i / 1000)), drive_enabled=True, brake_on=False)
        forces.append(plant.force_n)
        cables.append(plant.cable_um / 1000)
    return component(forces[1000:], omega, cycles) / component(cables[1000:], omega, cycles)


def component(values: list[float], omega: float, cycles: int) -> complex:
    """What turns at omega, after the straight line through the first and the last cycle is taken off (creep)."""
    cycle = len(values) // cycles
    slope = (fmean(values[-cycle:]) - fmean(values[:cycle])) / (len(values) - cycle)
    return sum((value - slope * i) * cmath.exp(-1j * omega * i / 1000) for i, value in enumerate(values))


def modelled_arms_n_per_mm(rig: Rig, hz: float) -> complex:
    """Hip to trunk: spring, damper and the two creep arms."""
    s = 2j * math.pi * hz
    body: complex = rig.body_n_per_mm * (1 - rig.creep_fast_fraction - rig.creep_slow_fraction)
    for fraction, seconds in (
        (rig.creep_fast_fraction, rig.creep_fast_s),
        (rig.creep_slow_fraction, rig.creep_slow_s),
    ):
        body += fraction * rig.body_n_per_mm * seconds * s / (seconds * s + 1)
    return body + rig.body_damping_n_s_per_m / 1000 * s


def modelled_harness_n_per_mm(rig: Rig, hz: float) -> complex:
    return rig.harness_n_per_mm + rig.harness_damping_n_s_per_m / 1000 * 2j * math.pi * hz


def modelled_inertia_n_per_mm(rig: Rig, hz: float) -> float:
    return -rig.hip_mass_kg / 1000 * (2 * math.pi * hz) ** 2


def modelled_n_per_mm(rig: Rig, hz: float) -> complex:
    """What the cable feels: the harness, then arms and inertia side by side."""
    body = modelled_arms_n_per_mm(rig, hz) + modelled_inertia_n_per_mm(rig, hz)
    return 1 / (1 / modelled_harness_n_per_mm(rig, hz) + 1 / body)


@pytest.mark.parametrize("mm", [25, 30, 40, 60])
def test_settled_force_is_that_of_harness_and_body_in_series(mm: int) -> None:
    rig = replace(IDEAL, creep_fast_fraction=0.0, creep_slow_fraction=0.0)
    plant = Plant(rig, seed=1)

    while plant.cable_um < mm * 1000:
        plant.step(5_000, drive_enabled=True, brake_on=False)
    force_n = locked(plant, 3_000)[-1]

    open_mm = rig.backlash_mm * (1 - math.exp(-force_n / rig.backlash_shuts_at_n))
    stretch_mm = plant.cable_um / 1000 - open_mm - force_n / rig.body_n_per_mm - rig.slack_mm
    toe_mm = rig.harness_toe_mm
    modelled_n = rig.harness_n_per_mm * (stretch_mm - toe_mm * (1 - math.exp(-stretch_mm / toe_mm)))
    assert force_n == pytest.approx(modelled_n, abs=0.01)


@pytest.mark.parametrize("preset", ["nominal", "soft", "stiff"])
def test_force_over_cable_follows_the_linear_transfer_function_within_0_3_percent_up_to_8_hz(preset: str) -> None:
    base = load_rig(preset)
    rig = replace(base, coulomb_n=0.0, breathing_mm=0.0, lost_motion_mm=0.0, step_um=0.001)
    plant = pulled_to(600, rig)  # well past the toe, where the harness is straight
    locked(plant, 120_000)

    errors = {
        hz: abs(small_signal_n_per_mm(plant, hz, cycles=4) / modelled_n_per_mm(rig, hz) - 1)
        for hz in (1.0, 2.0, 4.0, 8.0)
    }

    assert max(errors.values()) < 0.003, errors


def test_breathing_with_the_drum_locked_moves_the_force_by_5_3_newtons_either_way() -> None:
    plant = pulled_to(300, replace(load_rig("frictionless"), breathing_variation=0.0))
    locked(plant, 300_000)

    breath = locked(plant, 4_000)

    assert (max(breath) - min(breath)) / 2 == pytest.approx(5.3, abs=0.2)


def test_a_trembling_trunk_reaches_the_cable_through_spring_damper_and_inertia() -> None:
    hz = 4.0
    rig = replace(IDEAL, breathing_mm=0.1, breathing_hz=hz, breathing_variation=0.0)
    plant = pulled_to(300, rig)
    locked(plant, 60_000)

    forces = locked(plant, 2_000)
    tremble_n = 2 * abs(component(forces, 2 * math.pi * hz, cycles=8)) / len(forces)

    arms, harness = modelled_arms_n_per_mm(rig, hz), modelled_harness_n_per_mm(rig, hz)
    reaches_n = 0.1 * abs(arms * harness / (arms + harness + modelled_inertia_n_per_mm(rig, hz)))
    assert tremble_n == pytest.approx(reaches_n, rel=0.01)


def test_friction_under_the_hip_keeps_part_of_a_breath_from_the_cable() -> None:
    plant = pulled_to(300, replace(load_rig("nominal"), breathing_variation=0.0))
    locked(plant, 300_000)

    breath = locked(plant, 4_000)

    # 8 N of friction, turned round twice a breath, in front of 16 N at the trunk.
    assert 1.5 < (max(breath) - min(breath)) / 2 < 3.0


def test_no_breath_is_like_the_last() -> None:
    plant = pulled_to(300, load_rig("frictionless"))
    locked(plant, 60_000)

    depths = [max(breath) - min(breath) for breath in (locked(plant, 4_000) for _ in range(10))]

    assert max(depths) - min(depths) > 0.5


@pytest.mark.parametrize("preset", ["nominal", "frictionless"])
def test_ten_minutes_locked_at_300_newtons_lose_about_30_to_creep(preset: str) -> None:
    plant = pulled_to(300, load_rig(preset))

    forces = locked(plant, 600_000)

    assert fmean(forces[:4_000]) - fmean(forces[-4_000:]) == pytest.approx(30, abs=4)


@pytest.mark.parametrize("preset", ["nominal", "frictionless"])
def test_a_cough_of_80_newtons_reaches_a_locked_cable_as_26_to_35(preset: str) -> None:
    plant = pulled_to(300, replace(load_rig(preset), breathing_mm=0.0))
    before_n = locked(plant, 1_000)[-1]

    plant.cough(peak_n=80, duration_ms=200)
    after = locked(plant, 1_500)

    assert 26 < max(after) - before_n < 35
    assert after[-1] == pytest.approx(before_n, abs=6)


@pytest.mark.parametrize("duration_ms", [500, 2_000])
def test_a_shift_away_raises_the_force_of_a_locked_cable_and_it_stays(duration_ms: int) -> None:
    plant = pulled_to(300, STILL)
    before_n = locked(plant, 1_000)[-1]

    plant.shift(distance_mm=20, duration_ms=duration_ms)
    after = locked(plant, duration_ms + 1_000)

    assert max(after) - before_n == pytest.approx(20 * STILL.series_n_per_mm, rel=0.06)
    assert after[-1] - before_n > 115


def test_a_second_shift_adds_to_the_first() -> None:
    plant = pulled_to(200, STILL)
    before_n = locked(plant, 1_000)[-1]

    plant.shift(distance_mm=20, duration_ms=500)
    locked(plant, 1_500)
    plant.shift(distance_mm=10, duration_ms=500)
    after = locked(plant, 1_500)

    assert after[-1] - before_n == pytest.approx(30 * STILL.series_n_per_mm, rel=0.1)


def test_a_shift_towards_the_drum_lowers_the_force() -> None:
    plant = pulled_to(300, STILL)
    before_n = locked(plant, 1_000)[-1]

    plant.shift(distance_mm=-20, duration_ms=500)
    after = locked(plant, 1_500)

    assert before_n - after[-1] > 115


def test_whoever_sits_up_first_pushes_and_then_leaves_the_cable_slack() -> None:
    plant = pulled_to(200, replace(load_rig("nominal"), breathing_mm=0.0))
    before_n = locked(plant, 1_000)[-1]

    plant.sit_up()
    after = locked(plant, 4_000)

    assert before_n + 10 < max(after) < before_n + 40
    assert set(after[-500:]) == {0.0}


def coughs_in(forces: list[float]) -> int:
    """How often the force rises by more than 5 N within 100 ms, which no breath does."""
    rising = [after - before > 5 for before, after in zip(forces, forces[100:], strict=False)]
    return sum(not was and now for was, now in pairwise(rising))


def test_a_cougher_coughs_about_six_times_a_minute_and_others_not_at_all() -> None:
    plants = [pulled_to(200, replace(load_rig(rig), breathing_mm=0.01)) for rig in ("reference+cougher", "nominal")]

    coughs, none = (coughs_in(locked(plant, 300_000)) for plant in plants)

    assert 15 <= coughs <= 45
    assert none == 0


def test_a_restless_patient_moves_and_stays_near_where_they_lay() -> None:
    rig = replace(load_rig("reference+restless"), coughs_per_min=0.0, breathing_mm=0.01)
    plant = pulled_to(200, rig)
    before_n = locked(plant, 60_000)[0]

    forces = locked(plant, 300_000)

    reach_n = rig.shift_mm * rig.series_n_per_mm
    assert max(forces) - min(forces) > reach_n / 2
    assert all(abs(force - before_n) < 2 * reach_n + 30 for force in forces)


def test_habits_do_not_change_how_the_same_seed_breathes() -> None:
    quiet, restless = (pulled_to(100, load_rig(rig), seed=5) for rig in ("nominal", "reference+cougher"))

    first_breath = 3_000

    assert locked(quiet, first_breath) == locked(restless, first_breath)


def test_on_a_fixed_table_friction_keeps_most_of_a_small_pull_from_the_spine() -> None:
    split = pulled_to(150, replace(load_rig("nominal"), breathing_mm=0.0))
    fixed = pulled_to(150, replace(load_rig("fixed_table"), breathing_mm=0.0))

    # The hip hardly moves, so less cable makes the same force.
    assert split.cable_um - fixed.cable_um > 5_000


@pytest.mark.parametrize("friction_n", [0.0, 167.0])
def test_the_lightest_hip_in_the_stiffest_harness_comes_to_rest_after_every_upset(friction_n: float) -> None:
    bristles = 1_000.0 if friction_n else 100.0
    stiff = replace(load_rig("stiff"), hip_mass_kg=22.0, breathing_mm=0.0, coulomb_n=friction_n)
    plant = pulled_to(300, replace(stiff, breakaway_n=friction_n * 1.1, bristle_n_per_mm=bristles))

    plant.cough(peak_n=200, duration_ms=100)
    plant.shift(distance_mm=20, duration_ms=500)
    last = locked(plant, 5_000)[-200:]

    assert max(last) - min(last) < 0.5


def test_the_same_seed_gives_the_same_trajectory_and_another_seed_another() -> None:
    def trajectory(seed: int) -> list[float]:
        plant = pulled_to(100, load_rig("nominal"), seed)
        plant.cough()
        return locked(plant, 8_000)

    assert trajectory(7) == trajectory(7)
    assert trajectory(7) != trajectory(8)
