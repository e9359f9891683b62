"""What the host may ask of the device, and every reason for which it is refused."""

import pytest

from firmware import messages as m
from hw_sim.table import CALIBRATION_IDS

LIMITS = (420_000, 150_000, 5000, 1800)


def nak_arm(reason: int) -> tuple:
    return (m.NAK, (m.ARM, reason))


def test_nothing_but_hello_and_release_is_heard_before_hello(bench) -> None:
    table = bench()
    table.run(50)

    table.send(m.ARM, *LIMITS, *CALIBRATION_IDS)
    table.send(m.DISARM)
    table.run(10)

    assert table.replies == []


def test_hello_is_answered_with_identity_as_frame_nought_and_both_calibrations(bench) -> None:
    table = bench().greet()

    kinds = [kind for kind, _ in table.replies]
    identity, first, second = (fields for _, fields in table.replies[:3])

    assert kinds == [m.IDENTITY, m.CALIBRATION, m.CALIBRATION, m.ACK]
    assert table.counters[table.counters.index(0, 1) :][:4] == [0, 1, 2, 3]
    assert identity[:3] == (1, m.FLAG_SIMULATED, b"TT-1\0\0\0\0")
    assert identity[8:] == (320, 600_000, 200_000, 5000, 40_000)
    assert (first[0], first[2:]) == (0, (131_072, CALIBRATION_IDS[0]))
    assert (second[0], second[2:]) == (1, (131_072, CALIBRATION_IDS[1]))


def test_a_slow_converters_table_pays_out_at_twenty_millimetres_a_second(bench) -> None:
    table = bench("nominal_80").greet()

    assert table.replies[0][1][8:] == (80, 600_000, 200_000, 5000, 20_000)


def test_refuses_a_protocol_that_it_does_not_speak(bench) -> None:
    table = bench()
    table.run(50)

    assert table.ask(m.HELLO, 2, 0) == (m.NAK, (m.HELLO, m.UNKNOWN_PROTOCOL))


@pytest.mark.parametrize(
    ("prepare", "fields", "reason"),
    [
        (lambda t: None, (0, *LIMITS[1:], *CALIBRATION_IDS), m.OUT_OF_RANGE),
        (lambda t: None, (LIMITS[0], -1, *LIMITS[2:], *CALIBRATION_IDS), m.OUT_OF_RANGE),
        (lambda t: None, (*LIMITS[:2], 0, LIMITS[3], *CALIBRATION_IDS), m.OUT_OF_RANGE),
        (lambda t: None, (*LIMITS[:3], 0, *CALIBRATION_IDS), m.OUT_OF_RANGE),
        (lambda t: None, (*LIMITS, CALIBRATION_IDS[0], 5), m.CALIBRATION_DIFFERS),
        (lambda t: None, (*LIMITS, 5, CALIBRATION_IDS[1]), m.CALIBRATION_DIFFERS),
        (lambda t: t.press_patient_switch(1000), (*LIMITS, *CALIBRATION_IDS), m.SWITCH_NOT_READY),
        (lambda t: t.unplug_patient_switch(), (*LIMITS, *CALIBRATION_IDS), m.SWITCH_NOT_READY),
        (lambda t: t.press_emergency_stop(), (*LIMITS, *CALIBRATION_IDS), m.EMERGENCY_STOP_ACTIVE),
    ],
)
def test_arm_is_refused_with_its_reason(bench, prepare, fields: tuple, reason: int) -> None:
    table = bench().greet()

    prepare(table.table)

    assert table.ask(m.ARM, *fields) == nak_arm(reason)
    table.run(2)
    assert not table.table.truth.drive_enabled


def test_arm_is_refused_while_loaded_armed_releasing_or_tripped(bench) -> None:
    table = bench().greet()
    arm = (m.ARM, *LIMITS, *CALIBRATION_IDS)

    table.table.plant.lean(30.0, 200)
    table.run(100)
    loaded = table.ask(*arm)
    table.run(200)
    assert table.ask(*arm) == (m.ACK, (m.ARM,))
    armed = table.ask(*arm)
    table.send(m.RELEASE, 0)
    releasing = table.ask(*arm)
    table.table.press_emergency_stop()
    table.run(5000)
    tripped = table.ask(*arm)

    assert (loaded, armed) == (nak_arm(m.NOT_SLACK), nak_arm(m.NOT_SLACK))
    assert releasing == nak_arm(m.IS_RELEASING)
    assert tripped == nak_arm(m.IS_TRIPPED)


