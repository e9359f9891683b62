"""The ledger of hazards names only what exists, and leaves out no alarm and no trip cause."""

import ast
import tomllib
from functools import cache
from pathlib import Path

import pytest

from safety import limiter
from safety.alarms import ALARM_OF_TRIP_CAUSE, CATALOGUE

ROOT = Path(__file__).parents[2]
LEDGER = tomllib.loads((ROOT / "safety" / "hazards.toml").read_text(encoding="utf-8"))
HAZARDS, NOT_YET = LEDGER["hazard"], LEDGER.get("not_yet", [])
FIELDS = {"id", "hazard", "harm", "control", "enforced_by", "verified_by", "alarms", "causes"}
each_hazard = pytest.mark.parametrize("hazard", HAZARDS, ids=[hazard["id"] for hazard in HAZARDS])


@cache
def names_in(path: Path) -> frozenset[str]:
    """Every function, class and method that the file defines, a method as Class.method."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    top = [node for node in tree.body if isinstance(node, kinds)]
    inner = [f"{outer.name}.{node.name}" for outer in top for node in outer.body if isinstance(node, kinds)]
    return frozenset([node.name for node in top] + inner)


def exists(enforcer: str) -> bool:
    where, name = enforcer.split(":")
    if where.endswith(".js"):
        return name in (ROOT / where).read_text(encoding="utf-8")
    path = ROOT / (where.replace(".", "/") + ".py")
    return path.is_file() and name in names_in(path)


@each_hazard
def test_a_row_is_whole(hazard) -> None:
    assert set(hazard) == FIELDS
    assert all(hazard[field] for field in FIELDS - {"alarms", "causes"})


@each_hazard
def test_the_code_that_enforces_it_exists(hazard) -> None:
    assert [enforcer for enforcer in hazard["enforced_by"] if not exists(enforcer)] == []


def is_a_test(verifier: str) -> bool:
    """A function that pytest runs: of a test file, and named as one."""
    path, test = verifier.split("::")
    file = ROOT / path
    return file.is_file() and file.name.startswith("test_") and test.startswith("test_") and test in names_in(file)


@each_hazard
def test_the_tests_that_verify_it_exist(hazard) -> None:
    assert [test for test in hazard["verified_by"] if not is_a_test(test)] == []


@each_hazard
def test_each_trip_cause_shows_an_alarm_of_its_row(hazard) -> None:
    assert {ALARM_OF_TRIP_CAUSE[cause].value for cause in hazard["causes"]} <= set(hazard["alarms"])


def test_the_rows_are_numbered_without_a_gap() -> None:
    assert [hazard["id"] for hazard in HAZARDS] == [f"H{number:02}" for number in range(1, len(HAZARDS) + 1)]


def test_every_alarm_and_every_trip_cause_is_in_a_row_or_said_to_be_missing() -> None:
    in_rows = {name for hazard in HAZARDS for name in [*hazard["alarms"], *map("cause {}".format, hazard["causes"])]}
    missing = {entry["name"] for entry in NOT_YET}
    all_there_is = {alarm.value for alarm in CATALOGUE} | {f"cause {cause}" for cause in ALARM_OF_TRIP_CAUSE}

    assert in_rows | missing == all_there_is
    assert in_rows & missing == set()
    assert all(entry["missing"].endswith(".") for entry in NOT_YET)


def test_no_high_alarm_is_missing() -> None:
    missing = {entry["name"] for entry in NOT_YET}

    assert [
        alarm for alarm, entry in CATALOGUE.items() if entry.priority.value == "HIGH" and alarm.value in missing
    ] == []


def test_every_rule_of_the_gate_belongs_to_a_row() -> None:
    rules = (*limiter.PULL_RULES, *limiter.HOLD_RULES, *limiter.ARM_RULES, *limiter.CUT_RULES)

    assert {name.split()[0] for name, *_rest in rules} <= {hazard["id"] for hazard in HAZARDS}


def test_a_name_that_does_not_exist_is_noticed() -> None:
    assert exists("safety.limiter:review")
    assert exists("safety.limiter:Permit.spend")
    assert not exists("safety.limiter:reviewed")
    assert not exists("safety.limits_of_old:review")
    assert is_a_test("tests/safety/test_hazards.py::test_a_name_that_does_not_exist_is_noticed")
    assert not is_a_test("tests/safety/test_hazards.py::test_what_nobody_wrote")
    assert not is_a_test("tests/safety/test_hazards.py::exists")
    assert not is_a_test("tests/safety/conftest.py::with_reading")
    assert not is_a_test("tests/safety/test_nothing.py::test_what_nobody_wrote")
