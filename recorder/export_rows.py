"""What every export of a session holds: the samples with two times and the force in N, and the events.

The columns are the record's own, exact integers, named with their units. Added in front: `t_s` (from the first sample,
by the device's clock) and `time_utc` (the same from the session's start by the wall clock); behind: `force_n` (as the
dose takes it) and `simulated`. What is absent is null.
"""

import json
from collections.abc import Iterator
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from recorder.dose import force_of
from recorder.reading import SAMPLE_SCHEMA, Session, arrow_field
from recorder.session_format import EVENT_COLUMNS

_UTC: Final[Any] = pa.timestamp("us", tz="UTC")


def _field(name: str, kind: Any, nullable: bool, unit: str, description: str) -> Any:
    return pa.field(name, kind, nullable, {"unit": unit, "description": description})


_T_S: Final = _field("t_s", pa.float64(), True, "s", "time from the first sample, by the device's clock")
_TIME_UTC: Final = _field("time_utc", _UTC, False, "", "the session's start by the wall clock, plus t_s; UTC")
_FORCE: Final = _field("force_n", pa.float64(), True, "N", "mean of the channels that are there; absent if none is")
_SIMULATED: Final = _field("simulated", pa.bool_(), False, "bool", "true: a simulated table, nobody was treated")

EXPORT_SAMPLES: Final[Any] = pa.schema([_T_S, _TIME_UTC, *SAMPLE_SCHEMA, _FORCE, _SIMULATED])
EXPORT_EVENTS: Final[Any] = pa.schema([_T_S, *(arrow_field(column) for column in EVENT_COLUMNS), _SIMULATED])


# What somebody wrote by hand may name a person: it stays in the record, and nothing exported holds it.
WRITTEN_BY_HAND: Final = ("by", "written")


def exported_header(session: Session) -> dict[str, Any]:
    """The session's header without what was written by hand."""
    prescription = {key: value for key, value in session.header.prescription.items() if key not in WRITTEN_BY_HAND}
    return {**session.meta, "prescription": prescription}


def described(schema: Any, session: Session) -> Any:
    """The schema with the session's header in its metadata, as JSON under `tractable`."""
    about = {"tractable": json.dumps(exported_header(session)), "simulated": json.dumps(session.header.simulated)}
    return schema.with_metadata(about)


def sample_batches(session: Session) -> Iterator[Any]:
    """The samples to export, batch by batch."""
    started_us = round(session.started.timestamp() * 1e6)
    for batch in session.batches():
        since_us = _since_first_us(session, batch["t_us"])
        time_utc = pc.cast(pc.add(since_us, started_us), _UTC)
        simulated = _repeated(session.header.simulated, len(batch))
        columns = [_seconds(since_us), time_utc, *batch.columns, force_of(batch), simulated]
        yield pa.record_batch(columns, schema=EXPORT_SAMPLES)


def event_batches(session: Session) -> Iterator[Any]:
    """The events to export, as one batch. Their `time_utc` is the wall clock's, as recorded."""
    events = session.events()
    values = {column.name: [getattr(event, column.name) for event in events] for column in EVENT_COLUMNS}
    values["data"] = [json.dumps(data) for data in values["data"]]
    columns = [pa.array(values[column.name], EXPORT_EVENTS.field(column.name).type) for column in EVENT_COLUMNS]
    since_us = _since_first_us(session, pa.array(values["t_us"], pa.int64()))
    yield pa.record_batch(
        [_seconds(since_us), *columns, _repeated(session.header.simulated, len(events))], schema=EXPORT_EVENTS
    )


def _since_first_us(session: Session, t_us: Any) -> Any:
    return pc.subtract(t_us, session.first_t_us or 0)


def _seconds(us: Any) -> Any:
    return pc.divide(pc.cast(us, pa.float64()), 1e6)


def _repeated(value: bool, times: int) -> Any:
    return pa.array([value] * times, pa.bool_())
