"""CSV, with a data dictionary beside it (a Frictionless Data Package): what each column is, and the session's header.

An absent value is an empty cell. A text cell that a spreadsheet would run as a formula gets an apostrophe in front.
Resolution: whole, as recorded.
"""

import json
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from recorder.export.model import ExportedSession, Table, iso_utc

FILES = ("samples.csv", "events.csv", "gaps.csv", "pulls.csv", "datapackage.json")
FORMULA: Final = r"^\s*[=+\-@\t\r]"  # with what a spreadsheet skips in front of it
THREADS: Final = 2  # Arrow lets go of the interpreter while it makes text
_ROWS: Final = arrow_csv.WriteOptions(include_header=False, batch_size=8192)  # of fewer, each column's own costs tell

_FRICTIONLESS_TYPES: Final = {
    pa.int64(): "integer",
    pa.float64(): "number",
    pa.bool_(): "boolean",
    pa.string(): "string",
    pa.timestamp("us", tz="UTC"): "datetime",
}


def write(exported: ExportedSession, folder: Path) -> None:
    """Writes the session's files into the folder, in streamed batches."""
    for table in exported.tables():
        write_table(folder / f"{exported.name}.{table.name}.csv", table)
    package = folder / f"{exported.name}.datapackage.json"
    package.write_text(json.dumps(_data_package(exported), indent=2) + "\n", encoding="utf-8")


def write_table(path: Path, table: Table) -> None:
    """One table, times as text that ends in Z. A batch becomes text in a thread while the next one is read."""
    as_text = pa.schema(
        [pa.field(f.name, pa.string() if pa.types.is_timestamp(f.type) else f.type) for f in table.schema]
    )
    with path.open("wb") as file, ThreadPoolExecutor(THREADS) as threads:
        arrow_csv.write_csv(as_text.empty_table(), file)
        waiting = deque[Future[Any]]()
        for batch in table.batches():
            waiting.append(threads.submit(_text, batch, as_text))
            if len(waiting) == THREADS:
                file.write(waiting.popleft().result())
        for text in waiting:
            file.write(text.result())


def _text(batch: Any, as_text: Any) -> Any:
    rows = pa.record_batch([_cells(column) for column in batch.columns], schema=as_text)
    text = pa.BufferOutputStream()
    arrow_csv.write_csv(rows, text, _ROWS)
    return text.getvalue()


def _cells(column: Any) -> Any:
    if pa.types.is_timestamp(column.type):
        return iso_utc(column)
    if pa.types.is_string(column.type):
        return neutralised(column)
    return column


def neutralised(texts: Any) -> Any:
    """The texts, with an apostrophe in front of those that a spreadsheet would take for a formula."""
    risky = pc.match_substring_regex(texts, FORMULA)
    return pc.if_else(risky, pc.binary_join_element_wise("'", texts, ""), texts)


def _data_package(exported: ExportedSession) -> dict[str, Any]:
    name = exported.name
    return {
        "name": name.lower(),
        "title": f"Traction session {name}" + (" (SIMULATED)" if exported.simulated else ""),
        "simulated": exported.simulated,
        "session": exported.header,
        "resources": [resource(table, f"{name}.{table.name}.csv") for table in exported.tables()],
    }


def resource(table: Table, path: str) -> dict[str, Any]:
    """The table as a Frictionless resource: its columns with units and meanings."""
    return {
        "name": table.name,
        "type": "table",
        "path": path,
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "schema": {"fields": [_described(field) for field in table.schema], "missingValues": [""]},
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
