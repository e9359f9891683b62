"""A study: many sessions in one folder, de-identified, with a catalogue to filter by, and checksums.

    catalogue       a row for each session: patient and session by keyed pseudonym, table, day, what was prescribed, the
                    dose that was given
    pulls           a row for each time at force of each session
    gaps            a row for each gap of each session
    planned_actual  what was planned against what was given, in the items of TIDieR
    left_out        what lay in the folder and is not here, and why
    <format>/       the sessions, in each format that was asked for

The first five are CSV and Parquet, with a datapackage.json. Names are pseudonyms made with the site's key: the
same patient has the same one in every study that is made with it.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from recorder.dose import Dose, dose
from recorder.export import bids, csv_package, parquet
from recorder.export.checksums import CHECKSUMS, listed
from recorder.export.model import GAPS, PULLS, ExportedSession, Table
from recorder.export.session_export import Writer, writers
from recorder.export.staging import CannotExport, staged
from recorder.export.tidier import ITEMS, compared
from recorder.pseudonym import keyed
from recorder.reading import NewerFormat, NotASession, Session, open_session
from recorder.storage import session_files
from recorder.verification import state_of

DAMAGED: Final = "damaged"
SESSION: Final = "S"
ALTERED: Final = "altered"
NEWER: Final = "written by a newer version"
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class StudyFilter:
    """Which sessions belong to the study; what is not set, all fit. Days are UTC, and both belong to the span."""

    table: str | None = None  # its serial number
    since: date | None = None
    until: date | None = None
    mode: str | None = None
    time_at_force_s_min: float = 0.0


@dataclass(frozen=True, slots=True)
class Study:
    """What was made: every file, how many sessions, and a sentence for each file that could not be read."""

    written: list[Path]
    sessions: int
    problems: list[str]


def _column(name: str, kind: Any, unit: str, description: str) -> Any:
    return pa.field(name, kind, True, {"unit": unit, "description": description})


_NUMBER, _WHOLE, _TEXT, _BOOL = pa.float64(), pa.int64(), pa.string(), pa.bool_()
_SESSION: Final = _column("session", _TEXT, "", "the session's keyed pseudonym: its files are named by it")
_PATIENT: Final = _column("patient", _TEXT, "", "the patient's keyed pseudonym")

CATALOGUE: Final[Any] = pa.schema(
    [
        _SESSION,
        _PATIENT,
        _column("started_utc", pa.timestamp("us", tz="UTC"), "", "when it began, by the wall clock; UTC"),
        _column("table_serial", _WHOLE, "1", "serial number of the table"),
        _column("mode", _TEXT, "", "mode of treatment that was prescribed"),
        _column("prescribed_n", _NUMBER, "N", "force that was prescribed"),
        _column("prescribed_s", _NUMBER, "s", "time at force that was prescribed"),
        _column("time_at_force_s", _NUMBER, "s", "time at force with a reading"),
        _column("missing_at_force_s", _NUMBER, "s", "time at force without one"),
        _column("mean_n", _NUMBER, "N", "mean force at force"),
        _column("sd_n", _NUMBER, "N", "its standard deviation"),
        _column("low_n", _NUMBER, "N", "5 % of the readings at force are below"),
        _column("high_n", _NUMBER, "N", "5 % of the readings at force are above"),
        _column("within_share", _NUMBER, "1", "share of the readings at force within 5 % of the target"),
        _column("peak_n", _NUMBER, "N", "highest force of either channel"),
        _column("above_ceiling_s", _NUMBER, "s", "time above the ceiling"),
        _column("impulse_n_s", _NUMBER, "N s", "force times time, over the session"),
        _column("pulls", _WHOLE, "1", "times at force"),
        _column("duration_s", _NUMBER, "s", "from the first sample to the last"),
        _column("samples", _WHOLE, "1", "samples on record"),
        _column("gaps", _WHOLE, "1", "gaps in the record"),
        _column("missing_samples", _WHOLE, "1", "samples that never came"),
        _column("ended", _BOOL, "bool", "the record was ended as it should be"),
        _column("state", _TEXT, "", "what verifying the record found: whole, or interrupted"),
        _column("part", _WHOLE, "1", "1, but of a session that had to go on in another file"),
        _column("simulated", _BOOL, "bool", "true: a simulated table, nobody was treated"),
    ]
)
PLANNED_ACTUAL: Final[Any] = pa.schema(
    [
        _SESSION,
        _column("item", _WHOLE, "1", "number of the item in TIDieR"),
        _column("item_name", _TEXT, "", "the item's name in TIDieR"),
        _column("about", _TEXT, "", "what it says"),
        _column("planned", _TEXT, "", "as prescribed"),
        _column("actual", _TEXT, "", "as given"),
        _column("unit", _TEXT, "", "unit of both; empty for words"),
    ]
)
LEFT_OUT: Final[Any] = pa.schema([_SESSION, _column("reason", _TEXT, "", "why it is not in the study")])
STUDY_PULLS: Final[Any] = pa.schema([_SESSION, _PATIENT, *PULLS])
STUDY_GAPS: Final[Any] = pa.schema([_SESSION, *GAPS])
_SCHEMAS: Final = {
    "catalogue": CATALOGUE,
    "pulls": STUDY_PULLS,
    "gaps": STUDY_GAPS,
    "planned_actual": PLANNED_ACTUAL,
    "left_out": LEFT_OUT,
}


@dataclass(slots=True)
class _Tables:
    """The rows of the study's own tables so far."""

    rows: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {name: [] for name in _SCHEMAS})

    def add(self, exported: ExportedSession, given: Dose) -> None:
        name, pulls = exported.name, exported.pulls()
        self.rows["catalogue"].append(_catalogue_row(exported, given, len(pulls)))
        self.rows["pulls"] += [
            {"session": name, "patient": exported.patient, **pull.as_row(), "simulated": exported.simulated}
            for pull in pulls
        ]
        gaps = exported.tables()[2].batches()
        self.rows["gaps"] += [{"session": name, **row} for batch in gaps for row in batch.to_pylist()]
        self.rows["planned_actual"] += [
            {
                "session": name,
                "item": row.item,
                "item_name": ITEMS[row.item],
                "about": row.about,
                "planned": row.planned,
                "actual": row.actual,
                "unit": row.unit,
            }
            for row in compared(exported, given, pulls)
        ]

    def tables(self) -> list[Table]:
        return [Table(name, schema, self._batches(name)) for name, schema in _SCHEMAS.items()]

    def _batches(self, name: str) -> Callable[[], Iterator[Any]]:
        return lambda: iter([pa.RecordBatch.from_pylist(self.rows[name], _SCHEMAS[name])])


