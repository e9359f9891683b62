"""The benchmarks by name: each is there, and a wrong name is answered with the nearest one."""

import json
from importlib import import_module

import pytest

from benchmarks.catalogue import BENCHMARKS
from benchmarks.figures import Figure
from tractable.benchmarking import run_benchmarks
from tractable.exit_codes import Exit


@pytest.mark.parametrize("name", BENCHMARKS)
def test_each_named_benchmark_gives_figures_for_a_seed(name: str) -> None:
    assert callable(import_module(f"benchmarks.{name}").figures)


def test_an_unknown_benchmark_is_answered_with_the_nearest_name(capsys: pytest.CaptureFixture[str]) -> None:
    code = run_benchmarks(["simm"], seed=1, as_json=False)

    assert code is Exit.WRONG_USAGE
    assert "did you mean 'sim'?" in capsys.readouterr().err


def test_figures_are_printed_as_json_with_the_seed_they_were_measured_with(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    measured = Figure("whole stack", 50.0, 60.0, 100.0, "s/s", 7, higher_is_better=True)
    monkeypatch.setattr("tractable.benchmarking.figures", lambda *_: iter([measured]))

    code = run_benchmarks(["sim"], seed=7, as_json=True)

    assert code is Exit.DONE
    expected = {"name": "whole stack", "reached": 50.0, "goal": 60.0, "baseline": 100.0, "unit": "s/s", "seed": 7}
    assert json.loads(capsys.readouterr().out) == [expected | {"met": False}]
