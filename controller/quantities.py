"""Quantities as people write them ("300 N", "38 % body weight", "20 min") to integers, rounded towards safety."""

import math
import re
from decimal import Decimal
from fractions import Fraction

from safety.units import Millinewtons

# Newtons a unit. The pound-force and the kilogram-force are exact by definition.
NEWTONS_PER = {
    "N": Decimal(1),
    "kgf": Decimal("9.80665"),
    "lbf": Decimal("4.4482216152605"),
}
STANDARD_GRAVITY = Decimal("9.80665")
KILOGRAMS_PER = {"kg": Decimal(1), "lb": Decimal("0.45359237")}
SECONDS_PER = {"s": Decimal(1), "min": Decimal(60)}
BODY_WEIGHT_UNITS = ("% body weight", "% BW")
FORCE_UNITS = (*NEWTONS_PER, *BODY_WEIGHT_UNITS)

_QUANTITY = re.compile(r"^\s*([+-]?[0-9]+(?:[.,][0-9]+)?)\s*([^\s0-9.,].*?)\s*$")
# More digits than this is a slip of the hand, and an exponent could ask for gigabytes.
QUANTITY_LENGTH_MAX = 40


class NotAQuantity(ValueError):
    """The text is not a number and one of the units asked for."""


def split_quantity(text: object, units: tuple[str, ...]) -> tuple[Decimal, str]:
    """The number and its unit. Raises NotAQuantity, with the units that would do, for anything else."""
    wanted = ", ".join(f'"{unit}"' for unit in units)
    if isinstance(text, int | float) and not isinstance(text, bool):
        raise NotAQuantity(f"{text} has no unit; write the number and one of {wanted}, as text")
    if not isinstance(text, str) or len(text) > QUANTITY_LENGTH_MAX:
        raise NotAQuantity(f"expected a number and one of {wanted}, as text")
    match = _QUANTITY.match(text)
    if match is None:
        raise NotAQuantity(f'"{text}" is not a number and a unit; write a number and one of {wanted}')
    number, unit = match.groups()
    if unit not in units:
        raise NotAQuantity(f'"{unit}" is not a unit known here; use one of {wanted}')
    return Decimal(number.replace(",", ".")), unit


def _floored(*factors: Decimal | Fraction | int) -> int:
    """Their product, rounded down: exact, since Decimal would round at 28 digits, perhaps up."""
    return math.floor(math.prod(Fraction(factor) for factor in factors))


def checked_force(text: object) -> object:
    """That text, if it is a force; what it comes to may depend on the body mass. Raises NotAQuantity."""
    split_quantity(text, FORCE_UNITS)
    return text


def force_mn(text: object, body_mass_g: int) -> Millinewtons:
    """Millinewtons, rounded down, of "300 N", "30.6 kgf", "67.4 lbf" or "38 % body weight"."""
    number, unit = split_quantity(text, FORCE_UNITS)
    if unit in NEWTONS_PER:
        return Millinewtons(_floored(number, NEWTONS_PER[unit], 1000))
    return Millinewtons(_floored(number, Fraction(1, 100), body_mass_g, STANDARD_GRAVITY))


def mass_g(text: object) -> int:
    """Grams, rounded down, of "80 kg" or "176 lb"."""
    number, unit = split_quantity(text, tuple(KILOGRAMS_PER))
    return _floored(number, KILOGRAMS_PER[unit], 1000)


def duration_s(text: object) -> int:
    """Whole seconds, rounded down, of "20 min" or "90 s"."""
    number, unit = split_quantity(text, tuple(SECONDS_PER))
    return _floored(number, SECONDS_PER[unit])


def force_rate_mn_s(text: object) -> int:
    """Millinewtons a second, rounded down, of "5 N/s"."""
    number, _ = split_quantity(text, ("N/s",))
    return _floored(number, 1000)


def body_weight_mn(body_mass_g: int) -> Millinewtons:
    """The weight of that mass at standard gravity, rounded down."""
    return Millinewtons(_floored(body_mass_g, STANDARD_GRAVITY))


def in_three_units(force: int) -> str:
    """A force of millinewtons as people of three schools read it: "300 N (30.6 kgf, 67.4 lbf)".

    Newtons are shown to the millinewton, so that two forces that differ never look alike.
    """
    newtons = Decimal(force) / 1000
    kilograms = newtons / NEWTONS_PER["kgf"]
    pounds = newtons / NEWTONS_PER["lbf"]
    return f"{newtons.normalize():f} N ({kilograms:.1f} kgf, {pounds:.1f} lbf)"
