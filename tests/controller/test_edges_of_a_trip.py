"""Where two things meet in a trip: a second cause in one sample, a quiet that breaks while the table is cleared."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from controller import session
from controller.inputs import Execute, Input, SampleArrived, TableFound
from controller.phases import Tripped
from controller.state import State
from firmware_bridge.messages import RAW_MISSING, Sample, Status
from safety.alarms import AlarmId
from safety.motion import Release, ReleaseProfile

SAMPLE_US = 3_125


@pytest.fixture
def next_sample(holding) -> Callable[..., Input]:
    """The sample after the newest one, with fields of it changed."""

    def make(state: State, **changes: object) -> SampleArrived:
        newest = holding.conductor._newest
        t_us = state.reading.taken_us + SAMPLE_US
        sample: Sample = replace(newest.sample, **changes)
        return SampleArrived(replace(newest, sample=sample, seq=state.reading.seq + 1, t_us=t_us), age_us=4_000)

    return make


def released(outputs: tuple[object, ...]) -> list[ReleaseProfile]:
    motions = [output.permit.motion for output in outputs if isinstance(output, Execute)]
    return [motion.profile for motion in motions if isinstance(motion, Release)]


def test_a_switch_that_is_pressed_in_the_sample_of_another_trip_lets_go_faster(holding, next_sample) -> None:
    status = holding.conductor._newest.sample.status | Status.PATIENT_SWITCH_PRESSED
    both = next_sample(holding.state, raw_a=RAW_MISSING, status=status)

    after, outputs = session.step(holding.state, both, holding.now_us + SAMPLE_US)

    assert after.interlock.cause is AlarmId.A05
    assert released(outputs)[-1] is ReleaseProfile.EMERGENCY


def test_a_switch_that_is_pressed_after_a_trip_lets_go_faster_before_the_table_shows_a_release(
    holding, next_sample
) -> None:
    tripped, _ = session.step(holding.state, next_sample(holding.state, raw_a=RAW_MISSING), holding.now_us + SAMPLE_US)
    status = holding.conductor._newest.sample.status | Status.PATIENT_SWITCH_PRESSED
    pressed = next_sample(tripped, raw_a=RAW_MISSING, status=status)

    _after, outputs = session.step(tripped, pressed, holding.now_us + 2 * SAMPLE_US)

    assert released(outputs) == [ReleaseProfile.EMERGENCY]


def test_a_load_that_comes_while_the_table_is_being_cleared_takes_the_acknowledgement_with_it(
    holding, next_sample
) -> None:
    loaded = holding.conductor._newest.sample
    holding.table.press_emergency_stop()
    holding.run_for(0.1)
    holding.table.release_emergency_stop()
    holding.run_for(9)
    assert holding.acknowledge("A12").done
    before = holding.state

    status = Status.PATIENT_SWITCH_CONNECTED | Status.TRIPPED
    after, _ = session.step(
        before, next_sample(before, raw_a=loaded.raw_a, raw_b=loaded.raw_b, status=status), holding.now_us + SAMPLE_US
    )

    assert before.interlock.acknowledged
    assert isinstance(after.phase, Tripped)
    assert not after.interlock.acknowledged
    assert after.interlock.quiet_since_us is None


def test_a_table_that_is_found_with_another_calibration_in_the_pull_is_let_go(holding) -> None:
    table, record = holding.state.table, holding.state.calibration
    other = replace(table.calibration_b, id=table.calibration_b.id + 1)
    found = TableFound(table.identity, table.calibration_a, other, restarted=False, record=record)

    after, outputs = session.step(holding.state, found, holding.now_us)

    assert after.interlock.cause is AlarmId.A29
    assert released(outputs) == [ReleaseProfile.PROTECTIVE]
