"""The benchmark of the tension loop: its rig, its judgement, its margins, and what the loop shows on it."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.control import hosts, margins, scenarios
from benchmarks.control.bound import BOUND
from benchmarks.control.fast_rig import FastRig
from benchmarks.control.goals import TESTED
from benchmarks.control.judging import Judged, is_cycling, judge
from benchmarks.control.scenarios import Scenario
from benchmarks.control.tables import TABLES, TableKind
from benchmarks.control.trace import Trace
from benchmarks.control.whole_stack import run_on_stack

SHORT = Scenario("short hold", hold_s=12.0)
TIMES_S = np.arange(20_000) / 1000


def held(error_n, **changes) -> Trace:
    """A trace that holds 300 N from its first millisecond, off by that error."""
    target_n = np.full(error_n.shape, 300.0)
    return replace(Trace(target_n + error_n, target_n + error_n, target_n, 0, 6.7), **changes)


def measured(table: TableKind, scenario: Scenario, host: hosts.HostMaker, seed: int = 5) -> Judged:
    return judge(FastRig(table.rig(), seed, scenario, host).run(), scenario)


def test_a_run_is_judged_by_its_calm_its_upset_and_its_way_back() -> None:
    error_n = np.zeros(20_000)
    error_n[:10_000] = 0.5
    error_n[10_500:12_100] = 40.0
    scenario = replace(scenarios.SHIFT_AWAY_FAST, hold_s=20.0)

    result = judge(held(error_n), scenario)

    assert result.calm_rms_n == result.calm_mean_n == result.calm_p95_n == pytest.approx(0.5)
    assert result.over_n == result.largest_n == pytest.approx(40.0)
    assert result.under_n == 0.0
    assert result.back_s == pytest.approx(12.1 - 10.5)


def test_a_swing_to_both_sides_is_a_limit_cycle_and_a_single_dip_or_small_breath_is_none() -> None:
    assert is_cycling(45 * np.sin(2 * np.pi * 2 * TIMES_S))
    assert not is_cycling(4 * np.sin(2 * np.pi * 2 * TIMES_S))
    assert not is_cycling(np.where(TIMES_S < 1, -60.0, 0.0))


def test_the_same_seed_gives_the_same_trace_and_another_seed_another() -> None:
    rig = TABLES[0].rig()

    first, again, other = (FastRig(rig, seed, SHORT, hosts.OURS).run() for seed in (3, 3, 4))

    assert np.array_equal(first.force_n, again.force_n)
    assert not np.array_equal(first.force_n[:1000], other.force_n[:1000])


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.letter)
def test_the_loop_holds_better_than_every_baseline_that_knows_no_more_than_it(table: TableKind) -> None:
    ours = measured(table, SHORT, hosts.OURS).calm_rms_n

    for other in (hosts.NUDGING, hosts.DEAD_WEIGHT, hosts.LOCKED):
        assert ours < measured(table, SHORT, other).calm_rms_n


def test_who_knows_the_plant_holds_better_still_where_delay_is_long() -> None:
    table = TABLES[0]

    assert measured(table, SHORT, BOUND).calm_rms_n < measured(table, SHORT, hosts.OURS).calm_rms_n


def test_a_fixed_ziegler_nichols_tuning_cycles_after_a_fast_shift_and_the_loop_does_not() -> None:
    table = TABLES[0]

    assert measured(table, scenarios.SHIFT_AWAY_FAST, hosts.ZIEGLER_NICHOLS).cycles
    assert not measured(table, scenarios.SHIFT_AWAY_FAST, hosts.OURS).cycles


def test_a_slow_shift_away_peaks_within_its_goal() -> None:
    peaks_n = [measured(table, scenarios.SHIFT_AWAY_SLOW, hosts.OURS).over_n for table in TABLES]

    assert peaks_n[0] <= 10.0
    assert peaks_n[1] <= 5.0


def test_the_margins_of_the_hold_meet_their_goals_on_every_patient() -> None:
    missed = [figure.name for figure in margins.figures(seed=1) if not figure.met]

    assert missed == []


def test_margins_are_those_of_an_integrator_with_delay() -> None:
    angular = np.geomspace(0.01, 100, 20_000)
    loop = 0.5 / (1j * angular) * np.exp(-1j * angular)

    found = margins.margins(loop)

    assert found.gain == pytest.approx(np.pi / 2 / 0.5, rel=1e-2)
    assert found.phase_deg == pytest.approx(90 - np.degrees(0.5), rel=1e-2)


def test_the_whole_stack_runs_a_scenario_with_its_upset_and_without_an_alarm() -> None:
    scenario = Scenario("a cough", hold_s=6.0, upsets=(scenarios.Cough(3.0, 60.0),))

    result = judge(run_on_stack(TABLES[0].rig(), scenario, seed=2), scenario)

    assert result.ended is None
    assert result.high_alarms == 0
    assert result.over_n > 10.0
    assert result.calm_rms_n < 0.6


def test_the_whole_stack_lets_go_of_a_stiff_patient_who_shifts_fast() -> None:
    scenario = replace(scenarios.SHIFT_AWAY_FAST, hold_s=4.0, upsets=(scenarios.Shift(2.0, 20.0, 500),))

    result = judge(run_on_stack(TABLES[0].rig("stiff"), scenario, seed=2), scenario)

    assert result.ended is not None
    assert not result.cycles


def test_other_seeds_draw_other_patients() -> None:
    first, second = (list(TABLES[0].random_rigs(seed, 3)) for seed in (1, 2))

    assert len({rig.body_n_per_mm for rig in (*first, *second)}) == 6


def test_each_scenario_of_the_table_is_there_with_a_goal_for_both_tables() -> None:
    assert {tested.scenario.name for tested in TESTED} >= {"hold", "coughs", "intermittent 300/100"}
    assert all({"A", "B"} <= set(goal.limits) for tested in TESTED for goal in tested.goals)
