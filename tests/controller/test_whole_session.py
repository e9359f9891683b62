"""Sessions from the first check to slack, on the whole stack in virtual time."""

from dataclasses import replace
from itertools import pairwise

import pytest

from controller import session
from controller.inputs import EndAcknowledged, Execute
from controller.phases import (
    AwaitingSwitchTest,
    CheckingZero,
    Ended,
    Holding,
    Idle,
    Ramping,
    Releasing,
    TakingUpSlack,
    Tripped,
)
from firmware_bridge.messages import Arm, Release
from hw_sim.rigs import load_rig
from safety.limits import SHIPPED

PHASES = (CheckingZero, AwaitingSwitchTest, TakingUpSlack, Ramping, Holding, Releasing, Ended)
OVERSHOOT_N = 2.0


def run_whole(bench) -> dict[type, tuple[float, ...]]:
    """Runs to the end; the true forces (N) of every phase, in the order in which they came."""
    forces: dict[type, list[float]] = {}

    def note(bench) -> bool:
        forces.setdefault(type(bench.state.phase), []).append(bench.force_n)
        return isinstance(bench.state.phase, Ended | Tripped)

    assert bench.run_until(note, 200)
    return forces


def told(outputs) -> str:
    """What the outputs say; a permit has no text of its own."""
    permits = [output.permit for output in outputs if isinstance(output, Execute)]
    others = [output for output in outputs if not isinstance(output, Execute)]
    return repr((others, [(permit.motion, permit.basis_seq, permit.lease_ms) for permit in permits]))


def rms_n(forces: list[float], target_n: float) -> float:
    return (sum((force_n - target_n) ** 2 for force_n in forces) / len(forces)) ** 0.5


@pytest.fixture(scope="module")
def whole(new_bench, prescribed):
    """One session of 60 s at 300 N on the nominal table, run once, and the true forces of each phase."""
    bench = new_bench()
    bench.run_for(1)
    answer = bench.start(prescribed())
    assert answer.done, answer.reason
    return bench, run_whole(bench)


def test_the_phases_come_in_order_and_the_session_ends_by_its_clock(whole) -> None:
    bench, forces = whole

    assert tuple(forces) == PHASES
    assert bench.state.phase == Ended("time at force is complete", refused=False)
    assert [row.kind for row in bench.memory.events if row.kind in ("alarm", "trip", "verdict")] == []


def test_force_never_passes_the_target_by_more_than_2_n_and_the_hold_is_within_1_n_rms(whole) -> None:
    _, forces = whole

    assert max(forces[Ramping] + forces[Holding]) <= 300 + OVERSHOOT_N
    assert rms_n(forces[Holding], 300) < 1.0


def test_the_ramp_is_no_steeper_than_prescribed_but_for_breathing(whole) -> None:
    _, forces = whole

    per_second = [after - before for before, after in zip(forces[Ramping], forces[Ramping][1000:], strict=False)]

    assert max(per_second) < 21
    assert min(per_second) > -1


def test_the_time_at_force_is_the_prescribed_one(whole) -> None:
    _, forces = whole

    assert len(forces[Holding]) == pytest.approx(60_000, abs=50)


def test_the_end_is_let_go_at_20_newtons_a_second_and_leaves_the_table_slack_and_disarmed(whole) -> None:
    bench, forces = whole
    loaded = [force_n for force_n in forces[Releasing] if force_n > 15]

    assert 285 / (len(loaded) / 1000) == pytest.approx(20, rel=0.1)
    assert max(before - after for before, after in zip(loaded, loaded[100:], strict=False)) <= 15
    assert bench.force_n == 0
    assert not bench.table.truth.drive_enabled
    assert bench.table.truth.brake_on
    assert bench.state.course is None
    assert bench.state.reading is not None
    assert not bench.state.reading.armed


def test_the_record_is_whole(whole) -> None:
    bench, _ = whole
    samples, events = bench.memory.samples, bench.memory.events

    assert {after.seq - before.seq for before, after in pairwise(samples)} == {1}
    assert {after.t_us - before.t_us for before, after in pairwise(samples)} <= {3_125}
    assert not any(row.late for row in samples)
    assert [row.number for row in events] == list(range(1, len(events) + 1))
    assert [header.session_id for header in bench.memory.headers] == ["S1"]
    assert bench.memory.ended == 0
    assert bench.ask(EndAcknowledged("doctor", "heard-0001")).done
    assert bench.memory.events[-1].actor == "doctor"
    assert bench.memory.ended == 1
    assert bench.memory.headers[0].simulated


def test_the_target_is_on_record_throughout_ramp_and_hold_and_at_no_other_time(whole) -> None:
    bench, forces = whole
    [ramped, let_go] = [
        row.t_us for row in bench.memory.events if row.kind == "phase" and row.data["phase"] in ("ramping", "releasing")
    ]
    followed = [row for row in bench.memory.samples if row.target_mn is not None]

    assert (followed[0].t_us, followed[-1].t_us) == (ramped, let_go - 3_125)
    assert len(followed) == pytest.approx((len(forces[Ramping]) + len(forces[Holding])) * 0.32, abs=3)
    assert followed[-1].target_mn == 300_000


