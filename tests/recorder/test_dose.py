"""The delivered dose: what counts as time at force, and that what is missing is never taken for zero."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from controller.journal import EventRow, SampleRow, SessionHeader
from recorder.dose import Dose, dose
from recorder.reading import open_session
from recorder.report.figures import above_ceiling

PERIOD_S = 1 / 320
MakeSample = Callable[..., SampleRow]
MakePhase = Callable[[int, str, int], EventRow]


def dose_of(path: Path) -> Dose:
    with open_session(path) as session:
        return dose(session)


def test_time_at_force_is_the_time_in_the_holding_phase_without_the_gap(finished_session: Path) -> None:
    delivered = dose_of(finished_session)

    assert delivered.time_at_force_s == pytest.approx((300 - 4) * PERIOD_S)
    assert delivered.missing_at_force_s == pytest.approx(4 * PERIOD_S)
    assert (delivered.gaps, delivered.missing_samples) == (1, 3)
    assert delivered.impulse_n_s == pytest.approx(300 * (502 - 4) * PERIOD_S)


def test_several_holding_phases_are_one_time_at_force_and_the_last_may_be_open(
    record: Callable[..., Path], make_sample: MakeSample, make_phase: MakePhase
) -> None:
    phases = [make_phase(1, "holding", 0), make_phase(2, "paused", 20), make_phase(3, "holding", 60)]
    path = record([make_sample(seq, 100_000 if 20 <= seq < 60 else 300_000) for seq in range(100)], phases)

    delivered = dose_of(path)

    assert delivered.time_at_force_s == pytest.approx((20 + 39) * PERIOD_S)
    assert delivered.mean_n == 300.0
    assert delivered.sd_n == 0.0


def test_a_missing_force_is_missing_and_not_zero(
    record: Callable[..., Path], make_sample: MakeSample, make_phase: MakePhase
) -> None:
    samples = [make_sample(seq, None if seq % 2 else 200_000, 200_000) for seq in range(100)]

    delivered = dose_of(record(samples, [make_phase(1, "holding", 0)]))

    assert delivered.mean_n == 200.0
    assert delivered.within_share == 1.0
    assert delivered.time_at_force_s == pytest.approx(50 * PERIOD_S)
    assert delivered.missing_at_force_s == pytest.approx(49 * PERIOD_S)


@pytest.mark.parametrize("number", [0, 10])
def test_where_no_force_was_read_nothing_is_said_of_it(
    record: Callable[..., Path], make_sample: MakeSample, number: int
) -> None:
    delivered = dose_of(record([make_sample(seq, None) for seq in range(number)], []))

    assert (delivered.impulse_n_s, delivered.peak_n, delivered.above_ceiling_samples) == (None, None, None)
    assert above_ceiling(delivered) == "not known: no force was read"


def test_the_force_is_the_mean_of_both_channels_or_the_one_that_is_there(
    record: Callable[..., Path], make_sample: MakeSample, make_phase: MakePhase
) -> None:
    samples = [
        replace(make_sample(1), force_a_mn=290_000, force_b_mn=310_000),
        replace(make_sample(2), force_a_mn=None, force_b_mn=320_000),
        replace(make_sample(3), force_a_mn=280_000, force_b_mn=None),
    ]

    delivered = dose_of(record(samples, [make_phase(1, "holding", 0)]))

    assert delivered.mean_n == pytest.approx((300 + 320 + 280) / 3)
    assert delivered.peak_n == 320.0


def test_the_band_and_the_share_within_five_percent_follow_the_readings(
    record: Callable[..., Path], make_sample: MakeSample, make_phase: MakePhase
) -> None:
    samples = [make_sample(seq, 200_000 + seq * 1000, 250_000) for seq in range(101)]

    delivered = dose_of(record(samples, [make_phase(1, "holding", 0)]))

    assert (delivered.low_n, delivered.high_n) == (pytest.approx(205.0), pytest.approx(295.0))
    assert delivered.within_share == pytest.approx(25 / 101)  # 238 to 262 N, both included


def test_one_channel_above_the_ceiling_counts_even_for_a_single_sample(
    record: Callable[..., Path], make_sample: MakeSample
) -> None:
    samples = [make_sample(seq, 340_000) for seq in range(9)]
    samples.append(replace(make_sample(9), force_a_mn=340_001, force_b_mn=100_000))

    delivered = dose_of(record(samples, []))

    assert delivered.ceiling_n == 340.0
    assert delivered.above_ceiling_samples == 1
    assert delivered.above_ceiling_s == 0.0
    assert "1 sample (340 N)" in above_ceiling(delivered)


def test_the_time_above_the_ceiling_is_that_of_the_whole_session(
    record: Callable[..., Path], make_sample: MakeSample
) -> None:
    samples = [make_sample(seq, 350_000 if 10 <= seq < 30 else 100_000) for seq in range(60)]

    assert dose_of(record(samples, [])).above_ceiling_s == pytest.approx(20 * PERIOD_S)


@pytest.mark.parametrize("count", [0, 1])
def test_a_session_that_never_held_has_no_mean_and_says_so(
    record: Callable[..., Path], make_sample: MakeSample, count: int, header: SessionHeader
) -> None:
    path = record([make_sample(seq) for seq in range(count)], [], replace(header, limits={}), ended=False)

    delivered = dose_of(path)

    assert delivered.time_at_force_s == 0.0
    assert delivered.mean_n is None
    assert delivered.within_share is None
    assert delivered.above_ceiling_s is None
