"""What somebody wrote by hand may be a name: it is on record, and in nothing that is exported."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pyarrow.parquet as pq

from controller import prescription
from controller.journal import SampleRow, SessionHeader
from controller.movement import Movement
from controller.pain import PainWhen
from controller.pulls import MODES
from recorder.export import FORMATS, export
from recorder.export.deidentified import WRITTEN_BY_HAND, deidentified, deidentified_prescription
from recorder.reading import open_session

NAME = "Dr. Kanarienvogel"
EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.toml"))


def everything_in(path: Path) -> str:
    text = path.read_bytes().decode("latin-1")
    if path.suffix == ".parquet":
        table = pq.read_table(path)
        text += str(table.to_pydict()) + str(table.schema.metadata)
    return text


def test_a_name_in_a_prescription_is_kept_on_record_and_leaves_in_no_format(
    record: Callable[..., Path], header: SessionHeader, make_sample: Callable[[int], SampleRow], tmp_path: Path
) -> None:
    by_hand = {"by": NAME, "written": {"prescribed": {"by": NAME}}}
    path = record([make_sample(1)], [], replace(header, prescription=header.prescription | by_hand))

    with open_session(path) as session:
        kept = session.header.prescription["by"]
        artefacts = export(session, tmp_path / "out", list(FORMATS))

    assert kept == NAME
    assert [artefact.name for artefact in artefacts if "Kanarienvogel" in everything_in(artefact)] == []
    assert any("force_mn" in everything_in(artefact) for artefact in artefacts)


def test_of_a_prescription_of_any_mode_all_leaves_but_what_was_written_by_hand() -> None:
    prescribed = [prescription.parse_toml(path.read_text(encoding="utf-8")) for path in EXAMPLES]
    records = [json.loads(each.model_dump_json()) for each in prescribed]

    left = [deidentified_prescription(record) for record in records]

    assert {each.mode for each in prescribed} == {*MODES, "chain"}
    assert left == [{name: record[name] for name in record if name not in WRITTEN_BY_HAND} for record in records]


def test_a_pain_score_keeps_when_it_was_told_and_a_movement_what_it_was() -> None:
    told = [{"pain": 3, "when": when} for when in get_args(PainWhen)]
    noticed = [{"movement": movement.value, "size_mn": 9000} for movement in Movement]

    left = [deidentified(data) for data in (*told, *noticed, {"pain": 3, "when": NAME})]

    assert left == [*told, *noticed, {"pain": 3}]
