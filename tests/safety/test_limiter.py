"""The gate, rule by rule: where all holds a motion is permitted, and breaking one rule refuses it with its alarm."""

from dataclasses import replace

import pytest

from safety import limiter, limits
from safety.alarms import AlarmId
from safety.interlock import NotZeroed, Tripped
from safety.limiter import Permit, Refusal, review
from safety.motion import Arm, CutPower, Hold, PayOut, Pull, Release, ReleaseProfile

PULL = Pull(5_000)
TRIPPED = Tripped(cause=AlarmId.A10, tripped_us=0, quiet_since_us=None, acknowledged=False)


class HoldAndPull(Pull, Hold):
    """Judged as the one, carried out as the other."""


def verdict_on(motion, situation) -> str:
    verdict = review(motion, situation)
    return "permitted" if isinstance(verdict, Permit) else verdict.alarm.value


# What breaks each rule, the alarm that it is refused with, and nothing else.
OF_THE_READING = {
    "H17 reading": ({"reading": None}, "A13"),
    "H06 channels": ({"force_a_mn": None}, "A05"),
    "H06 in range": ({"force_b_mn": -30_001}, "A05"),
    "H23 emergency stop": ({"emergency_stop": True}, "A12"),
    "H22 switch there": ({"switch_connected": False}, "A11"),
    "H22 switch open": ({"switch_pressed": True}, "A10"),
}
OF_THE_SESSION = {
    "H05 limits": ({"limits": None}, "A45"),
    "H26 not tripped": ({"interlock": TRIPPED}, "A45"),
    "H13 zeroed": ({"interlock": NotZeroed()}, "A27"),
}
OF_AN_ARMED_TABLE = {
    "H05 armed": ({"armed": False}, "A45"),
    "H24 time": ({"armed_for_us": 1_800_000_001}, "A24"),
}
FRESH = {"H17 fresh": ({"age_us": 60_001}, "A14")}
FROZEN = {"H17 frozen": ({"frozen": True}, "A14")}
ABSOLUTE = "H05 absolute"  # broken limit by limit, below

BREAKS_PULL = {
    **OF_THE_READING,
    **FRESH,
    **FROZEN,
    **OF_THE_SESSION,
    **OF_AN_ARMED_TABLE,
    "H01 ceiling": ({"force_a_mn": 250_001}, "A01"),
    "H14 travel": ({"cable_um": 190_001}, "A09"),
    "H15 take-up": ({"took_up_from_um": None}, "A26"),
}
BREAKS_HOLD = {
    **OF_THE_READING,
    **OF_THE_SESSION,
    **OF_AN_ARMED_TABLE,
    "H17 lost": ({"age_us": 250_001}, "A13"),
}
BREAKS_ARM = {
    **OF_THE_READING,
    **FRESH,
    **FROZEN,
    **OF_THE_SESSION,
    "H05 disarmed": ({"armed": True}, "A45"),
    "H13 slack": ({"force_a_mn": 15_001}, "A27"),
    "H22 switch seen": ({"switch_seen_us": None}, "A11"),
    "H12 calibration": ({"calibration_matches": False}, "A29"),
    "H12 in date": ({"calibration_age_days": None}, "A28"),
}
BREAKS_CUT = {
    "H17 reading": ({"reading": None}, "A13"),
    **FRESH,
    "H03 slack": ({"force_a_mn": 15_001}, "A21"),
}


def test_where_all_is_well_each_motion_is_permitted_once_on_that_sample(pulling, before_arming, agreed) -> None:
    asked = [(PULL, pulling()), (Hold(), pulling()), (PayOut(40_000), pulling())]
    asked += [(Arm(agreed, 7, 8), before_arming()), (CutPower(), before_arming())]

    permits = [review(motion, situation) for motion, situation in asked]

    assert [type(permit) for permit in permits] == [Permit] * 5
    assert [permit.motion for permit in permits] == [motion for motion, _situation in asked]
    assert {(permit.basis_seq, permit.lease_ms) for permit in permits} == {(1_000, 200)}
    assert [permit.spend() for permit in permits] == [True] * 5
    assert [permit.spend() for permit in permits] == [False] * 5


@pytest.mark.parametrize(("change", "alarm"), BREAKS_PULL.values(), ids=BREAKS_PULL)
def test_breaking_one_rule_refuses_a_pull_with_its_alarm(pulling, change, alarm) -> None:
    assert verdict_on(PULL, pulling(**change)) == alarm


