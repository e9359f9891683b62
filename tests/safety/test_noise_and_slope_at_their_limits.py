"""The noise and the slope, at the very number where they turn over, and where they begin."""

import pytest

from safety.noise import NO_NOISE, Noise, noise_after
from safety.slope import NOTHING_HELD, POINT_US, UNFELT_POINTS_HELD, Feel, Slope, slope_after


def test_noise_begins_with_nothing() -> None:
    assert Noise(None, 0, 0, 0, False) == NO_NOISE


@pytest.mark.parametrize(("second_mn", "noisy"), [(8_000, False), (8_001, True)])
def test_noise_of_exactly_5_newtons_is_not_too_much(reading, second_mn, noisy) -> None:
    memory, last = NO_NOISE, None

    for taken_us, force_mn in ((0, 0), (500_000, 6_000), (1_000_000, 6_000 + second_mn)):
        sample = reading(taken_us=taken_us, force_a_mn=force_mn, force_b_mn=0)
        memory, last = noise_after(memory, last, sample), sample

    assert memory.is_noisy is noisy


@pytest.mark.parametrize("with_a_last", [True, False])
def test_noise_begins_anew_where_one_end_of_a_change_is_missing(reading, with_a_last) -> None:
    last, memory = (reading(), NO_NOISE) if with_a_last else (None, Noise(began_us=0, changes=7))

    assert noise_after(memory, last, reading(taken_us=9)) == Noise(began_us=9)


def test_a_channel_that_is_absent_has_no_noise(reading) -> None:
    silent = reading(taken_us=0, force_a_mn=None, force_b_mn=None)

    memory = noise_after(Noise(began_us=0), silent, silent)

    assert memory == Noise(began_us=0, changes=1)


FEEL = Feel(stiffness_mn_mm=20_000, current_ma_kn=80)


def is_vain_after(
    reading, later_us: int = 3_000_000, wound_um: int = 1_251, harder_ma: int = 2, felt_mn: int = 0
) -> bool:
    before = reading(taken_us=0, cable_um=500, current_ma=100, force_a_mn=200_000)
    after = reading(
        taken_us=later_us, cable_um=500 + wound_um, current_ma=100 + harder_ma, force_a_mn=200_000 + felt_mn
    )
    memory = slope_after(NOTHING_HELD, before, 200_000, FEEL)
    return slope_after(memory, after, 200_000, FEEL).is_vain


@pytest.mark.parametrize(("later_us", "vain"), [(2_999_999, False), (3_000_000, True), (6_000_000, True)])
def test_cable_is_compared_with_where_it_stood_three_seconds_before(reading, later_us, vain) -> None:
    assert is_vain_after(reading, later_us=later_us) is vain


def test_what_is_older_than_six_seconds_is_forgotten(reading) -> None:
    assert not is_vain_after(reading, later_us=6_000_001)


@pytest.mark.parametrize(
    ("change", "vain"),
    [
        ({"wound_um": 1_250}, False),
        ({"wound_um": 1_251}, True),
        ({"harder_ma": 1}, False),
        ({"harder_ma": 2}, True),
        ({"felt_mn": 20}, False),
        ({"felt_mn": 19}, True),
    ],
    ids=str,
)
def test_winding_is_vain_from_the_very_number_on(reading, change, vain) -> None:
    assert is_vain_after(reading, **change) is vain


def test_the_drives_work_is_judged_to_the_milliampere_a_kilonewton(reading) -> None:
    before = reading(taken_us=0, cable_um=0, current_ma=100, force_a_mn=200_000)
    after = reading(taken_us=3_000_000, cable_um=20_000, current_ma=101, force_a_mn=200_000 + 320_833)

    def is_vain(current_ma_kn: int) -> bool:
        feel = Feel(20_000, current_ma_kn)
        return slope_after(slope_after(NOTHING_HELD, before, 200_000, feel), after, 200_000, feel).is_vain

    assert is_vain(3)  # 999 999 of a million
    assert not is_vain(4)


@pytest.mark.parametrize(
    "once",
    [{"cable_um": 1_000}, {"current_ma": 101}, {"force_a_mn": 199_900}],
    ids=["further in", "harder", "less force"],
)
def test_the_whole_of_the_older_half_is_compared_and_the_nearest_of_it_counts(reading, once) -> None:
    usual = {"cable_um": 0, "current_ma": 100, "force_a_mn": 200_000, "force_b_mn": 0}
    now = reading(taken_us=4_000_000, **{**usual, "cable_um": 1_251, "current_ma": 102})

    def is_vain(at_first: dict[str, int], then: dict[str, int]) -> bool:
        memory = slope_after(NOTHING_HELD, reading(taken_us=0, **{**usual, **at_first}), 200_000, FEEL)
        memory = slope_after(memory, reading(taken_us=500_000, **{**usual, **then}), 200_000, FEEL)
        return slope_after(memory, now, 200_000, FEEL).is_vain

    assert is_vain({}, {})
    assert not is_vain(once, {})
    assert not is_vain({}, once)


@pytest.mark.parametrize(("wound_um", "vain"), [(150_150, False), (150_151, True)])
def test_what_is_lost_since_the_ramp_is_judged_to_the_micrometre(reading, wound_um, vain) -> None:
    soft = Feel(stiffness_mn_mm=333, current_ma_kn=80, loaded=(0, 0, 100, 200_000))  # 150.15 mm are 50 N
    memory = NOTHING_HELD

    for number in range(UNFELT_POINTS_HELD + 1):
        now = reading(taken_us=number * POINT_US, cable_um=wound_um, current_ma=200, force_a_mn=200_000, force_b_mn=0)
        memory = slope_after(memory, now, 200_000, soft)

    assert memory.is_vain is vain


def test_slope_begins_with_nothing() -> None:
    assert Slope(None, (), False) == NOTHING_HELD
