"""The loop's worst case, as it is reckoned: firmware/README.md quotes it, and only hardware can confirm it."""

import pytest

from benchmarks import firmware as firmware_loop


@pytest.fixture(scope="module")
def figures() -> dict:
    return {figure.name: figure for figure in firmware_loop.figures(1)}


def test_as_shipped_all_work_and_a_collection_fit_into_a_period(figures) -> None:
    assert figures["80/s, 200 MHz: work"].met
    assert figures["80/s, 200 MHz: and memory"].met


def test_at_320_conversions_a_second_they_do_not_and_the_figures_say_so(figures) -> None:
    assert figures["320/s, 200 MHz: work"].met is False


def test_a_call_is_counted_alike_every_time_and_what_is_elsewhere_is_not_counted() -> None:
    def twice() -> int:
        return sum(range(2))

    here = [firmware_loop.bytecodes_of(twice, where=__file__) for _ in range(2)]

    assert here[0] == here[1] > 0
    assert firmware_loop.bytecodes_of(twice) == 0
