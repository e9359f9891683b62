"""The table of trips and refusals: every cause and every reason is in it, provoked, and gives what is asked."""

import pytest

from benchmarks.provocations import PROVOCATIONS, Provocation
from benchmarks.refusals import REFUSALS, refusal_rows
from benchmarks.trips import RIGS, row
from docs import make_trips
from firmware import messages as m
from hw_sim.rigs import load_rig, random_rig

CAUSES = set(range(1, 20))
REASONS = set(range(1, 12))
PAGE = make_trips.FILE.read_text(encoding="utf-8")


def test_every_trip_cause_and_every_reason_of_a_refusal_is_provoked() -> None:
    assert {provocation.cause for provocation in PROVOCATIONS} == CAUSES
    assert {refusal.reason for refusal in REFUSALS} == REASONS


@pytest.mark.parametrize("provocation", PROVOCATIONS, ids=lambda one: f"{one.cause} {one.how}")
@pytest.mark.parametrize("rig_name", ["nominal", "modest+stiff"])
def test_a_cause_trips_as_itself_and_all_that_is_asked_of_it_comes(rig_name: str, provocation: Provocation) -> None:
    measured = row(provocation, load_rig(rig_name), seed=1)

    assert measured.sent == provocation.cause
    assert measured.missed == ()


@pytest.mark.parametrize("base", ["nominal", "nominal_80"])
@pytest.mark.parametrize("seed", [9, 15, 22, 28])
def test_the_patients_switch_lets_other_patients_go_under_control_too(base: str, seed: int) -> None:
    pressed = next(one for one in PROVOCATIONS if one.cause == m.PATIENT_PRESSED)

    measured = row(pressed, random_rig(load_rig(base), seed), seed)

    assert measured.missed == ()
    assert measured.fall_200_mn <= 20_000


def test_every_reason_of_a_refusal_is_sent_for_what_it_names() -> None:
    assert [(one.reason, one.answered) for one in refusal_rows(seed=1)] == [(one.reason,) * 2 for one in REFUSALS]


def test_the_page_lists_every_cause_and_refusal_on_every_rig_and_nothing_that_was_missed() -> None:
    headings = [line + "\n" for line in PAGE.splitlines() if line.startswith("## Cause ")]
    rigs = [line.split(" | ")[0].removeprefix("| ") for line in PAGE.splitlines() if line.startswith("| ")]

    assert headings == [make_trips.title(index) for index in range(len(PROVOCATIONS))], "run: python -m docs.make_trips"
    assert [rig for rig in rigs if rig in RIGS] == list(RIGS) * len(PROVOCATIONS)
    assert all(f"| {one.reason} | {one.how} | {one.reason} |" in PAGE for one in REFUSALS)
    assert PAGE.startswith(make_trips.HEAD), "run: python -m docs.make_trips"
    assert "| NO: " not in PAGE
    assert " NOT " not in PAGE
