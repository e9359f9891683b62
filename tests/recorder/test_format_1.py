"""Files of the format before: they open, verify and are recovered; the columns they have not are absent."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from controller.journal import EventRow, SampleRow, SessionHeader
from recorder.block_chain import Rows
from recorder.reading import open_session
from recorder.recovery import recover
from recorder.sample_pages import NotAsExpected
from recorder.session_file import SessionFile, event_row, json_text, meta_rows, sample_row
from recorder.session_format import APPLICATION_ID, SAMPLE_COLUMNS, of_format, schema_of
from recorder.verification import verify

NEW_COLUMNS = ["host_us", "age_us", "asked_um_s"]


@pytest.fixture
def old_file(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    header: SessionHeader,
    make_sample: Callable[..., SampleRow],
    make_phase: Callable[..., EventRow],
) -> Path:
    """Ten samples and an event, as a program of format 1 wrote them."""
    path = tmp_path / f"{header.session_id}.tractable"
    columns = of_format(1, SAMPLE_COLUMNS)
    meta = tuple((key, json_text(1) if key == "format_version" else value) for key, value in meta_rows(header, 1, None))
    samples = tuple(row[: len(columns)] for row in map(sample_row, map(make_sample, range(10))) if row is not None)
    event = event_row(make_phase(1, "ramping", 0))
    assert event is not None
    with monkeypatch.context() as patched:
        patched.setattr("recorder.session_file.SCHEMA", schema_of(1))
        patched.setattr("recorder.session_file._INSERT_SAMPLE", f"INSERT INTO samples VALUES (?{', ?' * len(columns)})")
        file = SessionFile.create(path, Rows("opening", "2025-03-01T09:30:00Z", meta))
        file.append(Rows("closing", "2025-03-01T09:31:00Z", (), samples, (event,)))
        file.finish()
    return path


def test_the_file_is_one_of_format_1(old_file: Path) -> None:
    with sqlite3.connect(old_file) as connection:
        names = [row[1] for row in connection.execute("PRAGMA table_info(samples)")]
        (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    connection.close()

    assert application_id == APPLICATION_ID
    assert not set(NEW_COLUMNS) & set(names)


def test_it_opens_and_what_it_does_not_have_is_absent(old_file: Path, make_sample: Callable[..., SampleRow]) -> None:
    with open_session(old_file) as session:
        table = session.samples()

    assert [SampleRow(**row) for row in table.to_pylist()] == [make_sample(seq) for seq in range(10)]
    assert all(table[name].null_count == 10 for name in NEW_COLUMNS)


def test_its_pages_are_read_as_sqlite_reads_its_rows(old_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any) -> Any:
        raise AssertionError("read by the other way")

    with open_session(old_file) as session:
        with monkeypatch.context() as patched:
            patched.setattr("recorder.reading._array", never)
            by_pages = session.samples().to_pylist()
        monkeypatch.setattr("recorder.reading._column", never)
        monkeypatch.setattr("recorder.sample_pages.column_batches", not_as_expected)
        by_rows = session.samples().to_pylist()

    assert len(by_pages) == 10
    assert by_pages == by_rows


def not_as_expected(*_: Any) -> Any:
    raise NotAsExpected


def test_it_verifies_as_whole(old_file: Path) -> None:
    assert verify(old_file).state == "whole"


def test_an_edit_of_it_is_found(old_file: Path) -> None:
    with sqlite3.connect(old_file) as connection:
        connection.execute("DROP TRIGGER samples_no_update")
        connection.execute("UPDATE samples SET force_a_mn = 1 WHERE row = 5")
    connection.close()

    assert verify(old_file).state == "altered"


def test_what_is_recovered_of_it_is_a_whole_file_of_this_format(old_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "recovered.tractable"

    recover(old_file, out)

    assert verify(out).state == "whole"
    with open_session(out) as session, open_session(old_file) as old:
        assert session.samples().to_pylist() == old.samples().to_pylist()