@pytest.mark.parametrize("what", ["id", "span"])
def test_arm_is_refused_where_a_calibration_was_never_made(bench, what: str) -> None:
    table = bench().greet()
    table.table.close_service_jumper()
    span, identity = (131_072, 0) if what == "id" else (0, 7)
    assert table.ask(m.WRITE_CALIBRATION, 0, 0, span, identity) == (m.ACK, (m.WRITE_CALIBRATION,))

    table.run(10)

    assert table.ask(m.ARM, *LIMITS, identity, CALIBRATION_IDS[1]) == nak_arm(m.CALIBRATION_DIFFERS)


def test_a_session_cannot_take_a_limit_above_the_devices_own(bench) -> None:
    table = bench().arm(ceiling_mn=2_000_000_000, travel_um=2_000_000_000, pull_um_s=65_000, duration_s=65_000)
    table.load(30_000)

    table.send(m.MOVE, table.samples[-1][0], 5001, 100)
    table.read()

    assert table.replies[-1][1][1:] == (m.MOVE, m.OUT_OF_RANGE)


@pytest.mark.parametrize(
    ("velocity_um_s", "lease_ms", "taken"),
    [
        (20_000, 200, True),
        (20_001, 200, False),
        (-40_000, 200, True),
        (-40_001, 200, False),
        (0, 250, True),
        (0, 251, False),
        (0, 1, True),
        (0, 0, False),
    ],
)
def test_move_is_taken_up_to_its_limits_and_not_beyond(bench, velocity_um_s: int, lease_ms: int, taken: bool) -> None:
    table = bench().arm()
    table.run(10)
    before = len(table.replies)

    table.send(m.MOVE, table.samples[-1][0], velocity_um_s, lease_ms)
    table.run(50)

    if taken:
        assert table.replies[before:] == []
        assert (table.table.truth.velocity_um_s != 0) == (velocity_um_s != 0 and lease_ms > 1)
    else:
        assert [fields[1:] for _, fields in table.replies[before:]] == [(m.MOVE, m.OUT_OF_RANGE)]
        assert table.table.truth.velocity_um_s == 0


def test_take_up_slows_down_by_itself_when_the_cable_tightens_during_a_lease(bench) -> None:
    table = bench().arm()

    while table.force_mn < 5_000:
        table.move(20_000, 250)
        table.run(10)
    fastest_loaded_um_s = 0
    for _ in range(200):
        table.run(1)
        if not table.status & m.SLACK:
            fastest_loaded_um_s = max(fastest_loaded_um_s, table.table._board.velocity_um_s)

    assert fastest_loaded_um_s == 5000
    assert table.trips == []


def test_a_move_is_refused_by_state(bench) -> None:
    table = bench().greet()
    move = (m.MOVE, table.samples[-1][0], 0, 100)

    disarmed = table.ask(*move)
    table.arm()
    table.send(m.RELEASE, 0)
    releasing = table.ask(*move)
    table.table.press_emergency_stop()
    table.run(5000)
    tripped = table.ask(*move)

    assert disarmed == (m.NAK, (m.MOVE, m.NOT_ARMED))
    assert releasing == (m.NAK, (m.MOVE, m.IS_RELEASING))
    assert tripped == (m.NAK, (m.MOVE, m.IS_TRIPPED))


@pytest.mark.parametrize(("age_ms", "taken"), [(140, True), (155, False), (1000, False)])
@pytest.mark.parametrize("t_us_start", [0, 2**32 - 300_000])
def test_a_basis_older_than_150_ms_renews_nothing(bench, age_ms: int, taken: bool, t_us_start: int) -> None:
    table = bench(t_us_start=t_us_start).arm()
    table.run(200)
    basis = table.samples[-1][0]
    table.run(age_ms)
    before = len(table.replies)

    table.send(m.MOVE, basis, 2000, 250)
    table.run(50)

    assert (table.replies[before:] == []) == taken
    assert (table.table.truth.velocity_um_s > 0) == taken
    if not taken:
        assert table.replies[-1][1][1:] == (m.MOVE, m.BASIS_TOO_OLD)


def test_a_basis_from_the_future_is_refused(bench) -> None:
    table = bench().arm()

    assert table.ask(m.MOVE, table.samples[-1][0] + 50, 2000, 250) == (m.NAK, (m.MOVE, m.BASIS_TOO_OLD))


def test_a_frame_out_of_turn_is_dropped_without_an_answer(bench) -> None:
    table = bench().arm()
    table.run(10)
    before = len(table.replies)
    last = table._counter - 1

    for counter in (last, last - 1, last + 128):
        table.send(m.DISARM, counter=counter & 0xFF)
        table.run(1)
    table.send(m.DISARM, counter=(last + 127) & 0xFF)
    table.run(5)

    assert [kind for kind, _ in table.replies[before:]] == [m.ACK]


