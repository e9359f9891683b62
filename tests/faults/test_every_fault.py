"""Every fault of the registry: put in, it shows, and the same seed gives the same again."""

import re
from pathlib import Path

import pytest

from firmware import messages as m
from hw_sim.faults import FAULTS, FaultError, Injector, Place

SHOWS_WITHIN_S = 1.1

# The faults whose injection lies within the simulator's reach, by the ids of the project's catalogue of faults.
CATALOGUE = {
    "SE": (1, 2, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15, 17, 18, 22, 23),
    "AC": (1, 2, 3, 5, 6, 7, 10, 11, 12, 14, 15, 16, 19, 20, 22),
    "LK": (1, 2, 4, 5, 6, 7, 9, 10, 12, 13, 15, 17, 19),
    "HO": (13, 15),
    "CK": (7,),
    "HU": (13, 15, 16),
    "DF": (2, 3, 4, 7),
    "SX": (13,),
}


def test_every_fault_within_the_simulators_reach_can_be_named() -> None:
    named = {f"{group}{number:02}" for group, numbers in CATALOGUE.items() for number in numbers}

    assert named <= set(FAULTS)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_says_what_it_is(fault) -> None:
    assert fault.id == fault.id.upper()
    assert fault.name
    assert fault.how
    assert fault.place in Place


@pytest.fixture(scope="module")
def unharmed(kept_ready, kept_held):
    """What is to be seen of both benches where nothing is put in."""
    seen = {}
    for at_power_on, bench in ((True, kept_ready.copy()), (False, kept_held.copy())):
        bench.run_for(SHOWS_WITHIN_S)
        seen[at_power_on] = bench.seen
    return seen


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_shows_and_shows_alike_each_time(fault, kept_ready, kept_held, unharmed) -> None:
    faulty, again = ((kept_ready if fault.at_power_on else kept_held).copy() for _ in range(2))

    for bench in (faulty, again):
        bench.injector.inject(fault.id)
        bench.run_for(SHOWS_WITHIN_S)

    assert faulty.seen != unharmed[fault.at_power_on]
    assert faulty.seen == again.seen


def test_a_fault_that_is_not_injected_changes_nothing(held) -> None:
    twin = held.copy()

    for bench in (held, twin):
        bench.run_for(1)

    assert held.seen == twin.seen


def test_another_seed_gives_a_fault_other_noise(held) -> None:
    twin = held.copy()

    Injector(held.table, seed=1).inject("SE05")
    Injector(twin.table, seed=2).inject("SE05")
    for bench in (held, twin):
        bench.run_for(0.1)

    assert [row.raw_a for row in held.memory.samples] != [row.raw_a for row in twin.memory.samples]


ENDING = [fault for fault in FAULTS.values() if "for_ms" in fault.parameters]


@pytest.mark.parametrize("fault", ENDING, ids=[fault.id for fault in ENDING])
def test_a_fault_with_a_time_ends_by_itself_and_leaves_the_place_as_it_was(fault, held) -> None:
    table, line = held.table, held.line
    panel, clean = table.panel.bits(), line.to_host.faults

    held.injector.inject(fault.id, for_ms=50)
    assert fault.id in held.injector.active
    held.run_for(0.06)

    assert fault.id not in held.injector.active
    assert table.panel.bits() == panel
    assert table.channel_faults == [None, None]
    assert table.drive_order_fault is None
    assert line.to_host.faults is line.to_device.faults is clean


@pytest.mark.parametrize("fault_id", [fault.id for fault in FAULTS.values() if fault.at_power_on])
def test_what_is_there_from_power_on_is_refused_under_load(fault_id: str, held) -> None:
    with pytest.raises(FaultError, match="only while the table is disarmed"):
        held.injector.inject(fault_id)


# What the device must find by itself: the trip's cause, and the alarm that the host makes of it.
TRIPS = {
    "SE01": m.CHANNEL_RANGE,
    "SE04": m.CHANNEL_STUCK,
    "SE08": m.CHANNEL_RANGE,
    "SE10": m.CHANNEL_RANGE,
    "SE12": m.CHANNELS_DIFFER,
    "SE23": m.CHANNEL_RANGE,
    "AC01": m.NOT_AS_COMMANDED,
    "AC05": m.FORCE_LOST,
    "AC10": m.TRAVEL,
    "AC11": m.NOT_AS_COMMANDED,
    "AC12": m.DRIVE_FAILED,
    "AC14": m.SUPPLY,
    "AC15": m.SUPPLY,
    "AC16": m.EMERGENCY_STOPPED,
    "AC19": m.PATIENT_PRESSED,
    "AC20": m.PATIENT_UNPLUGGED,
    "AC22": m.PATIENT_PRESSED,
    "LK01": m.LEASE_ENDED,
    "LK04": m.LEASE_ENDED,
    "LK13": m.LEASE_ENDED,
    "LK15": m.LEASE_ENDED,
    "HO13": m.RESET_UNDER_LOAD,
    "HO15": m.RESET_UNDER_LOAD,
    "HU15": m.FORCE_LOST,
    "DF02": m.CHANNEL_RANGE,
}


@pytest.mark.parametrize(("fault_id", "cause"), TRIPS.items(), ids=TRIPS)
def test_the_device_trips_for_the_faults_own_cause(fault_id: str, cause: int, held) -> None:
    held.injector.inject(fault_id)
    held.run_for(SHOWS_WITHIN_S)

    assert held.table.firmware._trip is not None
    assert held.table.firmware._trip[0] == cause


@pytest.mark.parametrize("fault_id", ["HU13", "SE18", "LK05", "LK06", "LK07", "LK17", "SE06", "SHIFT"])
def test_therapy_goes_on_through_what_is_no_reason_to_stop(fault_id: str, held) -> None:
    held.injector.inject(fault_id)
    held.run_for(5)

    assert held.table.firmware._trip is None
    assert held.alarms.count("A13") == 0
    assert 80 < held.forces_n[-1] < 120


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_is_described_in_the_documents_as_it_is(fault) -> None:
    page = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text(encoding="utf-8")

    row = next(line for line in page.splitlines() if line.startswith(f"| `{fault.id}` |"))

    assert [cell.strip() for cell in row.split("|")[2:4]] == [fault.name, fault.how]
    assert set(re.findall(r"`(\w+)=", row)) == set(fault.parameters)
