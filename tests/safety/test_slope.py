"""While it pulls, cable that goes in and is not felt is found; what patients do is not."""

import math
from collections.abc import Callable

import pytest

from safety.plausibility import Bounds, Reaction, Watch, watch
from safety.reading import ForceReading
from safety.slope import NOTHING_HELD, POINT_US, Feel, slope_after

FEEL = Feel(stiffness_mn_mm=8_000, current_ma_kn=4_000)
TARGET_MN = 200_000
PERIOD_US = 12_500
S = 1_000_000


@pytest.fixture
def vain(reading: Callable[..., ForceReading]) -> Callable[..., float | None]:
    """Seconds until winding in counts as vain; None when it never does. `harder_n`: what the drive feels more."""

    def judged(
        cable_mm: Callable[[float], float],
        harder_n: Callable[[float], float] = lambda _s: 0.0,
        force_n: Callable[[float], float] = lambda _s: 200.0,
        *,
        seconds: float = 30,
        target_mn: Callable[[float], int | None] = lambda _s: TARGET_MN,
        feel: Feel | None = FEEL,
    ) -> float | None:
        memory = NOTHING_HELD
        for number in range(round(seconds * S / PERIOD_US)):
            at_s = number * PERIOD_US / S
            sample = reading(
                taken_us=number * PERIOD_US,
                cable_um=round(cable_mm(at_s) * 1000),
                current_ma=1_100 + round(4 * harder_n(at_s)),
                force_a_mn=round(force_n(at_s) * 1000),
                force_b_mn=round(force_n(at_s) * 1000),
            )
            memory = slope_after(memory, sample, target_mn(at_s), feel)
            if memory.is_vain:
                return at_s
        return None

    return judged


def test_a_gain_that_goes_on_both_channels_is_found_by_the_cable_that_it_costs(vain) -> None:
    found_s = vain(lambda s: 100 + 1.1 * max(0, s - 10), lambda s: 8.8 * max(0, s - 10))

    assert found_s is not None
    assert 12 < found_s < 14


@pytest.mark.parametrize(("wound_mm", "found"), [(3.125, False), (3.126, True)])
def test_the_cable_that_was_not_felt_is_judged_to_the_micrometre(vain, wound_mm, found) -> None:
    found_s = vain(lambda s: 100 + wound_mm * (s >= 10), lambda s: 100 * (s >= 10))

    assert (found_s is not None) is found


@pytest.mark.parametrize(("harder_n", "found"), [(12.5, False), (12.75, True)])
def test_the_drive_must_feel_half_of_it(vain, harder_n, found) -> None:
    found_s = vain(lambda s: 100 + 10 * (s >= 10), lambda s: harder_n * (s >= 10))

    assert (found_s is not None) is found


@pytest.mark.parametrize("mm_s", [0.5, 2, 5])
def test_a_patient_who_slides_towards_the_table_is_not_meant_however_slowly(vain, mm_s) -> None:
    assert vain(lambda s: 100 + min(20, mm_s * max(0, s - 10))) is None


@pytest.mark.parametrize("dropped_n", [20, 100])
def test_force_that_was_lost_to_a_movement_and_is_wound_in_again_is_felt(vain, dropped_n) -> None:
    def force(s: float) -> float:
        return 200 - dropped_n * (10 <= s < 12) * (s - 10) / 2 - dropped_n * (12 <= s < 15) * (15 - s) / 3

    def cable(s: float) -> float:
        return 100 + 20 / 5 * min(5, max(0, s - 10))

    assert vain(cable, lambda s: force(s) - 200, force) is None


@pytest.mark.parametrize(("rose_n", "found"), [(0.0, True), (12.4, True), (12.6, False)])
def test_what_the_reading_rose_by_was_felt(vain, rose_n, found) -> None:
    found_s = vain(lambda s: 100 + 10 * (s >= 10), lambda s: 25 * (s >= 10), lambda s: 200 + rose_n * (s >= 10))

    assert (found_s is not None) is found


def test_the_creep_of_a_soft_patient_and_deep_breaths_are_not_meant(vain) -> None:
    def creep(s: float) -> float:
        return 100 + 3.2 * (1 - math.exp(-s / 20)) + 0.9 * math.sin(math.pi * s / 2)

    assert vain(creep, lambda s: 5 * math.sin(math.pi * s / 2), seconds=60) is None


def test_a_new_target_begins_anew(vain) -> None:
    found_s = vain(lambda s: 100 + 4 * s, lambda s: 30 * s, target_mn=lambda s: TARGET_MN + 1000 * int(s))

    assert found_s is None


@pytest.mark.parametrize("missing", [{"feel": None}, {"target_mn": lambda _s: None}], ids=["feel", "target"])
def test_where_nothing_is_held_nothing_is_vain(vain, missing) -> None:
    assert vain(lambda s: 100 + 4 * s, lambda s: 30 * s, **missing) is None


