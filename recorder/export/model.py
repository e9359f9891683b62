"""What every export of a session holds, whatever its format: four tables, and what is to be known about them.

Samples are the record's own, exact integers, named with their units. Added in front: `t_s` (from the first sample, by
the device's clock) and `time_utc` (the same from the session's start by the wall clock); behind: `force_n` (as the dose
takes it) and `simulated`. Beside them: the events, the gaps, and a row for each pull. What is absent is null. It is all
streamed: nothing here grows with the session's length.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from controller.journal import EventRow
from recorder.dose import force_of
from recorder.export import deidentified as private
from recorder.export.pulls import COLUMNS as PULL_COLUMNS
from recorder.export.pulls import PULL_FIELDS, Pull, Pulls
from recorder.pseudonym import PATIENT, keyed
from recorder.reading import SAMPLE_SCHEMA, Gap, Session, arrow_field, gaps_in
from recorder.session_format import EVENT_COLUMNS
from recorder.verification import State

MODEL_VERSION: Final = 2
GRID_ROWS: Final = 32_768
_UTC: Final[Any] = pa.timestamp("us", tz="UTC")
_DATE_CHARACTERS: Final = len("2026-03-01")
Progress = Callable[[int], None]


def _field(name: str, kind: Any, nullable: bool, unit: str, description: str) -> Any:
    return pa.field(name, kind, nullable, {"unit": unit, "description": description})


_T_S: Final = _field("t_s", pa.float64(), True, "s", "time from the first sample, by the device's clock")
_TIME_UTC: Final = _field("time_utc", _UTC, False, "", "the session's start by the wall clock, plus t_s; UTC")
_FORCE: Final = _field("force_n", pa.float64(), True, "N", "mean of the channels that are there; absent if none is")
_SIMULATED: Final = _field("simulated", pa.bool_(), False, "bool", "true: a simulated table, nobody was treated")

SAMPLES: Final[Any] = pa.schema([_T_S, _TIME_UTC, *SAMPLE_SCHEMA, _FORCE, _SIMULATED])
EVENTS: Final[Any] = pa.schema([_T_S, *(arrow_field(column) for column in EVENT_COLUMNS), _SIMULATED])
GAPS: Final[Any] = pa.schema(
    [
        _field("t_s", pa.float64(), False, "s", "when the last sample before the gap was taken"),
        _field("time_utc", _UTC, False, "", "the same by the wall clock; UTC"),
        _field("lasted_s", pa.float64(), False, "s", "until the first sample after the gap"),
        _field("after_seq", pa.int64(), False, "1", "number of the last sample before the gap"),
        _field("before_seq", pa.int64(), False, "1", "number of the first sample after the gap"),
        _field("missing", pa.int64(), False, "1", "how many samples never came"),
        _SIMULATED,
    ]
)
PULLS: Final[Any] = pa.schema(
    [_field(name, kind, True, unit, meaning) for name, kind, unit, meaning in PULL_FIELDS] + [_SIMULATED]
)


@dataclass(frozen=True, slots=True)
class Table:
    """One table of an export: its columns with units and meanings, and its rows when they are asked for."""

    name: str
    schema: Any
    batches: Callable[[], Iterator[Any]]


@dataclass(frozen=True, slots=True)
class Grid:
    """For formats that know a rate and no times: sample number `first_seq + i` is at `i * period_s`.

    `period_s` is the mean over the session; `off_s_max` is how far a sample's own time is from there at most.
    """

    first_seq: int
    count: int
    period_s: float
    off_s_max: float


class ExportedSession:
    """One session as it is exported, under `name`. Read it while nothing else moves the session's connection.

    `texts`: with the events' own sentences, particulars and actors, as recorded, which may name somebody. `key`: what
    the patient's pseudonym is made with; without it the patient is left out. `progress` hears how many rows were read.
    `state` is what a verification of the record found; None where nobody looked.
    """

    def __init__(
        self,
        session: Session,
        name: str,
        key: bytes | None = None,
        *,
        texts: bool = False,
        progress: Progress | None = None,
        state: State | None = None,
    ) -> None:
        self.session = session
        self.name = name
        self.simulated = session.header.simulated
        self._key = key
        self._texts = texts
        self._progress = progress
        self._state = state

    @cached_property
    def header(self) -> dict[str, Any]:
        """All that is to be known: prescription, calibration, uncertainty, limits, versions, simulated, units."""
        header = self.session.header
        return {
            "export_model": MODEL_VERSION,
            "session": self.name,
            "patient": self.patient,
            "record": {
                "state": self._state,
                "part": self.session.part,
                "recovered_without_blocks": (self.session.meta.get("recovered") or {}).get("lost_blocks"),
            },
            "started_utc": private.deidentified(header.started_utc, "started_utc"),
            "ended": self.session.ended_utc is not None,
            "simulated": header.simulated,
            "prescription": private.deidentified_prescription(header.prescription),
            "calibration": private.deidentified(header.calibration),
            "table": private.deidentified(header.table),
            "limits": private.deidentified(header.limits),
            "versions": private.deidentified(header.versions),
            "units": {field.name: field.metadata[b"unit"].decode() for field in SAMPLES},
        }

    @property
    def patient(self) -> str | None:
        """The patient's keyed pseudonym."""
        known_as = self.session.header.prescription.get("pseudonym")
        return keyed(self._key, PATIENT, str(known_as)) if self._key and known_as else None

    def tables(self) -> tuple[Table, Table, Table, Table]:
        """Samples, events, gaps and pulls."""
        return (
            Table("samples", SAMPLES, self.sample_batches),
            Table("events", EVENTS, lambda: iter([self._event_batch()])),
            Table("gaps", GAPS, lambda: iter([self._gap_batch()])),
            Table("pulls", PULLS, lambda: iter([self._pull_batch()])),
        )

    def described(self, table: Table) -> Any:
        """The table's schema with the header in its metadata, as JSON under `tractable`."""
        about = {"tractable": json.dumps(self.header), "simulated": json.dumps(self.simulated)}
        return table.schema.with_metadata(about)

    def sample_batches(self) -> Iterator[Any]:
        """The samples, batch by batch."""
        facts = None if "_facts" in self.__dict__ else _Facts(self.session)
        for batch in self.session.batches():
            if facts:
                facts.take(batch)
            since_us = pc.subtract(batch["t_us"], self._first_t_us)
            time_utc = pc.cast(pc.add(since_us, self._started_us), _UTC)
            columns = [_seconds(since_us), time_utc, *batch.columns, force_of(batch), self._flags(len(batch))]
            yield pa.record_batch(columns, schema=SAMPLES)
            if self._progress:
                self._progress(len(batch))
        if facts:
            self._facts = facts  # seen on the way: no second reading for the tables that follow

    @property
    def grid(self) -> Grid:
        """Where the samples are by their numbers."""
        return self._facts.grid

    def grid_batches(self) -> Iterator[Any]:
        """The samples as `sample_batches`, with a row of nulls for each one that is missing: nothing is filled in."""
        next_seq = self.grid.first_seq
        for batch in self.sample_batches():
            seq = _numpy(batch["seq"])
            for start in range(next_seq, int(seq[-1]) + 1, GRID_ROWS):
                wanted = np.arange(start, min(start + GRID_ROWS, int(seq[-1]) + 1))
                at = np.searchsorted(seq, wanted)
                yield batch.take(pa.array(at, mask=seq[at] != wanted))
            next_seq = int(seq[-1]) + 1

    def events(self) -> list[EventRow]:
        """The events as they are exported."""
        return [event if self._texts else _in_our_words(event) for event in self.session.events()]

    def seconds(self, t_us: int | None) -> float | None:
        """Seconds from the first sample, of a moment of the device's clock; None where there is no sample."""
        return None if t_us is None or self._first_t_us is None else (t_us - self._first_t_us) / 1e6

    def onset_s(self, event: EventRow) -> float:
        """For formats that want a time of every event: by the wall clock where the device's is not known."""
        at_s = self.seconds(event.t_us)
        if at_s is not None:
            return at_s
        return (datetime.fromisoformat(event.time_utc) - self.session.started).total_seconds()

    def pulls(self) -> list[Pull]:
        """A row for each time that the force was held."""
        return self._facts.pulls.rows()

    def gaps(self) -> list[Gap]:
        """Where samples are missing."""
        return self._facts.gaps

    @cached_property
    def _facts(self) -> "_Facts":
        facts = _Facts(self.session)
        for batch in self.session.batches(PULL_COLUMNS):
            facts.take(batch)
        return facts

    def _event_batch(self) -> Any:
        events = self.events()
        rows = [
            {
                "t_s": self.seconds(event.t_us),
                **{column.name: getattr(event, column.name) for column in EVENT_COLUMNS},
                "data": json.dumps(event.data),
                "simulated": self.simulated,
            }
            for event in events
        ]
        return pa.RecordBatch.from_pylist(rows, EVENTS)

    def _gap_batch(self) -> Any:
        rows = [
            {
                "t_s": self.seconds(gap.from_t_us),
                "time_utc": self.session.time_utc(gap.from_t_us),
                "lasted_s": (gap.to_t_us - gap.from_t_us) / 1e6,
                "after_seq": gap.after_seq,
                "before_seq": gap.before_seq,
                "missing": gap.missing,
                "simulated": self.simulated,
            }
            for gap in self.gaps()
        ]
        return pa.RecordBatch.from_pylist(rows, GAPS)

    def _pull_batch(self) -> Any:
        return pa.RecordBatch.from_pylist([p.as_row() | {"simulated": self.simulated} for p in self.pulls()], PULLS)

    @cached_property
    def _first_t_us(self) -> int | None:
        return self.session.first_t_us

    @cached_property
    def _started_us(self) -> int:
        return round(self.session.started.timestamp() * 1e6)

    def _flags(self, rows: int) -> Any:
        return pa.repeat(pa.scalar(self.simulated), rows)


