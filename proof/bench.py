"""The whole stack in virtual time, on a bench: a note of what truly happened, and of what went over the line.

Reaching the hold takes half a minute of virtual time, so that it is reached once, and every fault goes on from a copy.
"""

import copy
import copyreg
from dataclasses import dataclass, replace
from typing import Any, Final

from controller import prescription
from controller.inputs import AcknowledgeAsked, Answer, Input, StartAsked, StopAsked
from controller.phases import Ended, Holding, Ramping, Tripped
from controller.prescription import Prescription
from firmware_bridge.framing import FrameDecoder
from firmware_bridge.messages import HostMessage, Message, Move, Sample
from hw_sim.rigs import Rig
from tractable.virtual_stack import STEP_US, TICK_US, VirtualStack

TICKS: Final = ("screening", "harness", "table_unlocked")
SLACK_MN: Final = 15_000
PULLING_UM_S: Final = 50  # slower than this the drum stands
COMING_TO_REST_UM_S: Final = 500  # a tenth of the fastest pull

# The firmware's codec looks at its own buffer; a copy of it looks at the buffer's copy.
copyreg.pickle(memoryview, lambda view: (memoryview, (view.obj,)))


def document(
    force: str = "300 N",
    time_at_force: str = "60 s",
    ramp: str = "20 N/s",
    mass: str = "80 kg",
    **pull: str,
) -> dict[str, Any]:
    """A prescription as a clinician writes it; `pull` are further fields of the pull."""
    return {
        "patient": {"pseudonym": "K7-2F41", "body_mass": mass},
        "pull": {"mode": "static", "force": force, "time_at_force": time_at_force, "ramp": ramp, **pull},
        "prescribed": {"by": "clinician"},
    }


def start_of(prescribed: Prescription, **changes: Any) -> StartAsked:
    """A clinician's start, complete; with one thing or another changed."""
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


@dataclass(slots=True)
class Tap:
    """Hears the frames that pass one place of the line, with the time at which they passed."""

    heard: list[tuple[int, Message]]
    decoder: FrameDecoder

    def hear(self, data: bytes, now_us: int) -> None:
        if data:
            self.heard += [(now_us, message) for _counter, message in self.decoder.feed(data)]

    def samples(self) -> list[Sample]:
        return [message for _at_us, message in self.heard if isinstance(message, Sample)]


def _tap() -> Tap:
    return Tap([], FrameDecoder())


