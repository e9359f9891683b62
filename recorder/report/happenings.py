"""What happened in a session, counted from its events: movements, alarms, pain scores, and how it ended.

A record of an older version has fewer kinds of events; what is not in it is not on record, and never "none".
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from controller.journal import EventRow
from safety.alarms import CATALOGUE, AlarmId

# What a patient may do, by the name in the record, and in a clinician's words.
MOVEMENT_WORDS: Final = {
    "breath": "breathing",
    "cough": "cough",
    "shift": "shift",
    "getting up": "getting up",
    "harness slip": "harness slip",
    "cable break": "cable break",
}
PAIN_WHEN: Final = ("before", "during", "after")
PAIN_MAX: Final = 10
_STARTED: Final = "Start"


@dataclass(frozen=True, slots=True)
class MovementCount:
    """How often one kind of movement was seen; `kind` is the record's word, `shown` the clinician's."""

    kind: str
    shown: str
    count: int


@dataclass(frozen=True, slots=True)
class AlarmCount:
    """One alarm: how often it came, and when first (device microseconds, and wall clock)."""

    id: str
    priority: str
    shown: str
    count: int
    first_t_us: int | None
    first_utc: str


@dataclass(frozen=True, slots=True)
class PainScore:
    """0 (none) to 10, and when it was asked: before, during or after."""

    when: str
    score: int


@dataclass(frozen=True, slots=True)
class Ending:
    """How the pull ended. `alarm` is the first cause, where safety ended it; `sentence` is empty if nothing says."""

    sentence: str = ""
    alarm: str | None = None


def movement_kind(event: EventRow) -> str | None:
    """Which movement this event tells of; None where it tells of something else."""
    named = event.data.get("movement")
    return str(named) if event.kind == "note" and isinstance(named, str) else None


def movements(events: Iterable[EventRow]) -> tuple[MovementCount, ...]:
    """Each kind of movement with how often it was seen, the most frequent first."""
    counted = Counter(kind for event in events if (kind := movement_kind(event)) is not None)
    return tuple(MovementCount(kind, movement_words(kind), count) for kind, count in counted.most_common())


def movement_words(kind: str) -> str:
    """A clinician's words for it."""
    return MOVEMENT_WORDS.get(kind, kind)


def alarms(events: Iterable[EventRow]) -> tuple[AlarmCount, ...]:
    """Each alarm once, in the order of their first coming, in the catalogue's words."""
    came: dict[str, list[EventRow]] = {}
    for event in events:
        name = event.data.get("alarm")
        if event.kind == "alarm" and isinstance(name, str) and event.data.get("over") is not True:
            came.setdefault(name, []).append(event)
    return tuple(_alarm_count(name, rows) for name, rows in came.items())


def _alarm_count(name: str, rows: Sequence[EventRow]) -> AlarmCount:
    priority, shown = _catalogued(name)
    return AlarmCount(name, priority, shown, len(rows), rows[0].t_us, rows[0].time_utc)


def _catalogued(name: str) -> tuple[str, str]:
    try:
        entry = CATALOGUE[AlarmId(name)]
    except (ValueError, KeyError):
        return "", "an alarm that this version does not know"
    return entry.priority.value, entry.shown


def pain(events: Iterable[EventRow]) -> tuple[PainScore, ...]:
    """Every pain score that was given, in order."""
    return tuple(score for event in events if (score := _pain(event)) is not None)


def _pain(event: EventRow) -> PainScore | None:
    if event.kind not in ("command", "note"):
        return None
    score, when = event.data.get("pain"), event.data.get("when")
    if when not in PAIN_WHEN or not isinstance(score, int) or not 0 <= score <= PAIN_MAX:
        return None
    return PainScore(str(when), score)


def ending(events: Sequence[EventRow]) -> Ending:
    """How the pull ended, by its last phase; a trip names the alarm that was the first cause."""
    for event in reversed([event for event in events if event.kind == "phase"]):
        match event.data.get("phase"):
            case "tripped":
                return _tripped(str(event.data.get("alarm", "")))
            case "ended":
                return Ending(str(event.data.get("because") or ""))
    return Ending()


def _tripped(name: str) -> Ending:
    return Ending(f"stopped by safety: {name} {_catalogued(name)[1]}" if name else "stopped by safety", name or None)


def started_by(events: Iterable[EventRow]) -> str | None:
    """Who gave the command to start."""
    return next((event.actor for event in events if event.kind == "command" and event.text == _STARTED), None)
