"""A rig without firmware and frames: plant, load cells, the line's delay, and a host called as a session calls it.

Slack take-up and ramps are the controller's own functions. Some 300 simulated seconds a second.
"""

import random
from collections import deque
from typing import Final

import numpy as np

from benchmarks.control.hosts import Host, HostMaker, Rigged
from benchmarks.control.scenarios import Intermittent, Scenario
from benchmarks.control.tables import speeds_of, timing_of
from benchmarks.control.trace import Trace
from controller.profile import Profile
from controller.take_up import TakeUp, preload_n, stiffness, take_up_step
from hw_sim.load_cell import LoadCells
from hw_sim.rigs import Rig

LINE_MS: Final = (1, 3)
BEFORE_TAKE_UP_S: Final = 2.0  # a session checks its zero and the switch: so much of a breath has gone
TAKE_UP_MS_MAX: Final = 90_000
RAMP_MAX_N_S: Final = 20.0
RAMP_SHARE_OF_PULL: Final = 0.8
SLACK_N: Final = 15.0


class NoStiffness(RuntimeError):
    """Take-up measured nothing that a loop could be tuned by."""


class FastRig:
    """One patient on one table. `make_host` is called once take-up has measured."""

    def __init__(self, rig: Rig, seed: int, scenario: Scenario | Intermittent, make_host: HostMaker) -> None:
        self._rig, self._scenario, self._make_host = rig, scenario, make_host
        self._plant, self._cells = make_host.plant(rig, seed), LoadCells(rig, seed)
        self._timing, self._speeds = timing_of(rig), speeds_of(rig)
        self._draw = random.Random(f"line {seed}")  # noqa: S311  # drawn from a seed, as it should be
        self._up: deque[tuple[int, float, float, float]] = deque()  # due (ms), taken (s), force (N), cable (mm)
        self._down: deque[tuple[int, int]] = deque()  # due (ms), speed (um/s)
        self._conversions, self._command_um_s, self._read_n = 0, 0, 0.0
        self._moved_s: float | None = None
        self._take_up, self._stiffness_n_mm = TakeUp(), 0.0
        self._host: Host | None = None
        self._profile = Profile(())
        self._began_ms = self._holds_from_ms = 0
        self._ends_ms = TAKE_UP_MS_MAX
        self._upsets = deque(sorted(scenario.upsets, key=lambda upset: upset.at_s))
        self._forces_n: list[float] = []
        self._readings_n: list[float] = []
        self._targets_n: list[float] = []

    def run(self) -> Trace:
        """Raises NoStiffness."""
        plant = self._plant
        while plant.t_ms < self._ends_ms:
            while self._down and self._down[0][0] <= plant.t_ms:
                self._command_um_s = self._down.popleft()[1]
            plant.step(self._command_um_s, True, False)
            self._cells.feed(plant.force_n)
            self._convert(plant.t_ms)
            self._listen(plant.t_ms)
            if self._host is not None:
                self._note(plant.t_ms)
        if self._host is None:
            raise NoStiffness(f"{self._rig.name}: slack take-up came to no stiffness")
        return Trace(
            np.array(self._forces_n),
            np.array(self._readings_n),
            np.array(self._targets_n),
            self._holds_from_ms,
            self._stiffness_n_mm,
        )

    def _convert(self, now_ms: int) -> None:
        rig, due_s = self._rig, (self._conversions + 1) / self._rig.rate_hz
        if now_ms < due_s * 1000:
            return
        self._conversions += 1
        a, b = self._cells.convert(min(999, round((now_ms - due_s * 1000) * 1000)))
        force_a_n = (a - rig.cell_zero_counts_a) / rig.cell_counts_per_n_a
        force_b_n = (b - rig.cell_zero_counts_b) / rig.cell_counts_per_n_b
        arrives_ms = now_ms + self._draw.randint(*LINE_MS)
        self._up.append((arrives_ms, due_s, (force_a_n + force_b_n) / 2, self._plant.cable_um / 1000))

    def _listen(self, now_ms: int) -> None:
        while self._up and self._up[0][0] <= now_ms:
            _, taken_s, self._read_n, cable_mm = self._up.popleft()
            speed_mm_s = self._answer(taken_s, self._read_n, cable_mm, now_ms)
            if speed_mm_s is not None:
                self._down.append((now_ms + self._draw.randint(*LINE_MS), int(speed_mm_s * 1000)))

    def _answer(self, taken_s: float, force_n: float, cable_mm: float, now_ms: int) -> float | None:
        """The speed to order, in mm/s, when it is time to move."""
        if taken_s < BEFORE_TAKE_UP_S:
            return None
        if self._host is None:
            return self._wind_in(taken_s, force_n, cable_mm, now_ms)
        passed_s = self._passed_s(taken_s)
        if passed_s is None:
            return None
        target_n, rate_n_s = _target(self._profile, (now_ms - self._began_ms) / 1000)
        return self._host.step(target_n, rate_n_s, force_n, passed_s, self._plant)

    def _passed_s(self, taken_s: float) -> float | None:
        """Seconds since the last move when one is due; a session steps by the same rule."""
        period_s = self._timing.loop_period_s
        passed_s = period_s if self._moved_s is None else taken_s - self._moved_s
        if passed_s < period_s - self._timing.sample_period_s / 2:
            return None
        self._moved_s = taken_s
        return passed_s

    def _wind_in(self, taken_s: float, force_n: float, cable_mm: float, now_ms: int) -> float | None:
        first_n, delay_s = self._scenario.force_n, self._timing.measuring_delay_s
        self._take_up, speed_mm_s = take_up_step(self._take_up, taken_s, cable_mm, force_n, first_n, delay_s)
        if force_n >= preload_n(first_n):
            self._begin(force_n, now_ms)
            return None
        if self._passed_s(taken_s) is None:
            return None
        return speed_mm_s if abs(force_n) <= SLACK_N else min(speed_mm_s, self._speeds.pull_mm_s)

    def _begin(self, force_n: float, now_ms: int) -> None:
        measured = stiffness(self._take_up)
        if measured is None:
            raise NoStiffness(f"{self._rig.name}: slack take-up saw too few points")
        rate_n_s = min(RAMP_MAX_N_S, RAMP_SHARE_OF_PULL * self._speeds.pull_mm_s * measured.loop_n_mm)
        self._profile = self._scenario.profile(force_n, rate_n_s)
        self._host = self._make_host(Rigged(self._rig, measured.loop_n_mm, self._timing, self._speeds))
        self._stiffness_n_mm, self._began_ms = measured.measured_n_mm, now_ms
        self._holds_from_ms = round(self._profile.segments[0].duration_s * 1000)
        self._ends_ms = now_ms + round(self._profile.total_s * 1000)

    def _note(self, now_ms: int) -> None:
        plant, at_ms = self._plant, now_ms - self._began_ms
        self._forces_n.append(plant.force_n)
        self._readings_n.append(self._read_n)
        self._targets_n.append(self._profile.planned_n(at_ms / 1000))
        while self._upsets and at_ms - self._holds_from_ms >= self._upsets[0].at_s * 1000:
            self._upsets.popleft().begin(plant)


def _target(profile: Profile, at_s: float) -> tuple[float, float]:
    """The force that is planned for that second, in N, and its slope in N/s."""
    for began_s, segment in profile.begins():
        if at_s <= began_s + segment.duration_s:
            return segment.force_n(at_s - began_s), segment.rate_n_s(at_s - began_s)
    return profile.segments[-1].to_n, 0.0
