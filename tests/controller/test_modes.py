"""Every mode becomes one force profile; whatever is accepted keeps the caps, the ramp and the time, as a whole."""

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from controller import modes, prescription
from controller.modes import profile_of
from controller.prescription import Prescription, PrescriptionError
from controller.prescription_rules import broken_rules, refusals
from controller.profile import Kind, Shape
from safety.limits import SHIPPED
from safety.units import Millinewtons

WIDE = replace(SHIPPED, ceiling_mn=Millinewtons(600_000), setpoint_cap_mn=Millinewtons(500_000))
SHARED = {"time_at_force": "2 min", "ramp": "10 N/s"}
PULLS: dict[str, dict[str, Any]] = {
    "static": {"mode": "static", "force": "200 N", **SHARED},
    "intermittent": {
        "mode": "intermittent",
        "force": "200 N",
        "hold": "50 s",
        "rest_force": "40 N",
        "rest": "20 s",
        **SHARED,
    },
    "cyclic": {"mode": "cyclic", "force": "200 N", "low_force": "120 N", "period": "90 s", **SHARED},
    "progressive": {"mode": "progressive", "start_force": "80 N", "force": "200 N", "steps": 3, **SHARED},
    "regressive": {"mode": "regressive", "force": "200 N", "end_force": "80 N", "steps": 3, **SHARED},
    "logarithmic": {"mode": "logarithmic", "force": "200 N", "rise": "60 s", **SHARED},
}
# (kind, from N, to N, seconds). An S-curve's steepest slope is 15/8 of a straight line's.
GOLDEN = {
    "static": [("ramp", 0, 200, 37.5), ("hold", 200, 200, 120)],
    "intermittent": [
        ("ramp", 0, 200, 37.5),
        ("hold", 200, 200, 50),
        ("ramp", 200, 40, 30),
        ("rest", 40, 40, 20),
        ("ramp", 40, 200, 30),
        ("hold", 200, 200, 50),
        ("ramp", 200, 40, 30),
        ("rest", 40, 40, 20),
        ("ramp", 40, 200, 30),
        ("hold", 200, 200, 20),
    ],
    "cyclic": [
        ("ramp", 0, 200, 37.5),
        *[
            ("hold", 200, 200, 30),
            ("ramp", 200, 120, 15),
            ("rest", 120, 120, 30),
            ("ramp", 120, 200, 15),
        ]
        * 3,
        ("hold", 200, 200, 30),
    ],
    "progressive": [
        ("ramp", 0, 80, 15),
        ("hold", 80, 80, 40),
        ("ramp", 80, 140, 11.25),
        ("hold", 140, 140, 40),
        ("ramp", 140, 200, 11.25),
        ("hold", 200, 200, 40),
    ],
    "regressive": [
        ("ramp", 0, 200, 37.5),
        ("hold", 200, 200, 40),
        ("ramp", 200, 140, 11.25),
        ("hold", 140, 140, 40),
        ("ramp", 140, 80, 11.25),
        ("hold", 80, 80, 40),
    ],
    "logarithmic": [("ramp", 0, 100, 18.75), ("ramp", 100, 200, 60), ("hold", 200, 200, 120)],
}


def written(pull: dict[str, Any], mass: str = "100 kg") -> dict[str, Any]:
    return {
        "patient": {"pseudonym": "K7-2F41", "body_mass": mass},
        "pull": pull,
        "prescribed": {"by": "clinician"},
    }


def parsed(pull: dict[str, Any], mass: str = "100 kg") -> Prescription:
    return prescription.parse(written(pull, mass))


def segments_of(asked: Prescription) -> list[tuple[str, float, float, float]]:
    return [(s.kind.value, s.from_n, s.to_n, s.duration_s) for s in profile_of(asked).segments]


