"""Integer units of everything that safety decides about; newtons become millinewtons at the human edge, not here."""

from typing import NewType

Millinewtons = NewType("Millinewtons", int)
Micrometres = NewType("Micrometres", int)
MicrometresPerSecond = NewType("MicrometresPerSecond", int)
MillinewtonsPerMillimetre = NewType("MillinewtonsPerMillimetre", int)
Microseconds = NewType("Microseconds", int)
Milliseconds = NewType("Milliseconds", int)


def whole_within(value: int, least: int, most: int) -> bool:
    """A whole number between both. What is none (3.5, True, nan, None) never passes, whatever it compares as."""
    return type(value) is int and least <= value <= most


def larger(first: Millinewtons, second: Millinewtons) -> Millinewtons:
    return first if first >= second else second


def smaller(first: Millinewtons, second: Millinewtons) -> Millinewtons:
    return first if first <= second else second


def percent_of(force_mn: Millinewtons, percent: int) -> Millinewtons:
    """That percentage, rounded down, and so towards the tighter limit. For forces of zero and more."""
    return Millinewtons(force_mn * percent // 100)
