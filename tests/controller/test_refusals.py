"""Why a session may not begin: every reason is said, nothing moves, and nothing is written that could move anything."""

from dataclasses import replace

import pytest

from controller.phases import CheckingZero, Idle, TakingUpSlack, Tripped
from firmware_bridge.messages import Arm, Hello, Release
from tractable.virtual_stack import calibration_of

HARMLESS = (Hello, Release)


def unplug(bench) -> None:
    bench.table.unplug_patient_switch()


def press_emergency_stop(bench) -> None:
    bench.table.press_emergency_stop()


def load(bench) -> None:
    bench.table.plant.lean(40.0, 10_000)


def silence(bench) -> None:
    bench.to_host.faults = replace(bench.to_host.faults, dead=True)


def nothing(_bench) -> None:
    pass


# What is wrong at the table, what is wrong in the asking, the alarm that it raises, and what the answer says.
REFUSED = {
    "no ticks": (nothing, {"ticks": ()}, None, "Not ticked on the start list"),
    "one tick missing": (nothing, {"ticks": ("screening", "harness")}, None, "The table's split is unlocked"),
    "no second confirmation": (nothing, {"confirmed_mn": None}, "A30", "confirm it by giving the force again"),
    "another force confirmed": (nothing, {"confirmed_mn": 299_999}, "A30", "299.999 N (30.6 kgf, 67.4 lbf)"),
    "another patient": (nothing, {"patient": "K7-2F42"}, "A30", "for another patient"),
    "calibration expired": (nothing, {"calibration_age_days": 366}, "A28", "366 days old"),
    "calibrated in the future": (nothing, {"calibration_age_days": -1}, "A28", "set the clock"),
    "calibration of unknown age": (nothing, {"calibration_age_days": None}, "A28", "not known when"),
    "no space": (nothing, {"blocked": (("A36", "Only 12 MB are free: free 200 MB."),)}, "A36", "Only 12 MB"),
    "record not written": (nothing, {"blocked": (("A37", "The disk is gone."),)}, "A37", "The disk is gone."),
    "emergency stop": (press_emergency_stop, {}, "A12", "emergency stop"),
    "switch unplugged": (unplug, {}, "A11", "not plugged in"),
    "cable loaded": (load, {}, "A27", "The cable is loaded"),
    "table silent": (silence, {}, None, "not connected, or sends nothing"),
}


def assert_nothing_could_move(bench) -> None:
    assert bench.pulled_at_us == 0
    assert all(isinstance(message, HARMLESS) for _at_us, message in bench.written.heard)
    assert bench.memory.headers == []


@pytest.mark.parametrize(("break_it", "changes", "alarm", "said"), REFUSED.values(), ids=REFUSED)
def test_a_start_is_refused_with_its_reason_and_nothing_is_written(bench, break_it, changes, alarm, said) -> None:
    break_it(bench)
    bench.run_for(0.3)

    answer = bench.start(**changes)
    bench.run_for(0.5)

    assert not answer.done
    assert said in answer.reason
    assert alarm is None or alarm in bench.alarms
    assert_nothing_could_move(bench)


def test_a_force_given_again_must_be_the_prescribed_one_also_where_it_need_not_be_given(bench, prescribed) -> None:
    slipped = prescribed("25 N")

    contradicted = bench.start(slipped, confirmed_mn=245_166)  # 25 kgf
    not_asked_for = bench.start(slipped, confirmed_mn=None, command_id="start-0002")

    assert not contradicted.done
    assert "says 25 N (2.5 kgf, 5.6 lbf), and the force given again is 245.166 N" in contradicted.reason
    assert "A30" in bench.alarms
    assert not_asked_for.done


def test_a_patient_who_was_read_off_and_is_the_prescribed_one_is_on_record(bench) -> None:
    answer = bench.start(patient="K7-2F41")
    bench.run_for(0.1)

    started = next(row for row in bench.memory.events if row.text == "Start")
    assert answer.done
    assert started.data["patient_confirmed"] is True
    assert "K7" not in str(started.data)


def test_everything_that_speaks_against_a_start_is_said_at_once(bench, prescribed) -> None:
    unplug(bench)
    bench.run_for(0.1)

    answer = bench.start(prescribed("310 N", ramp="25 N/s"), ticks=(), confirmed_mn=None, calibration_age_days=400)

    for said in ("plugged in", "400 days", "310 N", "25 N/s", "split is unlocked", "confirm it"):
        assert said in answer.reason
    assert_nothing_could_move(bench)


