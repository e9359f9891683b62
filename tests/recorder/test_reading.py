"""Reading a session: what went in comes out, absent stays absent, and a file that cannot be read says why."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import recorder
from controller.journal import EventRow, SampleRow, SessionHeader
from recorder.journal import SessionJournal
from recorder.reading import Gap, NewerFormat, NotASession, open_session
from recorder.session_format import META_KEYS

WITHIN_S = 20.0
MakeSample = Callable[..., SampleRow]


def test_what_was_handed_over_comes_out_again(
    record: Callable[..., Path], header: SessionHeader, make_sample: MakeSample, make_phase: Callable[..., EventRow]
) -> None:
    samples = [make_sample(seq, None if seq % 3 == 0 else seq * 100) for seq in range(300)]
    events = [make_phase(1, "ramping", 0), make_phase(2, "holding", 100)]
    path = record(samples, events)

    with recorder.open_session(path) as session:
        table = session.samples()

        assert session.header == header
        assert session.events() == events
        assert [SampleRow(**row) for row in table.to_pylist()] == samples
        assert session.duration_s == pytest.approx(299 * 3125e-6)
        assert session.ended_utc is not None


def test_units_and_meanings_travel_with_the_table(finished_session: Path) -> None:
    with open_session(finished_session) as session:
        metadata = {field.name: field.metadata for field in session.samples(["t_us", "force_a_mn"]).schema}

    assert metadata["force_a_mn"][b"unit"] == b"mN"
    assert metadata["t_us"][b"unit"] == b"us"
    assert b"channel A" in metadata["force_a_mn"][b"description"]


def test_events_come_as_an_arrow_table_and_as_a_dataframe(finished_session: Path) -> None:
    with open_session(finished_session) as session:
        table, listed = session.event_table(), session.events()

    assert table["text"].to_pylist() == [event.text for event in listed]
    assert [json.loads(data) for data in table["data"].to_pylist()] == [event.data for event in listed]
    assert table.to_pandas()["kind"].tolist() == ["phase"] * 3
    assert b"sentence" in table.schema.field("text").metadata[b"description"]


def test_samples_are_read_lazily_a_batch_at_a_time(
    record: Callable[..., Path], make_sample: MakeSample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recorder.reading.BATCH_ROWS", 100)
    path = record([make_sample(seq) for seq in range(1000)], [])

    with open_session(path) as session:
        reader = session.sample_reader(["seq"])
        first = reader.read_next_batch()
        rest = reader.read_all()

    assert first["seq"].to_pylist() == list(range(100))
    assert rest["seq"].to_pylist() == list(range(100, 1000))


def test_a_session_without_events_has_an_empty_table_with_all_columns(record: Callable[..., Path]) -> None:
    with open_session(record([], [])) as session:
        table = session.event_table()

    assert table.num_rows == 0
    assert table.column_names == ["number", "t_us", "time_utc", "kind", "actor", "text", "data"]


def test_gaps_are_found_and_nothing_is_filled_in(finished_session: Path) -> None:
    with open_session(finished_session) as session:
        assert session.gaps() == [Gap(250, 254, 3, 5_000_000 + 250 * 3125, 5_000_000 + 254 * 3125)]
        assert session.samples().num_rows == session.sample_count == 500


def test_a_session_can_be_read_while_it_is_being_written(
    journal: SessionJournal, header: SessionHeader, make_sample: MakeSample
) -> None:
    journal.begin(header)
    journal.sample(make_sample(1))
    assert journal.wait_until_written(WITHIN_S)
    assert journal.path is not None

    with open_session(journal.path) as session:
        first_look = session.samples(["seq"]).to_pylist()
        journal.sample(make_sample(2))
        assert journal.wait_until_written(WITHIN_S)
        second_look = session.samples(["seq"]).to_pylist()
        ended_before = session.ended_utc
        journal.end()
        assert journal.wait_until_written(WITHIN_S)
        ended_after = session.ended_utc

    assert first_look == [{"seq": 1}]
    assert second_look == [{"seq": 1}, {"seq": 2}]
    assert ended_before is None
    assert ended_after is not None


def test_time_is_the_devices_clock_from_the_start_of_the_session(finished_session: Path) -> None:
    with open_session(finished_session) as session:
        moment = session.time_utc(5_000_000 + 1_500_000)

    assert moment.isoformat() == "2025-03-01T09:30:01.500000+00:00"


def test_other_files_are_refused_with_a_sentence(tmp_path: Path) -> None:
    text, database = tmp_path / "text.tractable", tmp_path / "other.tractable"
    text.write_text("not a database at all, but long enough to have a header" * 10)
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE meta (key TEXT, value TEXT)")
    connection.close()

    for path in (text, database):
        with pytest.raises(NotASession, match="is not a session file"):
            open_session(path)
    with pytest.raises(NotASession, match="There is no file"):
        open_session(tmp_path / "nothing.tractable")


def test_a_file_of_a_newer_format_is_refused_with_what_to_do(finished_session: Path) -> None:
    with sqlite3.connect(finished_session) as connection:
        connection.execute("DROP TRIGGER meta_no_update")
        connection.execute("UPDATE meta SET value = ? WHERE key = 'format_version'", (json.dumps(3),))
    connection.close()

    with pytest.raises(NewerFormat, match="has format 3, and this version reads up to 2"):
        open_session(finished_session)


def test_writing_does_not_load_what_only_reading_needs() -> None:
    loaded = "import sys, recorder.journal; print('pyarrow' in sys.modules)"

    answer = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True, timeout=60)

    assert answer.stdout.strip() == "False"


def test_every_key_of_the_header_is_described(finished_session: Path) -> None:
    with open_session(finished_session) as session:
        assert set(session.meta) == set(META_KEYS) - {"recovered"}
