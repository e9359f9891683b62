"""CSV, with a data dictionary beside it (a Frictionless Data Package): what each column is, and the session's header.

An absent value is an empty cell. A text cell that a spreadsheet would run as a formula gets an apostrophe in front.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from recorder.export_rows import EXPORT_EVENTS, EXPORT_SAMPLES, event_batches, exported_header, sample_batches
from recorder.reading import Session

FILES = ("samples.csv", "events.csv", "datapackage.json")
FORMULA: Final = r"^\s*[=+\-@\t\r]"  # with what a spreadsheet skips in front of it

_FRICTIONLESS_TYPES: Final = {
    pa.int64(): "integer",
    pa.float64(): "number",
    pa.bool_(): "boolean",
    pa.string(): "string",
    pa.timestamp("us", tz="UTC"): "datetime",
}


def write(session: Session, paths: dict[str, Path]) -> None:
    """Writes the files named in FILES to these paths; the data package names the other two by their final names."""
    _write(paths["samples.csv"], EXPORT_SAMPLES, sample_batches(session))
    _write(paths["events.csv"], EXPORT_EVENTS, event_batches(session))
    paths["datapackage.json"].write_text(json.dumps(_data_package(session), indent=2) + "\n", encoding="utf-8")


def _write(path: Path, schema: Any, batches: Iterator[Any]) -> None:
    as_text = pa.schema([pa.field(f.name, pa.string() if pa.types.is_timestamp(f.type) else f.type) for f in schema])
    with arrow_csv.CSVWriter(path, as_text) as writer:
        for batch in batches:
            writer.write_batch(pa.record_batch([_cells(column) for column in batch.columns], schema=as_text))


def _cells(column: Any) -> Any:
    if pa.types.is_timestamp(column.type):
        return _iso_utc(column)
    if pa.types.is_string(column.type):
        return neutralised(column)
    return column


def _iso_utc(times: Any) -> Any:
    """ISO 8601 with a Z, without asking for a time zone database, which a small computer may not have."""
    without_zone = pc.cast(pc.cast(times, pa.int64()), pa.timestamp("us"))
    dated = pc.replace_substring(pc.cast(without_zone, pa.string()), " ", "T")
    return pc.binary_join_element_wise(dated, "Z", "")


def neutralised(texts: Any) -> Any:
    """The texts, with an apostrophe in front of those that a spreadsheet would take for a formula."""
    risky = pc.match_substring_regex(texts, FORMULA)
    return pc.if_else(risky, pc.binary_join_element_wise("'", texts, ""), texts)


def _data_package(session: Session) -> dict[str, Any]:
    name = session.path.stem
    return {
        "name": name.lower(),
        "title": f"Traction session {name}" + (" (SIMULATED)" if session.header.simulated else ""),
        "simulated": session.header.simulated,
        "session": exported_header(session),
        "gaps": [{"after_seq": gap.after_seq, "missing": gap.missing} for gap in session.gaps()],
        "resources": [
            _resource(name, "samples", EXPORT_SAMPLES),
            _resource(name, "events", EXPORT_EVENTS),
        ],
    }


def _resource(name: str, table: str, schema: Any) -> dict[str, Any]:
    return {
        "name": table,
        "path": f"{name}.{table}.csv",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "schema": {"fields": [_described(field) for field in schema], "missingValues": [""]},
    }


def _described(field: Any) -> dict[str, Any]:
    metadata = {key.decode(): value.decode() for key, value in field.metadata.items()}
    kind = _FRICTIONLESS_TYPES[field.type]
    described: dict[str, Any] = {"name": field.name, "type": kind, "description": metadata["description"]}
    if kind == "datetime":
        described["format"] = "any"  # the default admits no fraction of a second
    if metadata["unit"]:
        described["unit"] = metadata["unit"]
    return described if field.nullable else {**described, "constraints": {"required": True}}
