"""Every line and branch of the limiter is taken by its own tests, and one that is not is noticed."""

import shutil
from pathlib import Path

import pytest

from proof.covered import NothingMeasured, uncovered

ROOT = Path(__file__).parents[2]
UNITS = "safety/units.py"
MARGIN_TEST = """
from safety.limits import over_target_margin

def test_the_margin():
    assert over_target_margin(0) == 15_000
"""


@pytest.fixture
def part(tmp_path: Path) -> Path:
    """A copy of the two modules that two test files cover."""
    for file in ("safety/__init__.py", UNITS, "safety/limits.py", "tests/safety/test_limits.py"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, tmp_path / file)
    (tmp_path / "tests" / "safety" / "test_margin.py").write_text(MARGIN_TEST)
    return tmp_path


def planted(part: Path, code: str) -> list[str]:
    """What is uncovered once that was put in front of the first statement of `larger`."""
    text = (part / UNITS).read_text()
    line = "    return first if first >= second else second\n"
    assert line in text
    (part / UNITS).write_text(text.replace(line, code + line))
    return uncovered(part)


def test_the_tests_of_safety_take_every_line_and_branch() -> None:
    assert uncovered(ROOT) == []


def test_a_part_that_is_covered_has_nothing_to_tell(part: Path) -> None:
    assert uncovered(part) == []


def test_a_line_that_is_never_run_is_named(part: Path) -> None:
    found = planted(part, "    if first > 10**9:\n        return first\n")

    assert [line.split(": ")[1].split(" to ")[0] for line in found] == ["never run", "never goes on"]
    assert all(line.startswith(UNITS) for line in found)


def test_a_branch_that_is_never_taken_is_named(part: Path) -> None:
    found = planted(part, "    if first < 10**9:\n        second = second\n")

    assert len(found) == 1
    assert "never goes on to line" in found[0]


def test_a_line_cannot_be_said_not_to_count(part: Path) -> None:
    found = planted(part, "    if first > 10**9:  # pragma: no cover\n        return first\n")

    assert "never run" in found[0]


def test_a_module_that_nobody_imports_is_named(part: Path) -> None:
    (part / "safety" / "forgotten.py").write_text("ANSWER = 42\n")

    assert any(line.startswith("safety/forgotten.py:1:") for line in uncovered(part))


def test_where_the_tests_fail_nothing_is_said_of_coverage(part: Path) -> None:
    with pytest.raises(NothingMeasured):
        planted(part, "    raise ValueError\n")
