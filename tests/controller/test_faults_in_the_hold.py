"""What goes wrong while 300 N are held: the right alarm first, no more pull, slack in time, nothing resumes alone."""

from collections.abc import Callable

import pytest

from controller.phases import Holding, Idle, Ramping, Tripped
from firmware_bridge.messages import TripCause
from hw_sim.line import LineFaults
from safety.motion import ReleaseProfile

WORKING = LineFaults()
DEAD = LineFaults(dead=True)
LEASE_AND_WAY_MS = 270  # the longest lease, and the way of the last command
OVER_CEILING_N = 20
RELEASING_BIT, TRIPPED_BIT = 4, 8
# Tables and patients that disturbances are tried on; the soft one at a force that is reached sooner.
HELD = (("nominal", 300), ("nominal_80", 300), ("stiff", 300), ("soft", 150))
FALL_OVER_100_MS_MAX_N = 15


def press_switch(bench) -> None:
    bench.table.press_patient_switch(300_000)


def unplug_switch(bench) -> None:
    bench.table.unplug_patient_switch()


def press_emergency_stop(bench) -> None:
    bench.table.press_emergency_stop()


def cut_to_host(bench) -> None:
    bench.to_host.faults = DEAD


def cut_to_table(bench) -> None:
    bench.to_table.faults = DEAD


def cut_both(bench) -> None:
    bench.to_host.faults = bench.to_table.faults = DEAD


def freeze_host(bench) -> None:
    bench.host_frozen = True
    bench.run_for(1)
    bench.host_frozen = False


def freeze_host_and_wake_by_the_clock(bench) -> None:
    freeze_host(bench)
    bench.to_table.put(bench.conductor.tick(bench.now_us), bench.now_us)


def delay_samples(bench) -> None:
    bench.to_host.faults = LineFaults(extra_us=120_000)


def burst_after_a_gap(bench) -> None:
    bench.to_host.faults = LineFaults(extra_us=600_000)
    bench.run_for(0.6)
    bench.to_host.faults = WORKING


def kill_channel_a(bench) -> None:
    bench.table.channel_faults[0] = lambda _raw: None


def freeze_channel_b(bench) -> None:
    held: list[int] = []
    bench.table.channel_faults[1] = lambda raw: held.append(raw) or held[0]


def run_away(bench) -> None:
    bench.table.drive_fault = lambda _ordered_um_s: 40_000


# What is done, the first alarm that latches, and within how many milliseconds the cable is slack.
LATCHING = {
    "the patient presses the switch": (press_switch, "A10", 4_000),
    "the patient's switch is unplugged": (unplug_switch, "A11", 4_000),
    "the emergency stop is pressed": (press_emergency_stop, "A12", 4_000),
    "no samples arrive": (cut_to_host, "A13", 7_500),
    "no commands arrive": (cut_to_table, "A13", 7_500),
    "the cable to the table is pulled": (cut_both, "A13", 7_500),
    "the host stands still for a second": (freeze_host, "A16", 7_500),
    "the host stands still, and its clock wakes it": (freeze_host_and_wake_by_the_clock, "A16", 7_500),
    "samples are 120 ms late": (delay_samples, "A13", 7_500),
    "samples come in a burst after 600 ms": (burst_after_a_gap, "A13", 7_500),
    "a channel is dead": (kill_channel_a, "A05", 7_500),
    "a channel is stuck": (freeze_channel_b, "A06", 7_500),
}


@pytest.mark.parametrize(("inject", "alarm", "slack_ms"), LATCHING.values(), ids=LATCHING)
def test_a_fault_latches_its_own_alarm_first_and_lets_go_in_time(
    holding, inject: Callable, alarm: str, slack_ms: int
) -> None:
    inject(holding)
    slack = holding.run_to_slack(9)
    holding.run_for(0.2)

    assert slack
    assert isinstance(holding.state.phase, Tripped)
    assert holding.root == alarm
    assert holding.peak_since_fault_n <= holding.ceiling_n + OVER_CEILING_N
    assert holding.pulled_ms_after_fault <= LEASE_AND_WAY_MS
    assert holding.slack_ms_after_fault <= slack_ms
    assert holding.steepest_fall_n() <= FALL_OVER_100_MS_MAX_N
    assert not holding.table.truth.drive_enabled


