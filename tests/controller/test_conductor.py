"""The conductor: it finds the table, asks again when it falls silent, and keeps the record of each session apart."""

from dataclasses import replace

import pytest

from controller.phases import CheckingZero, Ended, Tripped
from firmware_bridge.framing import encode_frame
from firmware_bridge.messages import PROTOCOL, Hello, Identity, MessageType, Nak, NakReason

SILENT_US = 1_000_000


def hellos(bench) -> list[int]:
    return [at_us for at_us, message in bench.written.heard if isinstance(message, Hello)]


def be_silent(bench, seconds: float) -> None:
    bench.to_host.faults = replace(bench.to_host.faults, dead=True)
    bench.run_for(seconds)
    bench.to_host.faults = replace(bench.to_host.faults, dead=False)


def test_the_table_is_found_and_asked_once_while_it_sends(new_bench) -> None:
    bench = new_bench()
    bench.run_for(3)

    assert bench.state.table is not None
    assert bench.state.table.identity.serial == 1001
    assert hellos(bench) == [0]
    assert bench.alarms == []


def test_a_silent_table_is_asked_again_every_half_second_until_it_answers(bench) -> None:
    before = len(hellos(bench))

    be_silent(bench, 2.0)
    asked = len(hellos(bench)) - before
    bench.run_for(2)

    assert asked in (3, 4)
    assert len(hellos(bench)) - before <= asked + 1
    assert bench.state.age_us < 20_000


def test_a_table_that_answers_again_can_be_used_again(bench) -> None:
    be_silent(bench, 2.0)
    bench.run_for(1)

    answer = bench.start()
    bench.run_for(0.1)

    assert answer.done
    assert isinstance(bench.state.phase, CheckingZero)


def test_a_table_that_was_reset_while_idle_is_found_again_without_an_alarm(bench) -> None:
    bench.table.reset()
    bench.run_for(1)

    assert bench.alarms == []
    assert bench.start().done


def test_the_line_closing_in_a_session_trips_and_says_why(holding) -> None:
    out = holding.conductor.disconnected("The port is gone.", holding.now_us)

    assert out  # a release, for whoever may still hear it
    assert isinstance(holding.state.phase, Tripped)
    assert holding.root == "A13"
    assert holding.state.table is None
    assert holding.state.board[-1].detail == "The port is gone."


def test_the_line_closing_between_sessions_trips_nothing_and_refuses_a_start(bench) -> None:
    bench.conductor.disconnected("The port is gone.", bench.now_us)

    answer = bench.start()

    assert not answer.done
    assert "not connected" in answer.reason
    assert not isinstance(bench.state.phase, Tripped)


@pytest.mark.parametrize("waited_s", [0.1, 1.2], ids=["while zero is checked", "while the switch is waited for"])
def test_the_line_closing_before_the_pull_ends_the_session_and_trips_nothing(make_bench, waited_s: float) -> None:
    bench = make_bench(cooperative=False)
    bench.start()
    bench.run_for(waited_s)

    bench.conductor.disconnected("The port is gone.", bench.now_us)

    assert isinstance(bench.state.phase, Ended)
    assert bench.state.phase.refused
    assert "The port is gone." in bench.state.phase.because
    assert (bench.root, bench.alarms, bench.memory.ended) == (None, [], 1)


def test_a_table_of_another_protocol_is_told_with_both_numbers(bench) -> None:
    identity = bench.state.table.identity
    bench.conductor.connected(bench.now_us)

    other = replace(identity, protocol=PROTOCOL + 1)
    bench.conductor.received(encode_frame(0, other), bench.now_us)

    assert bench.conductor.mismatch is not None
    assert bench.conductor.mismatch.device_protocol == PROTOCOL + 1
    assert f"protocol {PROTOCOL + 1}" in bench.conductor.mismatch.sentence
    assert bench.alarms == ["A42"]


def test_a_table_that_refuses_our_protocol_is_told_too(bench) -> None:
    bench.conductor.connected(bench.now_us)
    counter = bench.conductor.link.sent_counter

    refusal = Nak(counter, MessageType.HELLO, NakReason.UNKNOWN_PROTOCOL)
    bench.conductor.received(encode_frame(0, refusal), bench.now_us)

    assert bench.conductor.mismatch is not None
    assert "another protocol" in bench.conductor.mismatch.sentence


def test_a_mismatch_is_over_once_the_table_answers_in_our_protocol(bench) -> None:
    identity = bench.state.table.identity
    bench.conductor.connected(bench.now_us)
    bench.conductor.received(encode_frame(0, replace(identity, protocol=9)), bench.now_us)

    bench.run_for(2)

    assert isinstance(bench.conductor.link.identity, Identity)
    assert bench.conductor.mismatch is None
    assert bench.acknowledge("A42").done
    assert bench.alarms == []


def test_bytes_of_no_meaning_are_counted_and_change_nothing(bench) -> None:
    before = bench.state.phase

    bench.conductor.received(bytes(range(256)) * 20, bench.now_us)
    bench.run_for(0.1)

    assert bench.state.phase == before
    assert bench.alarms == ["A15"]


def test_the_events_of_each_session_are_numbered_from_one(bench, prescribed) -> None:
    for number in (1, 2):
        bench.start(prescribed("20 N"), session_id=f"S{number}", command_id=f"start-000{number}")
        bench.run_for(0.3)
        bench.stop()
        bench.run_to(Ended, within_s=1)

    numbers = [row.number for row in bench.memory.events]
    second = numbers.index(1, 1)

    assert [header.session_id for header in bench.memory.headers] == ["S1", "S2"]
    assert numbers[:second] == list(range(1, second + 1))
    assert numbers[second:] == list(range(1, len(numbers) - second + 1))
    assert bench.memory.ended == 2


@pytest.mark.parametrize("between", ["refused", "acknowledged"])
def test_what_happens_between_sessions_is_told_but_in_no_sessions_record(bench, between: str) -> None:
    if between == "refused":
        bench.start(ticks=())
    else:
        bench.acknowledge("A10")

    assert bench.memory.events == []
    assert bench.heard.events[-1].session_id is None
    assert bench.heard.events[-1].kind == "command"
