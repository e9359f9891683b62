"""How far the loop is from swinging: margins from the frequency response of a sampled loop on a linear patient.

Drive, line, converter and the mean wait for a step are in it as they are in the rig; friction and lost motion, which
are not linear, are not. The gain is the identified one: what take-up would measure on that patient.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import pi
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.control.tables import PATIENTS, TABLES, timing_of
from benchmarks.figures import Figure
from controller.take_up import STIFFENING
from controller.tension import (
    HOST_JITTER_S,
    LINE_ONE_WAY_S,
    Loop,
    SpeedLimits,
    Timing,
    gains,
    tension_step,
)
from hw_sim.rigs import Rig

Response = NDArray[np.complex128]

GAIN_GOAL: Final = 3.0
PHASE_GOAL_DEG: Final = 55.0
SENSITIVITY_GOAL: Final = 1.6
UNLIMITED: Final = SpeedLimits(1e9, 1e9)
IMPULSE_STEPS: Final = 6000
TINY_N: Final = 1e-3  # small enough that no limit of the loop is met
FREQUENCIES: Final = 2000


@dataclass(frozen=True, slots=True)
class Margins:
    gain: float
    phase_deg: float
    sensitivity: float


def figures(seed: int) -> Iterator[Figure]:
    """Of the worst patient, beside the fixed Ziegler-Nichols PI on the same."""
    for table in TABLES:
        ours, fixed = zip(*(_both(table.rig(patient)) for patient in PATIENTS), strict=True)
        gain, gain_fixed = (min(one.gain for one in kind) for kind in (ours, fixed))
        phase, phase_fixed = (min(one.phase_deg for one in kind) for kind in (ours, fixed))
        peak, peak_fixed = (max(one.sensitivity for one in kind) for kind in (ours, fixed))
        name = f"{table.letter}: margins, worst patient:"
        yield Figure(f"{name} gain", gain, GAIN_GOAL, gain_fixed, "", seed, higher_is_better=True)
        yield Figure(f"{name} phase", phase, PHASE_GOAL_DEG, phase_fixed, "deg", seed, higher_is_better=True)
        yield Figure(f"{name} sensitivity peak", peak, SENSITIVITY_GOAL, peak_fixed, "", seed)


def margins(loop: Response) -> Margins:
    """Of an open loop that closes by minus one, over rising frequencies."""
    magnitude, phase = np.abs(loop), np.unwrap(np.angle(loop))
    turns = np.nonzero(np.diff(np.sign(phase + pi)))[0]
    gain = float(1 / np.max(magnitude[turns])) if turns.size else float("inf")
    crossings = np.nonzero(np.diff(np.sign(magnitude - 1)))[0]
    phase_deg = float(np.min(180 + np.degrees(phase[crossings]))) if crossings.size else float("inf")
    return Margins(gain, phase_deg, float(np.max(1 / np.abs(1 + loop))))


def _both(rig: Rig) -> tuple[Margins, Margins]:
    timing = timing_of(rig)
    angular = np.geomspace(0.05, pi / timing.loop_period_s, FREQUENCIES)
    plant = plant_response(rig, timing, angular)
    ours = controller_response(STIFFENING * rig.series_n_per_mm, timing, angular)
    return margins(plant * ours), margins(plant * _fixed_response(timing, angular))


def plant_response(rig: Rig, timing: Timing, angular: NDArray[np.float64]) -> Response:
    """From ordered speed (mm/s) to the force that is seen (N)."""
    s = 1j * angular
    harness = rig.harness_n_per_mm + rig.harness_damping_n_s_per_m / 1000 * s
    arms = ((rig.creep_fast_fraction, rig.creep_fast_s), (rig.creep_slow_fraction, rig.creep_slow_s))
    rested = sum(fraction / (tau_s * s + 1) for fraction, tau_s in arms)
    body = rig.body_n_per_mm * (1 - rested) + rig.body_damping_n_s_per_m / 1000 * s
    hip = body + rig.hip_mass_kg / 1000 * s * s
    series = harness * hip / (harness + hip)
    filtered = np.sinc(angular * timing.sample_period_s / (2 * pi)) ** 4 * np.exp(-s * 2 * timing.sample_period_s)
    held = np.sinc(angular * timing.loop_period_s / (2 * pi)) * np.exp(-s * timing.loop_period_s / 2)
    late_s = 2 * LINE_ONE_WAY_S + HOST_JITTER_S / 2 + timing.sample_period_s / 2
    lagged = 1 / (1 + s * rig.motor_lag_ms / 1000)
    return np.asarray(series / s * filtered * held * lagged * np.exp(-s * late_s))


def controller_response(stiffness_n_mm: float, timing: Timing, angular: NDArray[np.float64]) -> Response:
    """Of the very function that a session calls: its answer to one step of force, by frequency."""
    tuned, loop = gains(stiffness_n_mm, timing.delay_s), Loop()
    answers = np.empty(IMPULSE_STEPS)
    for index in range(IMPULSE_STEPS):
        loop, answers[index] = tension_step(loop, tuned, TINY_N, 0.0, 0.0, timing.loop_period_s, UNLIMITED)
    # Once its start is over, the answer to a step grows evenly by the integral: beyond the end it is taken to go on so.
    changes = np.diff(answers, prepend=0.0) / TINY_N
    steady = changes[-1]
    turned = np.exp(-1j * np.outer(angular, np.arange(IMPULSE_STEPS)) * timing.loop_period_s)
    return np.asarray(turned @ (changes - steady) + steady / (1 - turned[:, 1]))


def _fixed_response(timing: Timing, angular: NDArray[np.float64]) -> Response:
    from benchmarks.control.hosts import NOMINAL_N_MM

    ultimate_rad_s = pi / (2 * timing.delay_s)
    integral_s = 2 * pi / ultimate_rad_s / 1.2
    return np.asarray(0.45 * ultimate_rad_s / NOMINAL_N_MM * (1 + 1 / (1j * angular * integral_s)))
