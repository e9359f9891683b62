"""What a scenario can have people do at the simulated table, or the world do to it: by name, with its quantities.

What the clinician asks of the controller has a name here too, and is done by whoever plays the scenario.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from hw_sim.table import SimulatedTable

Arguments = Mapping[str, float]  # in N, mm, s, N/mm
MS_PER_S: Final = 1_000
US_PER_S: Final = 1_000_000
WHOLE_NUMBER: Final = "whole number"  # the kind of a parameter that has no unit


@dataclass(frozen=True, slots=True)
class Parameter:
    """A quantity of an action, in the first unit of its kind, or a whole number. No `default`: it must be given."""

    kind: str
    low: float
    high: float
    default: float | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """`about` is for people. `perform` is None where it is not done at the table: the clinician's."""

    about: str
    perform: Callable[[SimulatedTable, Arguments], None] | None
    parameters: Mapping[str, Parameter] = field(default_factory=dict)


def _ms(given: Arguments) -> int:
    return max(1, round(given["lasting"] * MS_PER_S))


def _lasting(default: float | None, high: float = 600.0) -> Parameter:
    return Parameter("time", 0.001, high, default)


FORCE: Final = Parameter("force", 1, 1_000)
DISTANCE: Final = Parameter("length", -500, 500)
PAIN: Final = Parameter(WHOLE_NUMBER, 0, 10)

ACTIONS: Final[Mapping[str, Action]] = {
    "cough": Action(
        "the trunk pushes the hip away from the cable",
        lambda table, given: table.plant.cough(given["force"], _ms(given)),
        {"force": Parameter("force", 1, 1_000, 80), "lasting": _lasting(0.2)},
    ),
    "shift": Action(
        "the patient moves: a distance above zero is away from the cable",
        lambda table, given: table.plant.shift(given["distance"], _ms(given)),
        {"distance": DISTANCE, "lasting": _lasting(2.0)},
    ),
    "sit_up": Action("the patient sits up in the harness", lambda table, _given: table.plant.sit_up()),
    "leave": Action("the patient opens the harness", lambda table, _given: table.plant.leave()),
    "slip": Action(
        "the harness slides down the hips",
        lambda table, given: table.plant.slip(given["distance"], _ms(given)),
        {"distance": Parameter("length", 1, 500), "lasting": _lasting(0.2)},
    ),
    "snap": Action("the cable breaks", lambda table, _given: table.plant.snap()),
    "snag": Action(
        "the cable catches, until it springs free",
        lambda table, given: table.plant.snag(given["stiffness"], _ms(given)),
        {"stiffness": Parameter("stiffness", 1, 10_000, 1_000), "lasting": _lasting(0.3)},
    ),
    "lean": Action(
        "someone leans on the cable",
        lambda table, given: table.plant.lean(given["force"], _ms(given)),
        {"force": FORCE, "lasting": _lasting(1.0)},
    ),
    "press_switch": Action(
        "the patient presses the switch",
        lambda table, given: table.press_patient_switch(round(given["lasting"] * US_PER_S)),
        {"lasting": _lasting(0.3)},
    ),
    "unplug_switch": Action("the patient's switch is unplugged", lambda table, _given: table.unplug_patient_switch()),
    "plug_switch": Action("the patient's switch is plugged in", lambda table, _given: table.plug_patient_switch()),
    "press_emergency_stop": Action(
        "the emergency stop is pressed, and stays in", lambda table, _given: table.press_emergency_stop()
    ),
    "release_emergency_stop": Action(
        "the emergency stop is let out", lambda table, _given: table.release_emergency_stop()
    ),
    "reset": Action("the table's electronics start anew", lambda table, _given: table.reset()),
    "stop": Action("the clinician stops the session", None),
    "pause": Action("the clinician pauses", None),
    "go_on": Action("the clinician goes on", None),
    "lower": Action("the clinician lowers the pull", None, {"to": FORCE}),
    "raise": Action("the clinician raises the pull", None, {"to": FORCE}),
    "pain": Action("the clinician notes what the patient says of pain", None, {"score": PAIN}),
    "acknowledge_end": Action("the clinician acknowledges the end", None),
}
