"""A look at the zero between sessions: it says the offsets or why not, and never shifts what a force is judged by."""

from dataclasses import replace

import pytest

from controller.inputs import Answer, ZeroAsked
from controller.phases import Holding, Tripped
from firmware_bridge.messages import Hello, Release
from hw_sim.faults import Injector
from tractable.virtual_stack import MemoryAudience


def look(bench) -> Answer:
    return bench.ask(ZeroAsked("technician", f"zero-{bench.now_us:08}"))


def said_last(heard: MemoryAudience) -> str:
    return [event.text for event in heard.events if event.kind == "command"][-1]


def load(bench) -> None:
    bench.table.plant.lean(40.0, 10_000)
    bench.run_for(0.2)


def swing(bench) -> None:
    bench.table.plant.lean(6.0, 10_000)
    bench.run_for(0.1)


def turn_the_drum(bench) -> None:
    bench.table.drive_order_fault = lambda _velocity, _enabled, _brake_on: (-2_000, True, False)
    bench.run_for(1)


def make_noise(bench) -> None:
    Injector(bench.table, bench.line).inject("NOISE", channel="b", sigma_n=1.5)
    bench.run_for(2.5)


def shift_the_zero(bench) -> None:
    Injector(bench.table, bench.line).inject("SE15", n=6.0)
    bench.run_for(1)


def lose_a_channel(bench) -> None:
    bench.table.channel_faults[1] = lambda _raw: None
    bench.run_for(0.5)


def forget_the_record(bench) -> None:
    bench.conductor._record_of = lambda _serial: None
    bench.to_table.put(bench.conductor.connected(bench.now_us), bench.now_us)
    bench.run_for(1)


NOT_AT_ZERO = {
    "loaded": (load, "the cable is loaded (A +"),
    "swinging": (swing, "let it hang still"),
    "turning": (turn_the_drum, "let it hang still"),
    "noisy": (make_noise, "noisier than 1 N"),
    "crept": (shift_the_zero, "off by more than 5 N (A +"),
    "without a record": (forget_the_record, "no calibration record"),
}


@pytest.mark.parametrize(("break_it", "said"), NOT_AT_ZERO.values(), ids=NOT_AT_ZERO)
def test_a_zero_that_is_none_is_refused_with_its_reason_and_told(bench, break_it, said) -> None:
    break_it(bench)

    answer = look(bench)

    assert not answer.done
    assert said in answer.reason
    assert "A27" in bench.alarms
    assert said_last(bench.heard) == answer.reason


def test_a_channel_without_a_reading_is_no_zero(bench) -> None:
    lose_a_channel(bench)

    answer = look(bench)

    assert not answer.done
    assert answer.data["zero_b_mn"] is None


def test_a_cable_that_hangs_still_is_told_with_the_offset_of_each_channel(bench) -> None:
    Injector(bench.table, bench.line).inject("SE15", n=2.0, channel="b")
    bench.run_for(1)

    answer = look(bench)

    assert answer.done
    assert abs(answer.data["zero_a_mn"]) < 500
    assert abs(answer.data["zero_b_mn"] - 2_000) < 500
    assert said_last(bench.heard) == answer.reason
    assert bench.alarms == []


@pytest.mark.parametrize("rig", ["nominal", "nominal_80"])
def test_half_a_second_after_it_moved_a_cable_hangs_still_at_either_rate_of_samples(make_bench, rig) -> None:
    bench = make_bench(rig)
    bench.run_for(1)
    bench.table.plant.lean(12.0, 300)  # slack all the same
    bench.run_for(0.3 + 0.3)
    too_soon = look(bench)
    bench.run_for(0.6)

    hanging_still = look(bench)

    assert not too_soon.done
    assert hanging_still.done


def test_right_after_the_table_was_found_it_is_not_known_whether_the_cable_hung_still(new_bench) -> None:
    bench = new_bench()
    bench.run_for(0.3)

    assert "let it hang still" in look(bench).reason


def test_a_table_that_sends_nothing_has_no_zero_to_look_at(bench) -> None:
    bench.to_host.faults = replace(bench.to_host.faults, dead=True)
    bench.run_for(0.2)

    assert "sends nothing" in look(bench).reason


def test_in_a_session_it_is_refused_on_record_and_the_pull_goes_on(holding) -> None:
    answer = look(holding)
    holding.run_for(1)

    assert "held by clinician" in answer.reason
    assert isinstance(holding.state.phase, Holding)
    assert min(holding.since_fault_n) > 298
    assert any(row.text == answer.reason for row in holding.memory.events)


def test_after_a_trip_it_is_refused_until_the_trip_is_left(holding) -> None:
    holding.table.press_patient_switch(100_000)
    holding.run_for(8)

    answer = look(holding)

    assert isinstance(holding.state.phase, Tripped)
    assert "a trip is latched" in answer.reason
    assert holding.root == "A10"


def test_a_zero_that_creeps_is_refused_beyond_5_n_however_often_it_was_good_before(bench) -> None:
    injector, before = Injector(bench.table, bench.line), (bench.state.calibration, bench.table.memory.calibrations[:])

    answers = []
    for step in range(1, 21):
        injector.inject("SE15", n=2.0 * step)
        bench.run_for(0.6)
        answers.append(look(bench).done)

    assert answers == [True, True] + 18 * [False]
    assert (bench.state.calibration, bench.table.memory.calibrations) == before


def test_it_writes_nothing_to_the_table(bench) -> None:
    look(bench)
    bench.run_for(0.5)

    assert all(isinstance(message, Hello | Release) for _at_us, message in bench.written.heard)
    assert len(bench.written.heard) == 1
