"""Writes docs/session-file.md from the format's description in code: `python -m docs.make_session_file`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from recorder.session_format import (
    APPLICATION_ID,
    BLOCK_COLUMNS,
    EVENT_COLUMNS,
    FORMAT_VERSION,
    META_KEYS,
    SAMPLE_COLUMNS,
    Column,
)

FILE: Final = Path(__file__).with_name("session-file.md")
HEAD: Final = f"""\
# The session file

Made by `python -m docs.make_session_file` from `recorder/session_format.py`: change it there. A test holds this page
equal to it. It describes format {FORMAT_VERSION}.

One session is one SQLite 3 database, `sessions/<year>/<id>.tractable`, with application id `{APPLICATION_ID:#x}`
("TRCT"). Anything that opens SQLite opens it; `.schema` shows what this page says, for the file carries it as
comments. While a session runs there is a `-wal` file beside it, which belongs to it.

Rows are only ever added; triggers refuse UPDATE and DELETE. They are written in blocks, at least every 250 ms, each
in one transaction that is on the disk before the next begins. When the disk gave up a file, the session goes on in
`<id>.part2.tractable`, whose `continues` names the file before it, that file's last hash, the session's first `t_us`
and the phase it goes on in.

A reader of format {FORMAT_VERSION} refuses a file of a newer format, and says so. A newer reader reads older files.
"""
CHAIN: Final = """
## The chain

The hash of a block is SHA-256 over one JSON array, UTF-8, without spaces, characters beyond ASCII escaped:

    [previous hash, number, kind, written_utc, first_sample, last_sample, first_event, last_event,
     meta, samples, events]

`meta` is the list of [key, value] pairs in the order of their keys in block 0, and empty in all others; `samples` and
`events` are lists of rows as stored, the row number first. The hash before block 0 is the empty string. The last hash
of each ended session is also in `sessions/ended.jsonl`, on its receipt, and in the catalogue's audit trail.
"""


def as_markdown() -> str:
    tables = (
        _table("samples", "one conversion of both channels a row; `row` counts them", SAMPLE_COLUMNS),
        _table("events", "one thing that happened a row; `row` counts them", EVENT_COLUMNS),
        _table("blocks", "what each commit added, `number` counting from 0", BLOCK_COLUMNS),
    )
    return HEAD + _meta() + "".join(tables) + CHAIN


def _meta() -> str:
    lines = "".join(f"| `{key}` | {meaning} |\n" for key, meaning in META_KEYS.items())
    return f"\n## `meta`: the header, a JSON value a key\n\n| key | is |\n|---|---|\n{lines}"


def _table(name: str, about: str, columns: Sequence[Column]) -> str:
    head = f"\n## `{name}`: {about}\n\n| column | type | unit | may be absent | is |\n|---|---|---|---|---|\n"
    return head + "".join(_row(column) for column in columns)


def _row(column: Column) -> str:
    absent = "yes" if column.nullable else ""
    return f"| `{column.name}` | {column.sql_type} | {column.unit} | {absent} | {column.meaning} |\n"


if __name__ == "__main__":
    FILE.write_text(as_markdown(), encoding="utf-8")