def test_disarm_only_when_slack(bench) -> None:
    loaded = bench().arm().load(50_000)
    slack = bench().arm()

    assert loaded.ask(m.DISARM) == (m.NAK, (m.DISARM, m.NOT_SLACK))
    assert slack.ask(m.DISARM) == (m.ACK, (m.DISARM,))
    slack.run(5)
    assert slack.status & (m.ARMED | m.DRIVE_ENABLED | m.BRAKE_ON) == m.BRAKE_ON


def test_hello_is_answered_while_loaded_and_renews_no_lease(bench) -> None:
    table = bench().arm().load(50_000)
    table.move(0, 100)

    table.run(80)
    table.send(m.HELLO, m.PROTOCOL, 9, counter=0)
    table.run(40)

    assert sum(kind == m.IDENTITY for kind, _ in table.replies) == 2
    assert table.trips == [m.LEASE_ENDED]


def test_a_trip_is_cleared_only_slack_for_two_seconds_its_cause_gone_and_named(bench) -> None:
    table = bench().arm()
    table.table.press_emergency_stop()
    table.run(100)

    releasing = table.ask(m.CLEAR, m.EMERGENCY_STOPPED)
    table.let_go()
    table.run(2100)
    still_pressed = table.ask(m.CLEAR, m.EMERGENCY_STOPPED)
    table.table.release_emergency_stop()
    table.run(10)
    wrong = table.ask(m.CLEAR, m.PATIENT_PRESSED)
    right = table.ask(m.CLEAR, m.EMERGENCY_STOPPED)
    table.run(10)

    assert releasing == (m.NAK, (m.CLEAR, m.IS_RELEASING))
    assert still_pressed == (m.NAK, (m.CLEAR, m.NOT_SLACK))
    assert wrong == (m.NAK, (m.CLEAR, m.OUT_OF_RANGE))
    assert right == (m.ACK, (m.CLEAR,))
    assert not table.status & m.TRIPPED
    assert table.ask(m.ARM, *LIMITS, *CALIBRATION_IDS) == (m.ACK, (m.ARM,))


def test_a_cut_is_cleared_like_any_trip_once_the_cable_has_been_slack_for_two_seconds(bench) -> None:
    table = bench().arm().load(50_000)
    table.table.panel.drive_fault = True
    table.run(20)
    table.table.panel.drive_fault = False

    too_soon = table.ask(m.CLEAR, m.DRIVE_FAILED)
    table.run_until(lambda: bool(table.status & m.SLACK), 20_000)
    table.run(1900)
    nearly = table.ask(m.CLEAR, m.DRIVE_FAILED)
    table.run(1000)  # a bleed crosses 15 N slowly, noise and all

    assert too_soon == nearly == (m.NAK, (m.CLEAR, m.NOT_SLACK))
    assert table.ask(m.CLEAR, m.DRIVE_FAILED) == (m.ACK, (m.CLEAR,))


def test_slack_for_less_than_two_seconds_clears_nothing(bench) -> None:
    table = bench().greet()
    table.table.press_emergency_stop()
    table.run(10)
    table.table.release_emergency_stop()
    table.table.plant.lean(60.0, 500)
    table.run(400)

    table.run_until(lambda: bool(table.status & m.SLACK), 500)
    table.run(1950)
    nearly = table.ask(m.CLEAR, m.EMERGENCY_STOPPED)
    table.run(60)

    assert nearly == (m.NAK, (m.CLEAR, m.NOT_SLACK))
    assert table.ask(m.CLEAR, m.EMERGENCY_STOPPED) == (m.ACK, (m.CLEAR,))


def test_calibration_is_written_only_disarmed_with_the_service_jumper_closed(bench) -> None:
    table = bench().greet()
    write = (m.WRITE_CALIBRATION, 1, -5000, 130_000, 77)

    jumper_open = table.ask(*write)
    table.table.close_service_jumper()
    no_such_channel = table.ask(m.WRITE_CALIBRATION, 2, 0, 1, 1)
    written = table.ask(*write)
    table.table.reset()
    table.replies.clear()
    table.greet()

    assert jumper_open == (m.NAK, (m.WRITE_CALIBRATION, m.JUMPER_OPEN))
    assert no_such_channel == (m.NAK, (m.WRITE_CALIBRATION, m.OUT_OF_RANGE))
    assert written == (m.ACK, (m.WRITE_CALIBRATION,))
    assert (m.CALIBRATION, (1, -5000, 130_000, 77)) in table.replies
    assert next(fields[1] for kind, fields in table.replies if kind == m.IDENTITY) & m.FLAG_SERVICE_JUMPER


def test_calibration_is_not_written_while_armed(bench) -> None:
    table = bench().arm()
    table.table.close_service_jumper()

    assert table.ask(m.WRITE_CALIBRATION, 1, -5000, 130_000, 77) == (m.NAK, (m.WRITE_CALIBRATION, m.NOT_SLACK))
