"""Puts faults in by name: now, at a time, or in a phase. Time is the table's own, so that a seed gives them again."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from types import MappingProxyType
from typing import Final

from hw_sim.faults.catalogue import FAULTS
from hw_sim.faults.fault import Fault, FaultError, Parameter, Site, Undo
from hw_sim.line import LatentLine
from hw_sim.phases import LOOK_US, PHASES, Phase, PhaseWatch
from hw_sim.table import MS_US, SimulatedTable

MILLISECONDS_MAX: Final = 3_600_000
NUMBER_MAX: Final = 1e9


@dataclass(frozen=True, slots=True)
class Injection:
    """A fault that was put in: when, by the table's time, and how."""

    t_us: int
    fault_id: str
    parameters: Mapping[str, Parameter]


class Injector:
    """The faults of one table and its line. `history` holds every injection so far.

    Raises FaultError, a ValueError, for what there is not; the text names the nearest. What turns out to be impossible
    only when its time has come is told to `on_refused`, or raised out of the table's `advance`.
    """

    def __init__(
        self,
        table: SimulatedTable,
        line: LatentLine | None = None,
        *,
        seed: int = 1,
        on_refused: Callable[[FaultError], None] | None = None,
    ) -> None:
        self.table = table
        self.history: list[Injection] = []
        self._on_refused = on_refused
        self._seed = seed
        self._site = Site(table, line)
        self._active: dict[str, tuple[Injection, Undo]] = {}
        self._watch = PhaseWatch(table)

    @property
    def phase(self) -> Phase:
        return self._watch.phase

    @property
    def active(self) -> Mapping[str, Mapping[str, Parameter]]:
        """The faults in force, each with its parameters. What happens once, as a cough does, is never in force."""
        return MappingProxyType({fault_id: injection.parameters for fault_id, (injection, _) in self._active.items()})

    def inject(self, fault_id: str, **parameters: Parameter) -> None:
        """Now; one that is in force already begins anew."""
        fault = find(fault_id)
        chosen = checked(fault, parameters)
        self._check_moment(fault)
        if fault.id in self._active:
            self.withdraw(fault.id)
        injection = Injection(self.table.now_us, fault.id, chosen)
        self._site.draw = random.Random(f"{fault.id} {self._seed} {len(self.history)}")
        undo = fault.begin(self._site, **{name: value for name, value in chosen.items() if name != "for_ms"})
        self.history.append(injection)
        if undo is not None:
            self._active[fault.id] = (injection, undo)
            if for_ms := chosen.get("for_ms"):
                self._site.after_us(int(for_ms) * MS_US, partial(self._end, injection))

    def withdraw(self, fault_id: str) -> None:
        """Ends it, now. What has happened to cable and patient does not unhappen."""
        fault = find(fault_id)
        if fault.id not in self._active:
            known = ", ".join(sorted(self._active)) or "none"
            raise FaultError(f"{fault.id} is not in force, or cannot be undone. In force: {known}.")
        self._check_moment(fault)
        _injection, undo = self._active.pop(fault.id)
        undo()

    def inject_at(self, fault_id: str, t_us: int, **parameters: Parameter) -> None:
        """At that time since the table's power-on; at once where it is past."""
        fault = find(fault_id)
        chosen = checked(fault, parameters)
        self.table.call_at(t_us, partial(self._inject_later, fault.id, chosen))

    def inject_on(self, fault_id: str, phase: Phase | str, after_us: int = 0, **parameters: Parameter) -> None:
        """So long after that phase is next seen, which may be now."""
        if phase not in PHASES:
            raise FaultError(f"No phase {phase!r}. Phases: {', '.join(PHASES)}.")
        fault = find(fault_id)
        chosen = checked(fault, parameters)
        self._await(Phase(phase), after_us, Injection(0, fault.id, chosen))

    def _check_moment(self, fault: Fault) -> None:
        if fault.at_power_on and self.phase not in (Phase.READY, Phase.SERVICE):
            raise FaultError(f"{fault.id} is there from power-on or not at all: only while the table is disarmed.")

    def _await(self, phase: Phase, after_us: int, planned: Injection) -> None:
        now_us = self.table.now_us
        if self.phase is phase:
            later = partial(self._inject_later, planned.fault_id, planned.parameters)
            self.table.call_at(now_us + after_us, later)
        else:
            self.table.call_at(now_us + LOOK_US, partial(self._await, phase, after_us, planned))

    def _inject_later(self, fault_id: str, parameters: Mapping[str, Parameter]) -> None:
        try:
            self.inject(fault_id, **parameters)
        except FaultError as refused:
            if self._on_refused is None:
                raise
            self._on_refused(refused)

    def _end(self, injection: Injection) -> None:
        """Of that injection; one of the same name that came later stays."""
        current = self._active.get(injection.fault_id)
        if current is not None and current[0] is injection:
            self.withdraw(injection.fault_id)


def find(fault_id: str) -> Fault:
    """The fault of that id, in any case of letters. Raises FaultError naming the nearest."""
    fault = FAULTS.get(fault_id.upper())
    if fault is None:
        raise FaultError(f"No fault {fault_id!r}. {_nearest(fault_id)}")
    return fault


def _nearest(fault_id: str) -> str:
    by_name = {fault.name.upper(): fault.id for fault in FAULTS.values()}
    near = get_close_matches(fault_id.upper(), [*FAULTS, *by_name], n=1, cutoff=0.0)[0]
    nearest = FAULTS[by_name.get(near, near)]
    return f"Nearest: {nearest.id} ({nearest.name})."


def checked(fault: Fault, given: Mapping[str, Parameter]) -> Mapping[str, Parameter]:
    """The fault's parameters, with those that are given. Raises FaultError for one that it has not, or of no sense."""
    for name, value in given.items():
        if name not in fault.parameters:
            has = ", ".join(f"{known}={default}" for known, default in fault.parameters.items()) or "none"
            raise FaultError(f"{fault.id} has no parameter {name!r}. Its parameters: {has}.")
        _check(fault.id, name, value, fault.parameters[name])
    return {**fault.parameters, **given}


def _check(fault_id: str, name: str, value: object, default: Parameter) -> None:
    if isinstance(default, str):
        if not isinstance(value, str):
            raise FaultError(f"{fault_id}: {name} is a word such as {default!r}, not {value!r}.")
        return
    wanted = "a whole number" if isinstance(default, int) else "a number"
    kinds = int if isinstance(default, int) else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not abs(value) <= NUMBER_MAX:
        raise FaultError(f"{fault_id}: {name} is {wanted} such as {default}, not {value!r}.")
    if name.endswith("_ms") and not 0 <= value <= MILLISECONDS_MAX:
        raise FaultError(f"{fault_id}: {name} is from 0 to {MILLISECONDS_MAX} milliseconds, not {value!r}.")
