"""A prescription as it is written, in integers; each rule that it breaks is named, with its number."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller import modes, prescription, prescription_rules
from controller.prescription import PrescriptionError
from safety.limits import SHIPPED
from safety.units import Millinewtons

EXAMPLE = """
[patient]
pseudonym = "K7-2F41"
body_mass = "80 kg"
[pull]
mode = "static"              # intermittent, cyclic, progressive, regressive, logarithmic, or [[pull.chain]]
force = "300 N"              # or "30.6 kgf", "67.4 lbf", "38 % body weight"
time_at_force = "20 min"
ramp = "5 N/s"
[prescribed]
by = "clinician"
"""
WIDE = replace(SHIPPED, ceiling_mn=Millinewtons(600_000), setpoint_cap_mn=Millinewtons(500_000))


def test_the_documented_example_is_read_to_the_right_integers() -> None:
    parsed = prescription.parse_toml(EXAMPLE)

    assert parsed.pseudonym == "K7-2F41"
    assert parsed.body_mass_g == 80_000
    assert parsed.force_mn == 300_000
    assert parsed.time_at_force_s == 1_200
    assert parsed.ramp_mn_s == 5_000
    assert parsed.by == "clinician"
    assert parsed.written["pull"]["force"] == "300 N"
    assert prescription_rules.refusals(parsed, SHIPPED) == []


@pytest.mark.parametrize(
    ("force", "force_mn"), [("30.5 kgf", 299_102), ("67.4 lbf", 299_810), ("38 % body weight", 298_122)]
)
def test_the_other_units_of_the_example_give_about_the_same_pull(prescribed, force: str, force_mn: int) -> None:
    parsed = prescribed(force)

    assert parsed.force_mn == force_mn
    assert prescription_rules.refusals(parsed, SHIPPED) == []


def test_the_same_fields_are_read_from_json(document) -> None:
    assert prescription.parse(prescription.tables_of(json.dumps(document()), "JSON")) == prescription.parse(document())


def test_a_ramp_that_is_not_given_is_the_shipped_one(document) -> None:
    written = document()
    del written["pull"]["ramp"]

    assert prescription.parse(written).ramp_mn_s == 5_000


def test_a_prescription_is_whole_after_a_way_through_json(prescribed) -> None:
    parsed = prescribed()

    assert prescription.Prescription.model_validate_json(parsed.model_dump_json()) == parsed


# What is written where, what the sentence must name.
UNREADABLE = {
    "a force without a unit": ("pull", "force", "300", "unit"),
    "a bare number": ("pull", "force", 300, "unit"),
    "not a number": ("pull", "force", "nan N", "nan N"),
    "nan itself": ("pull", "force", float("nan"), "unit"),
    "infinite": ("pull", "force", "inf N", "inf N"),
    "an exponent": ("pull", "force", "3e2 N", "e2 N"),
    "a wrong unit": ("pull", "force", "300 kg", '"kgf"'),
    "a very long number": ("pull", "force", "9" * 50 + " N", "as text"),
    "no force at all": ("pull", "force", None, "force"),
    "a list of forces": ("pull", "force", ["300 N"], "force"),
    "a mass without a unit": ("patient", "body_mass", 80, "unit"),
    "a mass as a force": ("patient", "body_mass", "80 N", '"kg"'),
    "a time in hours": ("pull", "time_at_force", "1 h", '"min"'),
    "a ramp in minutes": ("pull", "ramp", "5 N/min", '"N/s"'),
    "a mode that is not there": ("pull", "mode", "wobbling", "static"),
    "a name with spaces": ("patient", "pseudonym", "Jane Doe", "never a name"),
    "an empty pseudonym": ("patient", "pseudonym", "", "pseudonym"),
    "a pseudonym with a line end": ("patient", "pseudonym", "K7\n", "pseudonym"),
    "nobody prescribed": ("prescribed", "by", "", "by"),
    "somebody with too long a name": ("prescribed", "by", "x" * 65, "by"),
    "a field too many": ("pull", "froce", "300 N", "pull.froce"),
}


@pytest.mark.parametrize(("section", "field", "value", "named"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_read_is_refused_with_its_place_and_a_reason(document, section, field, value, named) -> None:
    written = document()
    written[section][field] = value

    with pytest.raises(PrescriptionError) as refused:
        prescription.parse(written)

    [reason] = refused.value.reasons
    assert f"{section}.{field}" in reason
    assert named in reason
    assert reason.endswith(".")


@pytest.mark.parametrize("missing", ["patient", "pull", "prescribed"])
def test_a_missing_section_is_named(document, missing: str) -> None:
    written = document()
    del written[missing]

    with pytest.raises(PrescriptionError, match=f"{missing}: is missing"):
        prescription.parse(written)


def test_everything_that_cannot_be_read_is_named_at_once(document) -> None:
    written = document(force="much", time_at_force="long", ramp="5", mass="80")
    del written["prescribed"]

    with pytest.raises(PrescriptionError) as refused:
        prescription.parse(written)

    named = " ".join(refused.value.reasons)
    for place in ("pull.force", "pull.time_at_force", "pull.ramp", "patient.body_mass", "prescribed"):
        assert place in named


@pytest.mark.parametrize("written", [None, [], "300 N", 7, {}, {"patient": 1, "pull": [], "prescribed": None}])
def test_what_is_no_document_is_refused(written: object) -> None:
    with pytest.raises(PrescriptionError):
        prescription.parse(written)


@pytest.mark.parametrize("text", ["", "{", "[1]", "nul", "[" * 100_000, "x" * 70_000, '{"pull": NaN}'])
def test_text_that_is_no_json_prescription_is_refused(text: str) -> None:
    with pytest.raises(PrescriptionError):
        prescription.parse(prescription.tables_of(text, "JSON"))


@pytest.mark.parametrize("text", ["", "= 3", "[pull", "x" * 70_000, "a = inf"])
def test_text_that_is_no_toml_prescription_is_refused(text: str) -> None:
    with pytest.raises(PrescriptionError):
        prescription.parse_toml(text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["patient", "pull", "force", "mode", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(json_values)
def test_any_document_is_read_or_refused_with_sentences(written: object) -> None:
    with pytest.raises(PrescriptionError) as refused:
        prescription.parse(written)

    assert all(reason.endswith(".") for reason in refused.value.reasons)


# What is written, and the one rule that it breaks, by a number of its sentence. The site lets 500 N pass.
BROKEN = {
    "too light a patient": ({"mass": "19.999 kg", "force": "20 N"}, "19.999 kg"),
    "too heavy a patient": ({"mass": "300.001 kg"}, "300.001 kg"),
    "too small a force": ({"force": "19.999 N"}, "less than 20 N"),
    "a negative force": ({"force": "-300 N"}, "less than 20 N"),
    "over the site's cap": ({"force": "500.001 N", "mass": "200 kg"}, "500 N"),
    "over half the weight": ({"force": "196.134 N", "mass": "40 kg"}, "196.133 N"),
    "too short": ({"time_at_force": "59 s"}, "1 to 30 min"),
    "too long": ({"time_at_force": "1801 s"}, "1 to 30 min"),
    "too slow a ramp": ({"ramp": "0.499 N/s"}, "0.5 to 20 N/s"),
    "too fast a ramp": ({"ramp": "20.001 N/s"}, "0.5 to 20 N/s"),
}
KEPT = {
    "lightest": {"mass": "20 kg", "force": "20 N"},
    "heaviest": {"mass": "300 kg"},
    "smallest force": {"force": "20 N"},
    "the site's cap": {"force": "500 N", "mass": "200 kg"},
    "half the weight": {"force": "196.133 N", "mass": "40 kg"},
    "shortest": {"time_at_force": "60 s"},
    "longest": {"time_at_force": "30 min"},
    "slowest ramp": {"ramp": "0.5 N/s"},
    "fastest ramp": {"ramp": "20 N/s"},
}


@pytest.mark.parametrize(("changes", "number"), BROKEN.values(), ids=BROKEN)
def test_each_rule_that_is_broken_is_named_with_its_number(prescribed, changes: dict, number: str) -> None:
    [sentence] = prescription_rules.refusals(prescribed(**changes), WIDE)

    assert number in sentence
    assert sentence.endswith(".")


@pytest.mark.parametrize("changes", KEPT.values(), ids=KEPT)
def test_what_lies_just_within_a_rule_is_not_refused(prescribed, changes: dict) -> None:
    assert prescription_rules.refusals(prescribed(**changes), WIDE) == []


def test_every_rule_that_is_broken_is_named_at_once(prescribed) -> None:
    everything = prescribed("600 N", time_at_force="10 s", ramp="50 N/s", mass="10 kg")

    assert len(prescription_rules.refusals(everything, SHIPPED)) == 5


def test_a_site_can_only_be_narrower_and_its_own_numbers_are_named(prescribed) -> None:
    narrow = replace(SHIPPED, setpoint_cap_mn=Millinewtons(100_000), ramp_max_mn_s=3_000, session_s_max=600)

    over_cap, over_ramp, over_time = prescription_rules.refusals(
        prescribed("100.001 N", time_at_force="10 min", ramp="4 N/s"), narrow
    )

    assert "100.001 N" in over_cap
    assert "100 N" in over_cap
    assert "0.5 to 3 N/s" in over_ramp
    assert "10 min" in over_time


@pytest.mark.parametrize(
    ("force", "mass", "needed"),
    [
        ("200 N", "100 kg", False),
        ("200.001 N", "100 kg", True),
        ("98.066 N", "40 kg", False),  # a quarter of 40 kg is 98.0665 N
        ("98.067 N", "40 kg", True),
        ("25 % body weight", "40 kg", False),
    ],
)
def test_above_200_n_or_a_quarter_of_the_weight_a_second_confirmation_is_needed(
    prescribed, force: str, mass: str, needed: bool
) -> None:
    assert prescribed(force, mass=mass).needs_second_confirmation is needed


@pytest.mark.parametrize(("raise_up_to", "needed"), [("200 N", False), ("200.001 N", True)])
def test_what_a_pull_may_be_raised_to_needs_the_second_confirmation_too(
    prescribed, raise_up_to: str, needed: bool
) -> None:
    allowed = prescribed("190 N", mass="100 kg", raise_up_to=raise_up_to)

    assert allowed.needs_second_confirmation is needed


@given(
    force_mn=st.integers(20_000, 500_000), ramp_mn_s=st.integers(500, 20_000), time_at_force_s=st.integers(60, 1_800)
)
def test_the_profiles_length_is_never_taken_as_shorter_than_the_s_curve_makes_it(
    force_mn: int, ramp_mn_s: int, time_at_force_s: int
) -> None:
    pull = {"mode": "static", "force_mn": force_mn, "ramp_mn_s": ramp_mn_s, "time_at_force_s": time_at_force_s}
    whole = prescription.Prescription.model_validate(
        {**prescription.parse_toml(EXAMPLE).model_dump(exclude=prescription.FOLLOWS_FROM_PULLS), "pulls": [pull]}
    )

    assert modes.profile_duration_s(whole) >= time_at_force_s + 15 / 8 * force_mn / ramp_mn_s
