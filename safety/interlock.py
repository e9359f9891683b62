"""The interlock: deny by default, first cause wins and latches, nothing resumes by itself."""

from dataclasses import dataclass
from typing import Final

from safety.alarms import CATALOGUE, AlarmId
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
    """Latched by its first cause. `quiet_since_us`: since when slack and the cause gone; None while not."""

    cause: AlarmId
    tripped_us: Microseconds
    quiet_since_us: Microseconds | None
    acknowledged: bool


Interlock = NotZeroed | Closed | Tripped


def trip(interlock: Interlock, cause: AlarmId, now_us: Microseconds) -> Interlock:
    """Latches that cause, unless an earlier one is latched already."""
    if isinstance(interlock, Tripped):
        return interlock
    return Tripped(cause=cause, tripped_us=now_us, quiet_since_us=None, acknowledged=False)


def zeroed(interlock: Interlock, now_us: Microseconds) -> Interlock:
    """A passed zero check closes the interlock; a trip stays a trip."""
    return interlock if isinstance(interlock, Tripped) else Closed(zeroed_us=now_us)


def opened(interlock: Interlock) -> Interlock:
    """The session is over: the next one needs a zero check of its own."""
    return interlock if isinstance(interlock, Tripped) else NotZeroed()


def observed(interlock: Interlock, quiet: bool, now_us: Microseconds) -> Interlock:
    """Takes note whether the cable is slack and the cause gone; opens once quiet for 2 s and acknowledged."""
    if not isinstance(interlock, Tripped):
        return interlock
    since_us = None if not quiet else now_us if interlock.quiet_since_us is None else interlock.quiet_since_us
    if interlock.acknowledged and since_us is not None and now_us - since_us >= CLEAR_AFTER_US:
        return NotZeroed()
    return Tripped(interlock.cause, interlock.tripped_us, since_us, interlock.acknowledged)


def acknowledged(interlock: Interlock, cause: AlarmId, now_us: Microseconds) -> Interlock | str:
    """Acknowledges that cause by name, or says in a sentence why that is refused."""
    if not isinstance(interlock, Tripped):
        return "Nothing is latched, so there is nothing to acknowledge."
    if interlock.cause is not cause:
        return f'Acknowledge the first cause, {interlock.cause.value} "{CATALOGUE[interlock.cause].shown}".'
    since_us = interlock.quiet_since_us
    if since_us is None or now_us - since_us < CLEAR_AFTER_US:
        return "Refused while the cable is loaded or the cause is there: wait until it has been slack for 2 s."
    return Tripped(interlock.cause, interlock.tripped_us, since_us, acknowledged=True)