def test_a_table_that_holds_another_calibration_is_refused_before_and_at_the_start(make_bench) -> None:
    bench = make_bench()
    ours = calibration_of(bench.rig)
    bench.conductor._record_of = lambda _serial: replace(
        ours, channel_b=replace(ours.channel_b, span_q20=ours.channel_b.span_q20 + 1)
    )
    bench.to_table.put(bench.conductor.connected(bench.now_us), bench.now_us)
    bench.run_for(0.2)
    shown = bench.alarms

    answer = bench.start()

    assert shown == ["A29"]
    assert "another calibration" in answer.reason
    assert_nothing_could_move(bench)


def test_a_table_without_a_calibration_record_is_refused_and_its_forces_are_not_invented(make_bench) -> None:
    bench = make_bench()
    bench.conductor._record_of = lambda _serial: None
    bench.to_table.put(bench.conductor.connected(bench.now_us), bench.now_us)
    bench.run_for(0.2)

    answer = bench.start(calibration_age_days=None)

    assert not answer.done
    assert bench.state.reading is not None
    assert bench.state.reading.force_a_mn is None
    assert_nothing_could_move(bench)


def test_a_second_start_is_refused_while_a_session_runs_and_changes_nothing(bench) -> None:
    first = bench.start(actor="first")
    second = bench.start(actor="second", session_id="S2", command_id="start-0002")

    assert first.done
    assert not second.done
    assert "held by first" in second.reason
    assert isinstance(bench.state.phase, CheckingZero)
    assert [header.session_id for header in bench.memory.headers] == ["S1"]


def test_a_start_is_refused_while_the_pull_runs_and_the_pull_goes_on(holding) -> None:
    answer = holding.start(session_id="S2")
    holding.run_for(1)

    assert "A session is running" in answer.reason
    assert holding.root is None
    assert min(holding.since_fault_n) > 298


def test_a_latched_trip_refuses_the_next_session(holding) -> None:
    holding.table.press_patient_switch(100_000)
    holding.run_for(8)

    answer = holding.start(session_id="S2")

    assert "A trip is latched" in answer.reason
    assert isinstance(holding.state.phase, Tripped)


@pytest.mark.parametrize("changes", [{"calibration_age_days": 400}, {"confirmed_mn": None}])
def test_the_alarms_of_a_refused_start_leave_the_screen_by_themselves(bench, changes: dict) -> None:
    bench.start(**changes)
    shown = bench.alarms
    bench.run_for(5.5)

    assert len(shown) == 1
    assert bench.alarms == []


def test_a_latching_alarm_of_a_refused_start_leaves_once_it_is_acknowledged(bench) -> None:
    unplug(bench)
    bench.run_for(0.1)
    bench.start()
    bench.table.plug_patient_switch()
    bench.run_for(6)
    shown = bench.alarms

    acknowledged = bench.acknowledge("A11")

    assert shown == ["A11"]
    assert acknowledged.done
    assert bench.alarms == []
    assert isinstance(bench.state.phase, Idle)


def test_a_switch_that_is_pressed_or_unplugged_as_the_table_is_armed_is_refused_by_the_table_itself(bench) -> None:
    bench.start()
    bench.run_until(lambda bench: any(isinstance(message, Arm) for _at_us, message in bench.written.heard), 20)

    bench.table.press_patient_switch(500_000)
    bench.run_for(2)

    assert bench.pulled_at_us == 0
    assert not isinstance(bench.state.phase, TakingUpSlack)
    assert not bench.table.truth.drive_enabled


def test_a_pull_that_may_be_raised_above_200_n_is_not_begun_without_the_second_confirmation(bench, prescribed) -> None:
    may_be_raised = prescribed("190 N", raise_up_to="210 N")

    refused = bench.start(may_be_raised, confirmed_mn=None)
    accepted = bench.start(may_be_raised, confirmed_mn=190_000)

    assert "210 N (21.4 kgf, 47.2 lbf) is above 200 N" in refused.reason
    assert "giving the force again, 190 N" in refused.reason
    assert accepted.done
