"""Every trip that one sample, or a few, can give: provoked in the simulated table, judged by what the line says."""

import pytest

from firmware import messages as m
from firmware.limits import RAW_END, RAW_MISSING

LOADED_MN = 100_000


def test_force_over_the_armed_ceiling_trips(bench) -> None:
    table = bench().arm(ceiling_mn=60_000)

    table.load(LOADED_MN)

    assert table.trips == [m.ARMED_CEILING]
    assert table.force_mn < 63_000


def test_one_wild_sample_over_the_armed_ceiling_does_not_trip(bench) -> None:
    table = bench().arm(ceiling_mn=150_000).load(LOADED_MN)
    wild = iter([200 * 8000])
    table.table.channel_faults[0] = lambda raw: raw + next(wild, 0)

    table.keep(LOADED_MN, 1000)

    assert table.trips == []


def test_one_sample_over_the_firmwares_own_ceiling_trips(bench) -> None:
    table = bench().arm(ceiling_mn=600_000).load(LOADED_MN)
    wild = iter([601 * 8000])
    table.table.channel_faults[0] = lambda raw: next(wild, raw - 12_400) + 12_400

    table.run(4)

    assert table.trips == [m.FIRMWARE_CEILING]


def test_a_lease_that_ends_under_load_trips_and_one_that_ends_slack_only_stops(bench) -> None:
    slack = bench().arm()
    slack.move(10_000, 100)
    slack.run(300)
    loaded = bench().arm().load(LOADED_MN)

    loaded.move(2000, 250)
    pulled_ms = loaded.run_until(lambda: loaded.table._board.velocity_um_s <= 0, 400)
    loaded.run(5)

    assert slack.trips == []
    assert slack.status & m.ARMED
    assert slack.table.truth.velocity_um_s == 0
    assert 245 <= pulled_ms <= 250
    assert loaded.trips == [m.LEASE_ENDED]


@pytest.mark.parametrize(
    "raw", [RAW_END, -RAW_END, 8_388_607, -8_388_608, -260_000], ids=["95 %", "-95 %", "full", "-full", "-31 N"]
)
@pytest.mark.parametrize("channel", [0, 1])
def test_a_channel_out_of_range_for_two_samples_trips(bench, raw: int, channel: int) -> None:
    table = bench().arm().load(LOADED_MN)

    table.table.channel_faults[channel] = lambda _: raw
    table.run(3)
    after_one = list(table.trips)
    table.run(4)

    assert after_one == []
    assert table.trips == [m.CHANNEL_RANGE]


@pytest.mark.parametrize("out_n", [-200, 200])
def test_one_wild_sample_every_two_seconds_neither_trips_nor_falsifies_the_release(bench, out_n: int) -> None:
    table = bench().arm(ceiling_mn=160_000)
    conversions = iter(range(100_000))
    table.table.channel_faults[0] = lambda raw: raw + (out_n * 8000 if next(conversions) % 640 == 0 else 0)

    table.load(LOADED_MN).keep(LOADED_MN, 10_000)
    trips = list(table.trips)
    table.send(m.RELEASE, m.PROTECTIVE)
    forces = table.let_go()

    assert trips == table.trips == []
    assert len(forces) < 1000 * LOADED_MN // 50_000 + 3000
    assert max(before - after for before, after in zip(forces, forces[100:], strict=False)) <= 15_000


@pytest.mark.parametrize("raw", [8_388_607, -8_388_608])
def test_one_sample_at_full_scale_is_no_force(bench, raw: int) -> None:
    table = bench().arm().load(LOADED_MN)
    wild = iter([raw])
    table.table.channel_faults[0] = lambda given: next(wild, given)

    table.keep(LOADED_MN, 1000)

    assert table.trips == []


def test_a_converter_that_gives_nothing_for_two_periods_trips_and_is_sent_as_missing(bench) -> None:
    table = bench().arm().load(LOADED_MN)

    table.table.channel_faults[0] = lambda _: None
    table.run(3)
    after_one = list(table.trips)
    table.run(4)

    assert after_one == []
    assert table.trips == [m.CHANNEL_RANGE]
    assert table.samples[-1][2] == RAW_MISSING
    assert table.samples[-1][0] - table.samples[0][0] == len(table.samples) - 1


def test_twenty_five_identical_codes_under_load_trip(bench) -> None:
    table = bench().arm().load(LOADED_MN)
    frozen = table.samples[-1][3]
    table.table.channel_faults[1] = lambda _: frozen

    took_ms = 0
    while not table.trips:
        table.keep(LOADED_MN, 10)
        took_ms += 10

    assert table.trips == [m.CHANNEL_STUCK]
    assert took_ms <= 100


@pytest.mark.parametrize(("apart_n", "within_ms"), [(20, 240), (45, 20)])
def test_channels_that_differ_trip(bench, apart_n: int, within_ms: int) -> None:
    table = bench().arm().load(LOADED_MN)
    table.table.channel_faults[0] = lambda raw: raw + apart_n * 8000

    table.keep(LOADED_MN, within_ms)

    assert table.trips == [m.CHANNELS_DIFFER]


