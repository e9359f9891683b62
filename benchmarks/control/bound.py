"""The bound: linear-quadratic-Gaussian control by who knows the plant, its delays and the course of breathing.

The plant is linearised at force: a straight harness, the hip's mass, the body without creep, no friction and no lost
motion. A Kalman filter sees the samples as the converter's filter makes them; the regulator weighs force error against
speed. What it reaches no host can be asked to beat, on a hold; in an upset the drive's speed bounds it too.
"""

from functools import lru_cache
from math import exp, pi
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.control.hosts import HostMaker, Rigged
from hw_sim.plant import Plant

Matrix = NDArray[np.float64]

MS_S: Final = 0.001
LINE_MS: Final = 2
SPEED_WEIGHT: Final = 1e-2  # N2 of force error that (mm/s)2 of speed is worth
WALK_MM_S: Final = 4.0  # how far the torso's speed may wander in a root second
BREATH_MM: Final = 0.5  # the same of breathing's own oscillation
UNKNOWN_N: Final = 0.5  # what friction, lost motion and steps, which are not in it, may come to
CONVERGED: Final = 1e-10
STEPS_MIN: Final = 200  # until what is ordered has come through all delays
STEPS_MAX: Final = 4000

# States before the delay line: drive speed, cable, hip, hip's speed, torso, torso's speed, breath, its quarter ahead.
SPEED, CABLE, HIP, HIP_SPEED, TORSO, TORSO_SPEED, BREATH, QUARTER = range(8)


class Oracle:
    """Steady-state Kalman filter and regulator at the loop's period."""

    def __init__(self, rigged: Rigged) -> None:
        rig, timing = rigged.rig, rigged.timing
        key = (rig.harness_n_per_mm, rig.harness_damping_n_s_per_m, rig.body_n_per_mm, rig.body_damping_n_s_per_m)
        self._rigged = rigged
        self._model = _model(
            *key,
            rig.hip_mass_kg,
            rig.breathing_hz,
            rig.motor_lag_ms,
            rig.cell_noise_n,
            round(timing.measuring_delay_s * 1000),
            round(timing.loop_period_s * 1000),
        )
        self._state: Matrix = np.zeros(self._model["step"].shape[0])
        self._ordered_mm_s, self._target_n = 0.0, 0.0

    def step(self, target_n: float, rate_n_s: float, force_n: float, _period_s: float, _plant: Plant) -> float:
        model = self._model
        predicted = model["step"] @ self._state + model["input"] * self._ordered_mm_s
        # Deviations are from the target: a ramp is fed forward, and takes the expected reading along.
        innovation = (force_n - target_n + rate_n_s * model["late_s"]) - float(model["seen"] @ predicted)
        self._state = predicted + model["kalman"] * innovation
        wanted = -float(model["regulator"] @ self._state)
        self._ordered_mm_s = self._rigged.limited(wanted + rate_n_s / self._rigged.rig.series_n_per_mm)
        ordered, self._ordered_mm_s = (
            self._ordered_mm_s,
            self._ordered_mm_s - rate_n_s / self._rigged.rig.series_n_per_mm,
        )
        return ordered


@lru_cache(maxsize=64)
def _model(
    harness: float,
    harness_damping: float,
    body: float,
    body_damping: float,
    mass_kg: float,
    breath_hz: float,
    lag_ms: float,
    noise_n: float,
    measured_ms: int,
    period_ms: int,
) -> dict[str, Any]:
    plant, command, noise, force = _plant(
        harness, harness_damping / 1000, body, body_damping / 1000, mass_kg / 1000, breath_hz, lag_ms
    )
    a, b, q, seen, wanted = _with_delays(plant, command, noise, force, measured_ms)
    step, push, drift = _over_period(a, b, q, period_ms)
    kalman = _filter_gain(step, drift, seen, noise_n**2 / 2 + UNKNOWN_N**2)
    regulator = _regulator_gain(step, push, np.outer(wanted, wanted), SPEED_WEIGHT)
    late_s = (measured_ms + LINE_MS) / 1000
    return {"step": step, "input": push, "seen": seen, "kalman": kalman, "regulator": regulator, "late_s": late_s}


