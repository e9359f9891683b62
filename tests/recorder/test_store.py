"""Finding sessions: by id, by the beginning of an id, by path; and a damaged file hides no other."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from controller.journal import SampleRow, SessionHeader
from recorder.store import NoSuchSession, find, list_sessions


@pytest.fixture
def three(record: Callable[..., Path], header: SessionHeader, make_sample: Callable[..., SampleRow]) -> list[Path]:
    return [
        record([make_sample(1), make_sample(2)], [], replace(header, session_id=name, started_utc=started))
        for name, started in (
            ("2024-12-31-A", "2024-12-31T10:00:00Z"),
            ("2025-01-01-A", "2025-01-01T10:00:00Z"),
            ("2025-01-01-B", "2025-01-01T11:00:00Z"),
        )
    ]


def test_lists_all_sessions_the_newest_first(three: list[Path], tmp_path: Path) -> None:
    summaries = list_sessions(tmp_path)

    assert [summary.id for summary in summaries] == ["2025-01-01-B", "2025-01-01-A", "2024-12-31-A"]
    assert {(summary.samples, summary.simulated, summary.problem) for summary in summaries} == {(2, True, None)}


def test_a_file_that_cannot_be_read_is_listed_with_the_reason(three: list[Path], tmp_path: Path) -> None:
    three[1].write_bytes(b"")

    last = list_sessions(tmp_path)[-1]

    assert last.id == "2025-01-01-A"
    assert "not a session file" in str(last.problem)


@pytest.mark.parametrize(("wanted", "index"), [("2025-01-01-B", 2), ("2024", 0), ("2025-01-01-A", 1)])
def test_finds_a_session_by_its_id_or_the_beginning_of_it(
    three: list[Path], tmp_path: Path, wanted: str, index: int
) -> None:
    assert find(tmp_path, wanted) == three[index]


def test_finds_a_session_by_its_path(three: list[Path], tmp_path: Path) -> None:
    assert find(tmp_path / "elsewhere", three[0]) == three[0]


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ("2025", "2025 may be 2025-01-01-A, 2025-01-01-B. Give more of the id."),
        ("2025-01-02-B", "There is no session 2025-01-02-B .* nearest are: 2025-01-01-B"),
    ],
)
def test_names_the_nearest_when_none_or_several_fit(
    three: list[Path], tmp_path: Path, wanted: str, sentence: str
) -> None:
    with pytest.raises(NoSuchSession, match=sentence):
        find(tmp_path, wanted)


def test_an_empty_folder_says_that_there_are_none(tmp_path: Path) -> None:
    assert list_sessions(tmp_path) == []
    with pytest.raises(NoSuchSession, match="There is no session in"):
        find(tmp_path, "x")


def test_a_list_says_who_was_treated_and_what_was_prescribed(three: list[Path], tmp_path: Path) -> None:
    newest = list_sessions(tmp_path)[0]

    assert (newest.pseudonym, newest.mode, newest.force_n, newest.blinded) == ("K7-2F41", "static", 300.0, False)


def test_a_list_does_not_say_what_a_blinded_session_prescribed(
    record: Callable[..., Path], header: SessionHeader, make_sample: Callable[..., SampleRow], tmp_path: Path
) -> None:
    blinded = {**header.prescription, "trial": {"arm": "sham", "sham_force_mn": 30_000}}
    record([make_sample(1)], [], replace(header, prescription=blinded))

    (only,) = list_sessions(tmp_path)

    assert (only.pseudonym, only.mode, only.force_n, only.blinded) == ("K7-2F41", None, None, True)
