"""Exports: every format holds the record's samples, opens elsewhere as it is, and never appears half-written."""

import csv
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq
import pytest

from controller.journal import EventRow, SampleRow
from recorder import reading
from recorder.export import CannotExport, export
from recorder.export_csv import neutralised
from recorder.reading import open_session


@pytest.fixture
def exported(finished_session: Path, tmp_path: Path) -> dict[str, Path]:
    with open_session(finished_session) as session:
        paths = export(session, tmp_path / "out", ["csv", "parquet"])
    return {path.name.removeprefix(f"{finished_session.stem}."): path for path in paths}


def recorded(path: Path) -> list[dict[str, Any]]:
    with open_session(path) as session:
        rows: list[dict[str, Any]] = session.samples().to_pylist()
    return rows


def test_writes_the_files_it_returns_and_leaves_nothing_else(exported: dict[str, Path], tmp_path: Path) -> None:
    assert sorted(exported) == [
        "SHA256SUMS",
        "datapackage.json",
        "events.csv",
        "events.parquet",
        "samples.csv",
        "samples.parquet",
    ]
    assert sorted((tmp_path / "out").iterdir()) == sorted(exported.values())


def test_parquet_and_both_readings_of_the_csv_hold_the_recorded_samples(
    exported: dict[str, Path], finished_session: Path
) -> None:
    expected = recorded(finished_session)

    parquet = pq.read_table(exported["samples.parquet"])
    from_csv = arrow_csv.read_csv(exported["samples.csv"])
    with exported["samples.csv"].open(newline="", encoding="utf-8") as file:
        as_text = list(csv.DictReader(file))

    names = list(expected[0])
    assert parquet.select(names).to_pylist() == expected
    assert from_csv.select(names).to_pylist() == expected
    assert [{name: cell(row[name]) for name in names} for row in as_text] == expected
    for name in ("t_s", "force_n", "simulated"):
        assert from_csv[name].to_pylist() == parquet[name].to_pylist()
    assert set(parquet["simulated"].to_pylist()) == {True}
    assert from_csv.column_names == parquet.column_names == list(as_text[0])


def cell(text: str) -> int | bool | None:
    return {"": None, "true": True, "false": False}[text] if text in ("", "true", "false") else int(text)


def test_times_begin_at_the_sessions_start_and_end_in_z(exported: dict[str, Path]) -> None:
    with exported["samples.csv"].open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    parquet = pq.read_table(exported["samples.parquet"])

    assert (rows[0]["t_s"], rows[0]["time_utc"]) == ("0", "2025-03-01T09:30:00.000000Z")
    assert (rows[2]["t_s"], rows[2]["time_utc"]) == ("0.00625", "2025-03-01T09:30:00.006250Z")
    since_us = pa.array(parquet["time_utc"].cast(pa.int64()).to_pylist())
    assert [us - since_us[0].as_py() for us in since_us.to_pylist()[:3]] == [0, 3125, 6250]
    assert parquet.schema.field("time_utc").type == pa.timestamp("us", tz="UTC")


def test_a_gap_stays_a_gap_and_an_absent_value_an_empty_cell(exported: dict[str, Path]) -> None:
    with exported["samples.csv"].open(newline="", encoding="utf-8") as file:
        rows = {int(row["seq"]): row for row in csv.DictReader(file)}

    assert len(rows) == 500
    assert not {251, 252, 253} & set(rows)
    assert rows[50]["raw_b"] == rows[50]["force_b_mn"] == ""
    assert rows[50]["force_n"] == "300"


def test_units_calibration_and_simulated_are_inside_each_format(exported: dict[str, Path]) -> None:
    schema = pq.read_schema(exported["samples.parquet"])
    package = json.loads(exported["datapackage.json"].read_text())

    assert schema.field("cable_um").metadata[b"unit"] == b"um"
    assert json.loads(schema.metadata[b"tractable"])["calibration"]["id"] == "C-17"
    assert json.loads(schema.metadata[b"simulated"]) is True
    assert package["simulated"] is True
    assert package["session"]["limits"] == {"ceiling_mn": 340_000}
    (fields,) = [r["schema"]["fields"] for r in package["resources"] if r["name"] == "samples"]
    with exported["samples.csv"].open(newline="", encoding="utf-8") as file:
        assert [field["name"] for field in fields] == next(csv.reader(file))
    assert {field["name"]: field.get("unit") for field in fields}["force_a_mn"] == "mN"
    assert all((exported["datapackage.json"].parent / r["path"]).is_file() for r in package["resources"])


