"""Quantities in a scenario's file: text of a number and a unit ("60 N", "0.3 s"), to N, mm, s or N/mm."""

import re
from collections.abc import Mapping
from typing import Final

UNITS: Final[Mapping[str, Mapping[str, float]]] = {
    "force": {"N": 1.0, "kgf": 9.80665, "lbf": 4.4482216152605},
    "length": {"mm": 1.0, "cm": 10.0},
    "time": {"s": 1.0, "ms": 0.001, "min": 60.0},
    "stiffness": {"N/mm": 1.0},
}
_QUANTITY: Final = re.compile(r"^\s*([+-]?[0-9]{1,9}(?:\.[0-9]{1,9})?)\s*(\S.*?)\s*$")


class NotAQuantity(ValueError):
    """The text is not a number with one of the units that would do; a sentence that says which would."""


def quantity(value: object, kind: str) -> float:
    """The number in that kind's first unit. Raises NotAQuantity."""
    units = UNITS[kind]
    wanted = " or ".join(units)
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise NotAQuantity(f'{value} has no unit; write "{value} {next(iter(units))}"')
    match = _QUANTITY.match(value) if isinstance(value, str) else None
    if match is None:
        raise NotAQuantity(f"{value!r} is not a {kind}; write a number and its unit ({wanted}) in quotes")
    number, unit = match.groups()
    if unit not in units:
        raise NotAQuantity(f"{unit!r} is not a unit of {kind}; use {wanted}")
    return float(number) * units[unit]