@pytest.mark.parametrize(("change", "alarm"), BREAKS_HOLD.values(), ids=BREAKS_HOLD)
def test_breaking_one_rule_refuses_a_hold_with_its_alarm(pulling, change, alarm) -> None:
    assert verdict_on(Hold(), pulling(**change)) == alarm


@pytest.mark.parametrize(("change", "alarm"), BREAKS_ARM.values(), ids=BREAKS_ARM)
def test_breaking_one_rule_refuses_to_arm_with_its_alarm(before_arming, agreed, change, alarm) -> None:
    assert verdict_on(Arm(agreed, 7, 8), before_arming(**change)) == alarm


@pytest.mark.parametrize(("change", "alarm"), BREAKS_CUT.values(), ids=BREAKS_CUT)
def test_breaking_one_rule_refuses_to_cut_the_power_with_its_alarm(before_arming, change, alarm) -> None:
    assert verdict_on(CutPower(), before_arming(**change)) == alarm


@pytest.mark.parametrize(
    ("rules", "broken"),
    [
        (limiter.PULL_RULES, {*BREAKS_PULL, ABSOLUTE}),
        (limiter.HOLD_RULES, {*BREAKS_HOLD, ABSOLUTE}),
        (limiter.ARM_RULES, {*BREAKS_ARM, ABSOLUTE}),
        (limiter.CUT_RULES, {*BREAKS_CUT}),
    ],
    ids=["pull", "hold", "arm", "cut"],
)
def test_every_rule_is_broken_here_and_says_what_to_do(rules, broken) -> None:
    assert {name for name, *_rest in rules} == broken
    assert all(sentence.endswith(".") for *_rest, sentence in rules)


@pytest.mark.parametrize(
    "change",
    [
        {"ceiling_mn": 600_001},
        {"pull_um_s": 5_001},
        {"take_up_um_s": 20_001},
        {"payout_um_s": 40_001},
        {"travel_um": 150_001},
        {"take_up_travel_um": 200_001},
        {"duration_us": 3_600_000_001},
        {"duration_us": 999_999},
        {"ceiling_mn": 0},
        {"pull_um_s": 0},
        {"take_up_um_s": -1},
        {"payout_um_s": 0},
        {"travel_um": 0},
        {"take_up_travel_um": 0},
        {"ceiling_mn": 250_000.5},
        {"ceiling_mn": float("nan")},
        {"ceiling_mn": True},
        {"ceiling_mn": None},
    ],
    ids=str,
)
def test_limits_beyond_the_absolute_ones_are_armed_held_and_pulled_by_nobody(
    pulling, before_arming, agreed, change
) -> None:
    absurd = replace(agreed, **change)

    verdicts = [
        review(PULL, pulling(limits=absurd)),
        review(Hold(), pulling(limits=absurd)),
        review(Arm(absurd, 7, 8), before_arming(limits=absurd)),
    ]

    assert [getattr(verdict, "alarm", None) for verdict in verdicts] == [AlarmId.A45] * 3
    assert all("absolute" in verdict.sentence for verdict in verdicts)


def test_limits_at_the_absolute_ones_are_permitted(before_arming, agreed) -> None:
    largest = replace(
        agreed, ceiling_mn=600_000, pull_um_s=5_000, take_up_um_s=20_000, payout_um_s=40_000, duration_us=3_600_000_000
    )

    assert verdict_on(Arm(largest, 7, 8), before_arming(limits=largest)) == "permitted"


@pytest.mark.parametrize(
    ("change", "permitted"),
    [
        ({"age_us": 0}, True),
        ({"age_us": 59_999}, True),
        ({"age_us": 60_000}, True),
        ({"age_us": 60_001}, False),
        ({"age_us": -1}, False),
        ({"force_b_mn": 249_999}, True),
        ({"force_b_mn": 250_000}, True),
        ({"force_b_mn": 250_001}, False),
        ({"force_b_mn": -30_000}, True),
        ({"force_b_mn": -30_001}, False),
        ({"raw_b": 7_969_176}, True),
        ({"raw_b": 7_969_177}, False),
        ({"raw_b": -7_969_177}, False),
        ({"cable_um": 189_999}, True),
        ({"cable_um": 190_000}, True),
        ({"cable_um": 190_001}, False),
        ({"armed_for_us": 0}, True),
        ({"armed_for_us": 1_800_000_000}, True),
        ({"armed_for_us": 1_800_000_001}, False),
        ({"armed_for_us": -1}, False),
        ({"armed_for_us": None}, False),
        ({"releasing": True}, False),
        ({"tripped": True}, False),
        ({"force_a_mn": None, "force_b_mn": None}, False),
        ({"force_b_mn": None}, False),
        ({"loaded_at_um": None}, False),
    ],
    ids=str,
)
def test_a_pull_is_permitted_up_to_each_limit_and_not_beyond(pulling, change, permitted) -> None:
    assert (verdict_on(PULL, pulling(**change)) == "permitted") is permitted


