"""Trip cause 18: what the board found wrong with itself at power-on keeps it from arming."""

from firmware import messages as m
from hw_sim.table import CALIBRATION_IDS

ARM = (m.ARM, 420_000, 150_000, 5000, 1800, *CALIBRATION_IDS)


def failed(table):
    table.table.panel.self_test_failed = True
    table.table.reset()
    return table.greet()


def test_a_self_test_that_failed_at_power_on_trips_and_arms_nothing(bench) -> None:
    table = failed(bench())

    refused = table.ask(*ARM)

    assert table.trips == [m.SELF_TEST]
    assert table.status & m.TRIPPED
    assert refused == (m.NAK, (m.ARM, m.IS_TRIPPED))
    assert not table.table.truth.drive_enabled


def test_arm_that_comes_before_the_first_conversion_is_refused_too(bench) -> None:
    table = bench()
    table.table.panel.self_test_failed = True
    table.table.reset()

    table.send(m.HELLO, m.PROTOCOL, 7, counter=0)
    table.send(*ARM)
    table.run(50)

    answers = [(kind, fields[1:]) for kind, fields in table.replies if kind in (m.ACK, m.NAK)]
    assert answers == [(m.ACK, (m.HELLO,)), (m.NAK, (m.ARM, m.NOT_SLACK))]
    assert table.status & (m.ARMED | m.TRIPPED) == m.TRIPPED


def test_it_cannot_be_cleared_only_repaired_and_started_again(bench) -> None:
    table = failed(bench())
    table.run(2_100)

    cleared = table.ask(m.CLEAR, m.SELF_TEST)
    table.table.panel.self_test_failed = False
    table.table.reset()
    table.greet()

    assert cleared == (m.NAK, (m.CLEAR, m.NOT_SLACK))
    assert table.ask(*ARM) == (m.ACK, (m.ARM,))


def test_a_reset_under_load_goes_before_a_failed_self_test(bench) -> None:
    table = bench().arm().load(100_000)

    failed(table)

    assert table.trips[-1] == m.RESET_UNDER_LOAD


def test_it_is_never_sent_as_a_status_bit(bench) -> None:
    table = failed(bench())

    assert not table.status & m.SELF_TEST_FAILED
