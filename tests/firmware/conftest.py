"""A bench: the firmware in its simulated table, and as little of a host as it takes to pull with it."""

from collections.abc import Callable

import pytest

from firmware import messages as m
from firmware.codec import Decoder, Encoder
from hw_sim.rigs import load_rig
from hw_sim.table import CALIBRATION_IDS, SimulatedTable

STEP_MS = 10
LEASE_MS = 200
LOADING_MN_S = 20_000


class Bench:
    def __init__(self, rig_name: str = "nominal", *, seed: int = 1, t_us_start: int = 0) -> None:
        self.table = SimulatedTable(load_rig(rig_name), seed, t_us_start=t_us_start)
        self.samples: list[tuple] = []
        self.replies: list[tuple[int, tuple]] = []
        self.counters: list[int] = []
        self._encoder = Encoder(m.FROM_HOST)
        self._decoder = Decoder(m.FROM_DEVICE)
        self._counter = 0

    # The line

    def send(self, kind: int, *fields: int, counter: int | None = None) -> None:
        if counter is not None:
            self._counter = counter
        self.table.receive(bytes(self._encoder.frame(kind, self._counter, fields)))
        self._counter = (self._counter + 1) & 0xFF

    def ask(self, kind: int, *fields: int) -> tuple[int, tuple]:
        """The ACK or NAK, without its counter."""
        self.read()
        seen = len(self.replies)
        self.send(kind, *fields)
        self.read()
        answers = [(k, f[1:]) for k, f in self.replies[seen:] if k in (m.ACK, m.NAK)]
        assert len(answers) == 1
        return answers[0]

    def run(self, ms: int) -> None:
        self.table.advance(self.table.now_us + ms * 1000)
        self.read()

    def read(self) -> None:
        self._decoder.feed(self.table.transmit(), self._on_frame)

    def _on_frame(self, kind: int, counter: int, fields: tuple) -> None:
        self.counters.append(counter)
        if kind == m.SAMPLE:
            self.samples.append(fields)
        else:
            self.replies.append((kind, fields))

    # What was seen

    @property
    def status(self) -> int:
        return self.samples[-1][7]

    @property
    def trips(self) -> list[int]:
        return [fields[0] for kind, fields in self.replies if kind == m.TRIP]

    @property
    def force_mn(self) -> int:
        return self.table.truth.force_mn

    # Sessions

    def greet(self) -> "Bench":
        self.run(50)
        self.send(m.HELLO, m.PROTOCOL, 7, counter=0)
        self.run(5)
        return self

    def arm(
        self, *, ceiling_mn: int = 420_000, travel_um: int = 150_000, pull_um_s: int = 5000, duration_s: int = 1800
    ) -> "Bench":
        self.greet()
        assert self.ask(m.ARM, ceiling_mn, travel_um, pull_um_s, duration_s, *CALIBRATION_IDS) == (m.ACK, (m.ARM,))
        return self

    def move(self, velocity_um_s: int, lease_ms: int = LEASE_MS) -> None:
        self.send(m.MOVE, self.samples[-1][0], velocity_um_s, lease_ms)

    def keep(self, target_mn: int, ms: int) -> "Bench":
        """Goes for that force, gently, and stops early at a trip."""
        stiffness_n_mm = self.table.rig.series_n_per_mm
        for _ in range(ms // STEP_MS):
            force_mn = self.force_mn
            wanted_mn_s = max(-300_000, min(LOADING_MN_S, (target_mn - force_mn) * 4))
            velocity_um_s = int(wanted_mn_s / stiffness_n_mm)
            if force_mn < 3000 and target_mn > 3000:
                velocity_um_s = 10_000
            self.move(max(-20_000, min(velocity_um_s, 5000 if force_mn > 3000 else 20_000)))
            self.run(STEP_MS)
            if self.trips:
                break
        return self

    def load(self, target_mn: int) -> "Bench":
        for _ in range(100):
            self.keep(target_mn, 500)
            if self.trips or abs(self.force_mn - target_mn) < 5000:
                return self
        raise AssertionError(f"{target_mn} mN was not reached: {self.table.truth}")

    def run_until(self, wanted: Callable[[], bool], ms_max: int) -> int:
        """How many ms it took."""
        for ms in range(ms_max):
            if wanted():
                return ms
            self.run(1)
        raise AssertionError(f"not within {ms_max} ms: {self.table.truth}, trips {self.trips}")

    def let_go(self, ms_max: int = 40_000) -> list[int]:
        """True force at every ms until the drive is off."""
        forces = [self.force_mn]
        while self.table.truth.drive_enabled:
            self.run(1)
            forces.append(self.force_mn)
            assert len(forces) < ms_max
        return forces


@pytest.fixture
def bench() -> type[Bench]:
    return Bench
