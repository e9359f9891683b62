"""Letting go, measured on the plant's own force: how fast, how evenly, and that it ends."""

import random

import pytest

from firmware import messages as m
from firmware.limits import RELEASE_MN_S, SLACK_MN

RIGS = ["nominal", "stiff", "soft", "nominal_80", "fixed_table"]
ABRUPT_MN_PER_100_MS = 15_000


def largest_fall(forces: list[int], over_ms: int) -> int:
    return max(before - after for before, after in zip(forces, forces[over_ms:], strict=False))


def ms_to_slack(forces: list[int]) -> int:
    return next(ms for ms, force_mn in enumerate(forces) if force_mn <= SLACK_MN)


@pytest.mark.parametrize("rig_name", RIGS)
@pytest.mark.parametrize("profile", [m.NORMAL, m.PROTECTIVE, m.EMERGENCY])
def test_force_falls_at_the_profiles_rate_and_never_abruptly(bench, rig_name: str, profile: int) -> None:
    table = bench(rig_name).arm().load(300_000)
    table.keep(300_000, 1000)
    rate_mn_s = RELEASE_MN_S[profile]

    table.send(m.RELEASE, profile)
    forces = table.let_go()

    assert table.trips == []
    assert largest_fall(forces, 100) <= ABRUPT_MN_PER_100_MS
    ideal_ms = (forces[0] - SLACK_MN) * 1000 // rate_mn_s
    assert ideal_ms * 0.95 <= ms_to_slack(forces) <= ideal_ms * 1.05 + 350
    assert forces[-1] == 0
    assert table.table.truth.brake_on


@pytest.mark.parametrize("rig_name", ["nominal", "stiff"])
def test_from_350_newtons_it_is_slack_within_the_promised_times(bench, rig_name: str) -> None:
    protective = bench(rig_name).arm().load(350_000)
    emergency = bench(rig_name).arm().load(350_000)

    protective.send(m.RELEASE, m.PROTECTIVE)
    emergency.table.press_patient_switch(300_000)

    assert ms_to_slack(protective.let_go()) <= 7500
    emergency.run(2)
    assert ms_to_slack(emergency.let_go()) <= 4000


@pytest.mark.parametrize("rig_name", ["nominal", "stiff", "soft", "nominal_80"])
def test_with_no_believable_channel_it_goes_by_the_encoder(bench, rig_name: str) -> None:
    table = bench(rig_name).arm().load(300_000)

    table.table.channel_faults[:] = [lambda _: None, lambda _: None]
    table.run(30)
    forces = table.let_go()

    assert table.trips[0] == m.CHANNEL_RANGE
    assert ms_to_slack(forces) <= 10_000
    assert forces[-1] == 0
    assert largest_fall(forces, 100) <= ABRUPT_MN_PER_100_MS


@pytest.mark.parametrize("faults", [(lambda _: None, lambda _: None), (lambda raw: raw, lambda _: 100_000)])
def test_a_patient_who_has_moved_away_is_let_go_just_as_far(bench, faults) -> None:
    table = bench().arm().load(300_000)
    table.table.plant.shift(60, 6000)
    table.keep(300_000, 8000)
    assert table.trips == []

    table.table.channel_faults[:] = faults
    table.run(30)
    forces = table.let_go()

    assert forces[-1] <= SLACK_MN
    assert largest_fall(forces, 100) <= ABRUPT_MN_PER_100_MS


def test_channels_that_give_a_code_now_and_then_do_not_make_a_blind_release_incomplete(bench) -> None:
    table = bench("stiff").arm().load(300_000)
    conversions = iter(range(1_000_000))

    table.table.channel_faults[0] = lambda raw: raw if next(conversions) % 32 == 0 else None
    table.table.channel_faults[1] = lambda _: None
    table.run(30)
    forces = table.let_go()
    table.run(1500)  # until a TRIP would have told

    assert table.trips[0] == m.CHANNEL_RANGE
    assert forces[-1] == 0
    assert table.table.truth.brake_on


