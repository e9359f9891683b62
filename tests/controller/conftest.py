"""The whole stack in virtual time, on a bench: a line that faults go into, and a note of what truly happened.

Reaching the hold takes half a minute of virtual time, so it is reached once, and every test goes on from a copy.
"""

import copy
import copyreg
import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from controller import prescription
from controller.inputs import AcknowledgeAsked, Answer, Input, StartAsked, StopAsked
from controller.phases import Ended, Holding, Ramping, Tripped
from controller.prescription import Prescription
from firmware_bridge.framing import FrameDecoder
from firmware_bridge.messages import HostMessage, Move
from hw_sim.line import Lane, LineFaults
from tractable.virtual_stack import STEP_US, VirtualStack

TICKS = ("screening", "harness", "table_unlocked")
SLACK_MN = 15_000
PULLING_UM_S = 50  # slower than this is the motor coming to rest

# The firmware's codec looks at its own buffer; a copy of it looks at the buffer's copy.
copyreg.pickle(memoryview, lambda view: (memoryview, (view.obj,)))


def document(force: str = "300 N", time_at_force: str = "60 s", ramp: str = "20 N/s", mass: str = "80 kg") -> dict:
    return {
        "patient": {"pseudonym": "K7-2F41", "body_mass": mass},
        "pull": {"mode": "static", "force": force, "time_at_force": time_at_force, "ramp": ramp},
        "prescribed": {"by": "clinician"},
    }


def start_of(prescribed: Prescription, **changes: object) -> StartAsked:
    asked = StartAsked(
        actor="clinician",
        command_id="start-0001",
        session_id="S1",
        prescription=prescribed,
        ticks=TICKS,
        confirmed_mn=prescribed.force_mn,
        unattended=False,
        calibration_age_days=30,
    )
    return replace(asked, **changes)


class BenchLine:
    """One direction: `hw_sim`'s lane, with what is sent through it told to whoever listens."""

    def __init__(self, name: str, hear: Callable[[bytes, int], None]) -> None:
        self._lane = Lane(random.Random(name))
        self._hear = hear

    @property
    def faults(self) -> LineFaults:
        return self._lane.faults

    @faults.setter
    def faults(self, faults: LineFaults) -> None:
        self._lane.faults = faults

    def put(self, data: bytes, now_us: int) -> None:
        self._hear(data, now_us)
        self._lane.put(data, now_us)

    def take(self, now_us: int) -> bytes:
        return self._lane.take(now_us)


