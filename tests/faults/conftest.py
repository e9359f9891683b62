"""A whole stack in virtual time that holds 100 N, with an injector at its table and line.

Reaching the hold takes half a minute of virtual time, so it is reached once, and every test goes on from a copy.
"""

import copy
import copyreg
from collections.abc import Callable

import pytest

from controller import prescription
from controller.commands import HUMAN_TICKS
from controller.inputs import StartAsked
from controller.phases import Holding
from hw_sim.faults import Injector
from tractable.virtual_stack import VirtualStack

PRESCRIBED = {
    "patient": {"pseudonym": "K7-2F41", "body_mass": "80 kg"},
    "pull": {"mode": "static", "force": "100 N", "time_at_force": "10 min", "ramp": "20 N/s"},
    "prescribed": {"by": "clinician"},
}

# The firmware's codec looks at its own buffer; a copy of it looks at the buffer's copy.
copyreg.pickle(memoryview, lambda view: (memoryview, (view.obj,)))


class Bench(VirtualStack):
    """`forces_n` holds the true force of every millisecond since the bench was made or copied."""

    def __init__(self, rig: str = "nominal") -> None:
        super().__init__(rig, seed=3)
        self.injector = Injector(self.table, self.line, seed=3)
        self.forces_n: list[float] = []

    def advance(self) -> None:
        super().advance()
        self.forces_n.append(self.table.plant.force_n)

    def start(self) -> None:
        prescribed = prescription.parse(PRESCRIBED)
        self.run_for(1)
        self.ask(StartAsked("clinician", "start-0001", "S1", prescribed, HUMAN_TICKS, prescribed.force_mn, False, 30))

    def copy(self) -> "Bench":
        """One that goes its own way from here."""
        board, sent = self.table._board, bytearray(self.table._out)
        one = copy.deepcopy(self, {id(self.table._out): sent, id(board.send): sent.extend})
        one.forces_n = []
        one.memory.samples.clear()
        return one

    @property
    def seen(self) -> tuple:
        """All that is to be seen of it: truth, what reached the host, and what reached the device."""
        device = self.table.firmware
        arrived = (device._link.dropped, device._link.refused) if hasattr(device, "_link") else ()
        said = [(row.t_us, row.kind, row.text) for row in self.memory.events]
        return self.forces_n, self.memory.samples, said, self.conductor.link.statistics, arrived, self.heard.samples

    @property
    def alarms(self) -> list[str]:
        return [entry.id.value for entry in self.state.board]


@pytest.fixture(scope="session")
def kept_ready() -> Bench:
    bench = Bench()
    bench.run_for(1)
    return bench


@pytest.fixture(scope="session")
def kept_held() -> Bench:
    bench = Bench()
    bench.start()
    assert bench.run_until(lambda bench: isinstance(bench.state.phase, Holding), 60)
    bench.run_for(5)
    return bench


@pytest.fixture
def ready(kept_ready: Bench) -> Bench:
    """A stack of a second's age: the table is known and sends."""
    return kept_ready.copy()


@pytest.fixture
def held(kept_held: Bench) -> Bench:
    """A stack that has held 100 N for 5 s."""
    return kept_held.copy()


@pytest.fixture
def new_bench() -> Callable[..., Bench]:
    return Bench