@pytest.mark.parametrize(("inject", "alarm"), [row[:2] for row in LATCHING.values()], ids=LATCHING)
def test_a_fault_in_the_ramp_ends_the_winding_in_within_the_lease(ramping, inject: Callable, alarm: str) -> None:
    assert ramping.table.truth.velocity_um_s > 1_000

    inject(ramping)
    ramping.run_for(1)

    assert ramping.root == alarm
    assert ramping.pulled_ms_after_fault <= LEASE_AND_WAY_MS
    assert ramping.peak_since_fault_n <= ramping.ceiling_n


@pytest.fixture
def slower(hold):
    """The table with 80 samples a second: where no more than a table is wanted, it is also the faster to compute."""
    return hold("nominal_80")


@pytest.mark.parametrize(
    "inject", [press_switch, unplug_switch, press_emergency_stop], ids=["pressed", "unplugged", "emergency stop"]
)
def test_the_slower_table_lets_go_at_its_patients_word_within_6_s(slower, inject: Callable) -> None:
    inject(slower)
    slower.run_for(7)

    assert slower.slack_ms_after_fault <= 6_000
    assert slower.steepest_fall_n() <= FALL_OVER_100_MS_MAX_N


def test_nothing_is_pulled_after_a_host_that_stood_still_wakes_up(holding) -> None:
    freeze_host(holding)
    holding.fault_now()
    holding.run_for(3)

    assert holding.pulls_since_fault == []
    assert holding.alarms_told == ["A16", "A13"]


def test_a_host_that_stands_still_for_150_ms_goes_on_holding(holding) -> None:
    holding.host_frozen = True
    holding.run_for(0.15)
    holding.host_frozen = False
    holding.run_for(2)

    assert isinstance(holding.state.phase, Holding)
    assert holding.alarms_told == ["A14"]


@pytest.mark.parametrize("moment_s", [0.0, 0.1, 0.23, 0.36, 0.49, 0.61])
def test_a_table_that_was_reset_is_named_as_such_whatever_its_frame_numbers_were(holding, moment_s: float) -> None:
    holding.run_for(moment_s)
    holding.fault_now()

    holding.table.reset()
    named = holding.run_until(lambda bench: bench.root is not None, 0.4)
    holding.run_for(0.5)

    assert named
    assert holding.root == "A18"
    assert holding.pulled_ms_after_fault <= 100


def test_a_table_that_was_reset_bleeds_down_by_itself_within_15_s(hold) -> None:
    bench = hold("nominal_80")

    bench.table.reset()
    bench.run_for(15.5)

    assert bench.slack_ms_after_fault <= 15_000
    assert bench.steepest_fall_n() <= FALL_OVER_100_MS_MAX_N


@pytest.mark.parametrize(
    ("leave", "alarm", "cause"),
    [
        (lambda bench: bench.table.plant.leave(), "A08", TripCause.FORCE_LOST),
        (lambda bench: bench.table.plant.snap(), "A08", TripCause.FORCE_LOST),
        (run_away, "A04", TripCause.MOVEMENT_NOT_AS_COMMANDED),
    ],
    ids=["the patient opens the harness", "the cable snaps", "the drive runs away"],
)
def test_what_the_table_trips_on_alone_is_named_by_the_table(holding, leave: Callable, alarm: str, cause) -> None:
    leave(holding)
    holding.run_for(1)

    assert holding.root == alarm
    assert [told for told in holding.alarms_told if told != "A03"] == [alarm]
    assert holding.state.device_trip is cause
    assert holding.peak_since_fault_n <= holding.ceiling_n + OVER_CEILING_N


def test_a_trip_of_the_table_whose_first_message_is_lost_stops_the_pull_and_is_named_by_the_next(holding) -> None:
    cut_both(holding)
    holding.run_until(lambda bench: bench.table.firmware.status & TRIPPED_BIT, 1)
    holding.to_host.faults = holding.to_table.faults = WORKING
    holding.fault_now()
    holding.run_for(1.5)

    assert holding.root == "A13"
    assert holding.pulls_since_fault == []
    assert set(holding.alarms_told) == {"A14", "A13"}


def lose_the_trips_first_message(bench) -> None:
    """A gap of 200 ms, in which the table trips because its patient presses, and says so for the first time."""
    cut_to_host(bench)
    bench.table.press_patient_switch(100_000)
    bench.run_for(0.2)
    bench.to_host.faults = WORKING


