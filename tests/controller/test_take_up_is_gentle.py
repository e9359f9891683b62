"""Slack is taken up so that true force rises by no more than 40 N/s, on any patient and either table."""

import pytest

from controller.phases import Ended, Ramping, TakingUpSlack, Tripped
from hw_sim.rigs import load_rig, random_rig
from proof.bench import Bench

RISE_N_S_MAX = 40.0
OVER_MS = 200


def steepest_rise_n_s(bench: Bench) -> float:
    forces = bench.since_fault_n
    return max(after - before for before, after in zip(forces, forces[OVER_MS:], strict=False)) * 1000 / OVER_MS


@pytest.mark.parametrize("table", ["nominal", "nominal_80"])
@pytest.mark.parametrize("seed", range(6))
def test_force_rises_by_at_most_40_newtons_a_second_while_slack_is_taken_up(table, seed) -> None:
    bench = Bench(random_rig(load_rig(table), seed), seed=seed)
    bench.run_for(1)
    bench.start()
    bench.run_to(TakingUpSlack)
    bench.fault_now()

    bench.run_to(Ramping, Tripped, Ended, within_s=60)

    assert isinstance(bench.state.phase, Ramping)
    assert steepest_rise_n_s(bench) <= RISE_N_S_MAX


@pytest.mark.parametrize("rig", ["stiff", "soft"])
def test_it_takes_no_longer_than_ten_seconds(rig) -> None:
    bench = Bench(rig)
    bench.run_for(1)
    bench.start()
    bench.run_to(TakingUpSlack)
    began_us = bench.now_us

    bench.run_to(Ramping, Tripped, Ended, within_s=60)

    assert isinstance(bench.state.phase, Ramping)
    assert bench.now_us - began_us < 10_000_000