class _Facts:
    """What only the whole session tells: its gaps, its pulls, and where its samples are by their numbers."""

    def __init__(self, session: Session) -> None:
        self.gaps: list[Gap] = []
        self.pulls = Pulls(session.phases())
        self._first: tuple[int, int] | None = None
        self._last: Any = None
        self._period_us = 0.0
        self._off: list[tuple[int, int, float, float]] = []

    def take(self, batch: Any) -> None:
        """The next batch of samples."""
        numbered = batch.select(("seq", "t_us"))
        self.gaps += gaps_in([numbered] if self._last is None else [self._last, numbered])
        self.pulls.take(batch)
        seq, t_us = _numpy(batch["seq"]), _numpy(batch["t_us"])
        if self._first is None:
            self._first = (int(seq[0]), int(t_us[0]))
            self._period_us = _period_us(self._first, (int(seq[-1]), int(t_us[-1])))
        off_us = (t_us - self._first[1]) - (seq - self._first[0]) * self._period_us
        self._off.append((int(seq[0]), int(seq[-1]), float(off_us.min()), float(off_us.max())))
        self._last = numbered.slice(len(batch) - 1)

    @cached_property
    def grid(self) -> Grid:
        """From the first sample to the last; how far off is a bound, kept by batch against the first batch's period."""
        if self._first is None:
            return Grid(0, 0, 1.0, 0.0)
        last = (self._last["seq"][0].as_py(), self._last["t_us"][0].as_py())
        period_us = _period_us(self._first, last)
        slower_us = self._period_us - period_us
        off_us = [
            abs(off + slower_us * (seq - self._first[0]))
            for low, high, *ends in self._off
            for seq in (low, high)
            for off in ends
        ]
        return Grid(self._first[0], last[0] - self._first[0] + 1, period_us / 1e6, max(off_us) / 1e6)


