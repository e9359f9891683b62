"""How much of the last five seconds was seen late: a line that flaps must not hold a patient for ever.

Late is all time in which the newest reading is older than 60 ms, whether or not anybody looked at that moment.
"""

from dataclasses import dataclass
from typing import Final

from safety import limits
from safety.units import Microseconds

# Late time is added up in slots, so that its memory stays small; a slot is forgotten once all of it is 5 s old.
SLOT_US: Final = Microseconds(250_000)


@dataclass(frozen=True, slots=True)
class Lateness:
    """`late_from_us`: when the newest reading turns late, or did. `slots`: when each began, and its late time."""

    judged_us: Microseconds | None = None
    late_from_us: Microseconds | None = None
    slots: tuple[tuple[Microseconds, Microseconds], ...] = ()


NEVER_LATE: Final = Lateness()


def passed(memory: Lateness, age_us: Microseconds, now_us: Microseconds) -> Lateness:
    """Folds in the time since the last look, and how old the newest reading is now."""
    return Lateness(
        judged_us=now_us,
        late_from_us=_late_from(age_us, now_us),
        slots=_with_late(memory.slots, _late_since_judged(memory, now_us), now_us),
    )


def late_us(memory: Lateness) -> int:
    """Late time within the last 5 s; up to a slot more is counted, never less."""
    return sum(late for _began_us, late in memory.slots)


def _late_from(age_us: Microseconds, now_us: Microseconds) -> Microseconds:
    return now_us if age_us < 0 else Microseconds(now_us - age_us + limits.SAMPLE_AGE_MAX_US)


def _late_since_judged(memory: Lateness, now_us: Microseconds) -> int:
    if memory.judged_us is None or memory.late_from_us is None:
        return 0
    return max(0, now_us - max(memory.judged_us, memory.late_from_us))


def _with_late(
    slots: tuple[tuple[Microseconds, Microseconds], ...], late: int, now_us: Microseconds
) -> tuple[tuple[Microseconds, Microseconds], ...]:
    began_us = Microseconds(now_us - now_us % SLOT_US)
    kept = tuple(slot for slot in slots if now_us - slot[0] < limits.LATE_WINDOW_US + SLOT_US)
    if late == 0:
        return kept
    if kept and kept[-1][0] == began_us:
        return (*kept[:-1], (began_us, Microseconds(kept[-1][1] + late)))
    return (*kept, (began_us, Microseconds(late)))
