"""How well 300 N is held, beside a locked drum.

True force of the plant, not the reading. The patient breathes and creeps; the reference table B sends 320 samples a
second, table A 80.
"""

import math
from collections.abc import Iterator

from benchmarks.figures import Figure
from controller import prescription
from controller.commands import HUMAN_TICKS
from controller.inputs import StartAsked
from controller.phases import Ended, Holding, Tripped
from hw_sim.plant import Plant
from hw_sim.rigs import Rig, load_rig
from tractable.virtual_stack import VirtualStack

HOLD_S = 120
FORCE_N = 300
RIGS = {"A": "nominal_80", "B": "nominal"}
# Hold error over the time at force: root mean square and mean, in N.
RMS_GOAL_N = {"A": 0.6, "B": 0.4}
MEAN_GOAL_N = {"A": 0.1, "B": 0.1}
STEP_S = 0.001


class NotHeld(RuntimeError):
    """The session did not come to its end, so that there is nothing to report."""


def figures(seed: int) -> Iterator[Figure]:
    """Runs the sessions and gives each figure as it is known."""
    for table, name in RIGS.items():
        rig = load_rig(name)
        errors_n = _hold(rig, seed)
        locked_n = _locked(rig, seed)
        rms_n = _rms(errors_n)
        yield Figure(f"{table}: hold 300 N, RMS error", rms_n, RMS_GOAL_N[table], _rms(locked_n), "N", seed)
        mean_n = abs(_mean(errors_n))
        yield Figure(f"{table}: hold 300 N, mean error", mean_n, MEAN_GOAL_N[table], abs(_mean(locked_n)), "N", seed)


def _hold(rig: Rig, seed: int) -> list[float]:
    """True force error at each ms of the hold."""
    stack = VirtualStack(rig, seed=seed)
    stack.run_for(1)
    document = {
        "patient": {"pseudonym": "BENCH", "body_mass": "80 kg"},
        "pull": {"mode": "static", "force": f"{FORCE_N} N", "time_at_force": f"{HOLD_S} s", "ramp": "20 N/s"},
        "prescribed": {"by": "benchmark"},
    }
    prescribed = prescription.parse(document)
    stack.ask(StartAsked("benchmark", "benchmark", "BENCH", prescribed, HUMAN_TICKS, prescribed.force_mn, True, 0))
    errors_n: list[float] = []

    def note(stack: VirtualStack) -> bool:
        if isinstance(stack.state.phase, Holding):
            errors_n.append(stack.table.truth.force_mn / 1000 - FORCE_N)
        return isinstance(stack.state.phase, Ended | Tripped)

    if not stack.run_until(note, HOLD_S + 120) or not isinstance(stack.state.phase, Ended) or not errors_n:
        raise NotHeld(f"the session on {rig.name} ended in {stack.state.phase}")
    return errors_n


def _locked(rig: Rig, seed: int) -> list[float]:
    """The same patient and force with the drum locked once 300 N is reached: what breathing and creep do alone."""
    plant = Plant(rig, seed)
    while plant.force_n < FORCE_N:
        plant.step(5_000, True, False)
    errors_n = []
    for _ in range(int(HOLD_S / STEP_S)):
        plant.step(0, True, False)
        errors_n.append(plant.force_n - FORCE_N)
    return errors_n


def _rms(errors: list[float]) -> float:
    return math.sqrt(sum(error * error for error in errors) / len(errors))


def _mean(errors: list[float]) -> float:
    return sum(errors) / len(errors)
