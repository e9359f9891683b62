"""What leaves: of everything in a record that somebody could have typed, nothing does.

An allow-list, so that a field that comes with a later version stays inside until somebody lets it out: numbers and
truth values under a plain name, and texts that are one of the program's own words or have the form that the program
gives to that key. Who acted is told by role. A person or a session is told by a pseudonym made with a key, the same
each time for the same key; without a key the person is left out.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, get_args

from controller.journal import EventKind, EventRow
from controller.messages import PhaseName
from controller.movement import Movement
from controller.pain import PainWhen
from controller.pulls import MODES
from safety.alarms import CATALOGUE, AlarmId

ROLES: Final = frozenset({"clinician", "patient", "table", "controller"})
ANOTHER_USER: Final = "user"
# What somebody wrote by hand: who prescribed, and the prescription's own text. Left out whatever is in it.
WRITTEN_BY_HAND: Final = ("by", "written", "pseudonym")

_ALARMS: Final = frozenset(alarm.value for alarm in AlarmId)
_MODES: Final = (*MODES, "chain")
_SEGMENTS: Final = ("ramp", "hold", "rest", "linear", "s_curve", "base")
_PRIORITIES: Final = ("low", "medium", "high")
_ARMS: Final = ("active", "sham")
_TOLD: Final = (*get_args(PainWhen), *(movement.value for movement in Movement))
_PHASES: Final = tuple(str(phase) for phase in PhaseName)
WORDS: Final = frozenset({*_PHASES, *_ALARMS, *_MODES, *_ARMS, *_SEGMENTS, *_PRIORITIES, *_TOLD})

_PLAIN_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,40}")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d))?")
_VERSION: Final = re.compile(r"\d{1,4}(\.\d{1,4}){1,3}((a|b|rc|\.dev)\d{1,3})?")
_GIT: Final = re.compile(r"[0-9a-f]{7,40}\+?")
_FORMS: Final[Mapping[str, re.Pattern[str]]] = {
    "calibrated_on": _TIME,
    "due_on": _TIME,
    "started_utc": _TIME,
    "tractable": _VERSION,
    "python": _VERSION,
    "firmware": _VERSION,
    "git": _GIT,
}
_LEFT_OUT: Final = object()


def deidentified(value: Any, key: str = "") -> Any:
    """The value with everything taken out that is neither a number nor one of the program's own words."""
    kept = _kept(value, key)
    return None if kept is _LEFT_OUT else kept


def _kept(value: Any, key: str) -> Any:
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            form = _FORMS.get(key)
            return value if value in WORDS or (form is not None and form.fullmatch(value)) else _LEFT_OUT
        case Mapping():
            named = {name: _kept(each, name) for name, each in value.items() if _PLAIN_NAME.fullmatch(str(name))}
            return {name: each for name, each in named.items() if each is not _LEFT_OUT}
        case Sequence():
            return [each for each in (_kept(each, key) for each in value) if each is not _LEFT_OUT]
        case _:
            return _LEFT_OUT


def deidentified_prescription(prescription: Mapping[str, Any]) -> dict[str, Any]:
    """The prescription without what was written by hand."""
    typed = {name: value for name, value in prescription.items() if name not in WRITTEN_BY_HAND}
    kept: dict[str, Any] = deidentified(typed)
    return kept


def role(actor: str) -> str:
    """Who acted, without saying who."""
    return actor if actor in ROLES else ANOTHER_USER


def sentence(event: EventRow) -> str:
    """What happened, in the program's own words: the recorded sentence may hold somebody's."""
    phase, alarm = event.data.get("phase"), event.data.get("alarm")
    if phase in WORDS:
        return f"phase: {phase}"
    if alarm in _ALARMS:
        over = " is over" if event.data.get("over") is True else ""
        return f"{event.kind} {alarm}: {CATALOGUE[AlarmId(alarm)].shown}{over}"
    return kind(event)


def kind(event: EventRow) -> EventKind:
    """The event's kind, if it is one that there is."""
    return event.kind if event.kind in get_args(EventKind) else "note"
