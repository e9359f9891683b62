"""A stand-in for MicroPython's module of this name, as far as the firmware uses it."""

from typing import TypeVar

Constant = TypeVar("Constant")


def const(value: Constant) -> Constant:
    """On the device a hint to the compiler; here the value itself."""
    return value
