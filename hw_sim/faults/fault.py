"""What a fault is: a row of data, and how it begins at a table. Nothing here knows when it is put in."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Any

from hw_sim.line import LatentLine
from hw_sim.table import SimulatedTable

Parameter = int | float | str
Undo = Callable[[], None]


class FaultError(ValueError):
    """A fault that cannot be put in; the text says why, and what can be."""


class Place(StrEnum):
    """Where in the simulator a fault is put in."""

    ADC = "adc"
    GPIO = "gpio"
    PLANT = "plant"
    PSU = "psu"
    MCU = "mcu"
    CONFIG = "config"
    LINE = "line"


class Chain:
    """Several faults at one place, one after the other. `place` gets what is to stand there, or None."""

    def __init__(self, place: Callable[[Callable[..., Any] | None], None], call: Callable[..., Any]) -> None:
        self._place = place
        self._call = call
        self.links: list[Callable[..., Any]] = []

    def add(self, link: Callable[..., Any]) -> Undo:
        self.links.append(link)
        self._place(partial(self._call, self.links))
        return partial(self._remove, link)

    def _remove(self, link: Callable[..., Any]) -> None:
        self.links.remove(link)
        self._place(partial(self._call, self.links) if self.links else None)


def _through_channel(links: list[Callable[..., Any]], raw: int | None) -> int | None:
    for link in links:
        if raw is None:
            return None
        raw = link(raw)
    return raw


def _through_drive(links: list[Callable[..., Any]], *order: Any) -> Any:
    for link in links:
        order = link(*order)
    return order


@dataclass
class Site:
    """The table, its line, and what a fault may hold on to. Noise of a fault comes from `draw`."""

    table: SimulatedTable
    line: LatentLine | None
    draw: random.Random = field(default_factory=lambda: random.Random(0))

    def __post_init__(self) -> None:
        self.channels = tuple(Chain(partial(_set_channel, self.table, number), _through_channel) for number in (0, 1))
        self.drive = Chain(partial(setattr, self.table, "drive_order_fault"), _through_drive)

    def after_us(self, delay_us: int, action: Callable[[], None]) -> None:
        """Calls it so much later, of the table's time."""
        self.table.call_at(self.table.now_us + delay_us, action)

    def wired(self) -> LatentLine:
        """Raises FaultError where there is no line to do anything to."""
        if self.line is None:
            raise FaultError("There is no line here; give the injector the line between host and table.")
        return self.line


def all_of(*undos: Undo) -> Undo:
    """Does them in turn."""

    def undo() -> None:
        for one in undos:
            one()

    return undo


def _set_channel(table: SimulatedTable, number: int, fault: Callable[[int], int | None] | None) -> None:
    table.channel_faults[number] = fault


Begin = Callable[..., Undo | None]  # of a Site and the parameters; None where it cannot be undone


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `parameters` are those that it has, with their defaults.

    A fault that can end has `for_ms`, which is the injector's: above 0 it is withdrawn after that. `at_power_on` faults
    restart the electronics to take effect, and so are refused while the table is armed.
    """

    id: str
    name: str
    place: Place
    how: str
    begin: Begin
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    at_power_on: bool = False
