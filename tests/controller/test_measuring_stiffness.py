"""Stiffness is measured once more when a cough spoilt it, and given up when it never fits."""

import pytest

from controller.phases import Holding, Ramping, TakingUpSlack, Tripped
from controller.take_up import TRIES_MAX, TakeUp, once_more, take_up_step


def again(bench) -> int:
    return sum("measuring it once more" in row.text for row in bench.memory.events)


@pytest.mark.parametrize("rig", ["nominal", "nominal_80"])
def test_a_cough_while_slack_is_taken_up_costs_a_second_measurement_and_nothing_else(make_bench, rig) -> None:
    bench = make_bench(rig)
    bench.start()
    bench.run_until(lambda _: isinstance(bench.state.phase, TakingUpSlack) and bench.force_n > 30, 20)

    bench.table.plant.cough(60, 300)
    bench.run_to(Holding, Tripped, within_s=60)

    assert isinstance(bench.state.phase, Holding)
    assert again(bench) == 1
    assert bench.state.course.stiffness.plausible


def test_the_cable_is_let_out_before_it_is_wound_in_again(make_bench) -> None:
    bench = make_bench()
    bench.start()
    bench.run_until(lambda _: isinstance(bench.state.phase, TakingUpSlack) and bench.force_n > 30, 20)
    bench.table.plant.cough(60, 300)
    bench.run_until(lambda _: again(bench) == 1, 20)

    bench.fault_now()
    bench.run_to(Ramping, Tripped, within_s=20)

    assert min(bench.since_fault_n) < 16
    assert isinstance(bench.state.phase, Ramping)


def test_it_is_given_up_after_the_third_time() -> None:
    memory, tries = TakeUp(), 1

    while (more := once_more(memory)) is not None:
        memory, tries = more, tries + 1

    assert tries == TRIES_MAX


def test_letting_out_ends_at_a_quarter_of_the_preload_and_measures_from_nothing() -> None:
    memory = once_more(TakeUp())

    still, out_mm_s = take_up_step(memory, 1.0, 100.0, 15.1, 300.0, 0.01)
    anew, in_mm_s = take_up_step(memory, 1.0, 100.0, 15.0, 300.0, 0.01)

    assert still is memory
    assert out_mm_s < 0 < in_mm_s
    assert not anew.backing_off
    assert anew.tries == 2
