"""Late time is counted whoever looked when, and forgotten after five seconds."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safety import limits
from safety.lateness import NEVER_LATE, SLOT_US, Lateness, late_us, passed

LATE_AFTER_US = 60_000


def looked(samples_us: list[int], looks_us: list[int]):
    """The memory after looks at those moments, at samples that were taken (and came) at those."""
    memory = NEVER_LATE
    for now_us in sorted({*samples_us, *looks_us}):
        newest_us = max((at_us for at_us in samples_us if at_us <= now_us), default=0)
        memory = passed(memory, now_us - newest_us, now_us)
    return memory


@pytest.mark.parametrize(("gap_us", "late"), [(60_000, 0), (60_001, 1), (79_000, 19_000), (500_000, 440_000)])
def test_only_what_is_beyond_60_ms_is_late(gap_us, late) -> None:
    assert late_us(looked([0, gap_us], [])) == late


def test_how_often_one_looks_changes_nothing() -> None:
    samples_us = [0, 50_000, 130_000, 140_000, 330_000, 340_000]

    often = looked(samples_us, list(range(0, 340_000, 1_000)))
    seldom = looked(samples_us, [])

    assert late_us(often) == late_us(seldom) == 20_000 + 130_000


def test_samples_that_all_come_late_are_late_all_the_time() -> None:
    memory = NEVER_LATE

    for now_us in range(0, 300_001, 3_000):
        memory = passed(memory, 100_000, now_us)

    assert late_us(memory) == 300_000


def test_an_age_from_the_future_is_late_at_once() -> None:
    memory = passed(passed(NEVER_LATE, -1, 0), -1, 70_000)

    assert late_us(memory) == 70_000


def test_the_first_look_knows_of_nothing_before_it() -> None:
    assert late_us(passed(NEVER_LATE, 10_000_000, 20_000_000)) == 0


def test_a_clock_that_goes_back_counts_nothing() -> None:
    memory = passed(passed(NEVER_LATE, 100_000, 1_000_000), 100_000, 900_000)

    assert late_us(memory) == 0


def test_half_a_second_in_five_is_kept_for_five_seconds_and_then_forgotten() -> None:
    fresh_again_us = [560_000 + 50_000 * number for number in range(110)]
    samples_us = [0, *fresh_again_us]

    assert late_us(looked([at_us for at_us in samples_us if at_us <= 5_560_000], [])) == 500_000
    assert late_us(looked([at_us for at_us in samples_us if at_us <= 5_560_000 + SLOT_US], [])) == 0


def test_a_slot_is_forgotten_once_all_of_it_is_five_seconds_old() -> None:
    late = looked([0, 80_000], [])
    begins_to_be_forgotten_us = limits.LATE_WINDOW_US + SLOT_US

    assert late.slots == ((0, 20_000),)
    assert passed(late, 0, begins_to_be_forgotten_us - 1).slots[0] == (0, 20_000)
    assert (0, 20_000) not in passed(late, 0, begins_to_be_forgotten_us).slots


def test_late_time_is_added_up_within_its_slot_and_not_beyond() -> None:
    at_us = [0, 80_000, 200_000, 249_999, 330_000]

    memory = looked(at_us, [])

    assert memory.slots == ((0, 20_000 + 60_000), (SLOT_US, 20_001))


def test_later_late_time_is_added_to_the_newest_slot_and_not_to_the_oldest() -> None:
    memory = looked([0, 80_000, 150_000, 240_000, 310_000, 380_000, 450_000], [])

    assert memory.slots == ((0, 20_000 + 10_000 + 30_000), (SLOT_US, 10_000 + 10_000 + 10_000))
    assert SLOT_US == 250_000


def test_where_nothing_was_late_nothing_is_kept() -> None:
    assert looked(list(range(0, 600_001, 50_000)), []).slots == ()


@pytest.mark.parametrize("half_known", [Lateness(judged_us=0), Lateness(late_from_us=0)], ids=repr)
def test_what_is_not_known_of_the_last_look_is_not_counted(half_known) -> None:
    assert late_us(passed(half_known, 0, 1_000_000)) == 0


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.integers(1_000, 400_000), min_size=1, max_size=80))
def test_never_less_than_what_was_late_within_five_seconds_and_bounded(gaps_us) -> None:
    samples_us = [0]
    for gap_us in gaps_us:
        samples_us.append(samples_us[-1] + gap_us)
    ends_us = samples_us[-1]
    begins_us = ends_us - limits.LATE_WINDOW_US
    truly_late = sum(max(0, after - max(before + LATE_AFTER_US, begins_us)) for before, after in pairwise(samples_us))

    memory = looked(samples_us, list(range(0, ends_us, 20_000)))

    assert truly_late <= late_us(memory)
    assert late_us(memory) <= truly_late + SLOT_US + 20_000
    assert len(memory.slots) <= limits.LATE_WINDOW_US // SLOT_US + 1
