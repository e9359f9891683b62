"""Breath, cough, shift, getting up, slip and break are told apart, on the plant itself, with what was done."""

import pytest

from controller.movement import MOVED_UM, NOTHING_SEEN, Movement, watched
from controller.phases import Ended, Holding, Tripped


def movements(bench) -> list[str]:
    rows = [row for row in bench.memory.events if "movement" in row.data]
    return [str(row.data["movement"]) for row in rows if row.t_us is not None]


def since(bench, before: int) -> list[str]:
    return movements(bench)[before:]


@pytest.fixture
def still(holding):
    return holding, len(movements(holding))


def test_a_cough_is_a_cough_and_rides_through(still) -> None:
    bench, before = still
    bench.table.plant.cough(60.0, 200)
    bench.run_for(3)

    assert since(bench, before) == [Movement.COUGH]
    assert isinstance(bench.state.phase, Holding)
    text = next(row.text for row in bench.memory.events if row.data.get("movement") == "cough")
    assert "Rode through" in text


@pytest.mark.parametrize("distance_mm", [20, -20])
def test_a_shift_is_a_shift_either_way_and_the_clock_stands_while_force_is_off(hold, distance_mm: int) -> None:
    bench = hold("nominal", "200 N")
    before = len(movements(bench))
    bench.table.plant.shift(distance_mm, 1_000)
    bench.run_for(8)

    assert since(bench, before) == [Movement.SHIFT]
    assert isinstance(bench.state.phase, Holding)


def test_a_harness_that_slips_is_told_from_a_patient_who_moves(hold) -> None:
    bench = hold("nominal", "200 N")
    before = len(movements(bench))
    bench.table.plant.slip(6, 200)
    bench.run_for(5)

    assert since(bench, before) == [Movement.HARNESS_SLIP]
    assert isinstance(bench.state.phase, Holding)


GONE = {
    "leaves": (lambda plant: plant.leave(), Movement.GETTING_UP),
    "breaks": (lambda plant: plant.snap(), Movement.CABLE_BREAK),
    "slips off": (lambda plant: plant.slip(60, 200), Movement.HARNESS_SLIP),
}


@pytest.mark.parametrize("force", ["100 N", "300 N"])
@pytest.mark.parametrize("rig", ["soft", "nominal", "stiff", "nominal_80"])
@pytest.mark.parametrize("what", GONE)
def test_whoever_gets_up_is_told_from_a_harness_that_slips_off_and_from_a_cable_that_breaks(
    hold, what: str, rig: str, force: str
) -> None:
    happens, told = GONE[what]
    bench = hold(rig, force)
    before = len(movements(bench))
    happens(bench.table.plant)
    bench.run_to(Tripped, Ended, within_s=15)

    assert bench.root in ("A08", "A26")
    assert since(bench, before) == [told]


@pytest.mark.parametrize("force", ["100 N", "300 N"])
def test_a_small_shift_towards_the_cable_is_no_cough(hold, force: str) -> None:
    bench = hold("nominal", force)
    before = len(movements(bench))
    bench.table.plant.shift(-5, 500)
    bench.run_for(4)

    assert since(bench, before) == [Movement.SHIFT]


def test_breathing_is_told_once_from_the_cable_that_follows_it(still) -> None:
    bench, before = still
    bench.run_for(40)

    assert since(bench, before) == [Movement.BREATH]


def test_what_was_noticed_carries_its_kind_size_and_duration(still) -> None:
    bench, _ = still
    bench.table.plant.cough(60.0, 200)
    bench.run_for(3)

    row = next(row for row in bench.memory.events if row.data.get("movement") == "cough")
    assert row.kind == "note"
    assert abs(row.data["size_mn"]) > 10_000
    assert 0 < row.data["duration_s"] < 1


# The classifier alone, on made-up samples every 10 ms.


def told(offs_mn: list[int], cable_um: list[int]) -> list[Movement]:
    memory, kinds = NOTHING_SEEN, []
    for number, (off_mn, at_um) in enumerate(zip(offs_mn, cable_um, strict=True)):
        memory, noticed = watched(memory, number * 10_000, off_mn, 200_000 + off_mn, at_um, 6_700, steady=True)
        if noticed is not None:
            kinds.append(noticed.movement)
    return kinds


def test_nothing_is_told_while_force_is_within_10_n_and_the_cable_still() -> None:
    assert told([9_900, -9_900] * 1_000, [0] * 2_000) == []


def test_three_coughs_are_three() -> None:
    one = [40_000] * 20 + [0] * 60

    assert told(one * 3, [0] * 240) == [Movement.COUGH] * 3


def test_a_sudden_drop_that_is_wound_in_again_is_a_slip_and_a_slow_one_a_shift() -> None:
    wound_in = [0] * 10 + [MOVED_UM + 1] * 90
    slow = [-12_000] * 20 + [-15_000] * 10 + [-40_000] * 10 + [0] * 60
    sudden = [-40_000] * 20 + [0] * 80

    assert told(sudden, wound_in) == [Movement.HARNESS_SLIP]
    assert told(slow, wound_in) == [Movement.SHIFT]
