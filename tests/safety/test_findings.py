"""What a finding says: how to react, how fast to let go, and what was measured, in whole newtons and milliseconds."""

from dataclasses import fields, replace

import pytest

from safety.motion import ReleaseProfile
from safety.plausibility import Bounds, Reaction, Watch, is_wild, waited, watch
from safety.slope import NOTHING_HELD

AT_200_N = Bounds(ceiling_mn=250_000, target_mn=200_000)


def found_in(readings, bounds) -> dict[str, tuple[Reaction, ReleaseProfile, str]]:
    """By alarm: how the last of these readings, 20 ms apart, has to be taken."""
    memory, findings = Watch(), ()
    for number, reading in enumerate(readings):
        taken_us = 1_000_000 + number * 20_000
        memory, findings = watch(memory, replace(reading, taken_us=taken_us, raw_a=number), 0, taken_us, bounds)
    return {finding.alarm.value: (finding.reaction, finding.profile, finding.detail) for finding in findings}


@pytest.mark.parametrize(
    ("forces_mn", "alarm", "detail"),
    [
        ((251_999, 251_000), "A01", "251 N, over the session ceiling of 250 N"),
        ((260_000, 185_000), "A02", "260 N, over the target of 200 N and its margin"),
        ((None, 100_000), "A05", "a force channel gave no reading"),
        ((-30_001, 0), "A05", "a force channel is out of range: A -31 N, B 0 N"),
        ((100_000, 59_999), "A07", "A 100 N, B 59 N"),
    ],
)
def test_what_trips_lets_go_protectively_and_says_what_was_measured(reading, forces_mn, alarm, detail) -> None:
    force_a_mn, force_b_mn = forces_mn

    found = found_in([reading(force_a_mn=force_a_mn, force_b_mn=force_b_mn)] * 3, AT_200_N)

    assert found[alarm] == (Reaction.TRIP, ReleaseProfile.PROTECTIVE, detail)


def test_what_jumps_is_shown_with_its_jump(reading) -> None:
    slack, jumped = reading(force_a_mn=0, force_b_mn=0), reading(force_a_mn=75_001, force_b_mn=75_000)

    found = found_in([slack, jumped, jumped], AT_200_N)

    assert found["A01"] == (Reaction.TRIP, ReleaseProfile.PROTECTIVE, "75 N, risen by more than 75 N within 500 ms")


def test_a_reading_that_stands_still_is_counted_out(reading) -> None:
    found = found_in([reading(raw_b=5)] * 25, None)

    assert found["A06"] == (Reaction.TRIP, ReleaseProfile.PROTECTIVE, "25 identical readings under load")


def test_a_rise_only_freezes(reading) -> None:
    rising = [reading(force_a_mn=100_000 + 2_000 * step, force_b_mn=100_000 + 2_000 * step) for step in range(12)]

    found = found_in(rising, AT_200_N)

    assert found == {"A03": (Reaction.FREEZE, ReleaseProfile.PROTECTIVE, "122 N, rising faster than 60 N/s")}


def test_while_nothing_is_armed_a_rise_says_nothing(reading) -> None:
    rising = [reading(force_a_mn=10_000 * step, force_b_mn=10_000 * step) for step in range(12)]

    assert found_in(rising, None) == {}


@pytest.mark.parametrize("late_us", [61_000, 61_999])
def test_lateness_is_told_in_milliseconds(late_us) -> None:
    _, late = waited(Watch(), late_us, 10_000_000)
    _, lost = waited(Watch(), 2_000_999, 10_000_000)

    assert [(finding.reaction, finding.profile, finding.detail) for finding in (*late, *lost)] == [
        (Reaction.FREEZE, ReleaseProfile.PROTECTIVE, "the newest sample is 61 ms old"),
        (Reaction.TRIP, ReleaseProfile.PROTECTIVE, "the newest sample is 2000 ms old"),
    ]


def test_late_time_is_added_up_in_milliseconds() -> None:
    memory, findings = waited(Watch(), 100_000, 0)

    for now_us in range(20_000, 2_100_001, 20_000):
        memory, findings = waited(memory, 100_000, now_us)

    assert [finding.detail for finding in findings] == ["data was late for 2100 ms within 5 s"]


@pytest.mark.parametrize(
    ("changes", "wild"),
    [
        ({}, False),
        ({"force_b_mn": None}, False),
        ({"raw_a": None, "raw_b": None}, False),
        ({"force_b_mn": -30_000, "force_a_mn": 0}, False),
        ({"force_b_mn": -30_001, "force_a_mn": 0}, True),
        ({"force_a_mn": 140_000, "force_b_mn": 100_000}, False),
        ({"force_a_mn": 100_000, "force_b_mn": 140_001}, True),
        ({"raw_a": 7_969_177}, True),
    ],
    ids=str,
)
def test_one_sample_that_cannot_be_is_wild(reading, changes, wild) -> None:
    assert is_wild(reading(**changes)) is wild


def test_a_noisy_signal_is_only_told_of(reading) -> None:
    forces_mn = [200_000 + 8_000 * (step % 2) for step in range(60)]
    jumping = [reading(force_a_mn=force_mn, force_b_mn=200_000, raw_b=-force_mn) for force_mn in forces_mn]

    found = found_in(jumping, AT_200_N)

    told = (Reaction.TELL, ReleaseProfile.PROTECTIVE, "the signal jumps from one sample to the next")
    assert found == {"A46": told}


def test_a_watch_begins_with_nothing_counted_and_nothing_held(reading) -> None:
    counted = [getattr(Watch(), field.name) for field in fields(Watch) if field.name.endswith("_samples")]
    memory, _ = watch(Watch(), reading(), 0, 0, None)

    assert counted == [0] * len(counted)
    assert memory.slope == NOTHING_HELD


def test_a_force_off_its_target_is_only_told_of(reading) -> None:
    found = found_in([reading(force_a_mn=210_001, force_b_mn=210_001)], AT_200_N)

    assert found == {"A03": (Reaction.TELL, ReleaseProfile.PROTECTIVE, "A 210 N, B 210 N, off the target of 200 N")}