def test_the_checksums_fit_and_a_second_export_adds_to_them(
    exported: dict[str, Path], finished_session: Path, tmp_path: Path
) -> None:
    second = finished_session.rename(finished_session.with_stem("S-2"))
    with open_session(second) as session:
        export(session, tmp_path / "out", ["parquet"])

    lines = exported["SHA256SUMS"].read_text().splitlines()
    assert len(lines) == 7
    for line in lines:
        digest, name = line.split("  ")
        assert hashlib.sha256((tmp_path / "out" / name).read_bytes()).hexdigest() == digest


def test_an_existing_file_is_not_overwritten_unless_told(
    exported: dict[str, Path], finished_session: Path, tmp_path: Path
) -> None:
    exported["samples.csv"].write_text("mine")

    with open_session(finished_session) as session:
        with pytest.raises(CannotExport, match=r"already holds .*samples\.csv"):
            export(session, tmp_path / "out", ["csv"])
        kept = exported["samples.csv"].read_text()
        export(session, tmp_path / "out", ["csv"], overwrite=True)

    assert kept == "mine"
    assert exported["samples.csv"].read_text().startswith('"t_s"')


@pytest.mark.parametrize("formats", [["xls"], []])
def test_an_unknown_format_is_refused_with_those_there_are(
    finished_session: Path, tmp_path: Path, formats: list[str]
) -> None:
    with open_session(finished_session) as session, pytest.raises(CannotExport, match="Choose from: csv, parquet"):
        export(session, tmp_path / "out", formats)


def test_a_folder_that_cannot_be_made_is_a_sentence(finished_session: Path) -> None:
    with open_session(finished_session) as session, pytest.raises(CannotExport, match="failed"):
        export(session, finished_session / "out", ["csv"])


def test_text_that_a_spreadsheet_would_run_is_neutralised(
    record: Callable[..., Path], make_phase: Callable[..., EventRow], tmp_path: Path
) -> None:
    texts = ['=HYPERLINK("http://x")', "+1", "-1", "@SUM(A1)", "\t=1", " =1", "plain", "", "a=b", "two\nlines, quoted"]
    path = record([], [replace(make_phase(n, "holding", 0), text=text) for n, text in enumerate(texts)])

    with open_session(path) as session:
        export(session, tmp_path / "out", ["csv"])

    with (tmp_path / "out" / f"{path.stem}.events.csv").open(newline="", encoding="utf-8") as file:
        read = [row["text"] for row in csv.DictReader(file)]
    assert read == [f"'{text}" for text in texts[:6]] + texts[6:]
    assert neutralised(pa.array([None, "=", "x"], pa.string())).to_pylist() == [None, "'=", "x"]


def test_a_session_longer_than_a_batch_is_exported_whole(
    record: Callable[..., Path], make_sample: Callable[..., SampleRow], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "BATCH_ROWS", 64)
    path = record([make_sample(seq) for seq in range(200)], [])

    with open_session(path) as session:
        paths = export(session, tmp_path / "out", ["parquet", "csv"])

    assert pq.read_table(paths[0])["seq"].to_pylist() == list(range(200))
    assert arrow_csv.read_csv(paths[2])["seq"].to_pylist() == list(range(200))


def test_a_session_without_samples_gives_files_with_headings_only(record: Callable[..., Path], tmp_path: Path) -> None:
    path = record([], [])

    with open_session(path) as session:
        paths = export(session, tmp_path / "out", ["csv", "parquet"])

    assert len(paths[0].read_text().splitlines()) == 1
    assert pq.read_table(paths[3]).num_rows == 0