def _period_us(first: tuple[int, int], last: tuple[int, int]) -> float:
    return (last[1] - first[1]) / max(last[0] - first[0], 1) or 1e6


def _in_our_words(event: EventRow) -> EventRow:
    return replace(
        event,
        time_utc=private.deidentified(event.time_utc, "started_utc") or "",
        kind=private.kind(event),
        actor=private.role(event.actor),
        text=private.sentence(event),
        data=private.deidentified(event.data),
    )


def iso_utc(times: Any) -> Any:
    """ISO 8601 with a Z, without asking for a time zone database, which a small computer may not have."""
    without_zone = pc.cast(pc.cast(times, pa.int64()), pa.timestamp("us"))
    dated = pc.binary_replace_slice(pc.cast(without_zone, pa.string()), _DATE_CHARACTERS, _DATE_CHARACTERS + 1, "T")
    return pc.binary_join_element_wise(dated, "Z", "")


def units_of(schema: Any) -> Sequence[tuple[str, str, str]]:
    """Name, unit and meaning of each column."""
    return [(f.name, f.metadata[b"unit"].decode(), f.metadata[b"description"].decode()) for f in schema]


def _numpy(column: Any) -> Any:
    return column.to_numpy(zero_copy_only=False)


def _seconds(us: Any) -> Any:
    return pc.divide(pc.cast(us, pa.float64()), 1e6)
