"""The interlock: deny by default, first cause wins and latches, nothing resumes by itself."""

from dataclasses import dataclass, replace
from typing import Final

from safety.alarms import CATALOGUE, AlarmId
from safety.limits import SAMPLE_LOST_US
from safety.units import Microseconds

# Slack and the cause gone for so long before a trip can be left.
CLEAR_AFTER_US: Final = Microseconds(2_000_000)


@dataclass(frozen=True, slots=True)
class NotZeroed:
    """As at power-on: no zero check has been passed for a session."""


@dataclass(frozen=True, slots=True)
class Closed:
    """Zero check passed: a session may move."""

    zeroed_us: Microseconds


@dataclass(frozen=True, slots=True)
class Tripped:
    """Latched by its first cause.

    `quiet_since_us`: since when slack and the cause gone, without a break; None while not. `observed_us`: when that was
    last looked at.
    """

    cause: AlarmId
    tripped_us: Microseconds
    quiet_since_us: Microseconds | None
    acknowledged: bool
    observed_us: Microseconds | None = None


Interlock = NotZeroed | Closed | Tripped


def trip(interlock: Interlock, cause: AlarmId, now_us: Microseconds) -> Interlock:
    """Latches that cause. An earlier one stays the first, but must be quiet and acknowledged anew."""
    if isinstance(interlock, Tripped):
        return replace(interlock, quiet_since_us=None, acknowledged=False)
    return Tripped(cause=cause, tripped_us=now_us, quiet_since_us=None, acknowledged=False)


def zeroed(interlock: Interlock, now_us: Microseconds) -> Interlock:
    """A passed zero check closes the interlock; a trip stays a trip."""
    return interlock if isinstance(interlock, Tripped) else Closed(zeroed_us=now_us)


def opened(interlock: Interlock) -> Interlock:
    """The session is over: the next one needs a zero check of its own."""
    return interlock if isinstance(interlock, Tripped) else NotZeroed()


def observed(interlock: Interlock, quiet: bool, now_us: Microseconds) -> Interlock:
    """Takes note whether the cable is slack and the cause gone; opens once quiet for 2 s and acknowledged.

    A look that comes more than 250 ms after the one before does not know what was between: quiet begins anew. What
    breaks the quiet takes the acknowledgement with it.
    """
    if not isinstance(interlock, Tripped):
        return interlock
    if not quiet:
        return replace(interlock, quiet_since_us=None, acknowledged=False, observed_us=now_us)
    unbroken = interlock.quiet_since_us is not None and _is_recent(interlock.observed_us, now_us)
    after = replace(interlock, quiet_since_us=interlock.quiet_since_us if unbroken else now_us, observed_us=now_us)
    return NotZeroed() if after.acknowledged and _is_quiet(after) else after


def acknowledged(interlock: Interlock, cause: AlarmId, now_us: Microseconds) -> Interlock | str:
    """Acknowledges that cause by name, or says in a sentence why that is refused."""
    if not isinstance(interlock, Tripped):
        return "Nothing is latched, so there is nothing to acknowledge."
    if interlock.cause is not cause:
        return f'Acknowledge the first cause, {interlock.cause.value} "{CATALOGUE[interlock.cause].shown}".'
    if not (_is_quiet(interlock) and _is_recent(interlock.observed_us, now_us)):
        return "Refused while the cable is loaded or the cause is there: wait until it has been slack for 2 s."
    return replace(interlock, acknowledged=True)


def _is_quiet(interlock: Tripped) -> bool:
    since_us, observed_us = interlock.quiet_since_us, interlock.observed_us
    return since_us is not None and observed_us is not None and observed_us - since_us >= CLEAR_AFTER_US


def _is_recent(observed_us: Microseconds | None, now_us: Microseconds) -> bool:
    return observed_us is not None and 0 <= now_us - observed_us <= SAMPLE_LOST_US
