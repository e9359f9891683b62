"""A table that was flashed with another release: named at once, and nothing moves."""

import pytest

from controller.inputs import AcknowledgeAsked
from controller.phases import Idle
from hw_sim.table import SimulatedTable


@pytest.fixture
def other(ready):
    """A stack whose table has just come back with the firmware of another release."""
    ready.injector.inject("LK19", protocol=0)
    return ready


def test_a_table_of_another_protocol_raises_a42_within_a_second(other) -> None:
    other.run_for(1)

    assert other.alarms == ["A42"]
    assert other.conductor.mismatch is not None
    assert "The table speaks protocol 0, this program speaks protocol 1." in other.conductor.mismatch.sentence


def test_nothing_moves_at_a_table_of_another_protocol_whatever_is_asked(other) -> None:
    other.run_for(1)

    other.start()
    other.run_for(5)

    assert not other.heard.answers[-1].done
    assert isinstance(other.state.phase, Idle)
    assert set(other.forces_n) == {0.0}
    assert other.table.truth.cable_um == 0
    assert not other.table.truth.drive_enabled


def test_a_table_that_is_flashed_with_our_protocol_again_can_be_used(other) -> None:
    other.run_for(1)

    other.injector.withdraw("LK19")
    other.run_for(2)
    still = list(other.alarms)
    other.ask(AcknowledgeAsked("clinician", "ack-000001", "A42"))

    assert other.conductor.mismatch is None
    assert still == ["A42"]
    assert other.alarms == []


def test_a_table_may_be_of_another_protocol_from_its_first_power_on(new_bench) -> None:
    bench = new_bench()
    bench.table = SimulatedTable(bench.rig, 3, protocol=7)

    bench.run_for(1)

    assert bench.alarms == ["A42"]
    assert bench.conductor.mismatch is not None
    assert bench.conductor.mismatch.device_protocol == 7


def test_another_table_of_our_protocol_has_no_calibration_record_and_is_not_started(ready) -> None:
    ready.injector.inject("SX13")
    ready.run_for(1)

    ready.start()
    ready.run_for(2)

    assert ready.state.table is not None
    assert ready.state.table.identity.serial == 6_666
    assert not ready.heard.answers[-1].done
    assert set(ready.forces_n) == {0.0}
