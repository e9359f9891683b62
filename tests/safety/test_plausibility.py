"""What a run of readings says by itself, at each limit and just beside it."""

from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safety import rise
from safety.plausibility import Bounds, Reaction, Watch, reading_is_fresh, waited, watch
from safety.reading import ForceReading, is_slack, largest_force

CEILING_ONLY = Bounds(ceiling_mn=250_000, target_mn=None)
AT_200_N = Bounds(ceiling_mn=250_000, target_mn=200_000)


def alarms(findings: Iterable) -> list[str]:
    return [finding.alarm.value for finding in findings]


@pytest.fixture
def run(reading: Callable[..., ForceReading]) -> Callable[..., list[str]]:
    """Feeds forces of both channels at that period; the alarms of the last sample that freeze or trip."""

    def fed(forces_mn: Iterable[int], bounds: Bounds | None, period_us: int = 3_125) -> list[str]:
        memory, findings = Watch(), ()
        for number, force_mn in enumerate(forces_mn):
            taken_us = 1_000_000 + number * period_us
            sample = reading(
                taken_us=taken_us, raw_a=number, raw_b=-number, force_a_mn=force_mn, force_b_mn=force_mn - 500
            )
            memory, findings = watch(memory, sample, 5_000, taken_us + 5_000, bounds)
        return alarms(finding for finding in findings if finding.reaction is not Reaction.TELL)

    return fed


@pytest.mark.parametrize(
    ("forces_mn", "expected"),
    [
        ([250_000] * 5, []),
        ([250_001], []),
        ([250_001, 250_001], ["A01"]),
        ([250_001, 250_000, 250_001], []),
        ([250_001, 250_000, 250_001, 250_001], ["A01"]),
    ],
)
def test_force_over_the_ceiling_trips_on_the_second_sample_in_a_row(run, forces_mn, expected) -> None:
    assert run(forces_mn, CEILING_ONLY) == expected


def test_one_channel_over_the_ceiling_is_enough(reading) -> None:
    over = reading(force_a_mn=220_000, force_b_mn=250_001)

    memory, _ = watch(Watch(), over, 0, 0, CEILING_ONLY)
    _, findings = watch(memory, over, 0, 0, CEILING_ONLY)

    assert alarms(findings) == ["A01"]
    assert findings[0].reaction is Reaction.TRIP
    assert findings[0].detail == "250 N, over the session ceiling of 250 N"


def test_while_nothing_is_armed_no_force_is_too_much(run) -> None:
    assert run([900_000] * 3, None) == []


@pytest.mark.parametrize(
    ("force_mn", "periods", "expected"),
    [
        (220_000, 800, []),
        (220_001, 639, []),
        (220_001, 640, ["A02"]),
        (220_001, 641, ["A02"]),
    ],
    ids=["at the margin", "just under 2 s", "2 s", "beyond 2 s"],
)
def test_force_over_the_targets_margin_trips_after_2_s(run, force_mn, periods, expected) -> None:
    assert run([force_mn] * (periods + 1), AT_200_N) == expected


def test_force_that_came_back_for_one_sample_begins_the_2_s_anew(run) -> None:
    assert run([220_001] * 600 + [220_000] + [220_001] * 600, AT_200_N) == []


@pytest.mark.parametrize(
    ("target_mn", "margin_mn"), [(0, 15_000), (150_000, 15_000), (150_010, 15_001), (300_000, 30_000)]
)
def test_the_margin_over_a_target_is_15_newtons_or_a_tenth(run, target_mn, margin_mn) -> None:
    bounds = Bounds(ceiling_mn=600_000, target_mn=target_mn)

    assert run([target_mn + margin_mn] * 700, bounds) == []
    assert run([target_mn + margin_mn + 1] * 700, bounds) == ["A02"]


@pytest.mark.parametrize(("target_mn", "margin_mn"), [(100_000, 40_000), (160_000, 40_000), (200_000, 50_000)])
def test_far_over_the_target_trips_on_two_samples(run, target_mn, margin_mn) -> None:
    bounds = Bounds(ceiling_mn=600_000, target_mn=target_mn)

    assert run([target_mn + margin_mn] * 2, bounds) == []
    assert run([target_mn + margin_mn + 1], bounds) == []
    assert run([target_mn + margin_mn + 1] * 2, bounds) == ["A02"]


