"""Exports: each is opened by what people would open it with, and all hold the record's samples."""

import csv
import gzip
import hashlib
import io
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import edfio
import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq
import pyedflib
import pytest
from bidsschematools.schema import load_schema
from fhir.resources.bundle import Bundle
from frictionless import Package

from controller.journal import EventRow, SampleRow
from recorder import reading
from recorder.export import FORMATS, CannotExport, export
from recorder.export.bids import LABEL_CHARACTERS_MAX, label
from recorder.export.csv_package import neutralised
from recorder.reading import open_session

STEPPED = ("raw_a", "raw_b", "force_a_mn", "force_b_mn", "target_mn", "cable_um", "velocity_um_s", "current_ma")
Rows = list[dict[str, Any]]


@pytest.fixture
def exported(finished_session: Path, tmp_path: Path) -> dict[str, Path]:
    with open_session(finished_session) as session:
        paths = export(session, tmp_path / "out", list(FORMATS))
    return {path.name.removeprefix(f"{finished_session.stem}."): path for path in paths}


def recorded(path: Path) -> Rows:
    with open_session(path) as session:
        rows: Rows = session.samples().to_pylist()
    return rows


def physio(exported: dict[str, Path]) -> tuple[pd.DataFrame, dict[str, Any]]:
    (name,) = (name for name in exported if name.endswith("_physio.tsv.gz"))
    sidecar = json.loads(exported[name.replace(".tsv.gz", ".json")].read_text())
    text = gzip.decompress(exported[name].read_bytes())
    frame = pd.read_csv(io.BytesIO(text), sep="\t", names=sidecar["Columns"], na_values=["n/a"])
    return frame, sidecar


def sampled(exported: dict[str, Path]) -> dict[str, list[int | None]]:
    bundle = json.loads(exported["fhir.json"].read_text())
    observations = [e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == "Observation"]
    return {
        one["code"]["text"]: [None if text == "E" else int(text) for text in one["valueSampledData"]["data"].split(" ")]
        for one in observations
    }


def on_the_grid(rows: Rows, name: str, count: int = 503) -> list[int | None]:
    by_seq = {row["seq"]: row[name] for row in rows}
    return [by_seq.get(seq) for seq in range(count)]


def test_writes_the_files_it_returns_and_leaves_nothing_else(exported: dict[str, Path], tmp_path: Path) -> None:
    left = sorted(path for path in (tmp_path / "out").rglob("*") if path.is_file())

    assert left == sorted(exported.values())
    tables = ("samples", "events", "gaps", "pulls")
    single = {"SHA256SUMS", "datapackage.json", "edf", "edf.json", "h5", "fhir.json"}
    assert single | {f"{t}.{f}" for t in tables for f in ("csv", "parquet")} <= set(exported)


def test_parquet_and_csv_hold_the_recorded_samples_for_pandas_duckdb_and_a_text_reader(
    exported: dict[str, Path], finished_session: Path
) -> None:
    expected = recorded(finished_session)
    names = list(expected[0])

    parquet = pq.read_table(exported["samples.parquet"])
    from_csv = arrow_csv.read_csv(exported["samples.csv"])
    in_pandas = pd.read_parquet(exported["samples.parquet"])
    by_sql = {
        kind: duckdb.sql(f"SELECT {', '.join(names)} FROM '{exported[f'samples.{kind}']}'").fetchall()
        for kind in ("csv", "parquet")
    }
    with exported["samples.csv"].open(newline="", encoding="utf-8") as file:
        as_text = list(csv.DictReader(file))

    assert parquet.select(names).to_pylist() == expected
    assert from_csv.select(names).to_pylist() == expected
    assert by_sql["csv"] == by_sql["parquet"] == [tuple(row.values()) for row in expected]
    assert in_pandas["force_b_mn"].isna().sum() == sum(row["force_b_mn"] is None for row in expected)
    assert [{name: cell(row[name]) for name in names} for row in as_text] == expected
    for name in ("t_s", "force_n", "simulated"):
        assert from_csv[name].to_pylist() == parquet[name].to_pylist()
    assert set(parquet["simulated"].to_pylist()) == {True}
    assert from_csv.column_names == parquet.column_names == list(as_text[0])


