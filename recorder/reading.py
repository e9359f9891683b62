"""Reads a session file: `open_session(path)` gives its header, its samples as an Arrow table, its events and its gaps.

    with open_session("2025-03-01-K7-2F41-001.tractable") as session:
        table = session.samples()      # table.to_pandas() where pandas is installed
        happened = session.event_table()
        session.gaps(), session.duration_s, session.header.limits

Lazily: `sample_reader()` and `event_reader()` are Arrow streams that read as they are consumed, a batch at a time.

What is absent in the record is null here, and what is missing is missing: nothing is filled in.
"""

import contextlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
import pyarrow as pa

from controller.journal import EventKind, EventRow, SessionHeader
from recorder import sample_pages
from recorder.session_format import (
    EVENT_COLUMNS,
    SAMPLE_COLUMNS,
    Column,
    NewerFormat,
    NotASession,
    names,
    of_format,
)
from recorder.stored import connect, read_meta

__all__ = ["Gap", "NewerFormat", "NotASession", "Session", "open_session"]

FIRST_ROWS_BLOCK: Final = 1  # block 0 is the header's
BATCH_ROWS: Final = 49_152  # at most: what is read from the pages at once is fewer, and stays whole


@dataclass(frozen=True, slots=True)
class Gap:
    """Samples that never came: how many, between which two, and when these were taken by the device's clock."""

    after_seq: int
    before_seq: int
    missing: int
    from_t_us: int
    to_t_us: int


def gaps_in(batches: Iterable[Any]) -> Iterator[Gap]:
    """The gaps between the samples of these batches, which follow one another."""
    last: tuple[Any, Any] | None = None
    for batch in batches:
        seq, t_us = batch["seq"].to_numpy(), batch["t_us"].to_numpy()
        if last is not None:
            seq, t_us = np.concatenate([last[0], seq]), np.concatenate([last[1], t_us])
        for at in np.flatnonzero(np.diff(seq) > 1):
            after, before = int(seq[at]), int(seq[at + 1])
            yield Gap(after, before, before - after - 1, int(t_us[at]), int(t_us[at + 1]))
        last = (seq[-1:], t_us[-1:])


def arrow_field(column: Column) -> Any:
    """The column as an Arrow field, with its unit and its meaning as metadata."""
    kinds = {"INTEGER": pa.int64(), "TEXT": pa.string()}
    kind = pa.bool_() if column.unit == "bool" else kinds[column.sql_type]
    return pa.field(column.name, kind, column.nullable, {"unit": column.unit, "description": column.meaning})


SAMPLE_SCHEMA: Final[Any] = pa.schema([arrow_field(column) for column in SAMPLE_COLUMNS])
EVENT_SCHEMA: Final[Any] = pa.schema([arrow_field(column) for column in EVENT_COLUMNS])


