"""What was planned against what was given, in the items of TIDieR (the template for describing an intervention).

Source: Hoffmann et al., BMJ 2014;348:g1687. One row for each thing that an item says; what a record does not know is
"not on record", so that whoever reports a study sees what is left to write.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from recorder.dose import Dose
from recorder.export.deidentified import role
from recorder.export.model import ExportedSession
from recorder.export.pulls import Pull

NOT_ON_RECORD: Final = "not on record"
ITEMS: Final = {
    1: "brief name",
    2: "why",
    3: "what: materials",
    4: "what: procedures",
    5: "who provided",
    6: "how",
    7: "where",
    8: "when and how much",
    9: "tailoring",
    10: "modifications",
    11: "how well: planned",
    12: "how well: actual",
}
G_MN: Final = 9.80665  # the weight of a gram in mN


@dataclass(frozen=True, slots=True)
class Compared:
    """One thing that an item says: as planned and as it was, with its unit ("" for words)."""

    item: int
    about: str
    planned: str
    actual: str
    unit: str = ""


def compared(exported: ExportedSession, given: Dose, pulls: Sequence[Pull]) -> Iterator[Compared]:
    """The rows of one session, in the order of the items."""
    header = exported.header
    prescription, table = header["prescription"], header["table"]
    yield Compared(1, "name", "lumbar traction", "lumbar traction" + (" (SIMULATED)" if exported.simulated else ""))
    yield Compared(2, "rationale", NOT_ON_RECORD, NOT_ON_RECORD)
    yield Compared(3, "table, serial number", NOT_ON_RECORD, _shown(table.get("serial")))
    yield Compared(3, "program", NOT_ON_RECORD, _shown(header["versions"].get("tractable")))
    yield Compared(4, "mode", _shown(prescription.get("mode")), f"{len(pulls)} times at force")
    yield Compared(5, "started by", NOT_ON_RECORD, _started_by(exported))
    yield Compared(6, "setting", NOT_ON_RECORD, "one patient at a time, at a table")
    yield Compared(7, "place", NOT_ON_RECORD, NOT_ON_RECORD)
    yield from _how_much(prescription, given, pulls, exported)
    yield from _tailoring(prescription, given)
    yield from _modifications(exported)
    yield Compared(11, "force within 5 % of target", "100", "see item 12", "%")
    yield Compared(12, "force within 5 % of target", "100", _shown(given.within_share, 100), "%")
    yield Compared(12, "time at force given of planned", "100", _shown(_share(prescription, given), 100), "%")


def _how_much(
    prescription: dict[str, Any], given: Dose, pulls: Sequence[Pull], exported: ExportedSession
) -> Iterator[Compared]:
    rises = [pull.rise_time_s for pull in pulls if pull.rise_time_s is not None]
    yield Compared(8, "begun", NOT_ON_RECORD, _shown(exported.header["started_utc"]))
    yield Compared(8, "force", _shown(prescription.get("force_mn"), 0.001), _shown(given.mean_n), "N")
    yield Compared(8, "highest force", NOT_ON_RECORD, _shown(given.peak_n), "N")
    yield Compared(8, "time at force", _shown(prescription.get("time_at_force_s")), _shown(given.time_at_force_s), "s")
    yield Compared(8, "ramp", _shown(prescription.get("ramp_mn_s"), 0.001), NOT_ON_RECORD, "N/s")
    yield Compared(8, "first rise time", NOT_ON_RECORD, _shown(rises[0] if rises else None), "s")
    yield Compared(8, "impulse", NOT_ON_RECORD, _shown(given.impulse_n_s), "N s")


def _tailoring(prescription: dict[str, Any], given: Dose) -> Iterator[Compared]:
    mass_g = prescription.get("body_mass_g")
    if isinstance(mass_g, int) and mass_g > 0:
        planned_mn, part = prescription.get("force_mn"), 100 / (mass_g * G_MN)
        actual_mn = None if given.mean_n is None else given.mean_n * 1000
        yield Compared(9, "force of body weight", _shown(planned_mn, part), _shown(actual_mn, part), "%")
    else:
        yield Compared(9, "force of body weight", NOT_ON_RECORD, NOT_ON_RECORD, "%")


def _modifications(exported: ExportedSession) -> Iterator[Compared]:
    events = exported.session.events()
    pauses = sum(event.kind == "phase" and event.data.get("phase") == "paused" for event in events)
    trips = sum(event.kind == "trip" for event in events)
    stops = sum(event.kind == "command" and event.text == "Stop" for event in events)
    for about, times in (("pauses", pauses), ("stops asked for", stops), ("stopped by safety", trips)):
        yield Compared(10, about, "0", str(times), "1")


def _started_by(exported: ExportedSession) -> str:
    actors = [role(e.actor) for e in exported.session.events() if e.kind == "command" and e.text == "Start"]
    return actors[0] if actors else NOT_ON_RECORD


def _share(prescription: dict[str, Any], given: Dose) -> float | None:
    planned_s = prescription.get("time_at_force_s")
    return given.time_at_force_s / planned_s if isinstance(planned_s, int) and planned_s else None


def _shown(value: Any, factor: float = 1) -> str:
    match value:
        case None:
            return NOT_ON_RECORD
        case int() | float():
            return f"{value * factor:.6g}"
        case _:
            return str(value)
