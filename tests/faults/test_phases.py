"""The phase of a session, told from the table's side: by pure judgement, and beside the controller's own."""

from itertools import pairwise

import pytest

from controller import phases as controllers
from firmware import messages as m
from hw_sim.phases import Phase, is_held, phase_of

HELD, RISING, WHOLE = [100.0] * 200, [100.0 + i * 0.04 for i in range(200)], True
LOADED = m.ARMED | m.DRIVE_ENABLED


@pytest.mark.parametrize(
    ("status", "forces_n", "whole", "phase"),
    [
        (m.SLACK | m.BRAKE_ON, [], False, Phase.READY),
        (m.SLACK | m.SERVICE_JUMPER, [], False, Phase.SERVICE),
        (LOADED | m.SLACK, [], False, Phase.TAKE_UP),
        (LOADED, RISING, True, Phase.RAMP),
        (LOADED, HELD, True, Phase.HOLD),
        (LOADED, HELD[:100], False, Phase.RAMP),
        (LOADED, [], False, Phase.RAMP),
        (m.RELEASING | m.DRIVE_ENABLED, HELD, True, Phase.RELEASE),
        (m.TRIPPED | m.RELEASING, HELD, True, Phase.TRIPPED),
        (m.TRIPPED | m.SLACK, [], False, Phase.TRIPPED),
        (LOADED | m.SERVICE_JUMPER, HELD, True, Phase.HOLD),
    ],
)
def test_a_phase_follows_from_status_and_force(status: int, forces_n: list[float], whole: bool, phase: Phase) -> None:
    assert phase_of(status, forces_n, whole=whole) is phase


@pytest.mark.parametrize(("n_per_s", "held"), [(0.0, True), (0.5, True), (-0.5, True), (1.0, False), (-2.0, False)])
def test_a_force_is_held_where_it_changes_by_less_than_three_quarters_of_a_newton_a_second(
    n_per_s: float, held: bool
) -> None:
    forces_n = [100.0 + n_per_s * i * 0.02 for i in range(200)]

    assert is_held(forces_n) is held


def test_breathing_does_not_end_a_hold_nor_noise_begin_one() -> None:
    breathing = [100.0 + 3.0 * (1 if i % 100 < 50 else -1) for i in range(200)]

    assert is_held(breathing)
    assert not is_held([])
    assert not is_held([100.0])


def test_a_session_goes_through_the_phases_in_order_and_as_the_controller_says(new_bench) -> None:
    bench = new_bench()
    passed: list[Phase] = []
    together: set[tuple[str, Phase]] = set()

    def look(bench) -> bool:
        passed.append(bench.injector.phase)
        together.add((type(bench.state.phase).__name__, bench.injector.phase))
        return bench.now_us > 35_000_000

    bench.start()
    bench.run_until(look, 60)
    bench.table.press_patient_switch(300_000)
    bench.run_for(0.1)

    order = [Phase.READY, *(after for before, after in pairwise(passed) if before is not after)]
    assert order[:3] == [Phase.READY, Phase.TAKE_UP, Phase.RAMP]
    assert order[-1] is Phase.HOLD
    assert isinstance(bench.state.phase, controllers.Tripped)
    assert bench.injector.phase is Phase.TRIPPED
    assert (controllers.Ramping.__name__, Phase.RAMP) in together
    assert (controllers.Holding.__name__, Phase.HOLD) in together
    assert (controllers.Ramping.__name__, Phase.TAKE_UP) not in together