@pytest.mark.parametrize("mode", GOLDEN)
def test_a_mode_becomes_these_segments(mode: str) -> None:
    asked = parsed(PULLS[mode])

    assert [tuple(pytest.approx(part) for part in row[1:]) for row in GOLDEN[mode]] == [
        row[1:] for row in segments_of(asked)
    ]
    assert [row[0] for row in segments_of(asked)] == [row[0] for row in GOLDEN[mode]]
    assert refusals(asked, SHIPPED) == []


def test_a_logarithmic_rise_is_fast_at_first_and_half_done_after_a_quarter_of_its_time() -> None:
    profile = profile_of(parsed(PULLS["logarithmic"]))

    rise = profile.segments[1]

    assert rise.shape is Shape.LOGARITHMIC
    assert rise.force_n(15) == pytest.approx(150, abs=2)
    assert rise.rate_n_s(0) > 5 * rise.rate_n_s(59)


def test_a_chain_goes_straight_from_one_pull_to_the_next() -> None:
    asked = parsed({"chain": [PULLS["progressive"], {**PULLS["static"], "force": "200 N"}]})

    joined = segments_of(asked)

    assert joined == [*segments_of(parsed(PULLS["progressive"])), ("hold", 200, 200, 120)]
    assert asked.mode == "chain"
    assert asked.time_at_force_s == 240


def test_a_chain_with_a_base_force_rests_there_between_its_pulls_and_nowhere_else() -> None:
    pull = {**PULLS["static"], "force": "100 N"}
    asked = parsed({"base_force": "40 N", "base_time": "15 s", "chain": [pull, pull]})

    joined = [row[:3] for row in segments_of(asked)]

    assert joined == [
        ("ramp", 0, 100),
        ("hold", 100, 100),
        ("ramp", 100, 40),
        ("rest", 40, 40),
        ("ramp", 40, 100),
        ("hold", 100, 100),
    ]


@pytest.mark.parametrize("mode", PULLS)
def test_a_prescription_of_any_mode_is_whole_after_a_way_through_its_record(mode: str) -> None:
    asked = parsed({"base_force": "40 N", "base_time": "15 s", "chain": [PULLS[mode], PULLS["static"]]})

    assert Prescription.model_validate_json(asked.model_dump_json()) == asked
    assert asked.model_dump()["force_mn"] == 200_000


def test_a_record_from_before_there_were_modes_is_still_read() -> None:
    old = {
        "pseudonym": "K7-2F41",
        "body_mass_g": 80_000,
        "mode": "static",
        "force_mn": 300_000,
        "time_at_force_s": 1_200,
        "ramp_mn_s": 5_000,
        "by": "clinician",
        "written": {},
    }

    read = Prescription.model_validate(old)

    assert (read.mode, read.force_mn, read.time_at_force_s, read.ramp_mn_s) == ("static", 300_000, 1_200, 5_000)


@pytest.mark.parametrize(("force", "force_mn"), [("20 kgf", 196_133), ("45 lbf", 200_169), ("20 % BW", 196_133)])
def test_each_force_of_a_mode_takes_every_unit(force: str, force_mn: int) -> None:
    asked = parsed({**PULLS["intermittent"], "force": "300 N", "rest_force": force})

    assert asked.pulls[0].model_dump()["rest_force_mn"] == force_mn