def test_one_sample_far_out_on_one_channel_does_not_trip(bench) -> None:
    table = bench().arm().load(LOADED_MN)
    wild = iter([120 * 8000])
    table.table.channel_faults[0] = lambda raw: raw + next(wild, 0)

    table.keep(LOADED_MN, 1000)

    assert table.trips == []


@pytest.mark.parametrize(
    ("fault", "within_ms"),
    [(lambda _: 40_000, 100), (lambda v: -v, 800), (lambda _: 0, 800), (lambda v: v - 2500, 400)],
    ids=["runs away", "turns the wrong way", "stands still", "drifts"],
)
def test_a_drum_that_does_not_do_what_it_is_told_loses_its_power(bench, fault, within_ms: int) -> None:
    table = bench().arm().load(60_000)

    table.table.drive_fault = fault
    took_ms = 0
    while not table.trips:
        table.move(3000)
        table.run(10)
        took_ms += 10

    assert table.trips == [m.NOT_AS_COMMANDED]
    assert took_ms <= within_ms
    assert not table.table.truth.drive_enabled


@pytest.mark.parametrize(
    ("break_first", "cause"),
    [
        (lambda table: table.table.channel_faults.__setitem__(0, lambda _raw: RAW_END), m.CHANNEL_RANGE),
        (lambda table: table.table.channel_faults.__setitem__(0, lambda raw: raw + 60 * 8000), m.CHANNELS_DIFFER),
        (lambda table: table.table.press_emergency_stop(), m.EMERGENCY_STOPPED),
    ],
    ids=["a channel out of range", "channels that differ", "an emergency stop"],
)
def test_a_drum_that_goes_the_wrong_way_loses_its_power_whatever_tripped_before(bench, break_first, cause: int) -> None:
    table = bench().arm().load(LOADED_MN)
    break_first(table)
    table.run(200)

    table.table.drive_fault = lambda velocity_um_s: -velocity_um_s
    table.run(400)

    assert table.trips[0] == cause
    assert not table.table.truth.drive_enabled
    assert table.force_mn < LOADED_MN + 20_000


def test_travel_counts_from_the_first_load(bench) -> None:
    table = bench().arm(travel_um=8_000)

    table.load(LOADED_MN)

    assert table.trips == [m.TRAVEL]


@pytest.mark.parametrize("switch", ["wound_in_limit", "paid_out_limit"])
def test_a_limit_switch_that_closes_while_armed_trips(bench, switch: str) -> None:
    table = bench().arm().load(60_000)

    setattr(table.table.panel, switch, True)
    table.run(4)

    assert table.trips == [m.TRAVEL]


def test_a_limit_switch_that_was_closed_before_arming_does_not_trip_but_stops_the_way_towards_it(bench) -> None:
    table = bench().greet()
    table.table.panel.wound_in_limit = True
    table.run(10)
    table.arm()

    table.run(20)
    table.move(2000)
    table.run(5)

    assert table.trips == []
    assert table.replies[-1] == (m.NAK, (table._counter - 1, m.MOVE, m.OUT_OF_RANGE))


@pytest.mark.parametrize(
    ("act", "cause"),
    [
        (lambda table: table.press_patient_switch(300_000), m.PATIENT_PRESSED),
        (lambda table: table.unplug_patient_switch(), m.PATIENT_UNPLUGGED),
        (lambda table: table.press_emergency_stop(), m.EMERGENCY_STOPPED),
    ],
)
def test_a_stop_in_somebodys_hand_trips_and_pays_out_at_once(bench, act, cause: int) -> None:
    table = bench().arm().load(LOADED_MN)

    act(table.table)
    table.move(5000)
    table.run(50)

    assert table.trips == [cause]
    assert table.table.truth.velocity_um_s < -1500
    assert table.status & m.RELEASING


def test_the_patients_switch_only_shows_while_disarmed(bench) -> None:
    table = bench().greet()

    table.table.press_patient_switch(300_000)
    table.run(100)

    assert table.trips == []
    assert table.status & m.SWITCH_PRESSED


def test_session_time_trips(bench) -> None:
    table = bench().arm(duration_s=2)

    table.keep(10_000, 2100)

    assert table.trips == [m.SESSION_TIME]


def test_a_cable_that_snaps_trips_as_force_lost(bench) -> None:
    table = bench().arm().load(LOADED_MN)

    table.table.plant.snap()
    table.keep(LOADED_MN, 50)

    assert table.trips == [m.FORCE_LOST]


def test_paying_out_as_fast_as_the_drive_can_is_no_lost_force(bench) -> None:
    table = bench("stiff").arm().load(200_000)

    before_mn = table.force_mn
    for _ in range(25):
        table.move(-40_000)
        table.run(10)

    assert before_mn - table.force_mn > 70_000
    assert table.trips == []


