"""What somebody wrote by hand may be a name: it is on record, and in nothing that is exported."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq

from controller.journal import SampleRow, SessionHeader
from recorder.export import FORMATS, export
from recorder.reading import open_session

NAME = "Dr. Kanarienvogel"


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
