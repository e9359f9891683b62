"""A scenario's file, with all that can be known to be wrong with it before anything is played."""

from pathlib import Path
from typing import Final

from controller import prescription, prescription_rules
from controller.prescription import Prescription, PrescriptionError
from hw_sim.faults import FAULTS, FaultError
from hw_sim.faults.injector import checked
from hw_sim.rigs import RigError, load_rig
from hw_sim.scenario import Inject, Scenario, parse_scenario
from hw_sim.toml_lines import TomlFault
from safety.alarms import AlarmId
from safety.limits import SHIPPED

RAMP_AS_USUAL: Final = "20 N/s"


def read_scenario(path: Path) -> Scenario:
    """Raises TomlFault for what is not a scenario, in whatever way; nothing is played for that."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TomlFault(f"{path} cannot be read: {error}.") from error
    scenario = parse_scenario(text, str(path), faults=FAULTS, alarms=[alarm.value for alarm in AlarmId])
    prescribed(scenario)
    for index, event in enumerate(scenario.events):
        if isinstance(event.what, Inject):
            _check_fault(scenario, index, event.what)
    return scenario


def prescribed(scenario: Scenario) -> Prescription:
    """The scenario's prescription, for its patient. Raises TomlFault where a site as shipped would refuse it."""
    try:
        rig = load_rig(scenario.rig)
    except RigError as error:
        raise scenario.document.fault(("rig",), str(error)) from error
    given = scenario.prescription
    document = {
        "patient": {"pseudonym": "SIMULATED", "body_mass": given.get("body_mass", f"{rig.body_mass_kg:g} kg")},
        "pull": {"mode": "static", "ramp": RAMP_AS_USUAL}
        | {key: value for key, value in given.items() if key != "body_mass"},
        "prescribed": {"by": "scenario"},
    }
    try:
        parsed = prescription.parse(document)
        reasons = prescription_rules.refusals(parsed, SHIPPED)
        if reasons:
            raise PrescriptionError(reasons)
    except PrescriptionError as error:
        raise scenario.document.fault(("prescription",), str(error)) from error
    return parsed


def _check_fault(scenario: Scenario, index: int, inject: Inject) -> None:
    try:
        checked(FAULTS[inject.fault], dict(inject.parameters))  # type: ignore[arg-type]  # it looks at their types
    except FaultError as error:
        raise scenario.document.fault(("event", index, "with"), str(error)) from error
