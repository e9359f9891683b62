"""Scenarios: who moves when, which fault when, and what must be true at the end. TOML text to data, and nothing else.

`scenarios/` beside this file holds the ones that come along; docs/simulator.md says how to write one.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

from hw_sim.actions import ACTIONS, WHOLE_NUMBER, Parameter
from hw_sim.line import TIMINGS
from hw_sim.quantities import NotAQuantity, quantity
from hw_sim.toml_lines import Document, Place, TomlFault, nearest, read_document

SCENARIOS: Final = Path(__file__).parent / "scenarios"
PHASES: Final = ("ready", "take_up", "ramp", "hold", "paused", "release", "tripped", "ended")
ENDS: Final = ("complete", "stopped", "refused", "tripped")
TIME_S_MAX: Final = 3_600.0
TIMES_MAX: Final = 1_000

PRESCRIPTION_KEYS: Final = ("force", "ramp", "time_at_force", "raise_up_to", "body_mass")
# What a clinician asks may be refused. Stop never is.
MAY_BE_REFUSED: Final = ("pause", "go_on", "lower", "raise", "pain", "acknowledge_end")
EVENT_KEYS: Final = ("at", "on", "after", "do", "fault", "with", "lasting", "times", "every")


@dataclass(frozen=True, slots=True)
class Act:
    """Something out of `ACTIONS`."""

    name: str
    arguments: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Inject:
    """A fault, put in with these parameters, and taken back after `lasting_s` (None: it stays)."""

    fault: str
    parameters: Mapping[str, object]
    lasting_s: float | None


@dataclass(frozen=True, slots=True)
class Event:
    """Happens `after_s` into the first time of that phase, or since power-on (`on` None); `times` in all."""

    on: str | None
    after_s: float
    what: Act | Inject
    times: int = 1
    every_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Expectation:
    """What must be true at the end; what is None is not asked. Forces are the true ones of the plant, in N.

    `alarm` is the first cause of a trip; `seen` were raised, `never` were not. `slack_within_s` counts from the last
    event to 15 N and less for good, `held_within_n` is the root mean square of force less target while holding.
    `refused` holds what the clinician asked and did not get, in order; of no use without somebody who asks.
    """

    ends: str
    alarm: str | None = None
    seen: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    peak_n: float | None = None
    peak_over_ceiling_n: float | None = None
    held_within_n: float | None = None
    slack_within_s: float | None = None
    refused: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scenario. `prescription` holds texts of quantities, as a clinician writes them."""

    name: str
    about: str
    rig: str
    line: str
    seed: int
    prescription: Mapping[str, str]
    events: tuple[Event, ...]
    expect: Expectation
    document: Document


def scenario_names(folder: Path = SCENARIOS) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.toml"))


def find_scenario(name: str | Path, folder: Path = SCENARIOS) -> Path:
    """The file of a scenario that comes along, or a user's own. Raises TomlFault."""
    path = Path(name) if str(name).endswith(".toml") else folder / f"{name}.toml"
    if not path.is_file():
        raise TomlFault(f"{path}: no such scenario{nearest(Path(name).stem, scenario_names(folder))}.")
    return path


def parse_scenario(text: str, source: str, *, faults: Collection[str], alarms: Collection[str]) -> Scenario:
    """The scenario of that text. `faults` and `alarms` are the ids that it may name.

    Raises TomlFault, with the line, for what is unknown, missing, of the wrong kind or out of range.
    """
    return _Reader(read_document(text, source), faults, alarms).scenario()