@pytest.mark.parametrize("changes", [{"force_a_mn": None}, {"force_b_mn": None}], ids=str)
def test_a_channel_that_cannot_be_believed_trips_at_once_and_is_not_zero(reading, changes) -> None:
    _, findings = watch(Watch(), reading(**changes), 0, 0, None)

    assert alarms(findings) == ["A05"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"raw_a": 7_969_176}, []),
        ({"raw_a": 7_969_177}, ["A05"]),
        ({"raw_b": -7_969_176}, []),
        ({"raw_b": -7_969_177}, ["A05"]),
        ({"force_a_mn": -29_999, "force_b_mn": 0}, []),
        ({"force_a_mn": -30_000, "force_b_mn": 0}, []),
        ({"force_a_mn": -30_001, "force_b_mn": 0}, ["A05"]),
        ({"force_a_mn": 0, "force_b_mn": -30_001}, ["A05"]),
    ],
    ids=str,
)
def test_a_channel_out_of_range_trips_on_the_second_sample_in_a_row(reading, changes, expected) -> None:
    memory, first = watch(Watch(), reading(**changes), 0, 0, None)
    well, _ = watch(memory, reading(), 0, 0, None)

    assert alarms(first) == []
    assert alarms(watch(memory, reading(**changes), 0, 0, None)[1]) == expected
    assert alarms(watch(well, reading(**changes), 0, 0, None)[1]) == []


@pytest.mark.parametrize("channel", ["raw_a", "raw_b"])
@pytest.mark.parametrize(("same", "expected"), [(24, []), (25, ["A06"]), (26, ["A06"])])
@pytest.mark.parametrize("force_mn", [15_001, 200_000, -15_001])
def test_twenty_five_identical_codes_under_load_trip(reading, channel, same, expected, force_mn) -> None:
    other = "raw_b" if channel == "raw_a" else "raw_a"
    memory, findings = Watch(), ()

    for number in range(same):
        sample = reading(force_a_mn=force_mn, force_b_mn=force_mn, **{channel: 42, other: number})
        memory, findings = watch(memory, sample, 0, 0, None)

    assert alarms(findings) == expected


def test_a_slack_channel_may_stand_still(reading) -> None:
    memory, findings = Watch(), ()

    for _ in range(100):
        memory, findings = watch(memory, reading(raw_a=42, force_a_mn=15_000, force_b_mn=0), 0, 0, None)

    assert findings == ()


@pytest.mark.parametrize(
    ("force_a_mn", "force_b_mn", "differ"),
    [
        (100_000, 85_000, False),
        (100_000, 84_999, True),
        (84_999, 100_000, True),
        (187_500, 172_500, False),
        (187_500, 172_499, True),
        (250_000, 230_000, False),
        (250_000, 229_999, True),
        (-10_000, 5_000, False),
        (-10_000, 5_001, True),
    ],
)
def test_channels_that_differ_trip_after_200_ms(reading, force_a_mn, force_b_mn, differ) -> None:
    def alarms_after(last_us: int) -> list[str]:
        memory, findings = Watch(), ()
        for taken_us in (0, 100_000, last_us):
            sample = reading(taken_us=taken_us, raw_a=taken_us, force_a_mn=force_a_mn, force_b_mn=force_b_mn)
            memory, findings = watch(memory, sample, 0, taken_us, None)
        return alarms(findings)

    assert alarms_after(199_999) == []
    assert alarms_after(200_000) == (["A07"] if differ else [])


@pytest.mark.parametrize(("apart_mn", "expected"), [(40_000, []), (40_001, ["A07"])])
def test_channels_40_newtons_apart_trip_on_the_second_sample(reading, apart_mn, expected) -> None:
    apart = reading(force_a_mn=100_000, force_b_mn=100_000 - apart_mn)

    memory, first = watch(Watch(), apart, 0, 0, None)
    memory, second = watch(memory, apart, 0, 0, None)
    memory, together = watch(memory, reading(), 0, 0, None)
    _, again = watch(memory, apart, 0, 0, None)

    assert (alarms(first), alarms(second)) == ([], expected)
    assert (together, again) == ((), ())


