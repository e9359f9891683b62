"""What is inside a session file: its tables, with a unit and a meaning a column, and what opening one can refuse.

A session file is one SQLite database. Rows are only ever added: triggers refuse UPDATE and DELETE, and `block_chain`
makes a change by other means visible. The same columns describe the exports.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

FORMAT_VERSION: Final = 2
APPLICATION_ID: Final = 0x54524354  # "TRCT", in the SQLite header, so that `file` and we can tell it from others
SUFFIX: Final = ".tractable"


class NotASession(Exception):
    """The file is not a session file, or its beginning is damaged."""


class NewerFormat(Exception):
    """The file was written by a newer version than this one can read."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `unit` is "1" for a bare number and "" for text; files of a format before `since` do not have it."""

    name: str
    sql_type: Literal["INTEGER", "TEXT"]
    unit: str
    meaning: str
    nullable: bool = False
    since: int = 1


SAMPLE_COLUMNS: Final = (
    Column("seq", "INTEGER", "1", "the device's sample number, unwrapped; a number that is missing is a gap"),
    Column("t_us", "INTEGER", "us", "the device's clock at the conversion, unwrapped"),
    Column("raw_a", "INTEGER", "code", "converter code of channel A; absent if none came", nullable=True),
    Column("raw_b", "INTEGER", "code", "converter code of channel B; absent if none came", nullable=True),
    Column("force_a_mn", "INTEGER", "mN", "calibrated force of channel A; absent if not believable", nullable=True),
    Column("force_b_mn", "INTEGER", "mN", "calibrated force of channel B; absent if not believable", nullable=True),
    Column("target_mn", "INTEGER", "mN", "force that the loop followed; absent while it followed none", nullable=True),
    Column("cable_um", "INTEGER", "um", "cable position; a pull counts up"),
    Column("velocity_um_s", "INTEGER", "um/s", "cable velocity; a pull is positive"),
    Column("current_ma", "INTEGER", "mA", "drive current"),
    Column("status", "INTEGER", "bits", "the device's status bits, as sent"),
    Column("late", "INTEGER", "bool", "1 if the sample came too old to be acted on"),
    Column("host_us", "INTEGER", "us", "the computer's monotonic clock when it judged the sample", True, since=2),
    Column("age_us", "INTEGER", "us", "how old the sample was then, by both clocks", True, since=2),
    Column("asked_um_s", "INTEGER", "um/s", "speed permitted on it, pull positive; absent if none was", True, since=2),
)

EVENT_COLUMNS: Final = (
    Column("number", "INTEGER", "1", "the event's number in the session"),
    Column("t_us", "INTEGER", "us", "the device's clock of the newest sample then; absent before it", nullable=True),
    Column("time_utc", "TEXT", "", "wall clock, ISO 8601, UTC"),
    Column("kind", "TEXT", "", "session, command, verdict, phase, alarm, trip, link or note"),
    Column("actor", "TEXT", "", "who: clinician, patient, table, controller, or a user's pseudonym"),
    Column("text", "TEXT", "", "a sentence for people"),
    Column("data", "TEXT", "", "the particulars, a JSON object"),
)

BLOCK_COLUMNS: Final = (
    Column("kind", "TEXT", "", "opening (covers meta), rows, or closing (the record ended as it should)"),
    Column("written_utc", "TEXT", "", "wall clock when the block was handed over, ISO 8601, UTC"),
    Column("first_sample", "INTEGER", "1", "first row of samples in the block", nullable=True),
    Column("last_sample", "INTEGER", "1", "last row of samples in the block", nullable=True),
    Column("first_event", "INTEGER", "1", "first row of events in the block", nullable=True),
    Column("last_event", "INTEGER", "1", "last row of events in the block", nullable=True),
    Column("hash", "TEXT", "", "SHA-256 over the block, its rows and the hash of the block before it"),
)

META_KEYS: Final = {
    "format_version": "the version of this format, a whole number",
    "session_id": "the session's id",
    "part": "1, or the number of this file among those of the session",
    "continues": "the file that this part goes on from: its name, last hash, first t_us and phase; null in the first",
    "started_utc": "wall clock at the start, ISO 8601, UTC; it anchors the device's clock",
    "prescription": "what was prescribed: forces in mN, times in s, rates in mN/s, mass in g",
    "calibration": "the calibration that held: zero (counts) and span (mN a count times 2^20) of each channel, its day",
    "table": "the table's identity: model, serial number, firmware, protocol, sample rate",
    "limits": "the limits that held, each with its unit in its name",
    "versions": "the program's versions and git hash",
    "units": "the unit of each column of samples",
    "simulated": "true if the table was a simulated one",
    "recovered": "only in a recovered file: what it was made from, and which blocks are missing",
}
UNITS: Final = {column.name: column.unit for column in SAMPLE_COLUMNS}


def of_format(version: int, columns: Sequence[Column]) -> tuple[Column, ...]:
    """Those of the columns that a file of that format has."""
    return tuple(column for column in columns if column.since <= version)


def _table(name: str, key: str, columns: tuple[Column, ...]) -> str:
    lines = [f"  {key} INTEGER PRIMARY KEY, -- counts up by one, without a break"]
    for column in columns:
        required = "" if column.nullable else " NOT NULL"
        comma = "" if column is columns[-1] else ","
        unit = f"[{column.unit}] " if column.unit else ""
        lines.append(f"  {column.name} {column.sql_type}{required}{comma} -- {unit}{column.meaning}")
    return f"CREATE TABLE {name} (\n" + "\n".join(lines) + "\n) STRICT"


def _guard(table: str, action: str) -> str:
    return (
        f"CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON {table}\n"
        f"BEGIN SELECT RAISE(ABORT, 'A session file is only ever added to: {table} takes no {action}.'); END"
    )


META_TABLE: Final = (
    "CREATE TABLE meta (\n"
    "  key TEXT PRIMARY KEY, -- what it is\n"
    "  value TEXT NOT NULL -- a JSON value\n"
    ") STRICT, WITHOUT ROWID"
)
META_SEAL: Final = (
    "CREATE TRIGGER meta_no_insert BEFORE INSERT ON meta WHEN EXISTS (SELECT 1 FROM blocks)\n"
    "BEGIN SELECT RAISE(ABORT, 'A session file is only ever added to: meta is sealed by the first block.'); END"
)


def schema_of(version: int) -> tuple[str, ...]:
    """What makes the tables and guards of a file of that format."""
    return (
        META_TABLE,
        _table("samples", "row", of_format(version, SAMPLE_COLUMNS)),
        _table("events", "row", EVENT_COLUMNS),
        _table("blocks", "number", BLOCK_COLUMNS),
        META_SEAL,
        *(_guard(table, act) for table in ("meta", "samples", "events", "blocks") for act in ("UPDATE", "DELETE")),
    )


SCHEMA: Final = schema_of(FORMAT_VERSION)


def names(columns: Sequence[Column]) -> str:
    """The columns' names as SQL lists them."""
    return ", ".join(column.name for column in columns)
