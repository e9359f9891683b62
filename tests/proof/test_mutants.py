"""The mutation gate notices what it has to, tells broken runs from verdicts, and holds on a sample of the limiter."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from proof.mutation.mutants import mutants_of
from proof.mutation.survivors import UnreadableSurvivors, read

ROOT = Path(__file__).parents[2]
SAMPLE = 24
# Runs trials whose end is known, in a process of its own: this one has imported the limiter.
TRIALS = """
import ast, os, sys, time
from pathlib import Path
from proof.mutation.trial import Trial, tried

def planted(code):
    return lambda: ast.parse(Path("safety/units.py").read_text() + code)

def ends():
    os._exit(9)

def lingers():
    time.sleep(60)

trials = {
    "killed": (planted("\\ndef whole_within(value, least, most): return True\\n"), 60),
    "not importable": (planted("\\nraise ValueError\\n"), 60),
    "crashed": (ends, 60),
    "timed out": (lingers, 1),
}
for expected, (change, timeout_s) in trials.items():
    for _trial, verdict in tried(Path.cwd(), [Trial("safety/units.py", change)], 1, timeout_s):
        print(expected, verdict.outcome.value, sep="=")
import safety.units
for _trial, verdict in tried(Path.cwd(), [Trial("safety/units.py", planted(""))], 1):
    print("infrastructure error", verdict.outcome.value, sep="=")
"""


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, capture_output=True, text=True, timeout=110, check=False
    )


def of_code(tmp_path: Path, code: str) -> set[tuple[str, str]]:
    """What stands instead of what, in every mutant of that code."""
    (tmp_path / "safety").mkdir(exist_ok=True)
    (tmp_path / "safety" / "some.py").write_text(code)
    return {(mutant.was, mutant.becomes) for mutant in mutants_of(tmp_path, ["safety/some.py"])}


def test_a_sample_of_the_limiters_mutants_is_noticed_or_explained() -> None:
    gate = run("-m", "proof.mutants", "--sample", str(SAMPLE), "--seed", "7", "--json")

    told = json.loads(gate.stdout)
    assert told["holds"], "\n".join(told["says"])
    assert gate.returncode == 0
    assert told["killed"] + told["survived, explained"] == told["mutants"] == SAMPLE


def test_a_run_that_broke_off_is_no_verdict() -> None:
    ended = run("-c", TRIALS)

    assert ended.returncode == 0, ended.stderr
    told = [line.split("=") for line in ended.stdout.splitlines()]
    assert len(told) == 5
    assert [expected for expected, came_out in told if came_out != expected] == []


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("a = b < c", ("a = b < c", "a = b <= c")),
        ("a = b <= c", ("a = b <= c", "a = b < c")),
        ("a = b == c", ("a = b == c", "a = b != c")),
        ("a = b in c", ("a = b in c", "a = b not in c")),
        ("a = b and c", ("a = b and c", "a = b or c")),
        ("a = b and c", ("a = b and c", "a = c")),
        ("a = not b", ("a = not b", "a = b")),
        ("a = b + c", ("a = b + c", "a = b - c")),
        ("a = b * c", ("a = b * c", "a = b // c")),
        ("A = 5", ("A = 5", "A = 6")),
        ("A = 5", ("A = 5", "A = 4")),
        ("A = 5", ("A = 5", "A = -5")),
        ("A = -5", ("A = -5", "A = 5")),
        ("A = True", ("A = True", "A = False")),
        ("a = min(b, c)", ("a = min(b, c)", "a = max(b, c)")),
        ("a = b if c else d", ("a = b if c else d", "a = d if c else b")),
        ("def f():\n    if a:\n        b()", ("if a:", "if not a:")),
        ("def f():\n    b()", ("b()", "pass")),
        ("def f():\n    a = 1", ("a = 1", "pass")),
        ("def f() -> bool:\n    return a", ("return a", "return True")),
        ("def f() -> bool:\n    return a", ("return a", "return False")),
        ("def f() -> int:\n    return a", ("return a", "return None")),
        ("def f() -> tuple[int, ...]:\n    return a", ("return a", "return ()")),
        ("RULES = (first, second, third)", ("second", "(left out)")),
        ("ALL = {1: a, 2: b}", ("2", "(left out)")),
        ("match a:\n    case B():\n        pass\n    case C():\n        pass", ("case C():", "(left out)")),
        ("class E(Enum):\n    A = 'a'\n    B = 'b'\n\nx = E.A", ("x = E.A", "x = E.B")),
    ],
    ids=str,
)
def test_a_mistake_is_made_wherever_it_can_be(tmp_path: Path, code: str, expected: tuple[str, str]) -> None:
    assert expected in of_code(tmp_path, code)


@pytest.mark.parametrize("code", ["A = 'text'", "def f(a: tuple[int, int]) -> int: ...", '"""Words: 5."""', "import a"])
def test_what_decides_nothing_is_left_alone(tmp_path: Path, code: str) -> None:
    assert of_code(tmp_path, code) == set()


def test_a_mutant_changes_one_thing_and_keeps_its_name_when_its_line_moves(tmp_path: Path) -> None:
    (tmp_path / "some.py").write_text("def f() -> bool:\n    return a < 5\n")
    before = {mutant.key for mutant in mutants_of(tmp_path, ["some.py"])}
    (tmp_path / "some.py").write_text("# moved\n\n\ndef f() -> bool:\n    return a < 5\n")
    mutants = mutants_of(tmp_path, ["some.py"])

    (less,) = (mutant for mutant in mutants if mutant.becomes == "return a <= 5")

    assert {mutant.key for mutant in mutants} == before
    assert ast.unparse(less.apply()) == "def f() -> bool:\n    return a <= 5"


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ('why = ""', "one line"),
        ('why = "two\\nlines"', "one line"),
        ("", "needs file"),
        ('why = "good"\nby = "me"', "needs file"),
    ],
)
def test_an_explanation_is_one_line_and_whole(tmp_path: Path, row: str, complaint: str) -> None:
    path = tmp_path / "survivors.toml"
    path.write_text(f'[[survivor]]\nfile = "f"\nfunction = ""\nwas = "a"\nbecomes = "b"\n{row}\n')

    with pytest.raises(UnreadableSurvivors, match=complaint):
        read(path)


def test_an_explanation_stands_once_and_names_what_exists(tmp_path: Path) -> None:
    path, row = (
        tmp_path / "survivors.toml",
        '[[survivor]]\nfile = "f"\nfunction = ""\nwas = "a"\nbecomes = "b"\nwhy = "c"\n',
    )
    path.write_text(row)

    assert read(path).unknown(set()) == [("f", "", "a", "b")]
    assert read(path).unknown({("f", "", "a", "b")}) == []
    path.write_text(row * 2)
    with pytest.raises(UnreadableSurvivors, match="twice"):
        read(path)