def cell(text: str) -> int | bool | None:
    return {"": None, "true": True, "false": False}[text] if text in ("", "true", "false") else int(text)


def test_hdf5_holds_the_same_with_nan_where_a_value_is_absent(
    exported: dict[str, Path], finished_session: Path
) -> None:
    expected = recorded(finished_session)

    with h5py.File(exported["h5"]) as file:
        samples = {name: dataset[:] for name, dataset in file["samples"].items()}
        units = dict(file["samples/force_a_mn"].attrs)
        header = json.loads(file.attrs["tractable"])

    for name in expected[0]:
        there = [None if np.isnan(value) else value for value in samples[name].astype(float)]
        assert there == [row[name] for row in expected], name
    assert samples["time_utc"][2] == b"2025-03-01T09:30:00.006250Z"
    assert (units["units"], header["simulated"]) == ("mN", True)


def test_edf_holds_the_same_to_half_its_stated_step_and_a_gap_is_absent_and_annotated(
    exported: dict[str, Path], finished_session: Path
) -> None:
    expected, about = recorded(finished_session), json.loads(exported["edf.json"].read_text())
    steps = {signal["column"]: signal for signal in about["signals"].values()}

    edf = edfio.read_edf(exported["edf"])
    with pyedflib.EdfReader(str(exported["edf"])) as reader:
        second_reading = {reader.getLabel(i): reader.readSignal(i) for i in range(reader.signals_in_file)}

    for signal in edf.signals:
        stated = about["signals"][signal.label]
        column, step, absent = stated["column"], stated["step"], stated["absent"]
        wanted = on_the_grid(expected, column)
        for value, want in zip(signal.data, wanted, strict=False):
            assert value == pytest.approx(absent, abs=0.01) if want is None else abs(value - want) <= step / 2 + 0.01
        assert np.allclose(signal.data[len(wanted) :], absent)
        assert np.allclose(second_reading[signal.label], signal.data)
        assert signal.physical_dimension == steps[column]["unit"]
    said = {note.text: (note.onset, note.duration) for note in edf.annotations}
    assert said["gap: 3 samples missing"] == (pytest.approx(250 / 320), pytest.approx(4 / 320))
    assert said["phase: holding"] == (pytest.approx(100 / 320), None)
    assert (edf.startdate.isoformat(), edf.starttime.isoformat()) == ("2025-03-01", "09:30:00")
    assert about["period_s"] == 1 / 320
    assert about["time_off_s_max"] < 1e-6


def test_bids_holds_the_same_and_its_files_are_where_the_standard_wants_them(
    exported: dict[str, Path], finished_session: Path
) -> None:
    expected = recorded(finished_session)

    frame, sidecar = physio(exported)

    for name in expected[0]:
        column = frame[name].astype(object).where(frame[name].notna(), None).tolist()
        assert column == on_the_grid(expected, name), name
    assert frame["time_utc"].dropna().str.endswith("Z").all()
    assert sidecar["SamplingFrequency"] == 320
    rules = load_schema().rules
    assert all(name in sidecar for name in rules.sidecars.continuous.Continuous.fields)
    rule = rules.files.raw.task.timeseries
    (place,) = (path for name, path in exported.items() if name.endswith("_physio.tsv.gz"))
    assert place.parent.name in rule.datatypes
    assert place.name.split("_")[-1] == f"{'physio'}.tsv.gz"
    assert ("physio" in rule.suffixes, ".tsv.gz" in rule.extensions) == (True, True)
    dataset = json.loads(exported["dataset_description.json"].read_text())
    needed = rules.json.dataset.dataset_description.fields
    required = [
        name for name, level in needed.items() if (level if isinstance(level, str) else level.level) == "required"
    ]
    assert required
    assert set(required) <= set(dataset)