class Bench(VirtualStack):
    """`forces_mn` and `speeds_um_s` are the truth at every millisecond since power-on.

    `written` hears what the host writes, `sent` what the table sends, `arrived` what of it reaches the host.
    """

    def __init__(self, rig: Rig | str = "nominal", *, seed: int = 3, **settings: Any) -> None:
        self.written, self.sent, self.arrived = _tap(), _tap(), _tap()
        super().__init__(rig, seed=seed, **settings)
        self.forces_mn: list[int] = []
        self.speeds_um_s: list[int] = []
        self.fault_us = 0
        self.host_frozen = False

    def advance(self) -> None:
        """One millisecond; what a frozen host missed stays on the line."""
        self.now_us += STEP_US
        now_us, table = self.now_us, self.table
        table.receive(self.to_table.take(now_us))
        table.advance(now_us)
        sent = table.transmit()
        self.sent.hear(sent, now_us)
        self.to_host.put(sent, now_us)
        if self.host_frozen:
            self._next_tick_us = now_us + STEP_US  # of the ticks that were missed, one is made up for
        else:
            self._advance_host(now_us)
        self.forces_mn.append(round(table.plant.force_n * 1000))
        self.speeds_um_s.append(table.plant.velocity_um_s)

    def _advance_host(self, now_us: int) -> None:
        data = self.to_host.take(now_us)
        if data:
            self.arrived.hear(data, now_us)
            self._write(self.conductor.received(data, now_us))
        if now_us >= self._next_tick_us:
            self._next_tick_us += TICK_US
            self._write(self.conductor.tick(now_us))

    def _write(self, data: bytes) -> None:
        self.written.hear(data, self.now_us)
        super()._write(data)

    def copy(self) -> "Bench":
        """One that goes its own way from here."""
        board, out = self.table._board, bytearray(self.table._out)
        taps = (self.written.heard, self.sent.heard, self.arrived.heard)
        long_lists: tuple[list[Any], ...] = (self.memory.samples, self.forces_mn, self.speeds_um_s, *taps)
        shared: dict[int, Any] = {id(self.table._out): out, id(board.send): out.extend}
        return copy.deepcopy(self, shared | {id(some): list(some) for some in long_lists})

    # What people do

    def ask(self, given: Input) -> Answer:  # type: ignore[override]  # on the bench every command is answered
        self._write(self.conductor.take(given, self.now_us))
        return self.heard.answers[-1]

    def tell(self, given: Input) -> None:
        """News from beside the table, which nobody answers."""
        self._write(self.conductor.take(given, self.now_us))

    def start(self, prescribed: Prescription | None = None, **changes: Any) -> Answer:
        return self.ask(start_of(prescribed or prescription.parse(document()), **changes))

    def stop(self) -> Answer:
        return self.ask(StopAsked("clinician", "stop-00001"))

    def acknowledge(self, alarm: str) -> Answer:
        return self.ask(AcknowledgeAsked("clinician", f"ack-{self.now_us}", alarm))

    def run_to(self, *phases: type, within_s: float = 60.0) -> bool:
        return self.run_until(lambda _: isinstance(self.state.phase, phases), within_s)

    def run_to_slack(self, within_s: float = 10.0) -> bool:
        """Until true force is under 15 N and the table has stood down."""
        return self.run_until(lambda _: self.force_n < 15 and not self.table.truth.drive_enabled, within_s)

    # What is asked of it; all since the fault

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
    def pulled_at_us(self) -> int:
        """The end of the last millisecond, since power-on, in which the drum wound in; 0 when it never did."""
        pulled = [at_ms + 1 for at_ms, speed in enumerate(self.speeds_um_s) if speed > PULLING_UM_S]
        return pulled[-1] * STEP_US if pulled else 0

    @property
    def pulled_ms_after_fault(self) -> int:
        """Until the drum wound in for the last time; a motor that comes to rest is not pulling any more."""
        speeds = self.speeds_um_s[self.fault_us // STEP_US :]
        return max((at_ms + 1 for at_ms, speed in enumerate(speeds) if speed > COMING_TO_REST_UM_S), default=0)

    @property
    def slack_ms_after_fault(self) -> int:
        """Until the last millisecond with more than 15 N."""
        loaded = [at_ms for at_ms, force_n in enumerate(self.since_fault_n) if force_n * 1000 > SLACK_MN]
        return loaded[-1] + 1 if loaded else 0

    def steepest_fall_n(self, over_ms: int = 100) -> float:
        """The most that true force fell within that time."""
        forces = self.since_fault_n
        return max((before - after for before, after in zip(forces, forces[over_ms:], strict=False)), default=0.0)

    @property
    def pulls_since_fault(self) -> list[HostMessage]:
        return [
            message
            for at_us, message in self.written.heard
            if at_us >= self.fault_us and isinstance(message, Move) and message.velocity_um_s > 0
        ]

    @property
    def ceiling_n(self) -> float:
        return max(float(str(header.limits["ceiling_mn"])) for header in self.memory.headers) / 1000

    @property
    def root(self) -> str | None:
        return next((entry.id.value for entry in self.state.board if entry.root), None)

    @property
    def alarms(self) -> list[str]:
        return [entry.id.value for entry in self.state.board]

    @property
    def alarms_told(self) -> list[str]:
        """Every alarm of the session so far, in the order in which they came."""
        return [str(row.data["alarm"]) for row in self.memory.events if row.kind == "alarm" and "over" not in row.data]


class NotReached(RuntimeError):
    """The bench did not come to where a fault was to be injected."""


def bench_at(phase: str, rig: Rig | str = "nominal", seed: int = 3, force: str = "300 N", **settings: Any) -> Bench:
    """A bench in that phase of a session: IDLE, READY, RAMP (its steepest part), HOLD (for 2 s), RELEASE (for 1 s).

    Raises NotReached where the session ended before.
    """
    bench = Bench(rig, seed=seed, **settings)
    bench.run_for(1)
    if phase in ("IDLE", "READY", "SERVICE"):
        return bench
    prescribed = prescription.parse(document(force, "10 min"))
    steep_n = 0.6 * prescribed.force_mn / 1000
    bench.start(prescribed)
    bench.run_until(lambda _: isinstance(bench.state.phase, Ramping) and bench.force_n > steep_n, 60)
    if phase != "RAMP":
        bench.run_to(Holding, Tripped, Ended)
        bench.run_for(2)
    if phase == "RELEASE":
        bench.stop()
        bench.run_for(1)
    if isinstance(bench.state.phase, Tripped | Ended) or bench.force_n < steep_n / 2:
        raise NotReached(f"{phase} on {bench.rig.name} with seed {seed}: {bench.state.phase}")
    return bench
