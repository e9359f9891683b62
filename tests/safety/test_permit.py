"""A permit is made by the gate, is for that one motion, and is good once."""

import ast
import copy
import pickle
from pathlib import Path

import pytest

from controller.evolution import evolved
from safety.limiter import Permit, review
from safety.motion import Arm, CutPower, Hold, PayOut, Pull, Release, ReleaseProfile

ROOT = Path(__file__).parents[2]
# The proof forges permits on purpose, to see them refused.
RUNTIME = ("firmware_bridge", "controller", "recorder", "dashboard", "hw_sim", "tractable", "benchmarks")


def test_nobody_but_the_gate_makes_one() -> None:
    with pytest.raises(TypeError, match="review"):
        Permit(object(), Pull(5_000), 0, 0, 200)


def test_it_cannot_be_made_to_say_something_else(pulling) -> None:
    permit = review(Release(ReleaseProfile.NORMAL), pulling())

    for name, value in (
        ("motion", Pull(20_000)),
        ("basis_seq", 0),
        ("basis_us", 0),
        ("lease_ms", 60_000),
        ("_unspent", True),
    ):
        with pytest.raises(AttributeError, match="does not change"):
            setattr(permit, name, value)


@pytest.mark.parametrize("made_again", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_it_cannot_be_copied(pulling, made_again) -> None:
    permit = review(Hold(), pulling())

    with pytest.raises(AttributeError, match="does not change"):
        made_again(permit)


@pytest.mark.parametrize("motion", [Pull(5_000), Hold()], ids=repr)
@pytest.mark.parametrize(
    ("newest_us", "good"),
    [
        (5_000_000, True),
        (5_500_000, True),
        (5_500_001, False),
        (4_999_999, False),
        (None, False),
    ],
    ids=["its own sample", "half a second later", "later", "a clock gone back", "none since a reset"],
)
def test_to_move_it_is_good_for_half_a_second_after_its_sample(pulling, motion, newest_us, good) -> None:
    permit = review(motion, pulling(taken_us=5_000_000, seq=77))

    assert (permit.basis_seq, permit.basis_us) == (77, 5_000_000)
    assert permit.is_good_at(newest_us) is good


@pytest.mark.parametrize("newest_us", [None, 0, 10**12])
@pytest.mark.parametrize("motion", [Release(ReleaseProfile.NORMAL), PayOut(1)], ids=repr)
def test_to_let_go_it_is_never_too_late(pulling, motion, newest_us) -> None:
    with_a_reading, without = review(motion, pulling()), review(motion, pulling(reading=None))

    assert with_a_reading.is_good_at(newest_us)
    assert without.is_good_at(newest_us)
    assert (without.basis_seq, without.lease_ms) == (0, 200)


@pytest.mark.parametrize("motion", ["arm", "cut"])
def test_to_arm_and_to_cut_the_power_it_ends_as_well(before_arming, agreed, motion) -> None:
    permit = review(Arm(agreed, 7, 8) if motion == "arm" else CutPower(), before_arming())

    assert permit.is_good_at(permit.basis_us)
    assert not permit.is_good_at(permit.basis_us + 500_001)


def test_it_does_not_evolve_into_another(pulling) -> None:
    permit = review(Hold(), pulling())

    with pytest.raises(AttributeError, match="__dict__"):
        evolved(permit, motion=Pull(20_000))


def test_one_that_was_never_made_is_spent_already() -> None:
    hollow = object.__new__(Permit)

    assert not hollow.spend()


def makings(text: str) -> list[str]:
    """Where that code calls Permit, makes a hollow one, or reaches for what makes or marks one."""
    inner = {"_MADE_BY_REVIEW", "_unspent"}
    return [
        ast.unparse(node)
        for node in ast.walk(ast.parse(text))
        if (isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in {"Permit", "_permit"})
        or (isinstance(node, ast.Call) and "__new__" in ast.unparse(node.func) and "Permit" in ast.unparse(node))
        or (isinstance(node, ast.Name) and node.id in inner)
        or (isinstance(node, ast.Attribute) and node.attr in inner)
        or (isinstance(node, ast.alias) and node.name in inner | {"_permit"})
        or (isinstance(node, ast.Constant) and node.value in inner)
    ]


def test_no_other_module_of_the_program_makes_or_marks_one() -> None:
    texts = {path: path.read_text(encoding="utf-8") for part in RUNTIME for path in (ROOT / part).rglob("*.py")}

    assert len(texts) > 40
    assert {path: makings(text) for path, text in texts.items() if makings(text)} == {}


@pytest.mark.parametrize(
    "code",
    [
        "Permit(1, 2, 3, 4, 5)",
        "x = [limiter.Permit(1, 2, 3, 4, 5)]",
        "object.__new__(Permit)",
        "from safety.limiter import _MADE_BY_REVIEW",
        "from safety.limiter import _permit as give",
        "limiter._permit(motion, situation)",
        "object.__setattr__(permit, '_unspent', True)",
    ],
)
def test_one_that_is_made_or_marked_elsewhere_is_found(code) -> None:
    assert makings(code) != []