def export_study(
    root: Path,
    folder: Path,
    formats: Sequence[str],
    key: bytes,
    chosen: StudyFilter,
    *,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Study:
    """Writes every session below the data folder `root` that the filter takes. `progress` hears how many of all.

    Raises CannotExport for a format that there is not, a folder that holds something (unless `overwrite`, which takes
    away what the study before wrote there), a filter that takes nothing, or a disk that does not take it.
    """
    writing = writers(formats)
    _require_free(folder, overwrite)
    tables, problems = _Tables(), list[str]()
    files = session_files(root)
    with staged(folder, overwrite=overwrite) as staging:
        for number, path in enumerate(files):
            problem = _add(path, key, chosen, writing, staging.folder, tables)
            problems += [] if problem is None else [problem]
            if progress:
                progress(number + 1, len(files))
        if not tables.rows["catalogue"]:
            nothing = f"No session in {root} fits. Ask for more: a longer time, any table."
            raise CannotExport("\n".join([*problems, nothing]))
        _write_tables(staging.folder, tables, formats)
        _remove_before(folder)
    return Study(staging.written, len(tables.rows["catalogue"]), problems)


def _require_free(folder: Path, overwrite: bool) -> None:
    if overwrite or not folder.exists():
        return
    if not folder.is_dir() or any(folder.iterdir()):
        raise CannotExport(f"{folder} is there already. Choose another folder, or replace it: --overwrite.")


def _remove_before(folder: Path) -> None:
    """Takes away what the study before wrote here, and nothing else."""
    for name, _sum in list(listed(folder / CHECKSUMS)):
        place = (folder / name).resolve()
        if place.is_relative_to(folder.resolve()):
            place.unlink(missing_ok=True)
    (folder / CHECKSUMS).unlink(missing_ok=True)


def _add(
    path: Path, key: bytes, chosen: StudyFilter, writing: dict[str, Writer], folder: Path, tables: _Tables
) -> str | None:
    name = keyed(key, SESSION, path.stem)
    try:
        with open_session(path) as session, session.unchanging():
            given = _wanted(session, chosen)
            state = state_of(path) if given is not None else None
            if given is not None and state != "altered":
                exported = ExportedSession(session, name, key, state=state)
                _write(exported, writing, folder)
                tables.add(exported, given)
        if state != "altered":
            return None
        reason, problem = ALTERED, f"{path} was altered."
    except NewerFormat as newer:
        reason, problem = NEWER, str(newer)
    except (NotASession, sqlite3.DatabaseError, ValueError) as damage:
        reason, problem = DAMAGED, f"{path} cannot be read ({str(damage).splitlines()[0]})."
    for half in [path for path in folder.rglob(f"*{name}*") if path.is_file()]:
        half.unlink()
    tables.rows["left_out"].append({"session": name, "reason": reason})
    todo = f"tractable session verify {path} --recover NEW.tractable"
    return f"{problem} It is left out. Where it is damaged, save what is whole with: {todo}"


def _wanted(session: Session, chosen: StudyFilter) -> Dose | None:
    """The dose of a session that belongs to the study."""
    header, day = session.header, session.started.date()
    if chosen.table is not None and str(header.table.get("serial")) != chosen.table:
        return None
    if chosen.mode is not None and header.prescription.get("mode") != chosen.mode:
        return None
    if (chosen.since and day < chosen.since) or (chosen.until and day > chosen.until):
        return None
    given = dose(session)
    return given if given.time_at_force_s >= chosen.time_at_force_s_min else None


def _write(exported: ExportedSession, writing: dict[str, Writer], folder: Path) -> None:
    for name, writer in writing.items():
        place = folder / name
        place.mkdir(exist_ok=True)
        if name == "bids":
            bids.write_session(exported, place)
        else:
            writer.write(exported, place)


def _write_tables(folder: Path, tables: _Tables, formats: Sequence[str]) -> None:
    made = tables.tables()
    for table in made:
        csv_package.write_table(folder / f"{table.name}.csv", table)
        parquet.write_table(folder / f"{table.name}.parquet", table, table.schema)
    simulated = any(row["simulated"] for row in tables.rows["catalogue"])
    package = {
        "name": "study",
        "title": "Traction sessions" + (" (some or all SIMULATED)" if simulated else ""),
        "created": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "resources": [csv_package.resource(table, f"{table.name}.csv") for table in made],
    }
    (folder / "datapackage.json").write_text(json.dumps(package, indent=2) + "\n", encoding="utf-8")
    if "bids" in formats:
        bids.describe_dataset(folder / "bids", simulated=simulated)


def _catalogue_row(exported: ExportedSession, given: Dose, pulls: int) -> dict[str, Any]:
    header, session = exported.header, exported.session
    prescription = header["prescription"]
    row = {name: getattr(given, name) for name in CATALOGUE.names if hasattr(given, name)}
    return row | {
        "session": exported.name,
        "patient": exported.patient,
        "started_utc": session.started,
        "table_serial": _whole(header["table"].get("serial")),
        "mode": prescription.get("mode"),
        "prescribed_n": _scaled(prescription.get("force_mn"), 0.001),
        "prescribed_s": _scaled(prescription.get("time_at_force_s"), 1.0),
        "pulls": pulls,
        "duration_s": session.duration_s,
        "samples": session.sample_count,
        "state": header["record"]["state"],
        "part": session.part,
        "simulated": exported.simulated,
    }


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) else None


def _scaled(value: Any, factor: float) -> float | None:
    return value * factor if isinstance(value, int | float) else None