def test_long_names_are_cut_in_bids_and_stay_apart() -> None:
    longest = [label("x" * LABEL_CHARACTERS_MAX + ending) for ending in ("", "y", "z")]

    assert [len(each) for each in longest] == [LABEL_CHARACTERS_MAX] * 3
    assert len(set(longest)) == 3
    assert label("20260301-093000-ab12") == "20260301093000ab12"


def test_fhir_is_valid_r5_and_its_sampled_data_hold_the_same(exported: dict[str, Path], finished_session: Path) -> None:
    expected = recorded(finished_session)

    bundle = Bundle.model_validate_json(exported["fhir.json"].read_text())

    kinds = [entry.resource.get_resource_type() for entry in bundle.entry]
    assert {"Device", "DeviceMetric", "Procedure", "Observation"} == set(kinds)
    for name, values in sampled(exported).items():
        assert values == on_the_grid(expected, name), name
    assert set(STEPPED) < set(sampled(exported))


def test_the_data_package_is_valid_and_reads_as_its_dictionary_says(exported: dict[str, Path]) -> None:
    package = Package(str(exported["datapackage.json"]))

    report = package.validate()

    assert report.valid, report.flatten(["type", "message"])[:3]
    assert [resource.name for resource in package.resources] == ["samples", "events", "gaps", "pulls"]
    fields = package.get_resource("samples").schema.fields
    assert {field.name: field.custom.get("unit") for field in fields}["force_a_mn"] == "mN"
    assert all(field.description for field in fields)


def test_times_begin_at_the_sessions_start_and_end_in_z(exported: dict[str, Path]) -> None:
    with exported["samples.csv"].open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    parquet = pq.read_table(exported["samples.parquet"])

    assert (rows[0]["t_s"], rows[0]["time_utc"]) == ("0", "2025-03-01T09:30:00.000000Z")
    assert (rows[2]["t_s"], rows[2]["time_utc"]) == ("0.00625", "2025-03-01T09:30:00.006250Z")
    since_us = parquet["time_utc"].cast(pa.int64()).to_pylist()
    assert [us - since_us[0] for us in since_us[:3]] == [0, 3125, 6250]
    assert parquet.schema.field("time_utc").type == pa.timestamp("us", tz="UTC")


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_gap_is_missing_in_the_data_and_a_row_in_the_table_of_gaps(exported: dict[str, Path], kind: str) -> None:
    samples = duckdb.sql(
        f"SELECT count(*), count(*) FILTER (seq BETWEEN 251 AND 253) FROM '{exported[f'samples.{kind}']}'"
    )
    gaps = duckdb.sql(f"SELECT t_s, lasted_s, after_seq, before_seq, missing FROM '{exported[f'gaps.{kind}']}'")

    assert samples.fetchall() == [(500, 0)]
    assert gaps.fetchall() == [(250 / 320, 4 / 320, 250, 254, 3)]


def test_a_pull_is_a_row_with_what_it_reached(exported: dict[str, Path]) -> None:
    (pull,) = pq.read_table(exported["pulls.parquet"]).to_pylist()

    assert (pull["pull"], pull["ramp_from_s"], pull["from_s"], pull["to_s"]) == (1, 0, 100 / 320, 400 / 320)
    assert (pull["mean_n"], pull["peak_n"], pull["target_n"], pull["overshoot_n"]) == (300, 300, 300, 0)
    assert pull["time_at_force_s"] == pytest.approx(296 / 320)
    assert pull["missing_s"] == pytest.approx(4 / 320)


