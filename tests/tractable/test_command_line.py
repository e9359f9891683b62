"""The command line itself: it answers at once, and a mistake is a sentence and an exit code."""

import subprocess
import sys

import pytest

# Each takes a tenth of a second or more, or brings half a framework along; --help needs none of them.
HEAVY = {"pyarrow", "fastapi", "uvicorn", "amqtt", "aiomqtt", "serial", "hw_sim", "controller", "recorder", "dashboard"}
SHOW_HELP_AND_WHAT_WAS_LOADED = """
import sys
from tractable.cli import main
sys.argv = ["tractable", "--help"]
try:
    main()
finally:
    print("loaded:", *{name.split(".")[0] for name in sys.modules})
"""
WRONG_USAGE = {
    "an unknown command": ["nope"],
    "an unknown option": ["demo", "--nope"],
    "no prescription": ["session", "run"],
    "no session": ["session", "show"],
    "no format": ["export", "2026"],
    "a seed that is no number": ["sim", "--seed", "one"],
}


def test_the_help_loads_nothing_that_it_does_not_need():
    command = [sys.executable, "-c", SHOW_HELP_AND_WHAT_WAS_LOADED]

    out = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout

    shown, loaded = out.split("loaded:")
    assert "Usage:" in shown
    assert HEAVY & set(loaded.split()) == set()


@pytest.mark.parametrize("words", WRONG_USAGE.values(), ids=WRONG_USAGE)
def test_wrong_usage_is_exit_2_and_says_what_was_expected(tractable, words):
    said = tractable(*words)

    assert said.code == 2
    assert "Usage: tractable" in said.err
    assert said.out == ""


def test_a_simulated_table_that_does_not_exist_is_named_with_the_nearest(tractable):
    said = tractable("sim", "--rig", "nomnal")

    assert said.code == 1
    assert "did you mean 'nominal'" in said.err


@pytest.mark.parametrize(
    "words",
    [["sim", "--link", "nowhere/table"], ["sim", "--data", "taken"], ["demo", "--folder", "taken"]],
    ids=" ".join,
)
def test_a_place_that_cannot_be_used_is_named(tractable, account, words):
    (account / "taken").write_text("a file, and no folder")

    said = tractable(*words)

    assert said.code == 1
    assert words[-1] in said.err
    assert len(said.err.splitlines()) == 1
    assert "Errno" not in said.err


def test_a_broker_does_not_take_a_port_that_is_in_use(tractable, monkeypatch, listening_port):
    monkeypatch.setenv("TRACTABLE_BROKER_PORT", str(listening_port))

    said = tractable("broker")

    assert said.code == 1
    assert f"Port {listening_port}" in said.err
    assert "already in use" in said.err
