"""The controller's step holds to every rule in all its abstract states, and planted mistakes do not stay hidden."""

import os

import pytest

from controller import session
from controller.inputs import StopAsked
from proof.exploration import explore, hunt
from proof.exploring.defects import DEFECTS, Defect, Edit, NotPlanted, planted
from proof.exploring.rules import RULES
from proof.exploring.world import NOTHING_YET

NIGHTLY = os.environ.get("PROOF_DEPTH") == "nightly"
PHASES = {
    "Idle",
    "CheckingZero",
    "AwaitingSwitchTest",
    "TakingUpSlack",
    "Ramping",
    "Holding",
    "Releasing",
    "Ended",
    "Tripped",
}
PLANTED = [defect for defect in DEFECTS if NIGHTLY or not defect.deep]


@pytest.mark.timeout(600 if NIGHTLY else 120)
def test_every_rule_holds_in_every_step_from_every_abstract_state() -> None:
    explored = explore(cut=not NIGHTLY)

    assert [str(breach) for breach in explored.breaches.values()] == []
    assert set(explored.states) >= PHASES
    assert sum(explored.states.values()) > 400
    assert explored.transitions > 80_000


@pytest.mark.parametrize("defect", PLANTED, ids=lambda defect: defect.name)
def test_a_defect_is_found(defect: Defect) -> None:
    [found] = hunt([defect])

    assert found.breach is not None


def test_there_are_rules_to_break_and_each_says_what_it_is() -> None:
    assert len(RULES) > 20
    assert all(rule.__doc__ for rule in RULES)
    assert len({rule.__name__ for rule in RULES}) == len(RULES)


def test_a_defect_whose_words_are_gone_is_no_defect_that_was_found() -> None:
    gone = Defect("gone", (Edit("controller.session:step", "words that are not there", "others"),))

    with pytest.raises(NotPlanted, match="0 times"), planted(gone):
        pass


def test_a_defect_is_gone_once_it_is_dug_out() -> None:
    stop_refused = Defect("refused", (Edit("controller.session:_on_stop", "done=True", "done=False"),))
    stop = StopAsked("clinician", "stop-00001")

    with planted(stop_refused):
        _, refused = session.step(NOTHING_YET, stop, 1)
    _, done = session.step(NOTHING_YET, stop, 1)

    assert not refused[1].done
    assert done[1].done