class Session:
    """One session file, open for reading. Each call reads the record as it is then: a running session grows."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self.meta: dict[str, Any] = read_meta(connection)
        self.header = SessionHeader(
            session_id=self.meta["session_id"],
            started_utc=self.meta["started_utc"],
            prescription=self.meta["prescription"],
            calibration=self.meta["calibration"],
            table=self.meta["table"],
            limits=self.meta["limits"],
            versions=self.meta["versions"],
            simulated=self.meta["simulated"],
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the file."""
        self._connection.close()

    @contextlib.contextmanager
    def unchanging(self) -> Iterator[None]:
        """Within it each call reads the record as it was at the first one, however long a running session grows."""
        self._connection.execute("BEGIN")
        try:
            yield
        finally:
            self._connection.execute("COMMIT")

    @property
    def ended_utc(self) -> str | None:
        """When the record was ended as it should be. None if it was interrupted, or is still being written."""
        row = self._connection.execute("SELECT written_utc FROM blocks WHERE kind = 'closing'").fetchone()
        return None if row is None else str(row[0])

    @property
    def last_hash(self) -> str:
        """The newest block's hash: who keeps it elsewhere can tell later whether the record was rewritten."""
        row = self._connection.execute("SELECT hash FROM blocks ORDER BY number DESC LIMIT 1").fetchone()
        return str(row[0])

    @property
    def block_count(self) -> int:
        """How many blocks there are, the header's among them."""
        return int(self._connection.execute("SELECT coalesce(max(number), -1) + 1 FROM blocks").fetchone()[0])

    @property
    def sample_count(self) -> int:
        """How many samples there are."""
        return int(self._connection.execute("SELECT coalesce(max(row), 0) FROM samples").fetchone()[0])

    @property
    def first_t_us(self) -> int | None:
        """The device's clock at the first sample: where `t_s` is 0. None if there is no sample."""
        row = self._connection.execute("SELECT t_us FROM samples ORDER BY row LIMIT 1").fetchone()
        return None if row is None else int(row[0])

    @property
    def duration_s(self) -> float:
        """From the first sample to the last, by the device's clock."""
        row = self._connection.execute("SELECT t_us FROM samples ORDER BY row DESC LIMIT 1").fetchone()
        first = self.first_t_us
        return 0.0 if row is None or first is None else (row[0] - first) / 1e6

    def time_utc(self, t_us: int) -> datetime:
        """Wall-clock time of a moment of the device's clock: the first sample is taken to be at the session's start."""
        first = self.first_t_us
        return self.started + timedelta(microseconds=0 if first is None else t_us - first)

    @property
    def part(self) -> int:
        """1, but of a session that had to go on in another file."""
        return int(self.meta.get("part") or 1)

    @property
    def started(self) -> datetime:
        """The session's start by the wall clock, UTC; of a later part, its own. It anchors the device's clock."""
        started = datetime.fromisoformat(self.header.started_utc)
        started = started.astimezone(UTC) if started.tzinfo else started.replace(tzinfo=UTC)
        began_us, first_us = self._left_before("first_t_us"), self.first_t_us
        if isinstance(began_us, int) and first_us is not None:
            return started + timedelta(microseconds=first_us - began_us)
        return self._start_by_an_event() or started

    def _start_by_an_event(self) -> datetime | None:
        """Of a recovered record whose first rows are lost: an event has both clocks. None of any other."""
        recovered, first_us = self.meta.get("recovered") or {}, self.first_t_us
        if first_us is None or FIRST_ROWS_BLOCK not in (recovered.get("lost_blocks") or ()):
            return None
        query = "SELECT t_us, time_utc FROM events WHERE t_us NOT NULL ORDER BY row LIMIT 1"
        row = self._connection.execute(query).fetchone()
        return row and datetime.fromisoformat(row[1]) - timedelta(microseconds=row[0] - first_us)

    def _left_before(self, name: str) -> Any:
        """What a later part was told of the file before it."""
        return (self.meta.get("continues") or {}).get(name)

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[Any]:
        """The samples in order as Arrow record batches, so that a long session never is in memory as a whole."""
        chosen = _chosen(SAMPLE_COLUMNS, columns)
        done = 0
        with contextlib.suppress(sample_pages.NotAsExpected, OSError):
            for batch in self._batches_of_pages(chosen):
                yield from (batch.slice(start, BATCH_ROWS) for start in range(0, len(batch), BATCH_ROWS))
                done += len(batch)
            return
        yield from self._batches("samples", chosen, done)

    def _batches_of_pages(self, columns: Sequence[Column]) -> Iterator[Any]:
        """The same read in a faster way, of a finished file. Raises NotAsExpected where SQLite has to read on."""
        there = of_format(self.meta["format_version"], SAMPLE_COLUMNS)
        places = [there.index(column) for column in columns if column in there]
        schema = pa.schema([arrow_field(column) for column in columns])
        for rows, values in sample_pages.column_batches(self.path, self._connection, len(there), places):
            read = iter(values)
            arrays = [_column(next(read), c) if c in there else pa.nulls(rows, arrow_field(c).type) for c in columns]
            yield pa.record_batch(arrays, schema=schema)

    def sample_reader(self, columns: Sequence[str] | None = None) -> Any:
        """The samples as a pyarrow RecordBatchReader: nothing is read before it is asked for, one batch at a time."""
        return pa.RecordBatchReader.from_batches(_schema(SAMPLE_SCHEMA, columns), self.batches(columns))

    def samples(self, columns: Sequence[str] | None = None) -> Any:
        """The samples as a pyarrow Table, units and meanings in the fields' metadata; with `columns`, only those."""
        return pa.Table.from_batches(self.batches(columns), _schema(SAMPLE_SCHEMA, columns))

    def event_reader(self) -> Any:
        """The events as a pyarrow RecordBatchReader, read as they are asked for; `data` is JSON text."""
        return pa.RecordBatchReader.from_batches(EVENT_SCHEMA, self._batches("events", EVENT_COLUMNS))

    def event_table(self) -> Any:
        """The events as a pyarrow Table, meanings in the fields' metadata; `data` is JSON text."""
        return self.event_reader().read_all()

    def _batches(self, table: str, columns: Sequence[Column], done: int = 0) -> Iterator[Any]:
        schema = pa.schema([arrow_field(column) for column in columns])
        there = of_format(self.meta["format_version"], columns)
        chosen = ", ".join(column.name if column in there else f"NULL AS {column.name}" for column in columns)
        cursor = self._connection.execute(f"SELECT {chosen} FROM {table} WHERE row > {done} ORDER BY row")  # noqa: S608 - our names
        while rows := cursor.fetchmany(BATCH_ROWS):
            arrays = [_array(values, column) for values, column in zip(zip(*rows, strict=True), columns, strict=True)]
            yield pa.record_batch(arrays, schema=schema)

    def events(self) -> list[EventRow]:
        """Every event, in the order in which they were handed over."""
        query = f"SELECT {names(EVENT_COLUMNS)} FROM events ORDER BY row"  # noqa: S608 - our names
        return [_event(*row) for row in self._connection.execute(query)]

    def phases(self) -> list[tuple[str, int]]:
        """Each phase and when it began, by the device's clock. A later part begins in the phase of the one before."""
        there = [(str(event.data.get("phase")), event.t_us or 0) for event in self.events() if event.kind == "phase"]
        left_in, first_us = self._left_before("phase"), self.first_t_us
        return there if left_in is None or first_us is None else [(str(left_in), first_us), *there]

    def gaps(self) -> list[Gap]:
        """Where sample numbers are missing."""
        return list(gaps_in(self.batches(("seq", "t_us"))))


