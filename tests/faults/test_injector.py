"""When faults are put in: now, at a time, in a phase; what is refused, and in which words."""

import pytest

from hw_sim.faults import FaultError, Injector
from hw_sim.phases import Phase
from hw_sim.rigs import load_rig
from hw_sim.table import WATCHDOG_US, SimulatedTable

MS_US = 1_000


@pytest.fixture
def table() -> SimulatedTable:
    return SimulatedTable(load_rig("nominal"), 1)


@pytest.fixture
def injector(table: SimulatedTable) -> Injector:
    return Injector(table)


def test_a_fault_begins_at_its_time_to_the_millisecond(table: SimulatedTable, injector: Injector) -> None:
    injector.inject_at("AC16", 100 * MS_US)

    table.advance(99 * MS_US)
    before = table.panel.emergency_stop
    table.advance(100 * MS_US)

    assert not before
    assert table.panel.emergency_stop
    assert [(one.t_us, one.fault_id) for one in injector.history] == [(100 * MS_US, "AC16")]


def test_a_time_that_is_past_is_now(table: SimulatedTable, injector: Injector) -> None:
    table.advance(50 * MS_US)

    injector.inject_at("AC16", 10 * MS_US)
    table.advance(51 * MS_US)

    assert table.panel.emergency_stop


def test_a_fault_waits_for_its_phase(ready) -> None:
    ready.injector.inject_on("HU13", "take_up", after_us=200 * MS_US)

    ready.start()
    assert ready.run_until(lambda bench: bench.injector.phase is Phase.TAKE_UP, 20)
    began_us = ready.now_us
    ready.run_for(1)

    assert [one.fault_id for one in ready.injector.history] == ["HU13"]
    assert ready.injector.history[0].t_us == pytest.approx(began_us + 200 * MS_US, abs=21 * MS_US)


def test_a_withdrawn_fault_is_gone_and_what_else_is_there_stays(table: SimulatedTable, injector: Injector) -> None:
    injector.inject("SE12", gain=3.0)
    injector.inject("SE04")

    injector.withdraw("SE12")

    assert dict(injector.active) == {"SE04": {"channel": "a", "for_ms": 0}}
    assert table.channel_faults[0] is not None
    injector.withdraw("se04")
    assert table.channel_faults == [None, None]


def test_two_faults_of_one_channel_work_one_after_the_other(table: SimulatedTable, injector: Injector) -> None:
    zero, per_n = table.rig.cell_zero_counts_a, table.rig.cell_counts_per_n_a
    injector.inject("SE15", channel="a", n=10.0)

    injector.inject("SE12", gain=2.0)

    fault = table.channel_faults[0]
    assert fault is not None
    assert fault(zero) == pytest.approx(zero + 20 * per_n, abs=1)


def test_a_fault_that_begins_anew_does_not_end_with_its_first_time(table: SimulatedTable, injector: Injector) -> None:
    injector.inject("AC14", for_ms=100)
    table.advance(80 * MS_US)
    injector.inject("AC14", for_ms=100)

    table.advance(120 * MS_US)
    dipped = not table.panel.mains_good
    table.advance(200 * MS_US)

    assert dipped
    assert table.panel.mains_good


def test_what_happens_once_is_never_in_force(injector: Injector) -> None:
    injector.inject("HU13")

    assert dict(injector.active) == {}
    with pytest.raises(FaultError, match="not in force, or cannot be undone"):
        injector.withdraw("HU13")


@pytest.mark.parametrize(
    ("fault_id", "parameters", "says"),
    [
        ("SE99", {}, r"No fault 'SE99'. Nearest: SE\d\d"),
        ("patient cough", {}, "Nearest: HU13"),
        ("SE04", {"chanel": "b"}, "has no parameter 'chanel'. Its parameters: channel=a, for_ms=0"),
        ("SE04", {"channel": "c"}, "one of a, b, both, not 'c'"),
        ("SE04", {"channel": 1}, "channel is a word such as 'a', not 1"),
        ("SE12", {"gain": "much"}, "gain is a number such as 2.0"),
        ("SE12", {"gain": float("nan")}, "gain is a number such as 2.0"),
        ("HU13", {"lasting_ms": -1}, "from 0 to 3600000 milliseconds"),
        ("HU13", {"lasting_ms": 1.5}, "a whole number such as 300"),
        ("LK04", {}, "There is no line here"),
        ("LK19", {"protocol": 999}, "from 0 to 255"),
    ],
)
def test_what_cannot_be_put_in_is_refused_in_words(
    fault_id: str, parameters: dict, says: str, injector: Injector
) -> None:
    with pytest.raises(FaultError, match=says):
        injector.inject(fault_id, **parameters)

    assert injector.history == []


def test_an_unknown_phase_is_refused_with_those_that_there_are(injector: Injector) -> None:
    with pytest.raises(FaultError, match="ready, service, take_up, ramp, hold, release, tripped"):
        injector.inject_on("HU13", "holding")


def test_what_its_time_refuses_is_told_to_whoever_wants_to_know(table: SimulatedTable) -> None:
    told: list[FaultError] = []
    injector = Injector(table, on_refused=told.append)

    injector.inject_at("SE04", MS_US, channel="c")
    table.advance(2 * MS_US)

    assert "one of a, b, both" in str(told[0])


def test_hung_firmware_is_reset_by_the_boards_watchdog(held) -> None:
    table, boots = held.table, held.table.memory.boots
    ordered_um_s = table._board.velocity_um_s

    held.injector.inject("HO15")
    held.run_for((WATCHDOG_US - 1_000) / 1e6)
    still_hung = table._board.velocity_um_s == ordered_um_s and table._board.drive_enabled
    held.run_for(0.002)

    assert still_hung
    assert table.memory.boots == boots + 1
    assert not table.truth.drive_enabled


def test_a_switch_that_is_shorted_lets_nobody_stop_the_pull(held) -> None:
    held.injector.inject("DF03", n=0.1)

    held.table.press_patient_switch(300_000)
    held.run_for(0.5)

    assert "A10" not in held.alarms
    assert not held.table.panel.wind_in_cut
