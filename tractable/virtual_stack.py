"""The whole stack in one process and in virtual time: simulated table, line, controller. As fast as Python goes.

Time passes only in `run_until`; the same seed gives the same session, byte for byte.
"""

import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Final

from controller.calibration import Calibration, ChannelCalibration
from controller.conductor import Audience, Conductor
from controller.inputs import Answer, Input, SampleArrived
from controller.journal import EventRow, Journal, JournalHealth, SampleRow, SessionHeader
from controller.messages import Event
from controller.state import State
from hw_sim.board import SERIAL
from hw_sim.line import LatentLine
from hw_sim.rigs import Rig, load_rig
from hw_sim.table import CALIBRATION_IDS, SimulatedTable
from safety.limits import SHIPPED, SiteLimits

STEP_US: Final = 1_000
TICK_US: Final = 20_000
EPOCH: Final = datetime(2026, 1, 1, tzinfo=UTC)
EPOCH_DAY: Final = EPOCH.date()


class MemoryJournal:
    """A journal that keeps everything in memory."""

    def __init__(self) -> None:
        self.headers: list[SessionHeader] = []
        self.samples: list[SampleRow] = []
        self.events: list[EventRow] = []
        self.ended = 0

    def begin(self, header: SessionHeader) -> None:
        self.headers.append(header)

    def sample(self, row: SampleRow) -> None:
        self.samples.append(row)

    def event(self, row: EventRow) -> None:
        self.events.append(row)

    def end(self) -> None:
        self.ended += 1

    def health(self) -> JournalHealth:
        return JournalHealth(0, 0, None)


class MemoryAudience:
    """Keeps the answers and events; samples are counted."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.events: list[Event] = []
        self.samples = 0

    def sample(self, _arrived: SampleArrived, _state: State) -> None:
        self.samples += 1

    def event(self, event: Event) -> None:
        self.events.append(event)

    def answer(self, answer: Answer) -> None:
        self.answers.append(answer)


def calibration_of(rig: Rig, calibrated_on: date = EPOCH_DAY) -> Calibration:
    """The record that a technician would have made of that simulated table."""
    return Calibration(
        ChannelCalibration(rig.cell_zero_counts_a, _span(rig.cell_counts_per_n_a), CALIBRATION_IDS[0]),
        ChannelCalibration(rig.cell_zero_counts_b, _span(rig.cell_counts_per_n_b), CALIBRATION_IDS[1]),
        calibrated_on,
    )


def _span(counts_per_n: float) -> int:
    return round((1 << 20) * 1000 / counts_per_n)


class VirtualStack:
    """One table, one line, one controller. Host and table share the clock; the line delays each way by 1 to 3 ms."""

    def __init__(
        self,
        rig: Rig | str = "nominal",
        *,
        seed: int = 1,
        site: SiteLimits = SHIPPED,
        journal: Journal | None = None,
        audience: Audience | None = None,
        cooperative: bool = True,
        t_us_start: int = 0,
    ) -> None:
        self.rig = load_rig(rig) if isinstance(rig, str) else rig
        self.table = SimulatedTable(self.rig, seed, cooperative=cooperative, t_us_start=t_us_start)
        self.memory = MemoryJournal()
        self.heard = MemoryAudience()
        self.now_us = 0
        self.wall_clock_ahead = timedelta(0)  # of where it would be, had nobody set it
        self.line = LatentLine(seed)
        self.to_host, self.to_table = self.line.to_host, self.line.to_device
        self._next_tick_us = TICK_US
        nonces = random.Random(f"nonce {seed}")
        self.conductor = Conductor(
            State(site=site),
            run=f"virtual-{seed}",
            versions={"tractable": "virtual"},
            journal=journal or self.memory,
            audience=audience or self.heard,
            nonce=lambda: nonces.getrandbits(32),
            record_of=lambda serial: calibration_of(self.rig) if serial == SERIAL else None,
            utc_now=self._utc_now,
        )
        self._write(self.conductor.connected(0))

    def _utc_now(self) -> datetime:
        return EPOCH + timedelta(microseconds=self.now_us) + self.wall_clock_ahead

    @property
    def state(self) -> State:
        return self.conductor.state

    def advance(self) -> None:
        """One millisecond."""
        self.now_us += STEP_US
        self.table.receive(self.to_table.take(self.now_us))
        self.table.advance(self.now_us)
        self.to_host.put(self.table.transmit(), self.now_us)
        data = self.to_host.take(self.now_us)
        if data:
            self._write(self.conductor.received(data, self.now_us))
        if self.now_us >= self._next_tick_us:
            self._next_tick_us += TICK_US
            self._write(self.conductor.tick(self.now_us))

    def _write(self, data: bytes) -> None:
        self.to_table.put(data, self.now_us)

    def ask(self, given: Input) -> None:
        """A command, or news from beside the table, now."""
        self._write(self.conductor.take(given, self.now_us))

    def run_until(self, done: Callable[["VirtualStack"], bool], within_s: float) -> bool:
        """Advances until the condition holds, or that much time has passed; tells which."""
        until_us = self.now_us + round(within_s * 1e6)
        while self.now_us < until_us:
            self.advance()
            if done(self):
                return True
        return False

    def run_for(self, seconds: float) -> None:
        self.run_until(lambda _: False, seconds)
