"""One wild sample costs nothing; a gain that goes on both channels is found by the cable that it costs."""

from dataclasses import replace

import pytest

from controller.phases import Holding
from hw_sim.faults import Injector
from hw_sim.rigs import load_rig
from proof.bench import Bench, bench_at

COUNTS_PER_N = 8_000


def impulses(newtons: float, every: int):
    seen = 0

    def fault(raw: int) -> int:
        nonlocal seen
        seen += 1
        return raw + round(newtons * COUNTS_PER_N) * (seen % every == 0)

    return fault


@pytest.mark.parametrize("newtons", [200, -200])
@pytest.mark.parametrize("force", ["300 N", "100 N"])
def test_an_impulse_of_200_newtons_every_two_seconds_is_told_as_noise_and_not_felt(hold, newtons, force) -> None:
    bench = hold(force=force)
    target_n = float(force.split()[0])

    bench.table.channel_faults[0] = impulses(newtons, 640)
    bench.run_for(12)

    assert isinstance(bench.state.phase, Holding)
    assert set(bench.alarms_told) == {"A46"}
    assert max(abs(force_n - target_n) for force_n in bench.since_fault_n) < 3


def test_both_channels_losing_their_gain_release_before_the_patient_feels_much_more(holding) -> None:
    began_us = holding.now_us

    def fading(raw: int) -> int:
        share = min(1.0, (holding.now_us - began_us) / 10e6)
        return round(raw * (1 - 0.3 * share))

    holding.table.channel_faults[:] = [fading, fading]
    tripped = holding.run_until(lambda _: holding.root is not None, 5)

    assert tripped
    assert holding.root == "A41"
    assert holding.run_to_slack()
    assert holding.peak_since_fault_n - 300 < 50


@pytest.mark.parametrize("gain", [0.5, 0.66, 0.8])
@pytest.mark.parametrize("over_ms", [5_000, 20_000, 60_000])
def test_a_gain_that_both_channels_lose_in_the_ramp_lets_go_before_the_ceiling_is_passed_by_much(
    ramping: Bench, over_ms: int, gain: float
) -> None:
    Injector(ramping.table, ramping.line, seed=1).inject("SE22", channel="both", over_ms=over_ms, gain=gain)
    tripped = ramping.run_until(lambda _: ramping.root is not None, over_ms / 1000 + 10)

    assert tripped
    assert ramping.root == "A41"
    assert ramping.peak_since_fault_n < 350 + 35


@pytest.mark.parametrize("over_ms", [60_000, 180_000])
def test_a_gain_that_both_channels_lose_slowly_is_noticed_by_the_drives_current(holding: Bench, over_ms: int) -> None:
    Injector(holding.table, holding.line, seed=1).inject("SE22", over_ms=over_ms)
    holding.run_for(over_ms / 1000 + 10)

    assert holding.root == "A41"
    assert holding.peak_since_fault_n < 360


def test_a_drive_whose_current_hardly_shows_its_load_is_not_believed() -> None:
    rig = replace(load_rig("nominal"), current_ma_per_n=0.3)

    bench = bench_at("HOLD", rig)

    assert bench.state.course.feel is None
