"""Deny by default; the first cause latches; leaving it takes quiet without a break and the right name."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safety import interlock
from safety.alarms import AlarmId
from safety.interlock import CLEAR_AFTER_US, Closed, NotZeroed, Tripped

LOOK_US = 10_000


def quiet_for(held, from_us: int, for_us: int):
    """Seen quiet every 10 ms, from the first moment to the last."""
    for now_us in range(from_us, from_us + for_us + 1, LOOK_US):
        held = interlock.observed(held, True, now_us)
    return held


def fresh_trip(cause: AlarmId = AlarmId.A10) -> Tripped:
    held = interlock.trip(Closed(0), cause, 0)
    assert isinstance(held, Tripped)
    return held


def test_power_on_is_not_zeroed_and_only_a_zero_check_closes_it() -> None:
    assert interlock.observed(NotZeroed(), True, 9_000_000) == NotZeroed()
    assert interlock.zeroed(NotZeroed(), 5) == Closed(5)
    assert interlock.zeroed(Closed(5), 6) == Closed(6)


def test_the_next_session_needs_a_zero_check_of_its_own() -> None:
    assert interlock.opened(Closed(5)) == NotZeroed()


@pytest.mark.parametrize("before", [NotZeroed(), Closed(5)])
def test_a_trip_latches_from_wherever_it_comes(before) -> None:
    assert interlock.trip(before, AlarmId.A05, 7) == Tripped(AlarmId.A05, 7, None, False)


def test_the_first_cause_stays_the_first() -> None:
    held = interlock.trip(fresh_trip(AlarmId.A05), AlarmId.A10, 99)

    assert held.cause is AlarmId.A05
    assert held.tripped_us == 0


def test_neither_a_zero_check_nor_the_end_of_a_session_leaves_a_trip() -> None:
    held = fresh_trip()

    assert interlock.zeroed(held, 5) is held
    assert interlock.opened(held) is held


def test_it_is_left_by_two_quiet_seconds_and_the_cause_by_name() -> None:
    quiet = quiet_for(fresh_trip(), 0, CLEAR_AFTER_US)

    named = interlock.acknowledged(quiet, AlarmId.A10, CLEAR_AFTER_US)

    assert isinstance(named, Tripped)
    assert interlock.observed(named, True, CLEAR_AFTER_US + LOOK_US) == NotZeroed()


def test_quiet_alone_leaves_nothing() -> None:
    assert isinstance(quiet_for(fresh_trip(), 0, 60_000_000), Tripped)


@pytest.mark.parametrize("quiet_us", [0, 1_990_000])
def test_less_than_two_quiet_seconds_are_refused(quiet_us) -> None:
    almost = quiet_for(fresh_trip(), 0, quiet_us)

    refusal = interlock.acknowledged(almost, AlarmId.A10, quiet_us)

    assert isinstance(refusal, str)
    assert "slack for 2 s" in refusal


@pytest.mark.parametrize(("last_us", "done"), [(1_999_999, False), (2_000_000, True), (2_000_001, True)])
def test_the_two_seconds_are_whole(last_us, done) -> None:
    held = interlock.observed(quiet_for(fresh_trip(), 0, 1_900_000), True, last_us)

    assert isinstance(interlock.acknowledged(held, AlarmId.A10, last_us), Tripped) is done


def test_another_cause_is_not_the_one_to_name() -> None:
    quiet = quiet_for(fresh_trip(), 0, CLEAR_AFTER_US)

    refusal = interlock.acknowledged(quiet, AlarmId.A05, CLEAR_AFTER_US)

    assert refusal == 'Acknowledge the first cause, A10 "PATIENT PRESSED STOP - RELEASING FAST".'


@pytest.mark.parametrize("held", [NotZeroed(), Closed(0)])
def test_where_nothing_is_latched_there_is_nothing_to_acknowledge(held) -> None:
    assert interlock.acknowledged(held, AlarmId.A10, 0) == "Nothing is latched, so there is nothing to acknowledge."


def test_two_quiet_looks_with_nothing_between_them_are_not_two_quiet_seconds() -> None:
    once = interlock.observed(fresh_trip(), True, 0)

    without_a_look = interlock.acknowledged(once, AlarmId.A10, 5_000_000)
    after_a_gap = interlock.observed(once, True, 5_000_000)

    assert isinstance(without_a_look, str)
    assert isinstance(interlock.acknowledged(after_a_gap, AlarmId.A10, 5_000_000), str)


@pytest.mark.parametrize(("gap_us", "unbroken"), [(250_000, True), (250_001, False), (-1, False)])
def test_a_look_follows_on_the_one_before_within_250_ms(gap_us, unbroken) -> None:
    quiet = quiet_for(fresh_trip(), 0, CLEAR_AFTER_US)

    named = interlock.acknowledged(quiet, AlarmId.A10, CLEAR_AFTER_US + gap_us)
    looked = interlock.observed(quiet, True, CLEAR_AFTER_US + gap_us)

    assert isinstance(named, Tripped) is unbroken
    assert (looked.quiet_since_us == 0) is unbroken


def test_a_cause_that_comes_back_after_it_was_acknowledged_must_be_acknowledged_again() -> None:
    named = interlock.acknowledged(quiet_for(fresh_trip(), 0, CLEAR_AFTER_US), AlarmId.A10, CLEAR_AFTER_US)

    back = interlock.observed(named, False, CLEAR_AFTER_US + LOOK_US)
    tripped_again = interlock.trip(named, AlarmId.A05, CLEAR_AFTER_US + LOOK_US)

    assert isinstance(quiet_for(back, CLEAR_AFTER_US + 2 * LOOK_US, 5_000_000), Tripped)
    assert isinstance(quiet_for(tripped_again, CLEAR_AFTER_US + 2 * LOOK_US, 5_000_000), Tripped)


def test_quiet_counts_from_the_first_quiet_look() -> None:
    loud = interlock.observed(fresh_trip(), False, 0)

    quiet = quiet_for(loud, LOOK_US, CLEAR_AFTER_US)

    assert quiet.quiet_since_us == LOOK_US
    assert isinstance(interlock.acknowledged(quiet, AlarmId.A10, LOOK_US + CLEAR_AFTER_US), Tripped)


@pytest.mark.parametrize(("quiet_since_us", "observed_us"), [(None, None), (0, None), (None, 9_000_000)])
def test_a_trip_that_was_never_seen_quiet_is_not_left_though_it_was_acknowledged(quiet_since_us, observed_us) -> None:
    held = Tripped(AlarmId.A10, 0, quiet_since_us, acknowledged=True, observed_us=observed_us)

    assert isinstance(interlock.acknowledged(held, AlarmId.A10, 9_000_000), str)
    assert isinstance(interlock.observed(held, True, 9_000_000), Tripped)


steps = st.one_of(
    st.tuples(st.just("observed"), st.booleans()),
    st.tuples(st.just("observed"), st.just(True)),
    st.tuples(st.just("trip"), st.sampled_from((AlarmId.A05, AlarmId.A10))),
    st.tuples(st.just("acknowledged"), st.sampled_from((AlarmId.A05, AlarmId.A10))),
    st.tuples(st.just("zeroed"), st.none()),
    st.tuples(st.just("opened"), st.none()),
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(st.tuples(steps, st.integers(0, 700_000)), max_size=60))
def test_whatever_happens_a_trip_ends_only_by_two_quiet_seconds_and_its_name(happenings) -> None:
    held, now_us, quiet_since_us, looked_us, named = fresh_trip(), 0, None, None, False

    for (what, given_), passed_us in happenings:
        now_us += passed_us
        if what == "observed":
            seen = looked_us is not None and now_us - looked_us <= 250_000 and quiet_since_us is not None
            quiet_since_us = None if not given_ else quiet_since_us if seen else now_us
            named, looked_us = named and given_, now_us
            held = interlock.observed(held, given_, now_us)
        elif what == "trip":
            quiet_since_us, named = None, False
            held = interlock.trip(held, given_, now_us)
        elif what == "acknowledged":
            answer = interlock.acknowledged(held, given_, now_us)
            named = named or not isinstance(answer, str)
            assert isinstance(answer, str) or given_ is AlarmId.A10
            held = held if isinstance(answer, str) else answer
        elif what == "zeroed":
            held = interlock.zeroed(held, now_us)
        else:
            held = interlock.opened(held)
        if not isinstance(held, Tripped):
            assert (what, held) == ("observed", NotZeroed())
            assert named
            assert now_us - quiet_since_us >= 2_000_000
            return
        assert held.cause is AlarmId.A10
