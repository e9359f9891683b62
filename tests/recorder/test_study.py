"""A study: many sessions in one folder, filtered, catalogued, and nobody's name anywhere in it."""

import gzip
import json
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import h5py
import pyarrow.parquet as pq
import pytest
from frictionless import Package

from controller.journal import EventRow, SampleRow, SessionHeader
from recorder.export import FORMATS, CannotExport, export
from recorder.export.study import StudyFilter, export_study
from recorder.reading import open_session

KEY = b"a key for these tests"
CANARY = "Kanarienvogel"
ALL = StudyFilter()


@pytest.fixture
def root(
    record: Callable[..., Path],
    header: SessionHeader,
    make_sample: Callable[..., SampleRow],
    make_phase: Callable[..., EventRow],
    tmp_path: Path,
) -> Path:
    """Three sessions at two tables, of two patients, on two days; the last one ends early."""
    prescription = {"mode": "static", "force_mn": 300_000, "time_at_force_s": 1, "ramp_mn_s": 20_000}
    for number, (serial, day, patient, held) in enumerate(
        ((7, 1, "K7-2F41", 320), (8, 1, "K7-2F41", 320), (7, 2, "Q2-9999", 32))
    ):
        events = [make_phase(1, "ramping", 0), make_phase(2, "holding", 100), make_phase(3, "releasing", 100 + held)]
        asked = replace(
            header,
            session_id=f"2025-03-0{day}-{patient}-00{number}",
            started_utc=f"2025-03-0{day}T09:30:00.000000Z",
            table={"serial": serial, "rate_hz": 320},
            prescription=prescription | {"pseudonym": patient, "body_mass_g": 80_000},
        )
        record([make_sample(seq) for seq in range(450)], events, asked)
    return tmp_path


def catalogue(folder: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(folder / "catalogue.parquet").to_pylist()
    return rows


@pytest.mark.parametrize(
    ("chosen", "sessions"),
    [
        (ALL, 3),
        (StudyFilter(table="7"), 2),
        (StudyFilter(table="7", until=date(2025, 3, 1)), 1),
        (StudyFilter(since=date(2025, 3, 2)), 1),
        (StudyFilter(since=date(2025, 3, 1), until=date(2025, 3, 2)), 3),
        (StudyFilter(mode="static"), 3),
        (StudyFilter(time_at_force_s_min=0.9), 2),
    ],
)
def test_a_study_holds_the_sessions_that_fit(root: Path, chosen: StudyFilter, sessions: int) -> None:
    made = export_study(root, root / "study", ["parquet"], KEY, chosen)

    rows = catalogue(root / "study")
    assert made.sessions == len(rows) == sessions
    assert {f"{row['session']}.samples.parquet" for row in rows} == {
        path.name for path in (root / "study" / "parquet").glob("*.samples.parquet")
    }


def test_one_patient_has_one_pseudonym_the_same_with_each_study_and_another_with_another_key(root: Path) -> None:
    first, again, other = (root / name for name in ("first", "again", "other"))

    export_study(root, first, ["csv"], KEY, ALL)
    export_study(root, again, ["parquet"], KEY, ALL)
    export_study(root, other, ["parquet"], b"another key", ALL)

    patients = [row["patient"] for row in catalogue(first)]
    assert len(patients) == 3
    assert len(set(patients)) == 2
    assert patients == [row["patient"] for row in catalogue(again)]
    assert not set(patients) & {row["patient"] for row in catalogue(other)}


def test_the_tables_of_a_study_are_a_valid_data_package_and_its_checksums_fit(root: Path) -> None:
    export_study(root, root / "study", list(FORMATS), KEY, ALL)

    report = Package(str(root / "study" / "datapackage.json")).validate()
    checked = subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=root / "study", check=False)
    listed = {line.split("  ")[1] for line in (root / "study" / "SHA256SUMS").read_text().splitlines()}

    assert report.valid, report.flatten(["type", "message"])[:3]
    assert checked.returncode == 0
    there = {path.relative_to(root / "study").as_posix() for path in (root / "study").rglob("*") if path.is_file()}
    assert there - listed == {"SHA256SUMS"}


def test_pulls_and_planned_against_actual_are_rows_that_sql_reads(root: Path) -> None:
    export_study(root, root / "study", ["parquet"], KEY, StudyFilter(table="7", until=date(2025, 3, 1)))

    pulls = duckdb.sql(f"SELECT pull, mean_n, time_at_force_s FROM '{root}/study/pulls.csv'").fetchall()
    force = duckdb.sql(
        f"SELECT item_name, planned, actual, unit FROM '{root}/study/planned_actual.parquet' WHERE about = 'force'"
    ).fetchall()
    items = duckdb.sql(f"SELECT DISTINCT item FROM '{root}/study/planned_actual.parquet'").fetchall()

    assert pulls == [(1, 300, pytest.approx(1))]
    assert force == [("when and how much", "300", "300", "N")]
    assert {item for (item,) in items} == set(range(1, 13))


def canaries(value: Any) -> Any:
    """The same with a canary wherever somebody might have typed something."""
    match value:
        case str():
            return f"{value} {CANARY}"
        case dict():
            return {key: canaries(each) for key, each in value.items()} | {
                f"{CANARY} {len(value)}": 1,
                "remark": CANARY,
            }
        case _:
            return value