def _plant(
    k_h: float, c_h: float, k_b: float, c_b: float, mass_t: float, breath_hz: float, lag_ms: float
) -> tuple[Matrix, Matrix, Matrix, Matrix]:
    """One millisecond: states, command, noise intensity, and the row that gives cable force."""
    force = np.zeros(8)
    force[[CABLE, SPEED, HIP, HIP_SPEED]] = k_h, c_h, -k_h, -c_h
    spine = np.zeros(8)
    spine[[HIP, HIP_SPEED, TORSO, TORSO_SPEED, BREATH]] = k_b, c_b, -k_b, -c_b, -k_b
    rates = np.zeros((8, 8))
    rates[SPEED, SPEED] = -1000 / lag_ms
    rates[CABLE, SPEED] = rates[HIP, HIP_SPEED] = rates[TORSO, TORSO_SPEED] = 1.0
    rates[HIP_SPEED] = (force - spine) / mass_t
    rates[BREATH, QUARTER], rates[QUARTER, BREATH] = 2 * pi * breath_hz, -2 * pi * breath_hz
    step = _exponential(rates * MS_S)
    command = np.zeros(8)
    command[SPEED] = 1 - exp(-1 / lag_ms)
    noise = np.zeros((8, 8))
    noise[TORSO_SPEED, TORSO_SPEED] = WALK_MM_S**2 * MS_S
    noise[BREATH, BREATH] = noise[QUARTER, QUARTER] = BREATH_MM**2 * MS_S
    # The torso's wandering speed dies away, so that the filter's memory is finite.
    step[TORSO_SPEED, TORSO_SPEED] = exp(-MS_S / 2)
    return step, command, noise, force


def _with_delays(
    plant: Matrix, command: Matrix, noise: Matrix, force: Matrix, measured_ms: int
) -> tuple[Matrix, Matrix, Matrix, Matrix, Matrix]:
    """Adds the line on the way down, and the forces of the last milliseconds, which converter and line delay."""
    count, down, up = len(plant), LINE_MS, measured_ms + LINE_MS
    size = count + down + up
    a, b, q = np.zeros((size, size)), np.zeros(size), np.zeros((size, size))
    a[:count, :count], q[:count, :count] = plant, noise
    a[:count, count + down - 1] = command
    b[count] = 1.0
    for index in range(1, down):
        a[count + index, count + index - 1] = 1.0
    a[count + down, :count] = force
    for index in range(1, up):
        a[count + down + index, count + down + index - 1] = 1.0
    seen, wanted = np.zeros(size), np.zeros(size)
    seen[-1] = 1.0
    wanted[:count] = force
    return a, b, q, seen, wanted


def _over_period(a: Matrix, b: Matrix, q: Matrix, period_ms: int) -> tuple[Matrix, Matrix, Matrix]:
    step, push, drift = np.eye(len(a)), np.zeros(len(a)), np.zeros_like(a)
    for _ in range(period_ms):
        push = a @ push + b
        drift = a @ drift @ a.T + q
        step = a @ step
    return step, push, drift


def _filter_gain(a: Matrix, q: Matrix, seen: Matrix, noise_n2: float) -> Matrix:
    covariance = q.copy()
    gain = np.zeros(len(a))
    for count in range(STEPS_MAX):
        before = gain
        gain = covariance @ seen / (seen @ covariance @ seen + noise_n2)
        updated = covariance - np.outer(gain, seen @ covariance)
        covariance = a @ ((updated + updated.T) / 2) @ a.T + q
        if count > STEPS_MIN and np.max(np.abs(gain - before)) < CONVERGED:
            break
    return gain


def _regulator_gain(a: Matrix, b: Matrix, q: Matrix, weight: float) -> Matrix:
    cost, gain = q.copy(), np.zeros(len(a))
    for count in range(STEPS_MAX):
        before = gain
        gain = (b @ cost @ a) / (weight + b @ cost @ b)
        cost = q + a.T @ cost @ (a - np.outer(b, gain))
        cost = (cost + cost.T) / 2
        if count > STEPS_MIN and np.max(np.abs(gain - before)) < CONVERGED:
            break
    return gain


def _exponential(matrix: Matrix) -> Matrix:
    """By squaring a short series: the matrices here are small and tame."""
    small, term = matrix / 64, np.eye(len(matrix))
    total = np.eye(len(matrix))
    for order in range(1, 9):
        term = term @ small / order
        total = total + term
    for _ in range(6):
        total = total @ total
    return total


BOUND: Final = HostMaker("LQG that knows the plant", Oracle)