def test_units_calibration_limits_and_simulated_are_inside_each_format(exported: dict[str, Path]) -> None:
    headers = {
        "parquet": json.loads(pq.read_schema(exported["samples.parquet"]).metadata[b"tractable"]),
        "csv": json.loads(exported["datapackage.json"].read_text())["session"],
        "edf": json.loads(exported["edf.json"].read_text())["session"],
        "bids": physio(exported)[1]["Tractable"],
        "hdf5": json.loads(h5py.File(exported["h5"]).attrs["tractable"]),
    }
    device = json.loads(exported["fhir.json"].read_text())["entry"][0]["resource"]

    for header in headers.values():
        assert header["calibration"] == {"uncertainty_mn": 900}
        assert header["limits"] == {"ceiling_mn": 340_000}
        assert header["versions"]["tractable"] == "0.1.0"
        assert header["simulated"] is True
        assert header["units"]["cable_um"] == "um"
    assert {json.loads(p["valueString"]).get("ceiling_mn") for p in device["property"]} == {340_000, None}
    assert "simulated" in device["type"][0]["text"]
    assert pq.read_schema(exported["samples.parquet"]).field("cable_um").metadata[b"unit"] == b"um"


def test_the_checksums_fit_and_a_second_export_adds_to_them(
    exported: dict[str, Path], finished_session: Path, tmp_path: Path
) -> None:
    second = finished_session.rename(finished_session.with_stem("S-2"))
    with open_session(second) as session:
        export(session, tmp_path / "out", ["parquet"])

    lines = exported["SHA256SUMS"].read_text().splitlines()
    assert len(lines) == len(exported) - 1 + 4
    for line in lines:
        digest, name = line.split("  ")
        assert hashlib.sha256((tmp_path / "out" / name).read_bytes()).hexdigest() == digest


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_there_is_not_overwritten_unless_told(
    exported: dict[str, Path], finished_session: Path, tmp_path: Path, name: str
) -> None:
    before = {path: path.read_bytes() for path in exported.values()}

    with open_session(finished_session) as session:
        with pytest.raises(CannotExport, match=r"already holds .*--overwrite"):
            export(session, tmp_path / "out", [name])
        kept = {path: path.read_bytes() for path in exported.values()}
        export(session, tmp_path / "out", [name], overwrite=True)

    assert kept == before


def test_an_unknown_format_is_refused_with_the_nearest_and_those_there_are(
    finished_session: Path, tmp_path: Path
) -> None:
    with open_session(finished_session) as session:
        with pytest.raises(CannotExport, match=r"no format parket; did you mean parquet\? Choose from: csv, parquet"):
            export(session, tmp_path / "out", ["csv", "parket"])
        with pytest.raises(CannotExport, match="Choose from: csv, parquet"):
            export(session, tmp_path / "out", [])

    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_made_is_a_sentence(finished_session: Path) -> None:
    with open_session(finished_session) as session, pytest.raises(CannotExport, match="failed"):
        export(session, finished_session / "out", ["csv"])


