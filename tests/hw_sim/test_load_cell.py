"""The load cells: delay, settling, noise and counts as their data sheets say."""

from collections.abc import Callable
from dataclasses import replace
from statistics import correlation, fmean, pstdev

import pytest

from hw_sim.load_cell import LoadCells
from hw_sim.rigs import Rig, load_rig

NOMINAL = load_rig("nominal")
REFERENCE, MODEST, SLOW = NOMINAL, load_rig("nominal_80"), load_rig("nominal_10")
SPAN_Q20 = 131_072  # 8 counts to the millinewton


def noiseless(rig: Rig) -> Rig:
    return replace(
        rig,
        cell_noise_n=0.0,
        cell_linearity_n=0.0,
        cell_hysteresis_n=0.0,
        cell_creep_fraction=0.0,
        cell_drift_n_per_h=0.0,
        cell_spikes_per_conversion=0.0,
    )


def conversions(
    rig: Rig, force_at_ms: Callable[[int], float], count: int, seed: int = 1
) -> list[tuple[float, tuple[int, int]]]:
    """The instant in ms, and both raw counts, of each conversion, on the even grid that the rate makes."""
    cells = LoadCells(rig, seed)
    taken = []
    for n in range(1, count + 1):
        ends_us = n * 1_000_000 // rig.rate_hz
        while cells.fed_ms * 1000 < ends_us:
            cells.feed(force_at_ms(cells.fed_ms + 1))
        taken.append((ends_us / 1000, cells.convert(cells.fed_ms * 1000 - ends_us)))
    return taken


def newtons(rig: Rig, counts: tuple[int, int]) -> float:
    return (counts[0] - rig.cell_zero_counts_a) / rig.cell_counts_per_n_a


@pytest.mark.parametrize(("rig", "delay_ms"), [(REFERENCE, 6.25), (MODEST, 25.0), (SLOW, 200.0)])
def test_a_reading_is_two_conversions_old(rig: Rig, delay_ms: float) -> None:
    def ramp_n(t_ms: int) -> float:
        return t_ms * 0.1

    taken = conversions(noiseless(rig), ramp_n, count=24)

    for ends_ms, counts in taken[5:]:
        assert ends_ms - newtons(rig, counts) / 0.1 == pytest.approx(delay_ms, abs=0.05)


@pytest.mark.parametrize("rig", [REFERENCE, MODEST, SLOW])
def test_a_step_has_settled_after_four_conversions_and_not_after_three(rig: Rig) -> None:
    period_ms = 1000 / rig.rate_hz
    step_at_ms = 8 * period_ms

    taken = conversions(noiseless(rig), lambda t_ms: 100.0 if t_ms > step_at_ms else 0.0, count=16)
    forces = [newtons(rig, counts) for _, counts in taken]

    assert forces[7] == 0.0
    assert 0 < forces[8] < forces[9] < forces[10] < 100
    assert forces[11:] == pytest.approx([100.0] * 5)


@pytest.mark.parametrize(("rig", "noise_n"), [(REFERENCE, 0.10), (MODEST, 0.05), (SLOW, 0.02)])
def test_each_channel_has_noise_of_its_own_of_the_rigs_size(rig: Rig, noise_n: float) -> None:
    quiet = replace(rig, cell_drift_n_per_h=0.0, cell_creep_fraction=0.0, cell_spikes_per_conversion=0.0)
    taken = conversions(quiet, lambda _: 300.0, count=2_000)[5:]
    channel_a = [float(a) for _, (a, _) in taken]
    channel_b = [float(b) for _, (_, b) in taken]

    assert pstdev(channel_a) / 8_000 == pytest.approx(noise_n, rel=0.1)
    assert pstdev(channel_b) / 8_000 == pytest.approx(noise_n, rel=0.1)
    assert abs(correlation(channel_a, channel_b)) < 0.1


@pytest.mark.parametrize("force_n", [0.0, 15.0, 300.0, 600.0])
def test_counts_make_millinewtons_at_eight_to_one(force_n: float) -> None:
    _, (raw_a, raw_b) = conversions(noiseless(NOMINAL), lambda _: force_n, count=20)[-1]

    assert ((raw_a - NOMINAL.cell_zero_counts_a) * SPAN_Q20) >> 20 == pytest.approx(force_n * 1000, abs=1)
    assert ((raw_b - NOMINAL.cell_zero_counts_b) * SPAN_Q20) >> 20 == pytest.approx(force_n * 1000, abs=1)


def test_each_channel_has_a_gain_of_its_own() -> None:
    rig = replace(noiseless(NOMINAL), cell_counts_per_n_b=7_000.0)

    _, (raw_a, raw_b) = conversions(rig, lambda _: 100.0, count=20)[-1]

    assert raw_a - rig.cell_zero_counts_a == pytest.approx(800_000, abs=1)
    assert raw_b - rig.cell_zero_counts_b == pytest.approx(700_000, abs=1)


@pytest.mark.parametrize(("force_n", "counts"), [(5_000.0, 2**23 - 1), (-5_000.0, -(2**23))])
def test_a_converter_beyond_its_range_stays_at_the_end_of_it(force_n: float, counts: int) -> None:
    taken = conversions(NOMINAL, lambda _: force_n, count=20)

    assert taken[-1][1] == (counts, counts)


def test_the_cell_itself_stays_within_its_data_sheet() -> None:
    rig = replace(NOMINAL, cell_noise_n=0.0)

    taken = conversions(rig, lambda _: 300.0, count=60 * 320)

    errors_n = [newtons(rig, counts) - 300.0 for _, counts in taken[10:]]
    assert max(abs(error) for error in errors_n) < 0.5
    assert errors_n[-1] > errors_n[0]


def test_the_cell_shows_less_on_the_way_up_than_on_the_way_down_by_its_hysteresis() -> None:
    rig = replace(noiseless(SLOW), cell_hysteresis_n=0.3)

    taken = conversions(rig, lambda t_ms: min(t_ms, 60_000 - t_ms) * 0.02, count=600)
    rising, falling = (newtons(rig, taken[n][1]) - 300.0 for n in (151, 451))

    assert falling - rising == pytest.approx(0.3, abs=0.01)


def test_a_cell_under_load_for_half_an_hour_creeps_by_0_03_percent() -> None:
    rig = replace(noiseless(SLOW), cell_creep_fraction=0.0003)

    _, counts = conversions(rig, lambda _: 300.0, count=30 * 60 * 10)[-1]

    assert newtons(rig, counts) == pytest.approx(300.09, abs=0.01)


def test_the_slow_converter_now_and_then_gives_one_sample_far_out() -> None:
    rig = replace(SLOW, cell_spikes_per_conversion=0.01)

    forces = [newtons(rig, counts) for _, counts in conversions(rig, lambda _: 100.0, count=1_000)[5:]]

    far_out = [force for force in forces if abs(force - 100.0) > 20]
    assert 2 <= len(far_out) <= 25
    assert fmean(force for force in forces if force not in far_out) == pytest.approx(100.1, abs=0.2)


def test_the_same_seed_gives_the_same_counts_and_another_seed_others() -> None:
    def counts(seed: int) -> list[tuple[int, int]]:
        return [both for _, both in conversions(NOMINAL, lambda _: 50.0, count=50, seed=seed)]

    assert counts(3) == counts(3)
    assert counts(3) != counts(4)
