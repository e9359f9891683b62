"""FHIR R5: a collection of Device, DeviceMetric, Procedure, and an Observation with SampledData for each quantity.

SampledData knows an interval and no times: sample number n is at n times the mean period, and "E" stands for a sample,
or a value, that never came. Resolution: whole, as recorded. It is written as it is read, column by column beside one
another in hidden files, so that a long session never is in memory as a whole.
"""

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from recorder.export.model import SAMPLES, ExportedSession

FILES = ("fhir.json",)
UCUM: Final = "http://unitsofmeasure.org"
COLUMNS_SYSTEM: Final = "urn:tractable:column"
MISSING: Final = "E"
COPY_BYTES: Final = 1 << 20
COLUMNS: Final = (
    "raw_a",
    "raw_b",
    "force_a_mn",
    "force_b_mn",
    "target_mn",
    "cable_um",
    "velocity_um_s",
    "current_ma",
    "status",
    "late",
)
# As UCUM writes them; what has no dimension is 1 there.
_UCUM_CODES: Final = {"mN": "mN", "um": "um", "um/s": "um/s", "mA": "mA"}
_DATA: Final = "\x00data\x00"


def write(exported: ExportedSession, folder: Path) -> None:
    """Writes one Bundle into the folder."""
    with tempfile.TemporaryDirectory(dir=folder) as spool, ExitStack() as stack:
        columns = {name: stack.enter_context((Path(spool) / name).open("w+b")) for name in COLUMNS}
        for batch in exported.grid_batches():
            for name, file in columns.items():
                file.write(_text(batch[name], first=file.tell() == 0))
        with (folder / f"{exported.name}.fhir.json").open("wb") as bundle:
            for part in _bundle(exported, columns):
                bundle.write(part)


def _text(column: Any, *, first: bool) -> bytes:
    numbers = pc.cast(column, pa.int8()) if pa.types.is_boolean(column.type) else column
    values = pc.fill_null(pc.cast(numbers, pa.string()), MISSING)
    joined = pc.binary_join(pa.ListArray.from_arrays(pa.array([0, len(values)], pa.int32()), values), " ")
    text: str = joined[0].as_py()
    return (text if first else " " + text).encode()


def _bundle(exported: ExportedSession, columns: Mapping[str, IO[bytes]]) -> Iterator[bytes]:
    yield json.dumps({"resourceType": "Bundle", "type": "collection", "meta": _meta(exported)})[:-1].encode()
    yield b', "entry": ['
    for number, resource in enumerate(_resources(exported)):
        yield b"" if number == 0 else b",\n"
        yield b'{"fullUrl": "urn:tractable:%s", "resource": ' % resource["id"].encode()
        before, found, after = json.dumps(resource).partition(json.dumps(_DATA)[1:-1])
        yield before.encode()
        if found:
            yield from _copied(columns[resource["code"]["coding"][0]["code"]])
        yield after.encode() + b"}"
    yield b"]}\n"


def _copied(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    while part := file.read(COPY_BYTES):
        yield part


def _meta(exported: ExportedSession) -> dict[str, Any]:
    simulated = {"system": "urn:tractable:tag", "code": "simulated", "display": "a simulated table, nobody was treated"}
    return {"tag": [simulated]} if exported.simulated else {}


def _resources(exported: ExportedSession) -> Iterator[dict[str, Any]]:
    yield _device(exported)
    for name in COLUMNS:
        yield _metric(name)
    yield _procedure(exported)
    if exported.grid.count:
        for name in COLUMNS:
            yield _observation(exported, name)


def _device(exported: ExportedSession) -> dict[str, Any]:
    table, versions = exported.header["table"], exported.header["versions"]
    return {
        "resourceType": "Device",
        "id": "table",
        "serialNumber": str(table.get("serial", "unknown")),
        "type": [{"text": "lumbar-traction table" + (", simulated" if exported.simulated else "")}],
        "version": [{"value": f"{name} {value}"} for name, value in versions.items() if value is not None],
        "property": [_property("limits", exported), _property("calibration", exported)],
    }


def _property(name: str, exported: ExportedSession) -> dict[str, Any]:
    return {"type": {"text": name}, "valueString": json.dumps(exported.header[name])}


def _metric(name: str) -> dict[str, Any]:
    setting = name == "target_mn"
    return {
        "resourceType": "DeviceMetric",
        "id": f"metric-{_id(name)}",
        "type": _code(name),
        "unit": _unit(name),
        "device": {"reference": "urn:tractable:table"},
        "category": "setting" if setting else "measurement",
    }


def _procedure(exported: ExportedSession) -> dict[str, Any]:
    return {
        "resourceType": "Procedure",
        "id": "session",
        "status": "completed" if exported.header["ended"] else "unknown",
        "code": {"text": "lumbar traction"},
        "subject": _subject(exported),
        "occurrencePeriod": _period(exported),
        "focalDevice": [{"manipulated": {"reference": "urn:tractable:table"}}],
        "note": [{"text": json.dumps({"prescription": exported.header["prescription"]})}],
    }


def _observation(exported: ExportedSession, name: str) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": f"samples-{_id(name)}",
        "status": "final",
        "partOf": [{"reference": "urn:tractable:session"}],
        "code": _code(name),
        "subject": _subject(exported),
        "effectivePeriod": _period(exported),
        "device": {"reference": f"urn:tractable:metric-{_id(name)}"},
        "valueSampledData": {
            "origin": {"value": 0, "unit": _unit_text(name), "system": UCUM, "code": _ucum(name)},
            "interval": exported.grid.period_s * 1000,
            "intervalUnit": "ms",
            "dimensions": 1,
            "data": _DATA,
        },
    }


def _code(name: str) -> dict[str, Any]:
    meaning = SAMPLES.field(name).metadata[b"description"].decode()
    return {"coding": [{"system": COLUMNS_SYSTEM, "code": name, "display": meaning}], "text": name}


def _unit(name: str) -> dict[str, Any]:
    return {"coding": [{"system": UCUM, "code": _ucum(name)}], "text": _unit_text(name)}


def _unit_text(name: str) -> str:
    unit: str = SAMPLES.field(name).metadata[b"unit"].decode()
    return unit


def _ucum(name: str) -> str:
    return _UCUM_CODES.get(_unit_text(name), "1")


def _subject(exported: ExportedSession) -> dict[str, Any]:
    if exported.patient is None:
        return {"display": "not given"}
    return {"identifier": {"system": "urn:tractable:patient", "value": exported.patient}}


def _period(exported: ExportedSession) -> dict[str, Any]:
    session = exported.session
    last = session.time_utc((session.first_t_us or 0) + round(session.duration_s * 1e6))
    return {"start": f"{session.started:%Y-%m-%dT%H:%M:%S.%f}Z", "end": f"{last:%Y-%m-%dT%H:%M:%S.%f}Z"}


def _id(name: str) -> str:
    return name.replace("_", "-")
