"""In which phase of a session a table is, told from the table's side alone: no word of the controller's is needed."""

from collections import deque
from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from firmware import messages as m
from hw_sim.table import SimulatedTable

LOOK_US: Final = 20_000
LOOKED_BACK_US: Final = 4_000_000  # one breath: what it does to the force is gone from the means of two halves
HOLD_N_MAX: Final = 1.5  # over 2 s: twice what is left of breathing on the stiffest rig, a third of a ramp of 2 N/s


class Phase(StrEnum):
    READY = "ready"  # disarmed, nothing wrong
    SERVICE = "service"  # disarmed, with the service jumper closed
    TAKE_UP = "take_up"  # armed, up to the first 15 N
    RAMP = "ramp"  # armed and loaded, the force on its way
    HOLD = "hold"  # armed and loaded, the force where it was 2 s ago
    RELEASE = "release"  # letting go at the end, or because the host asked for it
    TRIPPED = "tripped"  # a trip is latched, letting go or slack


PHASES: Final = tuple(phase.value for phase in Phase)


def phase_of(status: int, forces_n: Iterable[float], *, whole: bool = True) -> Phase:
    """The phase by the status bits of the last sample and the true forces of the last 4 s (`whole`: of all of them)."""
    if status & m.TRIPPED:
        return Phase.TRIPPED
    if status & m.RELEASING:
        return Phase.RELEASE
    if not status & m.ARMED:
        return Phase.SERVICE if status & m.SERVICE_JUMPER else Phase.READY
    if status & m.SLACK:
        return Phase.TAKE_UP
    return Phase.HOLD if whole and is_held(forces_n) else Phase.RAMP


def is_held(forces_n: Iterable[float]) -> bool:
    """Whether the force is no further on than breathing takes it: the later half's mean against the earlier half's."""
    forces = list(forces_n)
    half = len(forces) // 2
    if not half:
        return False
    earlier, later = sum(forces[:half]) / half, sum(forces[-half:]) / half
    return abs(later - earlier) <= HOLD_N_MAX


class PhaseWatch:
    """Looks at a table every 20 ms of its own time, and knows its phase."""

    def __init__(self, table: SimulatedTable) -> None:
        self.phase = Phase.READY
        self._table = table
        self._forces_n: deque[float] = deque(maxlen=LOOKED_BACK_US // LOOK_US)
        self._look()

    def _look(self) -> None:
        table, forces = self._table, self._forces_n
        status = table.firmware.status
        if status & m.ARMED and not status & m.SLACK:
            forces.append(table.plant.force_n)
        else:
            forces.clear()
        self.phase = phase_of(status, forces, whole=len(forces) == forces.maxlen)
        table.call_at(table.now_us + LOOK_US, self._look)