@dataclass(frozen=True, slots=True)
class _Reader:
    document: Document
    faults: Collection[str]
    alarms: Collection[str]

    def scenario(self) -> Scenario:
        known = ("name", "about", "rig", "table", "patient", "line", "seed", "prescription", "event", "expect")
        tables = self._table((), known)
        seed = tables.get("seed", 1)
        if not isinstance(seed, int) or isinstance(seed, bool):
            raise self.document.fault(("seed",), f"seed = {seed!r} is not a whole number.")
        return Scenario(
            name=self._text(("name",)),
            about=self._text(("about",), ""),
            rig=self._rig(),
            line=self._one_of(("line",), TIMINGS, "direct"),
            seed=seed,
            prescription=self._prescription(),
            events=tuple(self._events()),
            expect=self._expectation(),
            document=self.document,
        )

    def _rig(self) -> str:
        """A rig's name, or "table+patient"."""
        tables = self.document.tables
        if "rig" in tables and ("table" in tables or "patient" in tables):
            raise self.document.fault(("rig",), "give either a rig, or a table and a patient.")
        if "table" in tables or "patient" in tables:
            return f"{self._text(('table',), 'reference')}+{self._text(('patient',), 'middling')}"
        return self._text(("rig",), "nominal")

    def _prescription(self) -> dict[str, str]:
        given = self._table(("prescription",), PRESCRIPTION_KEYS)
        for key in ("force", "time_at_force"):
            if key not in given:
                raise self.document.fault(
                    ("prescription",), f'prescription has no {key}; add one, such as "60 N", "60 s".'
                )
        return {key: self._text(("prescription", key)) for key in given}

    # Events

    def _events(self) -> Iterator[Event]:
        listed = self.document.tables.get("event", [])
        if not isinstance(listed, list):
            raise self.document.fault(("event",), "an event begins with [[event]], in double brackets.")
        for index in range(len(listed)):
            yield self._event(("event", index))

    def _event(self, at: Place) -> Event:
        parameters = tuple(key for action in ACTIONS.values() for key in action.parameters)
        given = self._table(at, (*EVENT_KEYS, *parameters))
        if ("at" in given) == ("on" in given):
            raise self.document.fault(at, f'say when: either at = "12 s", or on = a phase ({", ".join(PHASES)}).')
        if ("do" in given) == ("fault" in given):
            raise self.document.fault(at, "say what: either do = an action, or fault = a fault's id.")
        times = given.get("times", 1)
        if not isinstance(times, int) or isinstance(times, bool) or not 1 <= times <= TIMES_MAX:
            raise self.document.fault((*at, "times"), f"times = {times!r} is not a whole number from 1 to {TIMES_MAX}.")
        if (times > 1) != ("every" in given):
            raise self.document.fault(
                (*at, "every" if "every" in given else "times"),
                'times and every go together: times = 3, every = "0.7 s".',
            )
        on = self._one_of((*at, "on"), PHASES) if "on" in given else None
        return Event(
            on=on,
            after_s=self._seconds((*at, "after"), 0.0) if on else self._seconds((*at, "at"), 0.0),
            what=self._act(at, given) if "do" in given else self._inject(at, given),
            times=times,
            every_s=self._seconds((*at, "every"), 0.0),
        )

    def _act(self, at: Place, given: Mapping[str, Any]) -> Act:
        name = self._one_of((*at, "do"), ACTIONS)
        parameters = ACTIONS[name].parameters
        timing = {"at", "on", "after", "do", "times", "every"}
        for key in given:
            if key not in parameters and key not in timing:
                takes = f"takes {', '.join(parameters)}" if parameters else "takes nothing more"
                raise self.document.fault((*at, key), f"{name} has no {key}; it {takes}.")
        return Act(name, {key: self._argument((*at, key), parameter) for key, parameter in parameters.items()})

    def _argument(self, place: Place, parameter: Parameter) -> float:
        if parameter.kind == WHOLE_NUMBER:
            return self._whole_number(place, parameter)
        return self._quantity(place, parameter.kind, parameter.low, parameter.high, parameter.default)

    def _whole_number(self, place: Place, parameter: Parameter) -> int:
        value = self._value(place, parameter.default)
        if not isinstance(value, int) or isinstance(value, bool) or not parameter.low <= value <= parameter.high:
            problem = "is missing; give" if value is None else f"= {value!r} is not"
            span = f"{parameter.low:g} to {parameter.high:g}"
            raise self.document.fault(place, f"{place[-1]} {problem} a whole number from {span}.")
        return value

    def _inject(self, at: Place, given: Mapping[str, Any]) -> Inject:
        for key in given:
            if key not in EVENT_KEYS:
                raise self.document.fault(
                    (*at, key), f"a fault has no {key}; what it takes goes into with = {{ ... }}."
                )
        parameters = given.get("with", {})
        if not isinstance(parameters, dict):
            raise self.document.fault((*at, "with"), "with holds the fault's own parameters: with = { share = 0.5 }.")
        lasting_s = self._quantity((*at, "lasting"), "time", 0.001, TIME_S_MAX) if "lasting" in given else None
        return Inject(self._one_of((*at, "fault"), self.faults), parameters, lasting_s)

    # Expectations

    def _expectation(self) -> Expectation:
        readers: dict[str, Callable[[Place], object]] = {
            "ends": lambda place: self._one_of(place, ENDS),
            "alarm": lambda place: self._one_of(place, self.alarms),
            "seen": lambda place: self._listed(place, self.alarms, "A03"),
            "never": lambda place: self._listed(place, self.alarms, "A03"),
            "refused": lambda place: self._listed(place, MAY_BE_REFUSED, "raise"),
            "peak": lambda place: self._quantity(place, "force", 0, 10_000),
            "peak_over_ceiling": lambda place: self._quantity(place, "force", -10_000, 10_000),
            "held_within": lambda place: self._quantity(place, "force", 0, 10_000),
            "slack_within": lambda place: self._quantity(place, "time", 0, TIME_S_MAX),
        }
        given = self._table(("expect",), readers)
        if "ends" not in given:
            raise self.document.fault(("expect",), f"expect must say how it ends: one of {', '.join(ENDS)}.")
        field_of = {name.name.removesuffix("_n").removesuffix("_s"): name.name for name in fields(Expectation)}
        read: dict[str, Any] = {field_of[key]: readers[key](("expect", key)) for key in given}
        return Expectation(**read)

    def _listed(self, place: Place, known: Collection[str], example: str) -> tuple[str, ...]:
        listed = self._value(place)
        if not isinstance(listed, list):
            raise self.document.fault(place, f'{place[-1]} is a list, such as ["{example}"].')
        return tuple(self._known(place, word, known) for word in listed)

    # Values

    def _table(self, place: Place, known: Collection[str]) -> dict[str, Any]:
        """The table of that place, with every key known; empty where there is none."""
        table = self._value(place, {})
        if not isinstance(table, dict):
            raise self.document.fault(place, f"{place[-1]} is a table, not {table!r}.")
        for key in table:
            if key not in known:
                raise self.document.fault((*place, key), f"unknown key {key!r}{nearest(key, known)}")
        return table

    def _value(self, place: Place, default: object = None) -> Any:
        value: Any = self.document.tables
        for part in place:
            if isinstance(part, str) and part not in value:
                return default
            value = value[part]
        return value

    def _text(self, place: Place, default: str | None = None) -> str:
        value = self._value(place, default)
        if not isinstance(value, str):
            problem = "is missing" if value is None else f"= {value!r} is not a text"
            raise self.document.fault(place, f"{place[-1]} {problem}; put it in quotes.")
        return value

    def _one_of(self, place: Place, known: Collection[str], default: str | None = None) -> str:
        return self._known(place, self._text(place, default), known)

    def _known(self, place: Place, word: object, known: Collection[str]) -> str:
        if not isinstance(word, str) or word not in known:
            raise self.document.fault(place, f"no {place[-1]} {word!r}{nearest(str(word), known)}")
        return word

    def _seconds(self, place: Place, default: float) -> float:
        return self._quantity(place, "time", 0.0, TIME_S_MAX, default)

    def _quantity(self, place: Place, kind: str, low: float, high: float, default: float | None = None) -> float:
        value = self._value(place)
        if value is None:
            if default is None:
                raise self.document.fault(place, f"{place[-1]} is missing; give a {kind}.")
            return default
        try:
            number = quantity(value, kind)
        except NotAQuantity as error:
            raise self.document.fault(place, f"{place[-1]}: {error}.") from error
        if not low <= number <= high:
            raise self.document.fault(place, f"{place[-1]} = {value!r} is out of range; give {low:g} to {high:g}.")
        return number
