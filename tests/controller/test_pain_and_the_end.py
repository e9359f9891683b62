"""What the patient tells of pain, and the end of a session, until somebody acknowledges it."""

import pytest

from controller.inputs import EndAcknowledged, LowerAsked, PainTold, TableSaid
from controller.phases import AwaitingSwitchTest, CheckingZero, Ended, Holding, Idle, Ramping
from controller.showing import instruction
from firmware_bridge.messages import Trip, TripCause


def pain(bench, score: int, when: str, *, leg: bool = False, actor: str = "clinician"):
    return bench.ask(PainTold(actor, f"pain-{bench.now_us}", score, when, leg))


def hear(bench, actor: str = "clinician"):
    return bench.ask(EndAcknowledged(actor, f"heard-{bench.now_us}"))


@pytest.fixture
def ended(make_bench, prescribed):
    """A session that was stopped in its ramp, and is over."""
    bench = make_bench()
    bench.start(prescribed("100 N"))
    bench.run_to(Ramping)
    bench.run_for(2)
    bench.stop()
    bench.run_to(Ended)
    return bench


def test_pain_before_during_and_after_is_on_record(make_bench, prescribed) -> None:
    bench = make_bench()
    bench.start(prescribed("100 N"))
    before = pain(bench, 4, "before")
    bench.run_to(Ramping)
    during = pain(bench, 3, "during")
    bench.stop()
    bench.run_to(Ended)
    after = pain(bench, 2, "after")

    assert before.done
    assert during.done
    assert after.done
    rows = [(row.data["pain"], row.data["when"]) for row in bench.memory.events if "pain" in row.data]
    assert rows == [(4, "before"), (3, "during"), (2, "after")]
    assert bench.memory.ended == 0


def test_a_rise_suggests_lowering_and_changes_nothing(holding) -> None:
    pain(holding, 2, "during")
    answer = pain(holding, 5, "during")
    suggested = instruction(holding.state)
    holding.run_for(2)

    assert "Pain rose from 2 to 5" in answer.data["suggestion"]
    assert "Pain rose from 2 to 5" in suggested
    assert isinstance(holding.state.phase, Holding)
    assert holding.force_n == pytest.approx(300, abs=3)


def test_symptoms_in_a_leg_suggest_more_whatever_the_score(holding) -> None:
    answer = pain(holding, 0, "during", leg=True)

    assert "Symptoms in a leg" in answer.data["suggestion"]


def test_once_lowered_the_suggestion_is_heeded(holding) -> None:
    pain(holding, 2, "during")
    pain(holding, 5, "during")
    holding.ask(LowerAsked("clinician", "lower-0001", 250_000))

    assert "Pain" not in instruction(holding.state)


@pytest.mark.parametrize(
    ("score", "when", "words"), [(11, "during", "0, none"), (-1, "during", "0, none"), (3, "after", '"during" now')]
)
def test_pain_that_makes_no_sense_is_refused_on_record(holding, score, when, words) -> None:
    answer = pain(holding, score, when)

    assert words in answer.reason
    assert words in holding.memory.events[-1].text


def test_without_a_session_nobody_notes_pain(bench) -> None:
    assert "no session" in pain(bench, 3, "before").reason


def test_the_end_waits_for_anybody_and_the_record_says_who(ended) -> None:
    assert ended.state.open_end is not None
    assert "acknowledge the end" in instruction(ended.state)
    assert ended.memory.ended == 0
    ended.run_for(120)
    answer = hear(ended, "nurse")

    assert answer.done
    assert (ended.memory.events[-1].actor, ended.memory.events[-1].text) == ("nurse", "The end was acknowledged")
    assert ended.memory.ended == 1
    assert ended.state.open_end is None
    assert hear(ended).done


def test_an_end_is_not_acknowledged_before_it_came(holding) -> None:
    answer = hear(holding)

    assert "has not ended" in answer.reason


def test_a_session_that_never_pulled_needs_nobody(make_bench) -> None:
    bench = make_bench()
    bench.start()
    bench.run_to(AwaitingSwitchTest)
    bench.stop()

    assert isinstance(bench.state.phase, Ended)
    assert bench.memory.ended == 1
    assert bench.state.open_end is None


def test_a_new_session_closes_the_record_of_the_one_before(ended, prescribed) -> None:
    assert ended.start(prescribed("100 N"), session_id="S2").done

    assert isinstance(ended.state.phase, CheckingZero)
    assert ended.memory.ended == 1
    assert [header.session_id for header in ended.memory.headers] == ["S1", "S2"]


def test_a_trip_after_the_end_closes_the_record_once_it_is_left(ended) -> None:
    ended.tell(TableSaid(Trip(TripCause.TRAVEL, 0, 0, 0, 0)))
    ended.run_for(3)
    still_open = ended.memory.ended
    ended.acknowledge(ended.root)
    ended.run_to(Idle, within_s=5)

    assert still_open == 0
    assert isinstance(ended.state.phase, Idle)
    assert ended.memory.ended == 1
    assert ended.state.open_end is None


def test_an_end_that_nobody_acknowledges_is_closed_after_15_minutes(ended) -> None:
    ended.run_for(15 * 60 - 1)
    before = ended.memory.ended
    ended.run_for(2)

    assert (before, ended.memory.ended) == (0, 1)
    assert "Nobody acknowledged" in ended.memory.events[-1].text