def test_a_trip_that_samples_show_and_no_message_names_is_told_within_150_ms(holding) -> None:
    lose_the_trips_first_message(holding)
    holding.fault_now()
    named = holding.run_until(lambda bench: bench.root is not None, 1)

    assert named
    assert 150_000 <= holding.now_us - holding.fault_us <= 170_000
    assert holding.root == "A13"
    assert "cause is not known yet" in holding.state.board[-1].detail


def test_the_cause_of_such_a_trip_is_shown_as_soon_as_the_table_says_it_again(holding) -> None:
    lose_the_trips_first_message(holding)
    holding.run_for(1.2)

    assert holding.root == "A13"
    assert "A10" in holding.alarms
    assert holding.state.device_trip is TripCause.PATIENT_SWITCH_PRESSED
    assert holding.run_to_slack()
    holding.run_for(2.5)
    assert holding.acknowledge("A13").done
    assert holding.run_to(Idle, within_s=4)


def test_a_flapping_line_is_given_up_once_data_was_late_for_half_a_second_in_five(holding) -> None:
    for _ in range(20):
        holding.to_host.faults = DEAD
        holding.run_for(0.15)
        holding.to_host.faults = WORKING
        holding.run_for(0.15)

    [tripped] = [row for row in holding.memory.events if row.kind == "phase" and row.data.get("alarm") == "A13"]
    assert holding.root == "A13"
    assert (tripped.t_us - holding.fault_us) < 5_000_000
    assert holding.pulled_at_us - tripped.t_us <= 270_000
    assert holding.alarms_told[0] == "A14"


def test_doubled_and_damaged_bytes_are_told_as_noise_and_the_pull_goes_on(holding) -> None:
    holding.to_host.faults = LineFaults(duplicate=0.1, flip=0.02)
    holding.to_table.faults = LineFaults(duplicate=0.1, flip=0.02)
    holding.run_for(5)

    assert isinstance(holding.state.phase, Holding)
    assert 298 < min(holding.since_fault_n) < holding.peak_since_fault_n < 302
    assert holding.alarms == ["A15"]


def test_noise_on_the_line_is_told_once_until_it_was_quiet_for_a_while(slower) -> None:
    slower.to_host.faults = LineFaults(flip=0.05)
    slower.run_for(3)
    slower.to_host.faults = WORKING
    slower.run_for(12)

    assert slower.alarms_told == ["A15"]
    assert slower.alarms == []


@pytest.mark.parametrize(("rig", "target_n"), HELD)
@pytest.mark.parametrize("cough_n", [60.0, 80.0])
def test_a_cough_rides_through(hold, rig: str, target_n: int, cough_n: float) -> None:
    bench = hold(rig, f"{target_n} N")

    bench.table.plant.cough(cough_n, 300)
    bench.run_for(3)

    assert isinstance(bench.state.phase, Holding)
    assert set(bench.alarms_told) <= {"A03"}
    assert max(abs(force_n - target_n) for force_n in bench.since_fault_n) < 30
    assert all(abs(force_n - target_n) < 10 for force_n in bench.since_fault_n[-1500:])


@pytest.mark.parametrize(("rig", "target_n"), HELD)
def test_a_patient_who_moves_away_is_followed(hold, rig: str, target_n: int) -> None:
    bench = hold(rig, f"{target_n} N")

    bench.table.plant.shift(20, 2000)
    bench.run_for(5)

    assert isinstance(bench.state.phase, Holding)
    assert set(bench.alarms_told) <= {"A03"}
    assert bench.peak_since_fault_n < target_n + (15 if rig == "nominal_80" else 10)
    assert min(bench.since_fault_n[-1000:]) > target_n - 5


@pytest.mark.parametrize(("rig", "target_n"), HELD)
def test_a_patient_who_moves_towards_the_table_is_pulled_again_without_overshoot(hold, rig: str, target_n: int) -> None:
    bench = hold(rig, f"{target_n} N")

    bench.table.plant.shift(-20, 2000)
    bench.run_for(7)

    assert isinstance(bench.state.phase, Holding)
    assert set(bench.alarms_told) <= {"A03"}
    assert bench.peak_since_fault_n < target_n + 12
    assert all(abs(force_n - target_n) < 10 for force_n in bench.since_fault_n[6200:])