def ramp(rate_mn_s: int, for_us: int, period_us: int) -> list[int]:
    return [20_000 + rate_mn_s * at_us // 1_000_000 for at_us in range(0, for_us + 1, period_us)]


@pytest.mark.parametrize("period_us", [3_125, 10_000, 12_500, 20_000])
def test_a_rise_of_60_newtons_a_second_for_200_ms_freezes_and_does_not_trip(run, period_us) -> None:
    allowed = ramp(59_900, 400_000, period_us)
    faster = ramp(61_000, 400_000, period_us)

    assert run(allowed, CEILING_ONLY, period_us) == []
    assert run(faster, CEILING_ONLY, period_us) == ["A03"]


@pytest.mark.parametrize("period_us", [3_125, 10_000, 12_500, 20_000])
def test_a_fast_rise_that_has_not_lasted_yet_does_not_freeze(run, period_us) -> None:
    assert run(ramp(300_000, 150_000, period_us), CEILING_ONLY, period_us) == []


@pytest.mark.parametrize(("rise_mn", "expected"), [(12_000, []), (12_001, ["A03"])])
def test_the_rise_is_judged_to_the_millinewton(run, rise_mn, expected) -> None:
    assert run([*[50_000] * 9, *[50_000 + rise_mn] * 2], CEILING_ONLY, 20_000) == expected


@pytest.mark.parametrize(("points", "expected"), [(10, []), (11, ["A03"])], ids=["180 ms", "200 ms"])
def test_the_rise_is_judged_over_no_less_than_its_window(run, points, expected) -> None:
    assert run([50_000 + 2_000 * number for number in range(points)], CEILING_ONLY, 20_000) == expected


def test_a_cough_freezes_only_while_it_rises(run) -> None:
    cough = [100_000] * 10 + [100_000 + 4_000 * n for n in range(11)] + [140_000] * 11

    assert run(cough[:21], CEILING_ONLY, 20_000) == ["A03"]
    assert run(cough, CEILING_ONLY, 20_000) == []


@pytest.mark.parametrize(
    ("forces_mn", "expected"),
    [
        ([100_000] * 5 + [175_000] * 2, []),
        ([100_000] * 5 + [175_001], []),
        ([100_000] * 5 + [175_001] * 2, ["A01"]),
        ([100_000] + [100_500] * 25 + [175_001] * 2, []),
        ([100_000] + [100_500] * 24 + [175_001] * 2, ["A01"]),
        ([100_000] * 5 + [175_001, 100_000, 100_000], []),
    ],
    ids=["at 75 N", "one sample", "two samples", "after 520 ms", "after 500 ms", "one wild sample"],
)
def test_a_rise_of_75_newtons_within_500_ms_trips_on_two_samples(run, forces_mn, expected) -> None:
    found = run(forces_mn, CEILING_ONLY, 20_000)

    assert [alarm for alarm in found if alarm != "A03"] == expected


@pytest.mark.parametrize("wild_mn", [400_000, -20_000, 0])
def test_one_wild_sample_is_no_rise_whichever_way_it_goes(run, wild_mn) -> None:
    forces_mn = [*[180_000] * 30, wild_mn, *[180_000] * 60]

    seen = [run(forces_mn[:end], Bounds(600_000, None)) for end in range(30, len(forces_mn) + 1)]

    assert {alarm for alarms_ in seen for alarm in alarms_} <= {"A07"}


@pytest.mark.parametrize(
    ("slack_ms", "expected"), [(2_999, []), (3_000, ["A26"])], ids=["for less than 3 s", "for 3 s"]
)
def test_a_cable_that_is_slack_while_a_force_is_asked_for_releases(reading, slack_ms, expected) -> None:
    memory, seen = Watch(), []

    for number, at_us in enumerate(range(1_000_000, 1_000_000 + slack_ms * 1_000 + 1, 1_000)):
        sample = reading(taken_us=at_us, raw_a=number, raw_b=-number, force_a_mn=1_000, force_b_mn=2_000)
        memory, seen = watch(memory, sample, 5_000, at_us + 5_000, AT_200_N)

    assert [finding.alarm.value for finding in seen if finding.reaction is Reaction.TRIP] == expected


@pytest.mark.parametrize("target_mn", [None, 200_000])
def test_a_cable_that_is_slack_while_nothing_is_asked_for_is_just_slack(reading, target_mn) -> None:
    memory, seen = Watch(), []

    for number, at_us in enumerate(range(1_000_000, 6_000_000, 10_000)):
        sample = reading(taken_us=at_us, raw_a=number, raw_b=-number, force_a_mn=1_000, force_b_mn=2_000)
        bounds = None if target_mn else Bounds(250_000, None)
        memory, seen = watch(memory, sample, 5_000, at_us + 5_000, bounds)

    assert seen == ()


@pytest.mark.parametrize(
    ("forces_mn", "expected"),
    [
        ((210_000, 211_000), []),
        ((210_001, 210_001), ["A03"]),
        ((210_001, 209_000), []),
        ((190_000, 189_000), []),
        ((189_999, 189_999), ["A03"]),
        ((189_999, 190_500), []),
        ((None, 150_000), ["A05"]),
        ((150_000, None), ["A05"]),
    ],
    ids=str,
)
def test_a_force_that_is_off_its_target_by_more_than_10_newtons_is_told_and_freezes_nothing(
    reading, forces_mn, expected
) -> None:
    moved = reading(force_a_mn=forces_mn[0], force_b_mn=forces_mn[1])

    _, findings = watch(Watch(), moved, 5_000, 5_000, AT_200_N)

    assert alarms(findings) == expected
    assert {finding.reaction for finding in findings if finding.alarm.value == "A03"} <= {Reaction.TELL}


def test_a_reset_of_the_tables_clock_forgets_what_the_old_clock_counted(reading) -> None:
    before = reading(taken_us=3_600_000_000, force_a_mn=250_001)
    memory, _ = watch(Watch(), before, 0, 0, AT_200_N)

    memory, first = watch(memory, replace(before, taken_us=1_000), 0, 3_000, AT_200_N)

    assert first == ()
    assert memory.over_ceiling_samples == 1
    assert memory.over_target_since_us == 1_000
    assert [taken_us for taken_us, _force in memory.rise.points] == [1_000]


@pytest.mark.parametrize(
    ("age_us", "expected"),
    [
        (-1, ["A14"]),
        (0, []),
        (60_000, []),
        (60_001, ["A14"]),
        (250_000, ["A14"]),
        (250_001, ["A13"]),
    ],
)
def test_a_late_reading_freezes_and_a_lost_one_trips(reading, age_us, expected) -> None:
    _, on_sample = watch(Watch(), reading(), age_us, 10_000_000, None)
    _, on_time = waited(Watch(), age_us, 10_000_000)

    assert alarms(on_sample) == alarms(on_time) == expected
    assert reading_is_fresh(age_us) is (expected == [])
    assert {finding.reaction for finding in on_time} <= {Reaction.TRIP if expected == ["A13"] else Reaction.FREEZE}


def test_a_line_that_flaps_trips_once_data_was_late_for_half_a_second() -> None:
    memory, seen = waited(Watch(), 0, 0)[0], []

    for begins_us in range(0, 20 * 220_000, 220_000):
        memory, findings = waited(memory, 110_000, begins_us + 110_000)  # 50 ms late
        memory, _ = waited(memory, 0, begins_us + 110_000)
        for fresh_us in range(120_000, 220_001, 20_000):
            memory, _ = waited(memory, 0, begins_us + fresh_us)
        seen.append(alarms(findings))

    assert seen[:10] == [["A14"]] * 10
    assert seen[10:] == [["A13"]] * 10


def test_a_clock_gone_wrong_trips_and_does_not_hold_for_ever() -> None:
    memory, findings = waited(Watch(), -1, 0)

    for now_us in range(20_000, 520_001, 20_000):
        memory, findings = waited(memory, -1, now_us)

    assert alarms(findings) == ["A13"]


def test_what_the_channels_say_comes_before_force_and_force_before_age(reading) -> None:
    bad = reading(force_a_mn=300_000, force_b_mn=-30_001)
    memory, _ = watch(Watch(), bad, 0, 0, AT_200_N)

    _, findings = watch(memory, bad, 250_001, 300_000, AT_200_N)

    assert alarms(findings) == ["A05", "A07", "A01", "A02", "A13"]


def test_a_channel_that_is_absent_is_neither_slack_nor_zero(reading) -> None:
    assert largest_force(reading(force_a_mn=None)) == 199_000
    assert largest_force(reading(force_b_mn=None)) == 200_000
    assert largest_force(reading(force_a_mn=None, force_b_mn=None)) is None
    assert largest_force(reading(force_a_mn=1, force_b_mn=2)) == 2
    assert not is_slack(reading(force_a_mn=None, force_b_mn=0))
    assert not is_slack(reading(force_a_mn=0, force_b_mn=None))


@pytest.mark.parametrize(("force_mn", "slack"), [(-15_001, False), (-15_000, True), (15_000, True), (15_001, False)])
def test_slack_is_both_channels_within_15_newtons(reading, force_mn, slack) -> None:
    assert is_slack(reading(force_a_mn=force_mn, force_b_mn=0)) is slack
    assert is_slack(reading(force_a_mn=0, force_b_mn=force_mn)) is slack


forces_mn = st.none() | st.integers(-(2**31), 2**31)
codes = st.none() | st.integers(-(2**31), 2**31)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    st.lists(
        st.tuples(st.integers(-(2**40), 2**40), forces_mn, forces_mn, codes, codes, st.integers(-(2**40), 2**40)),
        max_size=40,
    ),
    st.none() | st.builds(Bounds, st.integers(), st.none() | st.integers()),
)
def test_it_never_raises_and_its_memory_is_bounded(reading, rows, bounds) -> None:
    memory = Watch()

    for taken_us, force_a_mn, force_b_mn, raw_a, raw_b, age_us in rows:
        sample = reading(taken_us=taken_us, force_a_mn=force_a_mn, force_b_mn=force_b_mn, raw_a=raw_a, raw_b=raw_b)
        memory, findings = watch(memory, sample, age_us, taken_us, bounds)
        assert all(finding.detail for finding in findings)

    assert len(memory.rise.points) <= rise.POINTS_MAX