def everything_below(folder: Path) -> str:
    told = []
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        told += [str(path), path.read_bytes().decode("latin-1")]
        if path.suffix == ".gz":
            told.append(gzip.decompress(path.read_bytes()).decode())
        if path.suffix == ".parquet":
            table = pq.read_table(path)
            told += [str(table.to_pydict()), str(table.schema.metadata)]
        if path.suffix == ".h5":
            with h5py.File(path) as file:
                told.append(str(dict(file.attrs)))
                told += [f"{name} {column[:]}" for table in file.values() for name, column in table.items()]
    return "\n".join(told)


@pytest.mark.parametrize("how", ["a study", "a session"])
def test_no_canary_that_was_planted_anywhere_comes_through(
    record: Callable[..., Path],
    header: SessionHeader,
    make_sample: Callable[..., SampleRow],
    make_phase: Callable[..., EventRow],
    tmp_path: Path,
    how: str,
) -> None:
    planted = replace(
        header,
        session_id=f"2025-03-01-{CANARY}",
        prescription=canaries(header.prescription | {"by": "x", "written": {"prescribed": {"by": "x"}}, "rest": ["x"]}),
        calibration=canaries(header.calibration | {"channel_a": {"id": 17, "laboratory": "x"}}),
        table=canaries(header.table | {"model": "x"}),
        limits=canaries(header.limits),
        versions=canaries(header.versions),
    )
    kinds = ("session", "command", "verdict", "phase", "alarm", "trip", "link", "note")
    events = [
        replace(
            make_phase(number, "holding", number),
            kind=kind,
            actor=f"dr.{CANARY}",
            text=f"Start {CANARY}",
            data=canaries({"phase": "holding", "alarm": "A01", "command": "x", "list": ["x", {"who": "x"}]}),
        )
        for number, kind in enumerate(kinds)
    ]
    path = record([make_sample(seq) for seq in range(20)], events, planted)

    if how == "a study":
        export_study(tmp_path, tmp_path / "out", list(FORMATS), KEY, ALL)
    else:
        plain = path.rename(path.with_stem("S-1"))  # whoever asks for a session by its name has its name in the files'
        with open_session(plain) as session:
            export(session, tmp_path / "out", list(FORMATS), key=KEY)

    told = everything_below(tmp_path / "out")
    assert CANARY not in told
    assert CANARY.lower() not in told.lower()
    assert "force_mn" in told


def test_a_damaged_session_is_left_out_with_what_can_be_done_and_the_others_are_there(root: Path) -> None:
    damaged = sorted(root.glob("sessions/2025/*.tractable"))[0]
    content = bytearray(damaged.read_bytes())
    content[8192:20480] = b"\xff" * 12_288
    damaged.write_bytes(content)

    made = export_study(root, root / "study", ["parquet", "hdf5", "bids"], KEY, ALL)

    assert made.sessions == 2
    (said,) = made.problems
    assert f"tractable session verify {damaged}" in said
    (left_out,) = pq.read_table(root / "study" / "left_out.parquet").to_pylist()
    assert left_out["reason"] == "damaged"
    assert [path for path in (root / "study").rglob(f"*{left_out['session']}*") if path.is_file()] == []


def test_an_altered_session_is_left_out_and_each_other_says_that_it_is_whole(root: Path) -> None:
    altered = sorted(root.glob("sessions/2025/*.tractable"))[0]
    with closing(sqlite3.connect(altered, isolation_level=None)) as connection:
        connection.execute("DROP TRIGGER samples_no_update")
        connection.execute("UPDATE samples SET force_a_mn = 1 WHERE row = 200")

    made = export_study(root, root / "study", ["parquet"], KEY, ALL)

    assert made.sessions == 2
    assert f"{altered} was altered." in made.problems[0]
    (left_out,) = pq.read_table(root / "study" / "left_out.parquet").to_pylist()
    assert left_out["reason"] == "altered"
    assert [(row["state"], row["part"]) for row in catalogue(root / "study")] == [("whole", 1)] * 2


def test_a_folder_that_is_there_is_refused_and_overwriting_takes_away_only_what_a_study_wrote(root: Path) -> None:
    folder = root / "study"
    export_study(root, folder, ["csv"], KEY, ALL)
    (folder / "my-notes.txt").write_text("mine")

    with pytest.raises(CannotExport, match=r"is there already.*--overwrite"):
        export_study(root, folder, ["csv"], KEY, StudyFilter(table="8"))
    export_study(root, folder, ["csv"], KEY, StudyFilter(table="8"), overwrite=True)

    (row,) = catalogue(folder)
    assert [path.name for path in folder.glob("csv/*.samples.csv")] == [f"{row['session']}.samples.csv"]
    assert (folder / "my-notes.txt").read_text() == "mine"


def test_a_filter_that_takes_nothing_leaves_nothing(root: Path) -> None:
    with pytest.raises(CannotExport, match=r"No session in .* fits"):
        export_study(root, root / "study", ["csv"], KEY, StudyFilter(table="9"))

    assert not (root / "study").exists()


def test_a_study_in_bids_is_one_dataset_with_a_folder_for_each_patient(root: Path) -> None:
    export_study(root, root / "study", ["bids"], KEY, ALL)

    patients = {row["patient"] for row in catalogue(root / "study")}
    dataset = root / "study" / "bids"
    assert {path.name for path in dataset.glob("sub-*")} == {f"sub-{patient}" for patient in patients}
    assert json.loads((dataset / "dataset_description.json").read_text())["Name"] == "Traction sessions (SIMULATED)"
    assert len(list(dataset.rglob("*_physio.tsv.gz"))) == 3
