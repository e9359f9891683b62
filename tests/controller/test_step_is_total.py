"""`session.step` answers every input in every state that can be reached: it never raises, and never forgets a trip."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controller import session
from controller.inputs import (
    AcknowledgeAsked,
    CameTooLate,
    ConditionChanged,
    EndAcknowledged,
    Execute,
    GoOnAsked,
    Input,
    LowerAsked,
    PainTold,
    PauseAsked,
    RaiseAsked,
    SampleArrived,
    StopAsked,
    TableFound,
    TableLost,
    TableSaid,
    TakeOverAsked,
    Tick,
    ZeroAsked,
)
from controller.phases import (
    AwaitingSwitchTest,
    CheckingZero,
    Ended,
    Holding,
    Idle,
    Paused,
    Ramping,
    TakingUpSlack,
    Tripped,
)
from controller.state import State
from firmware_bridge.link import ReceivedSample
from firmware_bridge.messages import RAW_MISSING, Ack, MessageType, Nak, NakReason, Sample, Status, Trip, TripCause
from safety import interlock
from safety.alarms import CATALOGUE, AlarmId
from safety.motion import Arm, Pull
from tractable.virtual_stack import calibration_of

MESSAGE_TYPES = st.sampled_from(list(MessageType))
raws = st.integers(-(2**23), 2**23) | st.just(RAW_MISSING) | st.integers(0, 2_500_000)
statuses = st.integers(0, 2**14 - 1).map(Status)
ages_us = st.integers(-10_000, 100_000) | st.integers(-(10**9), 10**9)
alarms = st.sampled_from([alarm.value for alarm in CATALOGUE])

samples = st.builds(
    Sample,
    seq=st.integers(0, 2**16 - 1),
    t_us=st.integers(0, 2**32 - 1),
    raw_a=raws,
    raw_b=raws,
    cable_um=st.integers(-(2**31), 2**31 - 1),
    velocity_um_s=st.integers(-(2**31), 2**31 - 1),
    current_ma=st.integers(-(2**15), 2**15 - 1),
    status=statuses,
)
arrivals = st.builds(
    SampleArrived,
    st.builds(ReceivedSample, samples, seq=st.integers(0, 2**40), t_us=st.integers(0, 2**50), lost_before=st.just(0)),
    ages_us,
)
trips = st.builds(
    Trip,
    cause=st.sampled_from(list(TripCause)),
    t_us=st.integers(0, 2**32 - 1),
    raw_a=raws,
    raw_b=raws,
    cable_um=st.integers(-(2**31), 2**31 - 1),
)
naks = st.builds(Nak, st.integers(0, 255), MESSAGE_TYPES, st.sampled_from(list(NakReason)))
said = st.builds(TableSaid, st.builds(Ack, st.integers(0, 255), MESSAGE_TYPES) | naks | trips)
asked = st.builds(StopAsked, st.just("clinician"), st.just("stop-00001")) | st.builds(
    AcknowledgeAsked, st.just("clinician"), st.just("ack-000001"), alarms | st.text(max_size=3)
)
people = st.sampled_from(["clinician", "doctor"])
forces_mn = st.integers(-1_000, 700_000) | st.sampled_from([20_000, 25_000, 30_000, 40_000, 50_000])
steered = (
    st.builds(PauseAsked, people, st.just("pause-0001"))
    | st.builds(GoOnAsked, people, st.just("go-on-0001"))
    | st.builds(LowerAsked, people, st.just("lower-0001"), forces_mn)
    | st.builds(lambda who, to_mn: RaiseAsked(who, "raise-0001", to_mn, to_mn), people, forces_mn)
    | st.builds(RaiseAsked, people, st.just("raise-0002"), forces_mn, forces_mn)
    | st.builds(TakeOverAsked, people, st.just("take-over-1"))
    | st.builds(EndAcknowledged, people, st.just("heard-0001"))
    | st.builds(CameTooLate, people, st.just("late-00001"), st.just("Pause"))
    | st.builds(
        PainTold,
        people,
        st.just("pain-00001"),
        st.integers(-1, 11),
        st.sampled_from(["before", "during", "after"]),
        st.booleans(),
    )
)
other_inputs = (
    st.builds(Tick, st.none() | ages_us)
    | st.just(ZeroAsked("technician", "zero-00001"))
    | st.builds(TableLost, st.just("The cable was pulled."))
    | st.builds(ConditionChanged, alarms, st.none() | st.just("It is so."))
)


@pytest.fixture(scope="module")
def starts(start_asked, prescribed) -> Callable[[Any], st.SearchStrategy[Input]]:
    return st.builds(
        lambda force, confirmed, ticks, age_days, blocked: start_asked(
            prescribed(force),
            confirmed_mn=confirmed,
            ticks=ticks,
            calibration_age_days=age_days,
            blocked=blocked,
        ),
        st.sampled_from(["20 N", "300 N", "600 N", "-5 N"]),
        st.none() | st.just(300_000) | st.just(20_000),
        st.sampled_from([(), ("screening", "harness", "table_unlocked")]),
        st.none() | st.integers(-5, 500),
        st.sampled_from([(), (("A36", "No space."),)]),
    )


@pytest.fixture(scope="module")
def found(new_bench) -> st.SearchStrategy[Input]:
    bench = new_bench()
    bench.run_for(0.2)
    table = bench.state.table
    assert table is not None
    records = st.none() | st.just(calibration_of(bench.rig))
    return st.builds(
        lambda restarted, record: TableFound(
            table.identity, table.calibration_a, table.calibration_b, restarted, record
        ),
        st.booleans(),
        records,
    )


PHASES = (Idle, CheckingZero, AwaitingSwitchTest, TakingUpSlack, Ramping, Holding, Tripped, Ended)


@pytest.fixture(scope="module")
def reached(new_bench, prescribed) -> list[tuple[State, int]]:
    """A state in every phase, as a real session came to it, and the time then."""
    bench = new_bench("nominal_80")
    states = [(bench.state, bench.now_us)]
    bench.run_for(1)
    bench.start(prescribed("30 N", raise_up_to="60 N"))
    for phase in PHASES[1:6]:
        assert bench.run_to(phase)
        bench.run_for(0.1)
        states.append((bench.state, bench.now_us))
    bench.ask(PauseAsked("clinician", "pause-0001"))
    bench.run_for(0.1)
    states.append((bench.state, bench.now_us))
    bench.stop()
    bench.run_for(0.1)
    states.append((bench.state, bench.now_us))
    bench.table.press_emergency_stop()
    bench.run_for(0.1)
    states.append((bench.state, bench.now_us))
    bench.run_for(8)
    states.append((bench.state, bench.now_us))
    return states


@pytest.fixture(scope="module")
def inputs(starts, found) -> st.SearchStrategy[list[tuple[Input, int]]]:
    """Some inputs, each with the time since the one before, which may even run backwards."""
    passed_us = st.integers(0, 20_000) | st.integers(-1_000, 5_000_000)
    return st.lists(
        st.tuples(st.one_of(arrivals, arrivals, said, asked, steered, other_inputs, starts, found), passed_us),
        max_size=25,
    )


def test_a_step_never_raises_and_what_it_does_is_within_bounds(reached, inputs) -> None:
    @settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.sampled_from(reached), inputs)
    def check(begin: tuple[State, int], given_inputs: list[tuple[Input, int]]) -> None:
        state, now_us = begin
        for one, passed_us in given_inputs:
            now_us += passed_us
            before, (state, outputs) = state, session.step(state, one, now_us)
            assert_in_bounds(before, state, one, outputs)

    check()


def assert_in_bounds(before: State, after: State, given_input: Input, outputs: tuple[object, ...]) -> None:
    motions = [output.permit.motion for output in outputs if isinstance(output, Execute)]
    pulls = [motion for motion in motions if isinstance(motion, Arm | Pull)]
    assert isinstance(after.phase, Tripped) == isinstance(after.interlock, interlock.Tripped)
    assert not (pulls and isinstance(before.phase, Tripped | Idle | Ended))
    assert not (pulls and not isinstance(given_input, SampleArrived))
    if isinstance(before.phase, Tripped) and isinstance(after.phase, Tripped):
        assert before.interlock.cause is after.interlock.cause
    if after.course is not None and after.course.target_mn is not None and not isinstance(after.phase, Tripped):
        assert after.course.profile.peak_n * 1000 <= after.course.prescription.agreed_mn
    if isinstance(before.phase, Paused) and isinstance(after.phase, Paused):
        assert not any(isinstance(motion, Pull) for motion in motions)
    assert sum(entry.root for entry in after.board) == isinstance(after.phase, Tripped)


def test_the_same_state_and_input_give_the_same_state_and_leave_the_old_one_as_it_was(reached, inputs) -> None:
    @settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.sampled_from(reached), inputs)
    def check(begin: tuple[State, int], given_inputs: list[tuple[Input, int]]) -> None:
        state, now_us = begin
        before = repr(state)
        for one, passed_us in given_inputs:
            now_us += passed_us
            first, second = session.step(state, one, now_us), session.step(state, one, now_us)
            assert repr(first[0]) == repr(second[0])
            assert len(first[1]) == len(second[1])
            state = first[0]
        assert repr(begin[0]) == before

    check()


def test_stop_is_answered_as_done_in_every_phase(reached) -> None:
    for state, now_us in reached:
        _after, outputs = session.step(state, StopAsked("clinician", "stop-00001"), now_us)

        assert any(getattr(output, "command_id", None) == "stop-00001" and output.done for output in outputs)


def test_a_step_after_a_pause_of_200_ms_is_a_trip_wherever_the_drive_may_be_on(reached) -> None:
    for state, _now_us in reached:
        if isinstance(state.phase, TakingUpSlack | Ramping | Holding | Paused):
            still, _ = session.step(state, Tick(10_000), state.stepped_at_us + 199_999)
            tripped, _ = session.step(state, Tick(10_000), state.stepped_at_us + 200_000)

            assert not isinstance(still.phase, Tripped)
            assert isinstance(tripped.phase, Tripped)
            assert tripped.interlock.cause is AlarmId.A16
