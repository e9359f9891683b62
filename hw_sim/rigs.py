"""Rigs by name or by file: a table and a patient put together from the presets beside this file, or from a user's own.

A rig's file names a `table` and a `patient`, or another rig that it is `based_on`, and gives any field of `Rig`
itself; a table's or a patient's file holds its own fields. What is said nearer to the rig wins. A name that ends in
".toml" is a file, seen from the file that names it. "fixed+heavy" is the table `fixed` with the patient `heavy`.
"""

import math
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from hw_sim.rig import PARTS, PATIENT, RANGES, TABLE, TYPES, Rig, RigError, out_of_range
from hw_sim.toml_lines import Document, TomlFault, nearest, read_document

__all__ = ["PATIENT", "PRESETS", "SPREADS", "TABLE", "Rig", "RigError", "load_rig", "random_rig", "rig_names"]

PRESETS: Final = Path(__file__).parent / "presets"
RIG: Final = "rig"
FOLDERS: Final[Mapping[str, str]] = {RIG: ".", TABLE: "tables", PATIENT: "patients"}  # within the presets
REFERENCES: Final[Mapping[str, str]] = {"based_on": RIG, "table": TABLE, "patient": PATIENT}  # the later wins

# How far patients and harnesses differ (assumed): a random rig is drawn evenly on a logarithmic scale.
SPREADS: Final[Mapping[str, tuple[float, float]]] = {
    "harness_n_per_mm": (5.0, 20.0),
    "body_n_per_mm": (10.0, 40.0),
    "hip_mass_kg": (22.0, 65.0),
}

Values = dict[str, Any]


def load_rig(name: str | Path, presets: Path = PRESETS) -> Rig:
    """The rig of that preset ("nominal"), pair ("fixed+heavy") or file ("mine.toml").

    Raises RigError, which names file and line, where there is none or it says something that a rig has not.
    """
    called = str(name)
    place = _Place(presets)
    table, plus, patient = ("", "", "") if called.endswith(".toml") else called.partition("+")
    try:
        values = place.read(TABLE, table) | place.read(PATIENT, patient) if plus else place.read(RIG, called)
    except TomlFault as fault:
        raise RigError(str(fault)) from fault
    missing = [key for key in TYPES if key not in values]
    if missing:
        given = called if plus else place.path_of(RIG, called)
        raise RigError(f"{given}: {', '.join(missing)} missing; give a value, or name a table and a patient.")
    return Rig(name=called.removesuffix(".toml"), **values)


def rig_names(presets: Path = PRESETS, part: str = RIG) -> list[str]:
    """The presets that there are: of rigs, or of a part (`TABLE`, `PATIENT`)."""
    return sorted(path.stem for path in (presets / FOLDERS[part]).glob("*.toml"))


def random_rig(base: Rig, seed: int) -> Rig:
    """`base` with another patient and harness, drawn from `SPREADS`; the same seed gives the same rig."""
    draw = random.Random(seed)
    drawn: dict[str, Any] = {
        key: math.exp(draw.uniform(math.log(low), math.log(high))) for key, (low, high) in SPREADS.items()
    }
    return replace(base, name=f"{base.name}#{seed}", **drawn)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where names are looked up. `beside` is the folder of the file that names them, `chain` the files on the way."""

    presets: Path
    beside: Path = Path()
    chain: tuple[Path, ...] = ()

    def path_of(self, kind: str, name: str) -> Path:
        if name.endswith(".toml"):
            return self.beside / name
        return self.presets / FOLDERS[kind] / f"{name}.toml"

    def read(self, kind: str, name: str) -> Values:
        """All that the file says, and before it all that it refers to."""
        path = self.path_of(kind, name)
        if not path.is_file():
            raise TomlFault(f"{path}: no such {kind}{nearest(name, rig_names(self.presets, kind))}.")
        try:
            document = read_document(path.read_text(encoding="utf-8"), str(path))
        except (OSError, UnicodeDecodeError) as error:
            raise TomlFault(f"{path} cannot be read: {error}.") from error
        values: Values = {}
        inside = _Place(self.presets, path.parent, (*self.chain, path.resolve()))
        for key, referred in REFERENCES.items():
            if key in document.tables and (kind == RIG or key == "based_on"):
                values |= inside._referred(document, key, referred if kind == RIG else kind)
        return values | dict(_own(document, kind))

    def _referred(self, document: Document, key: str, kind: str) -> Values:
        name = document.tables[key]
        if not isinstance(name, str):
            raise document.fault((key,), f"{key} = {name!r} is not the name of a {kind}; put it in quotes.")
        path = self.path_of(kind, name)
        if path.resolve() in self.chain:
            raise document.fault((key,), f"{key} goes round in a circle: it comes back to {path}; break it.")
        if not path.is_file():
            known = rig_names(self.presets, kind)
            raise document.fault((key,), f"no {kind} {name!r} ({path}){nearest(name, known)}.")
        return self.read(kind, name)


def _own(document: Document, kind: str) -> Iterator[tuple[str, float]]:
    """The file's own numbers, checked."""
    for key, value in document.tables.items():
        if key == "based_on" or (kind == RIG and key in REFERENCES):
            continue
        known = [one for one in TYPES if kind in (RIG, PARTS[one])]
        if key not in TYPES:
            raise document.fault((key,), f"unknown key {key!r}{nearest(key, known)}")
        if key not in known:
            raise document.fault((key,), f"{key} belongs to a {PARTS[key]}, and this is a {kind}; move it there.")
        yield key, _number(document, key, value)


def _number(document: Document, key: str, value: object) -> float:
    wants_integer = TYPES[key] is int
    if isinstance(value, bool) or not isinstance(value, int if wants_integer else (int, float)):
        whole = "a whole" if wants_integer else "a"
        unit = " Its unit is in its name: write the number alone." if isinstance(value, str) else ""
        raise document.fault((key,), f"{key} = {value!r} is not {whole} number.{unit}")
    low, high = RANGES[key]
    if not low <= value <= high:
        raise document.fault((key,), out_of_range(key, value))
    return value if wants_integer else float(value)
