"""A rig without firmware and frames: plant, load cells, the line's delay, and a host called as a session calls it.

Slack take-up and ramps are the controller's own functions. Some 300 simulated seconds a second.
"""

import random
from collections import deque
from typing import Final

import numpy as np

from benchmarks.control.hosts import HostMaker, Rigged
from benchmarks.control.scenarios import Intermittent, Scenario
from benchmarks.control.tables import speeds_of, timing_of
from benchmarks.control.trace import Trace
from controller.profile import Profile
from controller.take_up import Stiffness, TakeUp, preload_n, stiffness, take_up_step
from hw_sim.load_cell import LoadCells
from hw_sim.rigs import Rig

LINE_MS: Final = (1, 3)
TAKE_UP_S_MAX: Final = 90.0
RAMP_SHARE_OF_PULL: Final = 0.8
SLACK_N: Final = 15.0
NOTHING_YET: Final = Profile(())


class NoStiffness(RuntimeError):
    """Take-up measured nothing that a loop could be tuned by."""


class FastRig:
    """One patient on one table. `make_host` is called once take-up has measured."""

    def __init__(self, rig: Rig, seed: int, scenario: Scenario | Intermittent, make_host: HostMaker) -> None:
        self.rig, self.scenario, self._make_host = rig, scenario, make_host
        self.plant, self._cells = make_host.plant(rig, seed), LoadCells(rig, seed)
        self._line = random.Random(f"line {seed}")  # noqa: S311  # drawn from a seed, as it should be
        self._timing, self._speeds = timing_of(rig), speeds_of(rig)
        self._take_up, self._host, self._profile = TakeUp(), None, NOTHING_YET
        self._measured: Stiffness | None = None
        self._began_ms = 0
        self._read_n = 0.0
        self._moved_s: float | None = None

    def run(self, rate_max_n_s: float = 20.0) -> Trace:
        rig, plant, cells = self.rig, self.plant, self._cells
        period_ms, due_ms, command_um_s = 1000 / rig.rate_hz, 1000 / rig.rate_hz, 0
        up: deque[tuple[int, float, float, int]] = deque()
        down: deque[tuple[int, int]] = deque()
        forces, readings, targets = [], [], []
        upsets = sorted(self.scenario.upsets, key=lambda upset: upset.at_s)
        holds_from_ms, ends_ms = 0, round(TAKE_UP_S_MAX * 1000)
        now = 0
        while now < ends_ms:
            now += 1
            while down and down[0][0] <= now:
                command_um_s = down.popleft()[1]
            plant.step(command_um_s, True, False)
            cells.feed(plant.force_n)
            if now >= due_ms:
                a, b = cells.convert(min(999, round((now - due_ms) * 1000)))
                up.append((now + self._line.randint(*LINE_MS), due_ms / 1000, self._newtons(a, b), plant.cable_um))
                due_ms += period_ms
            while up and up[0][0] <= now:
                _, taken_s, force_n, cable_um = up.popleft()
                self._read_n = force_n
                speed_mm_s = self._on_sample(taken_s, force_n, cable_um / 1000, now, rate_max_n_s)
                if speed_mm_s is not None:
                    down.append((now + self._line.randint(*LINE_MS), int(speed_mm_s * 1000)))
            if self._host is not None:
                if not forces:
                    self._began_ms = now
                    holds_from_ms = round(self._profile.segments[0].duration_s * 1000)
                    ends_ms = now + round(self._profile.total_s * 1000)
                forces.append(plant.force_n)
                readings.append(self._read_n)
                targets.append(self._profile.planned_n((now - self._began_ms) / 1000))
                while upsets and now - self._began_ms - holds_from_ms >= upsets[0].at_s * 1000:
                    upsets.pop(0).begin(plant)
        if self._measured is None:
            raise NoStiffness(f"{rig.name}: slack take-up came to no stiffness")
        return Trace(
            np.array(forces), np.array(readings), np.array(targets), holds_from_ms, self._measured.measured_n_mm
        )

    def _newtons(self, a: int, b: int) -> float:
        rig = self.rig
        return (
            (a - rig.cell_zero_counts_a) / rig.cell_counts_per_n_a
            + (b - rig.cell_zero_counts_b) / rig.cell_counts_per_n_b
        ) / 2

    def _on_sample(
        self, taken_s: float, force_n: float, cable_mm: float, now_ms: int, rate_max_n_s: float
    ) -> float | None:
        """The speed to order, in mm/s, when it is time to move."""
        if self._host is None:
            return self._wind_in(taken_s, force_n, cable_mm, rate_max_n_s)
        passed_s = self._passed_s(taken_s)
        if passed_s is None:
            return None
        at_s = max(0, now_ms - self._began_ms) / 1000
        target_n, rate_n_s = _target(self._profile, at_s)
        return self._host.step(target_n, rate_n_s, force_n, passed_s, self.plant)

    def _passed_s(self, taken_s: float) -> float | None:
        period_s = self._timing.loop_period_s
        passed_s = period_s if self._moved_s is None else taken_s - self._moved_s
        if passed_s < period_s - self._timing.sample_period_s / 2:
            return None
        self._moved_s = taken_s
        return passed_s

    def _wind_in(self, taken_s: float, force_n: float, cable_mm: float, rate_max_n_s: float) -> float | None:
        first_n = self.scenario.force_n
        self._take_up, speed_mm_s = take_up_step(
            self._take_up, taken_s, cable_mm, force_n, first_n, self._timing.measuring_delay_s
        )
        if force_n >= preload_n(first_n) and not self._take_up.backing_off:
            self._measured = measured = stiffness(self._take_up)
            if measured is None:
                raise NoStiffness(f"{self.rig.name}: too few points")
            rate_n_s = min(rate_max_n_s, RAMP_SHARE_OF_PULL * self._speeds.pull_mm_s * measured.loop_n_mm)
            self._profile = self.scenario.profile(force_n, rate_n_s)
            rigged = Rigged(self.rig, measured.loop_n_mm, self._timing, self._speeds)
            self._host = self._make_host(rigged)
            return None
        if self._passed_s(taken_s) is None:
            return None
        return speed_mm_s if abs(force_n) <= SLACK_N else min(speed_mm_s, self._speeds.pull_mm_s)


def _target(profile: Profile, at_s: float) -> tuple[float, float]:
    for began_s, segment in profile.begins():
        if at_s <= began_s + segment.duration_s:
            return segment.force_n(at_s - began_s), segment.rate_n_s(at_s - began_s)
    return profile.segments[-1].to_n, 0.0