@pytest.mark.parametrize("name", FORMATS)
def test_an_export_that_breaks_off_leaves_nothing(
    finished_session: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(reading, "BATCH_ROWS", 100)

    def tired(rows: int) -> None:
        raise KeyboardInterrupt

    with open_session(finished_session) as session, pytest.raises(KeyboardInterrupt):
        export(session, tmp_path / "out" / "deeper", [name], progress=tired)

    assert not (tmp_path / "out").exists()


def test_what_an_export_that_was_killed_left_is_cleared_by_the_next(finished_session: Path, tmp_path: Path) -> None:
    nobody = next(pid for pid in range(4_000_000, 5_000_000) if not Path("/proc", str(pid)).exists())
    left, running = (tmp_path / f"out/.partial-{pid}-abc" for pid in (nobody, os.getpid()))
    for folder in (left, running):
        folder.mkdir(parents=True)
        (folder / "half.csv").write_text("half")

    with open_session(finished_session) as session:
        export(session, tmp_path / "out", ["csv"])

    assert (left.exists(), running.exists()) == (False, True)


def test_text_that_a_spreadsheet_would_run_is_neutralised(
    record: Callable[..., Path], make_phase: Callable[..., EventRow], tmp_path: Path
) -> None:
    texts = ['=HYPERLINK("http://x")', "+1", "-1", "@SUM(A1)", "\t=1", " =1", "plain", "", "a=b", "two\nlines, quoted"]
    path = record([], [replace(make_phase(n, "holding", 0), text=text) for n, text in enumerate(texts)])

    with open_session(path) as session:
        export(session, tmp_path / "out", ["csv"], texts=True)

    with (tmp_path / "out" / f"{path.stem}.events.csv").open(newline="", encoding="utf-8") as file:
        read = [row["text"] for row in csv.DictReader(file)]
    assert read == [f"'{text}" for text in texts[:6]] + texts[6:]
    assert neutralised(pa.array([None, "=", "x"], pa.string())).to_pylist() == [None, "'=", "x"]


def test_a_session_longer_than_a_batch_is_the_same_in_every_format(
    record: Callable[..., Path], make_sample: Callable[..., SampleRow], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "BATCH_ROWS", 64)
    monkeypatch.setattr("recorder.export.model.GRID_ROWS", 40)
    path = record([make_sample(seq) for seq in range(1000) if not 300 <= seq < 500], [])

    with open_session(path) as session:
        paths = export(session, tmp_path / "out", list(FORMATS))

    files = {file.name.removeprefix(f"{path.stem}."): file for file in paths}
    wanted = [None if 300 <= seq < 500 else seq * 3 for seq in range(1000)]
    there = [value for value in wanted if value is not None]
    assert pq.read_table(files["samples.parquet"])["cable_um"].to_pylist() == there
    assert arrow_csv.read_csv(files["samples.csv"])["cable_um"].to_pylist() == there
    assert h5py.File(files["h5"])["samples/cable_um"][:].tolist() == there
    assert sampled(files)["cable_um"] == wanted
    cable = edfio.read_edf(files["edf"]).get_signal("cable").data[:1000]
    assert [None if value < 0 else round(float(value)) for value in cable] == wanted


def test_an_event_without_a_time_of_the_tables_is_where_the_wall_clock_puts_it(
    record: Callable[..., Path], make_sample: Callable[..., SampleRow], tmp_path: Path
) -> None:
    found = EventRow(1, None, "2025-03-01T09:30:01.500Z", "link", "table", "Table 7 found.", {})
    path = record([make_sample(seq) for seq in range(640)], [found])

    with open_session(path) as session:
        paths = export(session, tmp_path / "out", ["bids", "edf", "parquet"], texts=True)

    files = {file.name.removeprefix(f"{path.stem}."): file for file in paths}
    (in_bids,) = [file for file in paths if file.name.endswith("_events.tsv")]
    in_edf = [mark.onset for mark in edfio.read_edf(files["edf"]).annotations if mark.text == "Table 7 found."]
    assert in_bids.read_text().splitlines()[1].startswith("1.500000\t")
    assert in_edf == [pytest.approx(1.5)]
    assert pq.read_table(files["events.parquet"])["t_s"].to_pylist() == [None]


def test_a_session_without_samples_has_no_second_to_count_from(
    record: Callable[..., Path], make_phase: Callable[..., EventRow], tmp_path: Path
) -> None:
    path = record([], [make_phase(1, "checking_zero", 0)])

    with open_session(path) as session:
        paths = export(session, tmp_path / "out", ["parquet"])

    (events,) = [file for file in paths if file.name.endswith("events.parquet")]
    assert pq.read_table(events)["t_s"].to_pylist() == [None]


def test_a_session_without_samples_gives_files_with_headings_only(record: Callable[..., Path], tmp_path: Path) -> None:
    path = record([], [])

    with open_session(path) as session:
        paths = export(session, tmp_path / "out", list(FORMATS))

    files = {file.name.removeprefix(f"{path.stem}."): file for file in paths}
    assert len(files["samples.csv"].read_text().splitlines()) == 1
    assert pq.read_table(files["samples.parquet"]).num_rows == 0
    assert h5py.File(files["h5"])["samples/seq"].shape == (0,)
    assert Bundle.model_validate_json(files["fhir.json"].read_text())
    assert edfio.read_edf(files["edf"]).num_data_records == 1
