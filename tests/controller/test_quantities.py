"""What people write as a quantity, in integers rounded towards safety; everything else is refused with a sentence."""

from contextlib import suppress
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from controller import quantities
from controller.quantities import NotAQuantity

BODY_MASS_G = 80_000
NEWTONS = {"N": Fraction(1), "kgf": Fraction("9.80665"), "lbf": Fraction("4.4482216152605")}
decimals = st.decimals(min_value=-10_000, max_value=10_000, allow_nan=False, allow_infinity=False, places=12)


@pytest.mark.parametrize(
    ("text", "expected_mn"),
    [
        ("300 N", 300_000),
        ("300N", 300_000),
        ("  300   N ", 300_000),
        ("299.9999 N", 299_999),
        ("0.0009 N", 0),
        ("300,5 N", 300_500),
        ("+20 N", 20_000),
        ("-0.0001 N", -1),
        ("30.6 kgf", 300_083),
        ("67.4 lbf", 299_810),
        ("38 % body weight", 298_122),
        ("38 % BW", 298_122),
        ("50% body weight", 392_266),
    ],
)
def test_a_force_is_floored_to_millinewtons(text: str, expected_mn: int) -> None:
    assert quantities.force_mn(text, BODY_MASS_G) == expected_mn


@given(number=decimals, unit=st.sampled_from(sorted(NEWTONS)))
@example(number=Decimal("299." + "9" * 33), unit="N")
def test_a_force_never_comes_out_larger_than_written_nor_a_whole_millinewton_smaller(number, unit: str) -> None:
    exact_mn = Fraction(number) * NEWTONS[unit] * 1000

    parsed_mn = quantities.force_mn(f"{number:f} {unit}", BODY_MASS_G)

    assert 0 <= exact_mn - parsed_mn < 1


@given(percent=decimals, mass_g=st.integers(20_000, 300_000))
def test_a_share_of_body_weight_is_rounded_down_too(percent, mass_g: int) -> None:
    exact_mn = Fraction(percent) / 100 * mass_g * Fraction("9.80665")

    assert 0 <= exact_mn - quantities.force_mn(f"{percent:f} % body weight", mass_g) < 1


@given(number=decimals)
def test_masses_durations_and_rates_are_rounded_down_too(number) -> None:
    exact = Fraction(number)

    assert 0 <= exact * 1000 - quantities.mass_g(f"{number:f} kg") < 1
    assert 0 <= exact * Fraction("453.59237") - quantities.mass_g(f"{number:f} lb") < 1
    assert 0 <= exact * 60 - quantities.duration_s(f"{number:f} min") < 1
    assert 0 <= exact - quantities.duration_s(f"{number:f} s") < 1
    assert 0 <= exact * 1000 - quantities.force_rate_mn_s(f"{number:f} N/s") < 1


BAD = {
    "nothing": "",
    "blank": "   ",
    "no unit": "300",
    "no number": "N",
    "a word": "three hundred N",
    "not a number": "nan N",
    "infinite": "inf N",
    "an exponent": "1e3 N",
    "a hexadecimal": "0x12c N",
    "two points": "3.0.0 N",
    "a thousands separator": "1,000,000 N",
    "a bare point": ".5 N",
    "an open point": "5. N",
    "two signs": "--5 N",
    "a range": "100-200 N",
    "two numbers": "100 200 N",
    "an unknown unit": "300 kg",
    "a wrong case": "300 n",
    "millinewtons": "300000 mN",
    "a longer unit": "300 Nm",
    "other digits": "٣٠٠ N",
    "full-width digits": "３００ N",
    "a superscript": "3² N",
    "two lines": "300 N\nN",
    "very long": "1" * 60 + " N",
    "a number": 300,
    "a fraction": 300.0,
    "nan itself": float("nan"),
    "true": True,
    "nothing at all": None,
    "a list": ["300 N"],
    "bytes": b"300 N",
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_what_is_no_force_is_refused_with_the_units_that_would_do(text: object) -> None:
    with pytest.raises(NotAQuantity) as refused:
        quantities.force_mn(text, BODY_MASS_G)

    assert '"N"' in str(refused.value)


@pytest.mark.parametrize(
    ("read", "text", "wanted"),
    [
        (quantities.mass_g, "80 N", '"kg"'),
        (quantities.mass_g, "80 g", '"kg"'),
        (quantities.duration_s, "20 kg", '"min"'),
        (quantities.duration_s, "1 h", '"min"'),
        (quantities.force_rate_mn_s, "5 N", '"N/s"'),
        (quantities.force_rate_mn_s, "5 N/min", '"N/s"'),
    ],
)
def test_a_unit_of_another_quantity_is_refused(read, text: str, wanted: str) -> None:
    with pytest.raises(NotAQuantity) as refused:
        read(text)

    assert wanted in str(refused.value)


@pytest.mark.parametrize("text", ["300", "80", "1.5", "1,000,000 N"])
def test_a_number_is_never_taken_apart_into_a_number_and_a_unit(text: str) -> None:
    with pytest.raises(NotAQuantity, match="is not a number and a unit"):
        quantities.force_mn(text, BODY_MASS_G)


@given(st.text(max_size=60))
def test_any_text_is_a_quantity_or_refused_and_nothing_else_happens(text: str) -> None:
    with suppress(NotAQuantity):
        assert isinstance(quantities.force_mn(text, BODY_MASS_G), int)


@pytest.mark.parametrize(
    ("force_mn", "shown"),
    [
        (300_000, "300 N (30.6 kgf, 67.4 lbf)"),
        (20_000, "20 N (2.0 kgf, 4.5 lbf)"),
        (0, "0 N (0.0 kgf, 0.0 lbf)"),
        (300_083, "300.083 N (30.6 kgf, 67.5 lbf)"),
        (299_500, "299.5 N (30.5 kgf, 67.3 lbf)"),
        (-5_000, "-5 N (-0.5 kgf, -1.1 lbf)"),
    ],
)
def test_a_force_is_shown_in_three_units_and_in_newtons_as_exactly_as_it_is_kept(force_mn: int, shown: str) -> None:
    assert quantities.in_three_units(force_mn) == shown


@given(st.integers(20_000, 300_000))
def test_body_weight_is_never_taken_as_more_than_it_is(mass_g: int) -> None:
    assert 0 <= mass_g * Fraction("9.80665") - quantities.body_weight_mn(mass_g) < 1
