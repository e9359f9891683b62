"""Samples read from a finished file's pages are those that SQLite reads; whatever is odd is left to SQLite."""

import random
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from os import pread
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from controller.journal import SampleRow
from recorder import sample_pages
from recorder.reading import SAMPLE_SCHEMA, NotASession, open_session
from recorder.session_format import SAMPLE_COLUMNS

EDGES = [
    sign * (1 << bits) + near
    for bits in (0, 7, 8, 15, 16, 23, 24, 31, 32, 47, 48, 62)
    for sign in (-1, 1)
    for near in (-1, 0, 1)
]


@pytest.fixture
def only_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any) -> Any:
        raise AssertionError("read by row")

    monkeypatch.setattr("recorder.reading._array", never)


def by_sqlite(path: Path) -> list[dict[str, Any]]:
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    there = [dict(row) for row in connection.execute("SELECT * FROM samples ORDER BY row")]
    connection.close()
    flags = {column.name for column in SAMPLE_COLUMNS if column.unit == "bool"}
    return [
        {c.name: bool(row[c.name]) if c.name in flags else row.get(c.name) for c in SAMPLE_COLUMNS} for row in there
    ]


@pytest.mark.usefixtures("only_pages")
@pytest.mark.parametrize("seed", range(4))
def test_every_width_of_number_and_every_absence_is_read_as_sqlite_reads_it(
    record: Callable[..., Path], make_sample: Callable[..., SampleRow], seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample_pages, "ROWS_AT_ONCE", 1000)
    draw = random.Random(seed)

    def odd(seq: int) -> SampleRow:
        some = [None if draw.random() < 0.2 else draw.choice(EDGES) for _ in range(8)]
        small = [draw.choice(EDGES[:48]) for _ in range(3)]
        return replace(
            make_sample(seq),
            raw_a=some[0],
            raw_b=some[1],
            force_a_mn=some[2],
            force_b_mn=some[3],
            target_mn=some[4],
            cable_um=small[0],
            velocity_um_s=small[1],
            current_ma=small[2],
            host_us=some[5],
            age_us=some[6],
            asked_um_s=some[7],
        )

    path = record([odd(seq) for seq in range(20_000 if seed == 0 else 3)], [])

    with open_session(path) as session:
        table = session.samples()
        some = session.samples(["late", "cable_um"])

    assert table.to_pylist() == by_sqlite(path)
    assert some.equals(table.select(["cable_um", "late"]))


@pytest.mark.usefixtures("only_pages")
def test_a_longer_record_is_not_read_in_larger_pieces(
    record: Callable[..., Path], make_sample: Callable[..., SampleRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample_pages, "PAGES_AT_ONCE", 4)
    path = record([make_sample(seq) for seq in range(20_000)], [])
    pieces = []

    def counted(file: int, size: int, place: int) -> bytes:
        pieces.append(size)
        return pread(file, size, place)

    monkeypatch.setattr("os.pread", counted)

    with open_session(path) as session:
        rows = sum(len(batch) for batch in session.batches())

    assert rows == 20_000
    assert max(pieces) < path.stat().st_size / 4


def test_a_running_session_is_read_through_sqlite(
    record: Callable[..., Path], make_sample: Callable[..., SampleRow]
) -> None:
    path = record([make_sample(seq) for seq in range(300)], [], ended=False)

    with open_session(path) as session:
        with pytest.raises(sample_pages.NotAsExpected):
            list(sample_pages.column_batches(path, session._connection, len(SAMPLE_COLUMNS), [0]))
        table = session.samples()

    assert table["seq"].to_pylist() == list(range(300))


@pytest.mark.parametrize("seed", range(60))
def test_a_damaged_page_gives_what_sqlite_gives_or_its_refusal(
    record: Callable[..., Path], make_sample: Callable[..., SampleRow], seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = record([make_sample(seq) for seq in range(1500)], [])
    draw, content = random.Random(seed), bytearray(path.read_bytes())
    for _ in range(draw.choice([1, 40])):
        content[draw.randrange(4096, len(content))] = draw.randrange(256)
    path.write_bytes(content)

    by_pages = what_is_read(path)
    monkeypatch.setattr(sample_pages, "column_batches", nothing_as_expected)
    by_rows = what_is_read(path)

    assert by_pages == by_rows or by_pages[-1] == by_rows[-1] == "refused"


def what_is_read(path: Path) -> list[Any]:
    try:
        with open_session(path) as session:
            return list(pa.Table.from_batches(session.batches(), SAMPLE_SCHEMA).to_pylist())
    except (NotASession, sqlite3.DatabaseError, ValueError, TypeError, pa.ArrowException):
        return ["refused"]


def nothing_as_expected(*_: Any) -> Any:
    raise sample_pages.NotAsExpected