class Bench(VirtualStack):
    """`forces_mn` holds the true force of every millisecond, `written` every frame of the host's, with its time."""

    def __init__(self, rig: str = "nominal", *, seed: int = 3, **settings: object) -> None:
        super().__init__(rig, seed=seed, **settings)
        self.forces_mn: list[int] = []
        self.pulled_at_us = 0
        self.fault_us = 0
        self.host_frozen = False
        self.written: list[tuple[int, HostMessage]] = []
        self._written = FrameDecoder()
        self.to_host = BenchLine(f"up {seed}", lambda _data, _now_us: None)
        self.to_table = BenchLine(f"down {seed}", self._note_written)
        self.to_table.put(self.conductor.connected(0), 0)

    def _note_written(self, data: bytes, now_us: int) -> None:
        self.written += [(now_us, message) for _counter, message in self._written.feed(data)]

    def advance(self) -> None:
        if self.host_frozen:
            self._advance_without_host()
        else:
            super().advance()
        plant = self.table.plant
        self.forces_mn.append(round(plant.force_n * 1000))
        if plant.velocity_um_s > PULLING_UM_S:
            self.pulled_at_us = self.now_us

    def _advance_without_host(self) -> None:
        self.now_us += STEP_US
        self._next_tick_us = self.now_us + STEP_US  # of the ticks that were missed, one is made up for
        self.table.receive(self.to_table.take(self.now_us))
        self.table.advance(self.now_us)
        self.to_host.put(self.table.transmit(), self.now_us)

    def copy(self) -> "Bench":
        """One that goes its own way from here."""
        board, sent = self.table._board, bytearray(self.table._out)
        rows = (self.memory.samples, self.forces_mn, self.written)
        shared = {id(self.table._out): sent, id(board.send): sent.extend} | {id(some): list(some) for some in rows}
        return copy.deepcopy(self, shared)

    # What people do

    def ask(self, given: Input) -> Answer:
        self.to_table.put(self.conductor.take(given, self.now_us), self.now_us)
        return self.heard.answers[-1]

    def start(self, prescribed: Prescription | None = None, **changes: object) -> Answer:
        return self.ask(start_of(prescribed or prescription.parse(document()), **changes))

    def stop(self) -> Answer:
        return self.ask(StopAsked("clinician", "stop-00001"))

    def acknowledge(self, alarm: str) -> Answer:
        return self.ask(AcknowledgeAsked("clinician", f"ack-{self.now_us}", alarm))

    def run_to(self, *phases: type, within_s: float = 60.0) -> bool:
        return self.run_until(lambda bench: isinstance(bench.state.phase, phases), within_s)

    def run_to_slack(self, within_s: float = 10.0) -> bool:
        """Until true force is under 15 N and the table has stood down."""
        return self.run_until(lambda bench: bench.force_n < 15 and not bench.table.truth.drive_enabled, within_s)

    # What is asked of it

    def fault_now(self) -> None:
        """What is told of a fault counts from here."""
        self.fault_us = self.now_us

    @property
    def force_n(self) -> float:
        return self.table.plant.force_n

    @property
    def since_fault_n(self) -> list[float]:
        return [force_mn / 1000 for force_mn in self.forces_mn[self.fault_us // STEP_US :]]

    @property
    def peak_since_fault_n(self) -> float:
        return max(self.since_fault_n)

    @property
    def pulled_ms_after_fault(self) -> float:
        return max(0, self.pulled_at_us - self.fault_us) / 1000

    @property
    def slack_ms_after_fault(self) -> int:
        """From the fault to the last millisecond with more than 15 N."""
        loaded = [at_ms for at_ms, force_n in enumerate(self.since_fault_n) if force_n * 1000 > SLACK_MN]
        return loaded[-1] + 1 if loaded else 0

    @property
    def ceiling_n(self) -> float:
        return max(header.limits["ceiling_mn"] for header in self.memory.headers) / 1000

    @property
    def pulls_since_fault(self) -> list[HostMessage]:
        return [
            message
            for at_us, message in self.written
            if at_us >= self.fault_us and isinstance(message, Move) and message.velocity_um_s > 0
        ]

    @property
    def root(self) -> str | None:
        return next((entry.id.value for entry in self.state.board if entry.root), None)

    @property
    def alarms(self) -> list[str]:
        return [entry.id.value for entry in self.state.board]

    @property
    def alarms_told(self) -> list[str]:
        """Every alarm of the session so far, in the order in which they came."""
        return [row.data["alarm"] for row in self.memory.events if row.kind == "alarm" and "over" not in row.data]

    def steepest_fall_n(self, over_ms: int = 100) -> float:
        """The most that true force fell within that time, since the fault."""
        forces = self.since_fault_n
        return max((before - after for before, after in zip(forces, forces[over_ms:], strict=False)), default=0.0)


@pytest.fixture(name="document")
def _document() -> Callable[..., dict]:
    """A prescription as a clinician writes it, with one thing or another changed."""
    return document


@pytest.fixture(scope="session")
def prescribed() -> Callable[..., Prescription]:
    return lambda *changes, **named: prescription.parse(document(*changes, **named))


@pytest.fixture(scope="session")
def new_bench() -> type[Bench]:
    return Bench


@pytest.fixture(scope="session")
def start_asked() -> Callable[..., StartAsked]:
    return start_of


@pytest.fixture
def make_bench() -> Callable[..., Bench]:
    """A new stack, a second old: the table is known and sends."""

    def make(rig: str = "nominal", **settings: object) -> Bench:
        bench = Bench(rig, **settings)
        bench.run_for(1)
        return bench

    return make


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    return make_bench()


@pytest.fixture(scope="session")
def _held() -> Callable[[str, str], Bench]:
    reached: dict[tuple[str, str], Bench] = {}

    def held(rig: str, force: str) -> Bench:
        if (rig, force) not in reached:
            bench = Bench(rig)
            bench.run_for(1)
            assert bench.start(prescription.parse(document(force, "10 min"))).done
            assert bench.run_to(Holding, Tripped, Ended)
            assert isinstance(bench.state.phase, Holding), bench.state.phase
            bench.run_for(2)
            reached[rig, force] = bench
        return reached[rig, force]

    return held


@pytest.fixture
def hold(_held: Callable[[str, str], Bench]) -> Callable[..., Bench]:
    """A copy of a stack that has held that force for 2 s, at the moment of the fault to come."""

    def copied(rig: str = "nominal", force: str = "300 N") -> Bench:
        bench = _held(rig, force).copy()
        bench.fault_now()
        return bench

    return copied


@pytest.fixture
def holding(hold: Callable[..., Bench]) -> Bench:
    return hold()


@pytest.fixture(scope="session")
def _ramped() -> Bench:
    bench = Bench()
    bench.run_for(1)
    assert bench.start(prescription.parse(document("300 N", "10 min"))).done
    assert bench.run_until(lambda bench: isinstance(bench.state.phase, Ramping) and bench.force_n > 180, 40)
    return bench


@pytest.fixture
def ramping(_ramped: Bench) -> Bench:
    """A copy of a stack in the steepest part of its ramp, while the drum winds in."""
    bench = _ramped.copy()
    bench.fault_now()
    return bench