def test_without_a_force_nothing_is_remembered(reading) -> None:
    memory = slope_after(NOTHING_HELD, reading(), TARGET_MN, FEEL)

    assert slope_after(memory, reading(force_a_mn=None, force_b_mn=None), TARGET_MN, FEEL) is NOTHING_HELD


def test_its_memory_is_a_point_every_quarter_second_of_the_last_six(reading) -> None:
    memory = NOTHING_HELD
    for taken_us in range(0, 20 * S, PERIOD_US):
        memory = slope_after(memory, reading(taken_us=taken_us), TARGET_MN, FEEL)

    times_us = [taken_us for taken_us, _cable_um, _current_ma, _force_mn in memory.points]
    assert times_us == list(range(times_us[-1] - 6 * S, times_us[-1] + 1, POINT_US))


def test_vain_winding_trips_with_its_own_alarm(reading) -> None:
    memory, findings = Watch(), ()

    for number in range(1_600):
        at_us = number * PERIOD_US
        sample = reading(taken_us=at_us, raw_a=number, raw_b=-number, cable_um=at_us // 500, current_ma=1_000 + number)
        memory, findings = watch(memory, sample, 5_000, at_us + 5_000, Bounds(250_000, TARGET_MN, FEEL))

    assert [(finding.alarm.value, finding.reaction) for finding in findings] == [("A41", Reaction.TRIP)]
    assert "goes on winding in" in findings[0].detail


REMEMBERED = Feel(stiffness_mn_mm=8_000, current_ma_kn=4_000, loaded=(0, 100_000, 1_100, 200_000))


@pytest.mark.parametrize(("wound_mm", "found"), [(6.25, False), (6.26, True)])
def test_what_is_lost_too_slowly_for_the_window_is_found_by_the_cable_since_the_ramp(vain, wound_mm, found) -> None:
    found_s = vain(
        lambda s: 100 + wound_mm * min(1, s / 60), lambda s: 60 * min(1, s / 60), seconds=80, feel=REMEMBERED
    )

    assert (found_s is not None) is found


@pytest.mark.parametrize(("harder_n", "found"), [(25.0, False), (25.25, True)])
def test_what_is_lost_slowly_must_be_felt_by_the_drive(vain, harder_n, found) -> None:
    found_s = vain(
        lambda s: 100 + 20 * min(1, s / 60), lambda s: harder_n * min(1, s / 60), seconds=80, feel=REMEMBERED
    )

    assert (found_s is not None) is found


def test_one_moment_that_fits_the_ramp_excuses_the_whole_window(vain) -> None:
    def harder_n(at_s: float) -> float:
        return 0.0 if math.fmod(at_s, 2.0) < 0.3 else 60 * min(1, at_s / 60)

    assert vain(lambda s: 100 + 10 * min(1, s / 60), harder_n, seconds=80, feel=REMEMBERED) is None


def test_a_force_that_was_felt_since_the_ramp_is_no_loss(vain) -> None:
    found_s = vain(
        lambda s: 100 + 8 * min(1, s / 60),
        lambda s: 60 * min(1, s / 60),
        lambda s: 200 + 60 * min(1, s / 60),
        seconds=80,
        feel=REMEMBERED,
    )

    assert found_s is None


def test_less_than_half_a_window_since_the_ramp_shows_no_loss(vain) -> None:
    found_s = vain(lambda _s: 120, lambda _s: 100, seconds=10, feel=REMEMBERED)

    assert found_s == 3.0


def on_the_way_up(vain, cable_mm: Callable[[float], float], harder_n: Callable[[float], float]) -> float | None:
    return vain(
        cable_mm,
        harder_n,
        lambda s: 200 + 10 * s,
        seconds=10,
        target_mn=lambda s: TARGET_MN + round(10_000 * s),
        feel=REMEMBERED,
    )


def test_on_the_way_up_a_second_of_it_is_enough(vain) -> None:
    assert on_the_way_up(vain, lambda _s: 120, lambda _s: 100) == 1.0


def test_on_the_way_up_the_second_counts_from_when_it_was_first_not_felt(vain) -> None:
    assert on_the_way_up(vain, lambda _s: 140, lambda s: 200.0 * (s >= 2)) == 3.0


def test_on_the_way_up_each_moment_that_was_felt_begins_anew(vain) -> None:
    assert on_the_way_up(vain, lambda _s: 140, lambda s: 0.0 if math.fmod(s, 1.0) < 0.25 else 200) is None


def test_on_the_way_up_a_patient_who_gives_way_is_not_meant(vain) -> None:
    assert on_the_way_up(vain, lambda s: 100 + 5 * s, lambda s: 10 * s) is None