def test_with_one_believable_channel_it_uses_that_one(bench) -> None:
    table = bench().arm().load(200_000)

    table.table.channel_faults[1] = lambda _: 8_388_607
    table.run(4)
    forces = table.let_go()

    assert table.trips[0] == m.CHANNEL_RANGE
    assert abs(ms_to_slack(forces) - 3700) < 400
    assert forces[-1] == 0


def test_of_two_channels_that_differ_it_believes_the_larger(bench) -> None:
    table = bench().arm().load(200_000)

    table.table.channel_faults[0] = lambda _: 12_400  # reads nought
    table.run(8)
    forces = table.let_go()

    assert table.trips[0] == m.CHANNELS_DIFFER
    assert forces[-1] == 0


def test_ends_twenty_millimetres_beyond_fifteen_newtons_disarmed_and_not_latched(bench) -> None:
    table = bench().arm().load(100_000)

    table.send(m.RELEASE, m.PROTECTIVE)
    table.run_until(lambda: table.force_mn <= SLACK_MN, 5000)
    slack_at_um = table.table.truth.cable_um
    table.let_go()
    table.run(10)

    assert slack_at_um - table.table.truth.cable_um == pytest.approx(20_000, abs=800)
    assert not table.status & (m.ARMED | m.RELEASING | m.TRIPPED | m.DRIVE_ENABLED)
    assert table.status & m.SLACK


def test_ends_at_the_paid_out_limit(bench) -> None:
    table = bench().arm().load(100_000)
    table.send(m.RELEASE, m.PROTECTIVE)
    table.run_until(lambda: table.force_mn < 5_000, 5000)

    table.table.panel.paid_out_limit = True
    table.run(4)

    assert not table.table.truth.drive_enabled


def test_a_paid_out_limit_that_closes_under_load_lets_the_cable_bleed_instead_of_holding_it(bench) -> None:
    table = bench().arm().load(300_000)
    table.table.panel.paid_out_limit = True  # falsely: the cable is not paid out

    table.keep(300_000, 100)
    table.run_until(lambda: table.force_mn <= SLACK_MN, 12_000)
    table.run(3000)

    assert table.trips[0] == m.TRAVEL
    assert not table.table.truth.drive_enabled
    assert table.table.truth.brake_on


def test_a_paid_out_limit_that_closes_during_a_blind_release_lets_the_cable_bleed(bench) -> None:
    table = bench().arm().load(300_000)
    table.table.channel_faults[:] = [lambda _: None, lambda _: None]
    table.run(1000)

    table.table.panel.paid_out_limit = True
    table.run_until(lambda: table.force_mn <= SLACK_MN, 12_000)

    assert table.trips[0] == m.CHANNEL_RANGE
    assert not table.table.truth.drive_enabled


def test_a_single_wild_sample_at_the_paid_out_limit_cuts_nothing(bench) -> None:
    table = bench().arm().load(100_000)
    table.send(m.RELEASE, m.PROTECTIVE)
    table.run_until(lambda: table.force_mn < 5_000, 5000)
    wild = iter([30])  # N

    table.table.panel.paid_out_limit = True
    table.table.channel_faults[0] = lambda raw: raw + int(next(wild, 0) * table.table.rig.cell_counts_per_n_a)
    table.run(1500)

    assert table.trips == []
    assert table.table.truth.brake_on


def test_a_faster_profile_replaces_a_slower_one_and_not_the_other_way_round(bench) -> None:
    quickened = bench().arm().load(200_000)
    slowed = bench().arm().load(200_000)

    quickened.send(m.RELEASE, m.NORMAL)
    quickened.run(1000)
    quickened.send(m.RELEASE, m.EMERGENCY)
    slowed.send(m.RELEASE, m.EMERGENCY)
    slowed.run(500)
    slowed.send(m.RELEASE, m.NORMAL)

    assert ms_to_slack(quickened.let_go()) < 2200
    assert ms_to_slack(slowed.let_go()) < 1700


