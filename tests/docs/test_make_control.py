"""The page of control figures: what is missed stands first, and every figure is on it."""

from pathlib import Path

from benchmarks.control.goals import TESTED
from docs import make_control

ROW = {"name": "A, coughs", "reached": 31.0, "goal": 30.0, "baseline": 25.0, "unit": "N", "seed": 1, "met": False}


def test_a_missed_goal_is_named_with_what_it_is_missed_by() -> None:
    page = make_control.as_markdown([ROW, ROW | {"name": "A, hold", "met": True}], [])

    missed = page.split("## Missed")[1].split("## Plots")[0]
    assert "A, coughs: 31 N, goal 30 N, missed by 1 N" in missed
    assert "A, hold" not in missed


def test_every_figure_is_in_the_table_with_its_ratio() -> None:
    page = make_control.as_markdown([ROW, ROW | {"name": "bare", "goal": None, "baseline": None, "met": None}], [])

    assert "| A, coughs | 31 N | 30 N | 25 N | 1.24 | NO |" in page
    assert "| bare | 31 N |  |  |  |  |" in page


def test_plots_are_linked_from_where_the_page_is() -> None:
    page = make_control.as_markdown([ROW], [Path(make_control.IMAGES / "hold.svg")])

    assert "![hold](images/control/hold.svg)" in page


def test_why_a_goal_is_missed_stands_behind_it() -> None:
    page = make_control.as_markdown(
        [ROW | {"name": "B, middling: coughs, within 10 N after the last (whole stack)"}], []
    )

    assert "missed by 1 N: what is paid out into a cough is wound in again at 5 mm/s" in page


def test_every_reason_is_of_a_figure_that_there_is() -> None:
    names = {f"A, {tested.name}, {goal.what} (whole stack)" for tested in TESTED for goal in tested.goals}

    assert [part for part in make_control.REASONS if not any(part in name for name in names)] == []