def test_force_that_rises_faster_than_any_cough_trips(bench) -> None:
    table = bench().arm().load(LOADED_MN)

    table.table.plant.shift(30.0, 400)
    table.keep(LOADED_MN, 400)

    assert table.trips == [m.RISE_TOO_FAST]


@pytest.mark.parametrize(
    ("what", "value", "cause"), [("drive_fault", True, m.DRIVE_FAILED), ("mains_good", False, m.SUPPLY)]
)
def test_a_failed_drive_or_supply_cuts_and_what_hangs_on_the_cable_bleeds_off(bench, what, value, cause) -> None:
    table = bench().arm().load(LOADED_MN)

    setattr(table.table.panel, what, value)
    table.run(4)
    cut = table.table.truth
    setattr(table.table.panel, what, not value)
    table.send(m.RELEASE, m.EMERGENCY)
    table.run(2)
    assert not table.table.truth.drive_enabled
    table.run_until(lambda: table.force_mn < 15_000, 10_000)

    assert table.trips[0] == cause
    assert not cut.drive_enabled
    assert not cut.brake_on
    assert not table.table.truth.drive_enabled


def test_a_reset_under_load_trips_and_nothing_resumes(bench) -> None:
    table = bench().arm().load(LOADED_MN)

    table.table.reset()
    table.move(2000)
    table.run(20)

    assert table.trips == [m.RESET_UNDER_LOAD]
    assert not table.status & m.ARMED
    assert not table.table.truth.drive_enabled


def test_a_reset_that_came_while_slack_is_no_trip(bench) -> None:
    table = bench().arm()

    table.table.reset()
    table.run(100)

    assert table.trips == []
    assert not table.status & m.ARMED


def test_the_first_cause_stands_and_is_sent_every_second(bench) -> None:
    table = bench().arm().load(LOADED_MN)
    table.table.press_patient_switch(200_000)
    table.run(2)

    table.table.press_emergency_stop()
    table.run(3010)

    assert table.trips == [m.PATIENT_PRESSED] * 4
    assert len({fields for kind, fields in table.replies if kind == m.TRIP}) == 1


@pytest.mark.parametrize("cause", [m.CHANNEL_RANGE, m.EMERGENCY_STOPPED, m.DRIVE_FAILED, m.SUPPLY])
def test_a_fault_while_disarmed_latches_and_moves_nothing(bench, cause: int) -> None:
    table = bench().greet()
    panel = table.table.panel
    act = {
        m.CHANNEL_RANGE: lambda: table.table.channel_faults.__setitem__(0, lambda _: 8_388_607),
        m.EMERGENCY_STOPPED: lambda: setattr(panel, "emergency_stop", True),
        m.DRIVE_FAILED: lambda: setattr(panel, "drive_fault", True),
        m.SUPPLY: lambda: setattr(panel, "mains_good", False),
    }

    act[cause]()
    table.run(100)

    assert table.trips == [cause]
    assert table.status & m.TRIPPED
    assert not table.status & m.RELEASING
    assert table.table.truth.cable_um == 0


def test_on_one_sample_the_emergency_stop_goes_before_all_else(bench) -> None:
    table = bench().arm().load(LOADED_MN)

    table.table.channel_faults[0] = lambda _: 8_388_607
    table.table.press_patient_switch(300_000)
    table.table.press_emergency_stop()
    table.run(4)

    assert table.trips == [m.EMERGENCY_STOPPED]


@pytest.mark.parametrize("what", ["drive_fault", "emergency_stop"])
def test_a_fault_while_disarmed_does_not_let_a_technicians_masses_down(bench, what: str) -> None:
    table = bench().greet()
    table.table.plant.lean(100.0, 60_000)
    table.run(500)

    setattr(table.table.panel, what, True)
    table.run(2000)

    assert table.status & m.TRIPPED
    assert table.table.truth.brake_on
    assert table.table.truth.cable_um == 0


@pytest.mark.parametrize(("rise_n", "cause"), [(82, [m.RISE_TOO_FAST]), (65, [])])
def test_a_rise_counts_from_75_newtons_within_half_a_second(bench, rise_n: int, cause: list[int]) -> None:
    table = bench().arm().load(LOADED_MN)
    plant, started_ms = table.table.plant, table.table.plant.t_ms

    def risen(raw: int) -> int:
        return raw + rise_n * 8000 * min(400, plant.t_ms - started_ms) // 400

    table.table.channel_faults[:] = [risen, risen]
    for _ in range(50):
        table.move(0)
        table.run(10)

    assert sorted(set(table.trips)) == cause


def test_a_reset_under_load_is_not_forgotten_by_a_second_reset(bench) -> None:
    table = bench().arm().load(LOADED_MN)
    table.table.reset()
    table.run_until(lambda: bool(table.status & m.SLACK), 20_000)
    table.run(1000)

    table.replies.clear()
    table.table.reset()
    table.run(20)

    assert table.trips == [m.RESET_UNDER_LOAD]