def test_the_emergency_stop_quickens_the_release_of_another_trip(bench) -> None:
    table = bench().arm().load(200_000)
    table.run(300)

    table.table.press_emergency_stop()
    forces = table.let_go()

    assert set(table.trips) == {m.LEASE_ENDED}
    assert ms_to_slack(forces) < 2200


@pytest.mark.parametrize("unplugged", [False, True])
def test_the_patients_switch_quickens_a_release_and_is_no_trip(bench, unplugged: bool) -> None:
    table = bench().arm().load(200_000)
    table.send(m.RELEASE, m.NORMAL)
    table.run(500)

    if unplugged:
        table.table.unplug_patient_switch()
    else:
        table.table.press_patient_switch(300_000)
    forces = table.let_go()

    assert table.trips == []
    assert ms_to_slack(forces) < 2400
    assert largest_fall(forces, 100) <= ABRUPT_MN_PER_100_MS


@pytest.mark.parametrize("newtons", [39, 200])
def test_every_second_sample_of_a_channel_wild_upwards_does_not_slow_a_release(bench, newtons: int) -> None:
    table = bench().arm().load(300_000)
    table.table.press_patient_switch(30_000)
    table.run(300)
    conversions = iter(range(1_000_000))
    wild = int(newtons * table.table.rig.cell_counts_per_n_a)

    table.table.channel_faults[0] = lambda raw: raw + wild * (next(conversions) % 2)
    forces = table.let_go()

    assert ms_to_slack(forces) <= 4000
    assert largest_fall(forces, 100) <= ABRUPT_MN_PER_100_MS
    assert forces[-1] == 0


@pytest.mark.parametrize(("profile", "within_ms"), [(m.NORMAL, 12_500), (m.EMERGENCY, 2_600)])
@pytest.mark.parametrize("rig_name", ["nominal", "nominal_80", "stiff"])
def test_a_channel_that_is_noisy_does_not_slow_a_release(bench, rig_name: str, profile: int, within_ms: int) -> None:
    table = bench(rig_name).arm().load(200_000)
    draw = random.Random(1)
    table.table.channel_faults[1] = lambda raw: raw + round(draw.gauss(0.0, 5.0) * 8000)

    table.send(m.RELEASE, profile)
    took_ms = table.run_until(lambda: table.force_mn < 15_000, 30_000)

    assert table.trips == []
    assert took_ms < within_ms


def test_while_slack_and_disarmed_release_is_acknowledged_and_moves_nothing(bench) -> None:
    table = bench().greet()

    answer = table.ask(m.RELEASE, m.EMERGENCY)
    table.run(100)

    assert answer == (m.ACK, (m.RELEASE,))
    assert not table.table.truth.drive_enabled


def test_release_needs_no_hello_and_no_counter_in_turn(bench) -> None:
    table = bench().arm().load(100_000)

    table.send(m.RELEASE, m.PROTECTIVE, counter=(table._counter - 100) & 0xFF)
    table.run(100)

    assert table.status & m.RELEASING


def test_a_release_that_does_not_get_below_15_newtons_in_time_cuts_the_power(bench) -> None:
    table = bench().arm().load(100_000)
    table.table.plant.lean(60.0, 60_000)

    table.send(m.RELEASE, m.PROTECTIVE)
    took_ms = table.run_until(lambda: bool(table.trips), 10_000)

    assert table.trips == [m.RELEASE_INCOMPLETE]
    assert took_ms == pytest.approx(1.5 * 160_000 / 50 + 1000, abs=2000)
    assert not table.table.truth.drive_enabled


def test_a_blind_release_that_does_not_move_cuts_the_power(bench) -> None:
    table = bench().arm().load(100_000)
    table.table.channel_faults[:] = [lambda _: None, lambda _: None]

    table.table.drive_fault = lambda velocity_um_s: velocity_um_s * 2 // 5
    table.run_until(lambda: bool(table.trips) and not table.table.truth.drive_enabled, 1500)

    assert table.trips[0] == m.CHANNEL_RANGE
