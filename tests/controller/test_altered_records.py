"""A record that may be altered: told at the table, no new session until that was acknowledged, none that runs ends."""

from pathlib import Path

import pytest

from controller.inputs import ConditionChanged
from controller.phases import CheckingZero, Holding, Idle
from controller.shell import Shell, ShellConfig
from recorder.storage import FreeSpace
from safety.limits import SHIPPED
from tractable.virtual_stack import MemoryJournal

SENTENCE = "2025-03-01-A.tractable, block 2: Something was edited in block 2."


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A controller whose table is not there."""
    config = ShellConfig(tmp_path / "tty", SHIPPED, lambda serial: tmp_path / f"{serial}.toml", tmp_path / "s", {})
    return Shell(config, MemoryJournal(), FreeSpace(tmp_path), None)


def found_altered(bench) -> None:
    """As the shell tells it."""
    bench.tell(ConditionChanged("A38", SENTENCE))
    bench.tell(ConditionChanged("A38", None))


def test_no_session_begins_until_an_altered_record_was_acknowledged(bench) -> None:
    found_altered(bench)
    bench.run_for(10)

    refused = bench.start()
    bench.acknowledge("A38")
    bench.run_for(0.1)
    phase_before = bench.state.phase
    accepted = bench.start()

    assert not refused.done
    assert SENTENCE.rstrip(".") in refused.reason
    assert "acknowledge A38" in refused.reason
    assert isinstance(phase_before, Idle)
    assert accepted.done
    assert isinstance(bench.state.phase, CheckingZero)


def test_a_pull_goes_on_when_a_record_is_found_altered(holding) -> None:
    found_altered(holding)
    holding.run_for(5)

    assert "A38" in holding.alarms
    assert isinstance(holding.state.phase, Holding)
    assert holding.root is None


def test_the_shell_raises_what_it_is_told_of_a_record(shell) -> None:
    shell.record_altered(SENTENCE)
    while shell._pending_conditions:
        shell._take(shell._pending_conditions.pop(0))

    (shown,) = shell.shown().alarms
    assert (shown.id, shown.detail, shown.priority) == ("A38", SENTENCE, "MEDIUM")
