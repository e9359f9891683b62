"""The fault catalogue, `faults.toml`: what is injected, when, what must happen and within what."""

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final, Literal

CATALOGUE: Final = Path(__file__).parent / "faults.toml"

Action = Literal["FREEZE", "REL_N", "REL_P", "REL_E", "CUT", "INHIBIT", "CONTINUE", "REJECT"]
FaultPhase = Literal["IDLE", "SERVICE", "READY", "RAMP", "HOLD", "RELEASE"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One row. A bound that is None is not asked; `corrected` says why the row departs from the first list."""

    id: str
    group: str
    name: str
    where: str
    how: str
    phases: tuple[FaultPhase, ...]
    priority: str
    action: Action
    latched: bool
    alarm_ms: int
    peak_over_ceiling_n: int
    nothing_lost: str
    alarm: str | None = None
    or_alarm: str | None = None  # as good, where two guards look and either may be first
    root: str | None = None  # what trips, where another alarm comes first
    no_pull_ms: int | None = None
    slack_ms: int | None = None
    note: str = ""
    corrected: str = ""


class CatalogueError(ValueError):
    """A row that cannot be used, or a fault that there is not; the text says which and what to do."""


def load_catalogue(path: Path = CATALOGUE) -> dict[str, Fault]:
    """The faults by id, in the order of the file. Raises CatalogueError."""
    rows = tomllib.loads(path.read_text(encoding="utf-8")).get("fault", [])
    faults = [_fault(path, row) for row in rows]
    by_id = {fault.id: fault for fault in faults}
    if len(by_id) != len(faults):
        raise CatalogueError(f"{path}: two faults have the same id; give each its own.")
    return by_id


def fault_named(name: str, catalogue: Mapping[str, Fault]) -> Fault:
    """The fault of that id, in any case of its letters. Raises CatalogueError naming the nearest."""
    fault = catalogue.get(name.upper())
    if fault is None:
        near = difflib.get_close_matches(name.upper(), catalogue, n=3, cutoff=0.0)
        raise CatalogueError(f"There is no fault {name!r} in the catalogue; nearest: {', '.join(near)}.")
    return fault


def _fault(path: Path, row: dict[str, Any]) -> Fault:
    known = {field.name for field in fields(Fault)}
    unknown = sorted(row.keys() - known)
    if unknown:
        near = difflib.get_close_matches(unknown[0], known, n=1, cutoff=0.0)
        raise CatalogueError(f"{path}: {row.get('id')}: unknown key {unknown[0]!r}; did you mean {near[0]!r}?")
    try:
        return Fault(**{**row, "phases": tuple(row["phases"])})
    except (KeyError, TypeError) as missing:
        raise CatalogueError(f"{path}: {row.get('id')}: {missing}.") from missing