@pytest.mark.parametrize(
    ("force_mn", "speed_um_s", "permitted"),
    [
        (15_001, 5_000, True),
        (15_001, 5_001, False),
        (15_000, 20_000, True),
        (15_000, 20_001, False),
        (14_999, 20_000, True),
        (15_001, 1, True),
        (15_001, 0, False),
        (15_001, -1, False),
        (15_001, 0.5, False),
        (15_001, float("nan"), False),
        (15_001, True, False),
        (15_001, None, False),
    ],
)
def test_winding_in_is_slow_above_15_newtons_and_never_nothing_or_backwards(
    pulling, force_mn, speed_um_s, permitted
) -> None:
    situation = pulling(force_a_mn=force_mn, force_b_mn=0)

    assert (verdict_on(Pull(speed_um_s), situation) == "permitted") is permitted


@pytest.mark.parametrize(
    ("loaded_at_um", "cable_um", "verdict"),
    [(None, 200_000, "permitted"), (None, 200_001, "A26"), (100_000, 200_001, "permitted"), (40_000, 200_001, "A09")],
)
@pytest.mark.parametrize("began_um", [0, 70_000, -70_000])
def test_slack_is_taken_up_for_200_mm_and_no_further(pulling, loaded_at_um, cable_um, verdict, began_um) -> None:
    where = {"took_up_from_um": began_um, "cable_um": began_um + cable_um}
    loaded_at_um = None if loaded_at_um is None else began_um + loaded_at_um

    situation = pulling(loaded_at_um=loaded_at_um, force_a_mn=0, force_b_mn=0, **where)

    assert verdict_on(PULL, situation) == verdict


@pytest.mark.parametrize(("age_us", "verdict"), [(60_001, "permitted"), (250_000, "permitted"), (250_001, "A13")])
def test_while_samples_are_late_holding_is_permitted_for_250_ms(pulling, age_us, verdict) -> None:
    assert verdict_on(Hold(), pulling(age_us=age_us, frozen=True)) == verdict


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({"force_a_mn": 15_000, "force_b_mn": -15_000}, "permitted"),
        ({"force_b_mn": -15_001}, "A27"),
        ({"switch_seen_us": 0}, "permitted"),
        ({"switch_seen_us": 120_000_000}, "permitted"),
        ({"switch_seen_us": 120_000_001}, "A11"),
        ({"switch_seen_us": -1}, "A11"),
        ({"calibration_age_days": 0}, "permitted"),
        ({"calibration_age_days": 365}, "permitted"),
        ({"calibration_age_days": 366}, "A28"),
        ({"calibration_age_days": -1}, "A28"),
        ({"releasing": True}, "A45"),
        ({"drive_enabled": True}, "A45"),
        ({"tripped": True}, "A45"),
    ],
    ids=str,
)
def test_arming_is_permitted_up_to_each_limit_and_not_beyond(before_arming, agreed, change, verdict) -> None:
    assert verdict_on(Arm(agreed, 7, 8), before_arming(**change)) == verdict


def test_only_the_agreed_limits_are_armed(before_arming, agreed) -> None:
    higher = replace(agreed, ceiling_mn=agreed.ceiling_mn + 1)

    assert verdict_on(Arm(higher, 7, 8), before_arming()) == "A45"
    assert verdict_on(Arm(None, 7, 8), before_arming(limits=None)) == "A45"


@pytest.mark.parametrize(
    ("identity", "verdict"), [(0, "A29"), (1, "permitted"), (4_294_967_295, "permitted"), (4_294_967_296, "A29")]
)
def test_a_calibration_that_was_never_made_arms_nothing(before_arming, agreed, identity, verdict) -> None:
    assert verdict_on(Arm(agreed, identity, 8), before_arming()) == verdict
    assert verdict_on(Arm(agreed, 8, identity), before_arming()) == verdict


