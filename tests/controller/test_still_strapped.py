"""A patient who is still strapped to a table whose session is over can still let go."""

from collections.abc import Callable

import pytest

from controller.phases import Ended, Tripped
from proof.bench import Bench

PRESSED_US = 500_000


@pytest.fixture
def ended(hold: Callable[..., Bench]) -> Bench:
    bench = hold(force="100 N")
    bench.stop()
    bench.run_to(Ended, within_s=30)
    bench.run_for(1)
    bench.fault_now()
    return bench


def _loads_the_cable(bench: Bench) -> None:
    bench.table.plant.shift(40, 3000)


def test_a_patient_who_moves_after_the_session_is_let_go(ended: Bench) -> None:
    _loads_the_cable(ended)
    ended.run_for(20)

    assert ended.force_n < 15
    assert ended.peak_since_fault_n < 60
    assert isinstance(ended.state.phase, Ended)


def test_the_switch_lets_go_of_a_load_on_a_disarmed_table(holding: Bench) -> None:
    holding.table.press_patient_switch(PRESSED_US)
    holding.run_to_slack(10)
    holding.run_for(1)
    assert isinstance(holding.state.phase, Tripped)
    _loads_the_cable(holding)
    holding.run_for(4)
    holding.table.press_patient_switch(PRESSED_US)
    holding.run_for(8)

    assert holding.force_n < 15


def test_a_technicians_masses_are_not_lowered_while_the_service_jumper_is_closed(ended: Bench) -> None:
    ended.table.close_service_jumper()
    before_um = ended.state.reading.cable_um
    _loads_the_cable(ended)
    ended.run_for(6)

    assert ended.state.reading.cable_um == pytest.approx(before_um, abs=200)