def test_a_trip_is_left_by_slack_for_2_s_and_the_cause_by_name_and_a_new_session(slower) -> None:
    press_switch(slower)
    slower.run_for(1)
    loaded = slower.acknowledge("A10")
    slower.run_to_slack()
    just_slack = slower.acknowledge("A10")
    slower.run_for(2.5)
    wrong = slower.acknowledge("A12")

    right = slower.acknowledge("A10")
    slower.run_for(1)

    assert [answer.done for answer in (loaded, just_slack, wrong, right)] == [False, False, False, True]
    assert "slack for 2 s" in loaded.reason
    assert "There is no alarm A12" in wrong.reason
    assert isinstance(slower.state.phase, Idle)
    assert slower.state.reading is not None
    assert not slower.state.reading.tripped
    assert slower.alarms == []
    assert slower.start(session_id="S2").done
    assert slower.run_to(Ramping, Tripped)
    assert isinstance(slower.state.phase, Ramping)


def test_a_cause_that_is_still_there_cannot_be_acknowledged(slower) -> None:
    press_emergency_stop(slower)
    slower.run_for(8)

    pressed = slower.acknowledge("A12")
    slower.table.release_emergency_stop()
    slower.run_for(2.5)
    released = slower.acknowledge("A12")

    assert not pressed.done
    assert released.done


def test_nothing_resumes_by_itself_when_the_line_comes_back(slower) -> None:
    cut_both(slower)
    slower.run_for(8)
    slower.to_host.faults = slower.to_table.faults = WORKING
    slower.fault_now()
    slower.run_for(20)

    assert isinstance(slower.state.phase, Tripped)
    assert slower.root == "A13"
    assert slower.pulls_since_fault == []
    assert slower.force_n == 0


@pytest.mark.parametrize(
    ("inject", "alarm"), [(freeze_host, "A16"), (cut_to_table, "A13"), (lambda bench: bench.table.reset(), "A18")]
)
def test_what_followed_from_a_trip_goes_with_it(slower, inject: Callable, alarm: str) -> None:
    inject(slower)
    slower.run_for(2)
    slower.to_table.faults = WORKING
    slower.run_for(15)

    acknowledged = slower.acknowledge(alarm)
    slower.run_for(1)

    assert acknowledged.done, acknowledged.reason
    assert isinstance(slower.state.phase, Idle)
    assert slower.alarms == []


def test_a_faster_cause_during_a_slower_release_makes_it_faster(holding) -> None:
    cut_to_table(holding)
    holding.run_for(1)
    holding.to_table.faults = WORKING
    press_switch(holding)
    holding.run_for(0.5)

    assert holding.root == "A13"
    assert "A10" in holding.alarms
    assert isinstance(holding.state.phase, Tripped)
    assert holding.state.phase.profile is ReleaseProfile.EMERGENCY
    holding.run_for(3)
    assert holding.slack_ms_after_fault < 4_500


def test_the_patients_switch_makes_an_ordinary_release_a_fast_one(holding) -> None:
    holding.stop()
    holding.run_for(2)
    holding.fault_now()

    press_switch(holding)
    holding.run_for(4)

    assert holding.root == "A10"
    assert holding.slack_ms_after_fault < 3_500


def test_the_operators_stop_lets_go_at_20_newtons_a_second(holding) -> None:
    answer = holding.stop()
    holding.run_for(18)

    assert answer.done
    assert 13_500 < holding.slack_ms_after_fault < 15_500
    assert holding.alarms_told == []
    assert holding.force_n == 0


def test_a_release_that_is_lost_on_the_line_is_repeated_before_the_lease_ends(holding) -> None:
    cut_to_table(holding)
    holding.stop()
    holding.to_table.faults = WORKING
    holding.run_for(1)

    assert holding.table.firmware.status & RELEASING_BIT
    assert holding.alarms_told == []


def test_the_record_goes_on_after_a_trip_without_a_target(holding) -> None:
    before = len(holding.memory.samples)

    press_switch(holding)
    holding.run_for(2)

    tripped = [row.t_us for row in holding.memory.events if row.kind == "alarm"]
    after = [row for row in holding.memory.samples[before:] if row.t_us > tripped[0]]
    assert len(after) == pytest.approx(2 * 320, abs=5)
    assert {row.target_mn for row in after} == {None}