def test_the_armed_limits_are_the_agreed_ones(whole) -> None:
    bench, _ = whole

    [arm] = [message for _at_us, message in bench.written.heard if isinstance(message, Arm)]

    assert arm.ceiling_mn == 350_000  # the site's, lower than 300 N and a quarter
    assert arm.pull_um_s == 5_000
    assert arm.travel_um == 150_000
    assert 60 + 15 * 60 < arm.duration_s < 60 + 15 * 60 + 60
    assert bench.memory.headers[0].limits["ceiling_mn"] == 350_000


@pytest.mark.parametrize(
    ("rig", "force"),
    [("nominal_80", "300 N"), ("stiff", "150 N"), ("soft", "100 N"), ("frictionless", "100 N"), ("nominal", "30 N")],
)
def test_other_tables_patients_and_forces_are_held_as_well(make_short_hold, rig: str, force: str) -> None:
    bench, forces = make_short_hold(rig, force)
    target_n = float(force.split()[0])

    assert isinstance(bench.state.phase, Holding), bench.state.phase
    assert bench.alarms_told == []
    assert max(forces) <= target_n + OVERSHOOT_N
    assert rms_n(forces[-5000:], target_n) < 1.0


@pytest.fixture
def make_short_hold(new_bench, prescribed):
    """To the hold and 6 s into it, with the true forces of ramp and hold."""

    def make(rig: str, force: str):
        bench = new_bench(rig)
        bench.run_for(1)
        answer = bench.start(prescribed(force))
        assert answer.done, answer.reason
        bench.run_to(Ramping, Tripped, Ended)
        bench.fault_now()
        bench.run_to(Holding, Tripped, Ended)
        bench.run_for(6)
        return bench, bench.since_fault_n

    return make


def test_a_table_whose_clock_wraps_during_the_session_is_none_the_worse(new_bench, prescribed) -> None:
    bench = new_bench(t_us_start=2**32 - 12_000_000)
    bench.run_for(1)
    bench.start(prescribed("60 N"))

    held = bench.run_to(Holding, Tripped, Ended)
    bench.run_for(2)

    assert held
    assert isinstance(bench.state.phase, Holding)
    assert {after.t_us - before.t_us for before, after in pairwise(bench.memory.samples)} <= {3_125}


def test_the_minute_before_the_end_is_announced_where_there_is_more_than_one(new_bench, prescribed) -> None:
    bench = new_bench()
    bench.run_for(1)
    bench.start(prescribed("20 N", "61 s"))

    bench.run_until(lambda bench: "A25" in bench.alarms, 30)
    announced = bench.state.course.remaining_us
    told = next(entry.detail for entry in bench.state.board if entry.id.value == "A25")
    bench.stop()
    bench.run_to(Ended)
    bench.run_for(6)

    assert announced == pytest.approx(60_000_000, abs=10_000)
    assert told == "60 s at force to go"
    assert bench.alarms == []


def test_with_rests_ahead_the_last_minute_at_force_is_told_as_no_minute_until_the_end(new_bench, prescribed) -> None:
    bench = new_bench()
    bench.run_for(1)
    intermittent = {"mode": "intermittent", "rest_force": "20 N", "hold": "10 s", "rest": "10 s"}
    bench.start(prescribed("40 N", "70 s", **intermittent))

    assert bench.run_until(lambda bench: "A25" in bench.alarms, 60)
    told = next(entry.detail for entry in bench.state.board if entry.id.value == "A25")

    assert told == "60 s at force to go; with the rests between, the end comes later"


@pytest.mark.parametrize("phase", [CheckingZero, AwaitingSwitchTest, TakingUpSlack, Ramping])
def test_stop_ends_every_phase_and_is_never_refused(bench, phase: type) -> None:
    bench.start()
    bench.run_to(phase)

    answer = bench.stop()
    bench.run_to(Ended, within_s=10)

    assert answer.done
    assert bench.state.phase == Ended(bench.state.phase.because, refused=False)
    assert "stopped by clinician" in bench.state.phase.because
    assert bench.alarms == []
    assert bench.ask(EndAcknowledged("clinician", "heard-0001")).done
    assert bench.memory.ended == 1
    assert bench.force_n < 15


def test_stop_is_answered_where_nothing_runs_and_after_a_trip(bench, holding) -> None:
    holding.table.press_emergency_stop()
    holding.run_for(0.5)

    assert bench.stop().done
    assert holding.stop().done
    assert isinstance(bench.state.phase, Idle)
    assert isinstance(holding.state.phase, Tripped)


def test_a_switch_that_is_never_pressed_ends_the_session_after_60_s_with_nothing_pulled(make_bench) -> None:
    bench = make_bench("nominal_80", cooperative=False)
    bench.start()
    bench.run_to(AwaitingSwitchTest)
    waited_from_us = bench.now_us

    bench.run_to(Ended, within_s=70)

    assert bench.state.phase == Ended("the patient's switch was not pressed within 60 s", refused=True)
    assert bench.now_us - waited_from_us == pytest.approx(60_000_000, abs=20_000)
    assert bench.pulled_at_us == 0
    assert not any(isinstance(message, Arm) for _at_us, message in bench.written.heard)