# The mode, what is written otherwise, the field that is named, and what its sentence says.
BROKEN: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "a rest at too small a force": (
        "intermittent",
        {"rest_force": "19 N"},
        "pull.rest_force",
        "20 N (2.0 kgf, 4.5 lbf)",
    ),
    "slack between pulls": ("intermittent", {"rest_force": "0 N"}, "pull.rest_force", "less than 20 N"),
    "a rest over the pull": ("intermittent", {"rest_force": "200 N"}, "pull.rest_force", "not below the force"),
    "too short a hold": ("intermittent", {"hold": "9 s"}, "pull.hold", "less than 10 s"),
    "too short a rest": ("intermittent", {"rest": "9 s"}, "pull.rest", "less than 10 s"),
    "too short a period": ("cyclic", {"period": "49 s"}, "pull.period", "at least 50 s"),
    "a swing upside down": ("cyclic", {"low_force": "210 N"}, "pull.low_force", "not below"),
    "a start over the pull": ("progressive", {"start_force": "250 N"}, "pull.start_force", "not below"),
    "an end over the pull": ("regressive", {"end_force": "250 N"}, "pull.end_force", "not below"),
    "one step": ("progressive", {"steps": 1}, "pull.steps", "2 to 20"),
    "very many steps": ("regressive", {"steps": 10**9}, "pull.steps", "2 to 20"),
    "steps too short": ("regressive", {"steps": 13}, "pull.time_at_force", "13 steps less than 10 s"),
    "too fast a rise": ("logarithmic", {"rise": "39 s"}, "pull.rise", "at least 40 s"),
    "a half that cannot be held": ("logarithmic", {"force": "39 N"}, "pull.force", "less than 40 N"),
    "raised to less": ("static", {"raise_up_to": "199 N"}, "pull.raise_up_to", "less than the pull itself"),
    "raised over the cap": ("static", {"raise_up_to": "301 N"}, "pull.raise_up_to", "300 N (30.6 kgf, 67.4 lbf)"),
    "too steep": ("cyclic", {"ramp": "21 N/s"}, "pull.ramp", "0.5 to 20 N/s"),
    "too long with its rests": ("intermittent", {"rest": "23 min"}, "pull.time_at_force", "more than 45 min"),
}


@pytest.mark.parametrize(("mode", "changes", "field", "says"), BROKEN.values(), ids=BROKEN)
def test_a_rule_that_a_mode_breaks_is_named_with_its_field_and_number(
    mode: str, changes: dict[str, Any], field: str, says: str
) -> None:
    broken = broken_rules(parsed({**PULLS[mode], **changes}), SHIPPED)

    named = [rule for rule in broken if rule.field == field and says in rule.sentence]

    assert len(named) == 1, broken


def test_the_links_of_a_chain_are_named_by_their_number() -> None:
    chain = [PULLS["static"], {**PULLS["intermittent"], "rest_force": "5 N", "hold": "9 s"}]

    broken = broken_rules(parsed({"chain": chain}), SHIPPED)

    assert [rule.field for rule in broken] == ["pull.chain.2.rest_force", "pull.chain.2.hold"]


@pytest.mark.parametrize(
    ("pull", "reason"),
    [
        ({"chain": [PULLS["static"], {**PULLS["cyclic"], "period": "5"}]}, "pull.chain.2.period: "),
        ({"chain": [{**PULLS["static"], "mode": "wobbling"}]}, "pull.chain.1.mode: "),
        ({"chain": [PULLS["static"]], "mode": "static"}, "pull.mode: there is no such field"),
        ({"chain": []}, "pull.chain: "),
        ({**PULLS["progressive"], "steps": "3"}, "pull.steps: "),
        ({**PULLS["progressive"], "steps": True}, "pull.steps: "),
        ({**PULLS["static"], "force_mn": 200_000}, "pull.force_mn: there is no such field"),
        ({**PULLS["static"], "rest": "9 s"}, "pull.rest: there is no such field"),
        ({key: value for key, value in PULLS["cyclic"].items() if key != "period"}, "pull.period: is missing"),
    ],
)
def test_what_cannot_be_read_in_a_mode_is_refused_with_its_place(pull: dict[str, Any], reason: str) -> None:
    with pytest.raises(PrescriptionError) as refused:
        parsed(pull)

    [sentence] = refused.value.reasons
    assert sentence.startswith(reason)


def test_a_base_force_without_its_time_is_refused_and_one_over_the_pulls_too() -> None:
    chain = [PULLS["static"], PULLS["static"]]

    without = broken_rules(parsed({"base_force": "40 N", "chain": chain}), SHIPPED)
    over = broken_rules(parsed({"base_force": "200 N", "base_time": "20 s", "chain": chain}), SHIPPED)

    assert [rule.field for rule in without] == ["pull.base_time"]
    assert [rule.field for rule in over] == ["pull.base_force"]


