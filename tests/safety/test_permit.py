"""A permit is made by the gate, is for that one motion, and is good once."""

import copy
import pickle
from pathlib import Path

import pytest

from safety.limiter import Permit, review
from safety.motion import Hold, Pull, Release, ReleaseProfile

ROOT = Path(__file__).parents[2]
RUNTIME = ("firmware_bridge", "controller", "recorder", "dashboard", "hw_sim", "tractable")


def test_nobody_but_the_gate_makes_one() -> None:
    with pytest.raises(TypeError, match="review"):
        Permit(object(), Pull(5_000), 0, 200)


def test_it_cannot_be_made_to_say_something_else(pulling) -> None:
    permit = review(Release(ReleaseProfile.NORMAL), pulling())

    for name, value in (("motion", Pull(20_000)), ("basis_seq", 0), ("lease_ms", 60_000), ("_unspent", True)):
        with pytest.raises(AttributeError, match="does not change"):
            setattr(permit, name, value)


@pytest.mark.parametrize("made_again", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_it_cannot_be_copied(pulling, made_again) -> None:
    permit = review(Hold(), pulling())

    with pytest.raises(AttributeError, match="does not change"):
        made_again(permit)


def test_one_that_was_never_made_is_spent_already() -> None:
    hollow = object.__new__(Permit)

    assert not hollow.spend()


def test_no_other_module_of_the_program_makes_or_marks_one() -> None:
    texts = {path: path.read_text(encoding="utf-8") for part in RUNTIME for path in (ROOT / part).rglob("*.py")}

    assert len(texts) > 40
    assert [path for path, text in texts.items() if "_MADE_BY_REVIEW" in text or " Permit(" in text] == []