@pytest.mark.parametrize(
    ("speed_um_s", "permitted"),
    [(0, False), (1, True), (20_000, True), (20_001, False), (-1, False), (0.5, False), (None, False)],
)
def test_paying_out_keeps_to_the_rate_of_the_session(pulling, agreed, speed_um_s, permitted) -> None:
    slower_drive = pulling(limits=replace(agreed, payout_um_s=20_000))

    assert (verdict_on(PayOut(speed_um_s), slower_drive) == "permitted") is permitted


def test_the_slowest_rate_of_paying_out_is_one_as_well(pulling, agreed) -> None:
    slowest = pulling(limits=replace(agreed, payout_um_s=1))

    assert verdict_on(PayOut(1), slowest) == "permitted"
    assert verdict_on(PayOut(2), slowest) == "A45"


@pytest.mark.parametrize("payout_um_s", [0, -1, 40_001, None])
def test_a_wrong_limit_does_not_keep_cable_back(pulling, agreed, payout_um_s) -> None:
    situation = pulling(limits=replace(agreed, payout_um_s=payout_um_s))

    assert verdict_on(PayOut(40_000), situation) == "permitted"
    assert verdict_on(PayOut(40_001), situation) == "A45"


def test_with_nothing_known_letting_go_and_paying_out_are_permitted_and_nothing_else(pulling, agreed, tripped) -> None:
    nothing = replace(
        pulling(),
        reading=None,
        age_us=10**12,
        interlock=tripped,
        limits=None,
        armed_for_us=None,
        took_up_from_um=None,
        loaded_at_um=None,
        switch_seen_us=None,
        calibration_age_days=None,
        calibration_matches=False,
        frozen=True,
    )

    permitted = [*(Release(profile) for profile in ReleaseProfile), PayOut(40_000)]
    refused = [PULL, Hold(), Arm(agreed, 7, 8), CutPower(), PayOut(40_001)]

    assert [verdict_on(motion, nothing) for motion in permitted] == ["permitted"] * 4
    assert "permitted" not in [verdict_on(motion, nothing) for motion in refused]


@pytest.mark.parametrize("motion", [None, 0, "pull", HoldAndPull(speed_um_s=5_000), Pull], ids=repr)
def test_what_is_no_motion_is_refused(pulling, motion) -> None:
    assert verdict_on(motion, pulling()) == "A45"


def test_every_predicate_denies_where_nothing_is_known(pulling) -> None:
    nothing = pulling(reading=None, limits=None, interlock=NotZeroed())
    of_the_reading = [
        limiter.has_reading,
        limiter.both_channels_read,
        limiter.channels_in_range,
        limiter.under_ceiling,
        limiter.slack,
        limiter.not_tripped,
        limiter.device_armed,
        limiter.device_not_armed,
        limiter.switch_plugged_in,
        limiter.switch_not_pressed,
        limiter.no_emergency_stop,
        limiter.within_travel,
        limiter.within_take_up,
    ]
    of_the_limits = [limiter.has_limits, limiter.limits_are_absolute, limiter.within_session_time]

    assert not any(holds(nothing) for holds in [*of_the_reading, *of_the_limits, limiter.interlock_closed])
    assert limiter.pull_limit_um_s(nothing) == 0
    assert not limiter.under_ceiling(pulling(force_a_mn=None, force_b_mn=None))


@pytest.mark.parametrize("unknown", [{"reading": None}, {"limits": None}], ids=["no reading", "no limits"])
def test_what_needs_both_a_reading_and_limits_denies_without_either(pulling, unknown) -> None:
    situation = pulling(**unknown)
    needing_both = [limiter.under_ceiling, limiter.within_travel, limiter.within_take_up]

    assert not any(holds(situation) for holds in needing_both)
    assert limiter.pull_limit_um_s(situation) == 0


def test_a_force_that_nobody_knows_is_pulled_slowly_and_travels_nowhere(pulling) -> None:
    unknown = pulling(force_a_mn=None, force_b_mn=None, loaded_at_um=None)

    assert limiter.pull_limit_um_s(unknown) == 5_000
    assert not limiter.within_travel(unknown)


def test_a_refusal_names_its_alarm_and_what_to_do(pulling) -> None:
    refused = review(Pull(5_001), pulling())

    assert isinstance(refused, Refusal)
    assert refused.sentence == "Pulling must be above zero and at most 5000 um/s here."
    assert repr(refused) == f"Refusal(A45, {refused.sentence!r})"


def test_the_lease_that_is_asked_for_is_one_that_the_table_takes() -> None:
    assert 1 <= limits.LEASE_MS_ASKED <= limits.LEASE_MS_MAX