def test_a_switch_that_is_unplugged_while_it_is_waited_for_ends_the_session(make_bench) -> None:
    bench = make_bench(cooperative=False)
    bench.start()
    bench.run_to(AwaitingSwitchTest)

    bench.table.unplug_patient_switch()
    bench.run_to(Ended, within_s=1)

    assert bench.state.phase == Ended("the patient's switch is not plugged in", refused=True)


def test_a_switch_that_is_held_down_does_not_start_the_pull(make_bench) -> None:
    bench = make_bench(cooperative=False)
    bench.start()
    bench.run_to(AwaitingSwitchTest)

    bench.table.press_patient_switch(20_000_000)
    bench.run_for(15)

    assert bench.state.phase.pressed
    assert bench.pulled_at_us == 0


def test_a_loaded_cable_refuses_the_zero_and_ends_before_anything_moves(bench) -> None:
    bench.start()
    bench.run_for(0.2)

    bench.table.plant.lean(30.0, 5_000)
    bench.run_to(Ended, within_s=2)

    assert bench.state.phase.refused
    assert "zero refused" in bench.state.phase.because
    assert "A27" in bench.alarms
    assert bench.pulled_at_us == 0


def test_a_zero_that_wandered_off_by_more_than_5_n_is_refused(make_bench) -> None:
    bench = make_bench()
    bench.table.plant.lean(6.0, 60_000)
    bench.run_for(0.2)
    bench.start()

    bench.run_to(Ended, within_s=3)

    assert "zero is off by more than 5 N" in bench.state.phase.because


def test_the_samples_stopping_before_the_pull_end_the_session_without_a_trip(bench) -> None:
    bench.start()
    bench.run_to(AwaitingSwitchTest)

    bench.to_host.faults = replace(bench.to_host.faults, dead=True)
    bench.run_to(Ended, Tripped, within_s=1)

    assert bench.state.phase == Ended("the table stopped sending before the pull", refused=True)


def test_a_harness_that_is_not_hooked_in_is_given_up_after_200_mm(make_bench) -> None:
    bench = make_bench(rig=replace(load_rig("nominal"), slack_mm=1_000))
    bench.start()

    bench.run_to(Tripped, Ended, within_s=40)

    assert bench.root == "A26"
    assert bench.table.plant.cable_um < 210_000


def test_a_snagged_cable_is_no_patient(make_bench) -> None:
    bench = make_bench(rig=replace(load_rig("nominal"), harness_n_per_mm=200.0, body_n_per_mm=400.0))
    bench.start()

    bench.run_to(Tripped, Ended, Ramping)

    assert bench.root == "A41"
    assert bench.peak_since_fault_n < 100


def test_a_session_after_a_session_needs_its_own_zero_and_switch_test(new_bench, prescribed) -> None:
    bench = new_bench()
    bench.run_for(1)
    bench.start(prescribed("20 N"))
    bench.run_to(Ramping)
    bench.stop()
    bench.run_to(Ended)

    again = bench.start(prescribed("20 N"), session_id="S2", command_id="start-0002")
    first = bench.state.phase
    bench.run_to(AwaitingSwitchTest)
    second = bench.state.phase

    assert again.done
    assert isinstance(first, CheckingZero)
    assert second == AwaitingSwitchTest(second.since_us)
    assert [header.session_id for header in bench.memory.headers] == ["S1", "S2"]


def test_a_controller_that_takes_over_a_table_under_load_says_what_happened_and_pulls_nothing(
    holding, new_bench
) -> None:
    fresh = new_bench()
    holding.conductor, holding.memory, holding.heard = fresh.conductor, fresh.memory, fresh.heard
    holding.to_table.put(holding.conductor.connected(holding.now_us), holding.now_us)
    holding.fault_now()
    holding.run_for(12)

    assert holding.root == "A16"
    assert holding.pulls_since_fault == []
    assert {type(message) for at_us, message in holding.written.heard if at_us > holding.fault_us} <= {Release}
    assert holding.force_n == 0
    assert holding.slack_ms_after_fault < 7_500
    assert holding.acknowledge("A16").done
    assert holding.run_to(Idle, within_s=1)


def test_the_same_inputs_give_the_same_session_again(new_bench, prescribed, monkeypatch) -> None:
    steps = []
    real = session.step

    def noted(state, given, now_us):
        after, outputs = real(state, given, now_us)
        steps.append((given, now_us, told(outputs)))
        return after, outputs

    monkeypatch.setattr(session, "step", noted)
    bench = new_bench("nominal_80")
    before = bench.state
    bench.run_for(1)
    bench.start(prescribed("40 N"))
    bench.run_to(Holding)
    bench.table.press_patient_switch(100_000)
    bench.run_for(2)

    state, replayed = before, []
    for given, now_us, _ in steps:
        state, outputs = real(state, given, now_us)
        replayed.append(told(outputs))

    assert replayed == [outputs for _, _, outputs in steps]
    assert repr(state) == repr(bench.state)
    assert len(replayed) > 2_000
    assert bench.state.site is SHIPPED
