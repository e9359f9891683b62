"""Which alarms are shown: the first cause first, latched until acknowledged, brief ones long enough to be read."""

from hypothesis import given
from hypothesis import strategies as st

from controller import alarm_board
from controller.alarm_board import SHOWN_AT_LEAST_US, Board
from safety.alarms import CATALOGUE, AlarmId

HIGH, MEDIUM, LOW = AlarmId.A13, AlarmId.A14, AlarmId.A15


def on(*alarms: AlarmId) -> Board:
    board: Board = ()
    for since_us, alarm in enumerate(alarms):
        board = alarm_board.raised(board, alarm, f"detail of {alarm.value}", since_us)
    return board


def ids(board: Board) -> list[AlarmId]:
    return [entry.id for entry in board]


def test_an_alarm_raised_again_keeps_its_first_moment_and_detail() -> None:
    board = alarm_board.raised(on(HIGH), HIGH, "something else", 99)

    [entry] = board
    assert (entry.since_us, entry.detail, entry.seen_us) == (0, "detail of A13", 99)


def test_a_brief_alarm_stays_long_enough_to_be_read() -> None:
    board = alarm_board.condition_gone(on(MEDIUM), MEDIUM, 1_000)

    assert ids(alarm_board.swept(board, 1_000 + SHOWN_AT_LEAST_US - 1)) == [MEDIUM]
    assert alarm_board.swept(board, 1_000 + SHOWN_AT_LEAST_US) == ()


def test_one_that_flickers_is_told_once_and_a_latching_one_each_time_it_comes() -> None:
    flickering = alarm_board.condition_gone(on(LOW), LOW, 1_000)
    latching = alarm_board.condition_gone(on(HIGH), HIGH, 1_000)

    assert alarm_board.is_told(flickering, LOW)
    assert not alarm_board.is_told(alarm_board.swept(flickering, 1_000 + SHOWN_AT_LEAST_US), LOW)
    assert not alarm_board.is_told(latching, HIGH)


def test_an_alarm_whose_condition_lasts_is_never_taken_down_whatever_is_acknowledged() -> None:
    board = alarm_board.acknowledged(on(HIGH, MEDIUM), HIGH)

    assert ids(alarm_board.swept(board, 10**12)) == [HIGH, MEDIUM]


def test_a_latching_alarm_needs_its_condition_gone_and_an_acknowledgement() -> None:
    over = alarm_board.condition_gone(on(HIGH), HIGH, 0)

    assert ids(alarm_board.swept(over, 10**12)) == [HIGH]
    assert alarm_board.swept(alarm_board.acknowledged(over, HIGH), 0) == ()


def test_a_root_stays_until_the_trip_is_left_and_takes_along_what_is_over() -> None:
    board = alarm_board.raised(on(HIGH, MEDIUM, LOW), AlarmId.A10, "pressed", 5, root=True)
    board = alarm_board.condition_gone(alarm_board.acknowledged(board, AlarmId.A10), AlarmId.A10, 6)
    board = alarm_board.condition_gone(board, HIGH, 6)

    assert AlarmId.A10 in ids(alarm_board.swept(board, 10**12))
    assert ids(alarm_board.without_trip(board)) == [MEDIUM, LOW]


def test_people_see_the_first_cause_first_then_by_priority_then_the_oldest() -> None:
    board = alarm_board.raised(on(LOW, MEDIUM, HIGH, AlarmId.A12), AlarmId.A26, "left", 9, root=True)

    assert ids(alarm_board.in_order(board)) == [AlarmId.A26, HIGH, AlarmId.A12, MEDIUM, LOW]


alarms = st.sampled_from(list(CATALOGUE))
changes = st.lists(st.tuples(st.sampled_from(["raise", "gone", "acknowledge", "sweep"]), alarms), max_size=60)


@given(changes)
def test_no_alarm_stands_twice_and_none_that_is_on_goes_missing(steps) -> None:
    board: Board = ()

    for now_us, (change, alarm) in enumerate(steps):
        before = board
        match change:
            case "raise":
                board = alarm_board.raised(board, alarm, "detail", now_us)
            case "gone":
                board = alarm_board.condition_gone(board, alarm, now_us)
            case "acknowledge":
                board = alarm_board.acknowledged(board, alarm)
            case _:
                board = alarm_board.swept(board, now_us)
        assert len(set(ids(board))) == len(board)
        assert {entry.id for entry in before if entry.on} <= set(ids(board))
