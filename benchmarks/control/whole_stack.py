"""A scenario on the whole stack: firmware, frames, line, controller, limiter and alarms, in virtual time."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from benchmarks.control.scenarios import Scenario, Upset
from benchmarks.control.trace import Trace
from controller import prescription
from controller.commands import HUMAN_TICKS
from controller.inputs import StartAsked
from controller.phases import Ended, Holding, Idle, Ramping, Releasing, Tripped
from hw_sim.rigs import Rig
from safety.alarms import CATALOGUE, AlarmId, Priority
from safety.limits import RAMP_MAX_MN_S, SESSION_S_MAX, SiteLimits
from safety.units import Millinewtons
from tractable.virtual_stack import VirtualStack

# Upsets at 300 N are judged with a ceiling of 420 N; 450 N needs one of 450 N and a quarter more.
SITE: Final = SiteLimits(Millinewtons(420_000), Millinewtons(370_000), RAMP_MAX_MN_S, SESSION_S_MAX)
SITE_FOR_450: Final = SiteLimits(Millinewtons(600_000), Millinewtons(500_000), RAMP_MAX_MN_S, SESSION_S_MAX)
BODY_MASS: Final = "130 kg"  # half of its weight is more than any force asked for
BEFORE_HOLD_S: Final = 200.0
HELD_S_MIN: Final = 60


class NotStarted(RuntimeError):
    """The session did not come to its first ramp."""


@dataclass(slots=True)
class _Recorder:
    """Looks once a millisecond, and begins the upsets when they are due."""

    upsets: list[Upset]
    hold_s: float
    force_n: list[float] = field(default_factory=list)
    reading_n: list[float] = field(default_factory=list)
    target_n: list[float] = field(default_factory=list)
    holds_from_ms: int | None = None
    stiffness_n_mm: float = 0.0
    alarms: set[AlarmId] = field(default_factory=set)
    ended: str | None = None

    def look(self, stack: VirtualStack) -> bool:
        """True when there is no more to see."""
        phase, course = stack.state.phase, stack.state.course
        self._note_alarms(stack)
        if isinstance(phase, Tripped | Releasing | Ended):
            self.ended = _why(stack)
            return True
        if not isinstance(phase, Ramping | Holding) or course is None or course.target_mn is None:
            return False
        if not self.force_n and course.stiffness is not None:
            self.stiffness_n_mm = course.stiffness.measured_n_mm
        self.force_n.append(stack.table.plant.force_n)
        self.target_n.append(course.target_mn / 1000)
        reading = stack.state.reading
        both = (0, 0) if reading is None else (reading.force_a_mn or 0, reading.force_b_mn or 0)
        self.reading_n.append(sum(both) / 2000)
        if not isinstance(phase, Holding):
            return False
        if self.holds_from_ms is None:
            self.holds_from_ms = len(self.force_n)
        held_ms = len(self.force_n) - self.holds_from_ms
        while self.upsets and held_ms >= self.upsets[0].at_s * 1000:
            self.upsets.pop(0).begin(stack.table.plant)
        return held_ms >= self.hold_s * 1000

    def _note_alarms(self, stack: VirtualStack) -> None:
        for raised in stack.state.board:
            if CATALOGUE[raised.id].priority is Priority.HIGH:
                self.alarms.add(raised.id)


def run_on_stack(rig: Rig, scenario: Scenario, seed: int) -> Trace:
    """Raises NotStarted."""
    stack = VirtualStack(rig, seed=seed, site=SITE if scenario.force_n <= 300 else SITE_FOR_450)
    stack.run_for(1)
    prescribed = prescription.parse(_document(scenario))
    stack.ask(StartAsked("benchmark", "benchmark", "BENCH", prescribed, HUMAN_TICKS, prescribed.force_mn, True, 0))
    if isinstance(stack.state.phase, Idle):
        raise NotStarted(f"{rig.name}, {scenario.name}: {[answer.reason for answer in stack.heard.answers]}")
    recorder = _Recorder(sorted(scenario.upsets, key=lambda upset: upset.at_s), scenario.hold_s)
    stack.run_until(recorder.look, BEFORE_HOLD_S + scenario.hold_s)
    if not recorder.force_n:
        raise NotStarted(f"{rig.name}, {scenario.name}: {recorder.ended or stack.state.phase}")
    return Trace(
        np.array(recorder.force_n),
        np.array(recorder.reading_n),
        np.array(recorder.target_n),
        len(recorder.force_n) if recorder.holds_from_ms is None else recorder.holds_from_ms,
        recorder.stiffness_n_mm,
        recorder.ended,
        len(recorder.alarms),
    )


def _document(scenario: Scenario) -> dict[str, object]:
    held_s = max(HELD_S_MIN, round(scenario.hold_s) + 10)
    return {
        "patient": {"pseudonym": "BENCH", "body_mass": BODY_MASS},
        "pull": {
            "mode": "static",
            "force": f"{scenario.force_n:.0f} N",
            "time_at_force": f"{held_s} s",
            "ramp": f"{RAMP_MAX_MN_S // 1000} N/s",
        },
        "prescribed": {"by": "benchmark"},
    }


def _why(stack: VirtualStack) -> str:
    texts = [f"{raised.id}: {raised.detail}" for raised in stack.state.board if raised.root]
    return "; ".join(texts) or repr(stack.state.phase)
