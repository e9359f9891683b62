"""How many seconds are simulated in a second of this computer's time, in one process and pure Python.

The whole stack holds 300 N: plant, load cells, firmware, line, controller, limiter, a journal in memory. Its baseline
is the plant and its load cells with a trivial host, which pulls in proportion to the error and knows nothing of safety.
Time is the process's own, so that what else runs on the computer counts little.
"""

import time
from collections.abc import Iterator
from typing import Final

from benchmarks.figures import Figure
from controller import prescription
from controller.commands import HUMAN_TICKS
from controller.inputs import StartAsked
from controller.phases import Holding
from hw_sim.load_cell import LoadCells
from hw_sim.plant import Plant
from hw_sim.rigs import Rig, load_rig
from tractable.virtual_stack import VirtualStack

RIGS: Final = {"A (80/s)": "nominal_80", "B (320/s)": "nominal"}
GOALS: Final = {"A (80/s)": 100.0, "B (320/s)": 60.0}  # simulated seconds a second
PLANT_GOAL: Final = 400.0
FORCE_N: Final = 300
MEASURED_S: Final = 20.0
BEFORE_HOLD_S: Final = 60.0
UM_S_PER_N: Final = 200  # of the trivial host: slow enough for any patient
PULL_MAX_UM_S: Final = 5_000
HOST_PERIOD_MS: Final = 10


class NotHeld(RuntimeError):
    """The session did not reach its hold, so that there is nothing to measure."""


def figures(seed: int) -> Iterator[Figure]:
    """Simulates the same hold with and without the stack, and gives each speed."""
    for table, name in RIGS.items():
        rig = load_rig(name)
        plant = _speed_of_plant(rig, seed, with_cells=False)
        trivial = _speed_of_plant(rig, seed, with_cells=True)
        stack = _speed_of_stack(rig, seed)
        without_plant = 1 / max(1e-9, 1 / stack - 1 / trivial)
        yield Figure(f"{table}: plant alone", plant, PLANT_GOAL, None, "s/s", seed, higher_is_better=True)
        yield Figure(f"{table}: plant, cells, trivial host", trivial, None, plant, "s/s", seed, higher_is_better=True)
        yield Figure(f"{table}: whole stack", stack, GOALS[table], trivial, "s/s", seed, higher_is_better=True)
        yield Figure(
            f"{table}: whole stack if the plant cost nothing (the most that numba could give)",
            without_plant,
            None,
            stack,
            "s/s",
            seed,
            higher_is_better=True,
        )


def _speed_of_plant(rig: Rig, seed: int, *, with_cells: bool) -> float:
    """The plant held at 300 N by a host of three lines; with or without its load cells."""
    plant, cells = Plant(rig, seed), LoadCells(rig, seed)
    samples_per_ms, due, velocity_um_s = rig.rate_hz / 1000, 0.0, 0
    began = time.process_time()
    for t_ms in range(round(MEASURED_S * 1000)):
        if t_ms % HOST_PERIOD_MS == 0:
            error_um_s = int((FORCE_N - plant.force_n) * UM_S_PER_N)
            velocity_um_s = max(-PULL_MAX_UM_S, min(PULL_MAX_UM_S, error_um_s))
        plant.step(velocity_um_s, True, False)
        if with_cells:
            cells.feed(plant.force_n)
            due += samples_per_ms
            if due >= 1:
                due -= 1
                cells.convert()
    return MEASURED_S / (time.process_time() - began)


def _speed_of_stack(rig: Rig, seed: int) -> float:
    stack = VirtualStack(rig, seed=seed)
    stack.run_for(1)
    document = {
        "patient": {"pseudonym": "BENCH", "body_mass": "80 kg"},
        "pull": {"mode": "static", "force": f"{FORCE_N} N", "time_at_force": "10 min", "ramp": "20 N/s"},
        "prescribed": {"by": "benchmark"},
    }
    prescribed = prescription.parse(document)
    stack.ask(StartAsked("benchmark", "benchmark", "BENCH", prescribed, HUMAN_TICKS, prescribed.force_mn, True, 0))
    if not stack.run_until(lambda stack: isinstance(stack.state.phase, Holding), BEFORE_HOLD_S):
        raise NotHeld(f"the session on {rig.name} came to {stack.state.phase}")
    began = time.process_time()
    stack.run_for(MEASURED_S)
    return MEASURED_S / (time.process_time() - began)