def _event(number: int, t_us: int | None, time_utc: str, kind: EventKind, actor: str, text: str, data: str) -> EventRow:
    return EventRow(number, t_us, time_utc, kind, actor, text, json.loads(data))


def _chosen(columns: Sequence[Column], wanted: Sequence[str] | None) -> tuple[Column, ...]:
    return tuple(column for column in columns if wanted is None or column.name in set(wanted))


def _schema(schema: Any, wanted: Sequence[str] | None) -> Any:
    return pa.schema([field for field in schema if wanted is None or field.name in set(wanted)])


def _column(read: tuple[Any, ...], column: Column) -> Any:
    values, absent = read
    if column.unit == "bool":
        return pa.array(values != 0, pa.bool_())
    return pa.array(values, pa.int64(), mask=absent if column.nullable else None)


def _array(values: tuple[Any, ...], column: Column) -> Any:
    if column.unit == "bool":
        return pa.array([value != 0 for value in values], pa.bool_())
    return pa.array(values, arrow_field(column).type)


def open_session(path: Path | str) -> Session:
    """Opens a session file for reading; it may be being written meanwhile.

    Raises NotASession or NewerFormat, each with a sentence that says what to do.
    """
    connection = connect(Path(path))
    try:
        return Session(Path(path), connection)
    except (sqlite3.DatabaseError, ValueError, KeyError) as error:
        connection.close()
        raise NotASession(f"{path} has a damaged header ({error}). Run a verification to see where.") from error