def test_the_session_ceiling_may_hang_on_a_force_to_which_the_pull_may_be_raised() -> None:
    asked = parsed({**PULLS["static"], "raise_up_to": "220 N"})

    assert asked.agreed_mn == 220_000
    assert parsed(PULLS["static"]).agreed_mn == 200_000
    assert refusals(asked, SHIPPED) == []


newtons = st.integers(15, 320).map(lambda n: f"{n} N")
seconds = st.integers(5, 600).map(lambda s: f"{s} s")
ramps = st.sampled_from(["0.5 N/s", "3 N/s", "5 N/s", "20 N/s"])
OWN_FIELDS = {
    "static": {},
    "intermittent": {"hold": seconds, "rest_force": newtons, "rest": seconds},
    "cyclic": {"low_force": newtons, "period": seconds},
    "progressive": {"start_force": newtons, "steps": st.integers(0, 25)},
    "regressive": {"end_force": newtons, "steps": st.integers(0, 25)},
    "logarithmic": {"rise": seconds},
}
pulls = st.sampled_from(sorted(OWN_FIELDS)).flatmap(
    lambda mode: st.fixed_dictionaries(
        {
            "mode": st.just(mode),
            "force": newtons,
            "time_at_force": st.integers(30, 900).map(lambda s: f"{s} s"),
            "ramp": ramps,
            **OWN_FIELDS[mode],
        }
    )
)
based = {"base_force": newtons, "base_time": seconds}
chains = st.fixed_dictionaries({"chain": st.lists(pulls, min_size=1, max_size=3)}, optional=based)


@given(pulls | chains)
def test_whatever_is_accepted_keeps_its_caps_its_ramp_and_its_time_as_a_whole(pull: dict[str, Any]) -> None:
    asked = parsed(pull, "80 kg")
    assume(not refusals(asked, SHIPPED))

    profile = profile_of(asked)

    reached_n, at_force_s = 0.0, 0.0
    for segment in profile.segments:
        assert segment.from_n == reached_n
        assert segment.rate_max_n_s <= asked.ramp_mn_s / 1000 * 1.000001 <= 20.1
        assert 20 <= segment.to_n <= 300
        assert segment.duration_s > 0
        at_force_s += segment.duration_s if segment.kind is Kind.HOLD else 0
        reached_n = segment.to_n
    assert profile.segments[0].kind is Kind.RAMP
    assert profile.segments[-1].kind is Kind.HOLD
    assert profile.peak_n == asked.force_mn / 1000
    assert at_force_s == pytest.approx(asked.time_at_force_s)
    assert math.ceil(profile.total_s) == modes.profile_duration_s(asked) <= SHIPPED.session_s_max


@given(pulls | chains)
def test_any_pull_that_can_be_read_is_judged_in_sentences_and_can_be_told_from_one_that_is_endless(
    pull: dict[str, Any],
) -> None:
    asked = parsed(pull, "40 kg")

    broken = broken_rules(asked, SHIPPED)

    assert all(rule.sentence.endswith(".") for rule in broken)
    if not broken:
        assert modes.is_countable(asked)


@given(hold=st.sampled_from(["0 s", "-5 s", "1 s"]), whole=st.sampled_from(["30 min", "99999999 min"]))
def test_holds_without_end_are_refused_and_never_written_out(hold: str, whole: str) -> None:
    asked = parsed({**PULLS["intermittent"], "hold": hold, "time_at_force": whole})

    assert any("more pulls than can be given" in sentence for sentence in refusals(asked, WIDE))


def test_the_points_of_the_plot_lie_on_the_profile() -> None:
    profile = profile_of(parsed(PULLS["intermittent"]))

    points = list(profile.points())

    assert points[0] == (0.0, 0.0)
    assert points[-1] == (pytest.approx(profile.total_s), 200)
    assert all(force_n == pytest.approx(profile.planned_n(at_s), abs=1e-6) for at_s, force_n in points)
    assert sorted(points) == points
