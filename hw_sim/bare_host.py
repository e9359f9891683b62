"""As little of a host as it takes to pull with a simulated table: no gate, no loop worth the name, no clock of its own.

It is for looking at the device alone: what is not the device's own doing is missing here.
"""

from collections.abc import Callable
from typing import Any, Final, Protocol

from firmware import codec
from firmware import messages as m
from hw_sim.rigs import Rig
from hw_sim.table import CALIBRATION_IDS, SimulatedTable

STEP_MS: Final = 10
LEASE_MS: Final = 200
LOADING_MN_S: Final = 20_000
NEAR_MN: Final = 5_000  # a target counts as reached
TAKE_UP_UM_S: Final = 10_000
PULL_UM_S: Final = 5_000
PAY_OUT_UM_S: Final = 20_000  # what the slower table can do
TAKEN_UP_MN: Final = 3_000

Fields = tuple[Any, ...]


class Encoder(Protocol):
    """The firmware's own codec, which is MicroPython and says nothing about types."""

    def frame(self, kind: int, counter: int, fields: Fields) -> memoryview: ...


class Decoder(Protocol):
    def feed(self, data: bytes, on_frame: Callable[[int, int, Fields], None]) -> None: ...


ENCODER: Final[Callable[[dict[int, str]], Encoder]] = codec.Encoder
DECODER: Final[Callable[[dict[int, str]], Decoder]] = codec.Decoder


class NotReached(RuntimeError):
    """What was waited for did not come in time; the text says how things stood."""


class BareHost:
    """A simulated table on its rig, and what was heard from it: `samples`, and in `replies` all else, as it came."""

    def __init__(self, rig: Rig, seed: int = 1, *, t_us_start: int = 0) -> None:
        self.table = SimulatedTable(rig, seed, t_us_start=t_us_start)
        self.samples: list[Fields] = []
        self.replies: list[tuple[int, Fields]] = []
        self.counters: list[int] = []
        self._encoder = ENCODER(m.FROM_HOST)
        self._decoder = DECODER(m.FROM_DEVICE)
        self._counter = 0

    # The line

    def send(self, kind: int, *fields: int, counter: int | None = None) -> None:
        if counter is not None:
            self._counter = counter
        self.table.receive(bytes(self._encoder.frame(kind, self._counter, fields)))
        self._counter = (self._counter + 1) & 0xFF

    def ask(self, kind: int, *fields: int) -> tuple[int, Fields]:
        """The ACK or NAK, without its counter. Raises NotReached where there is not exactly one."""
        self.read()
        seen = len(self.replies)
        self.send(kind, *fields)
        self.read()
        answers = [(k, f[1:]) for k, f in self.replies[seen:] if k in (m.ACK, m.NAK)]
        if len(answers) != 1:
            raise NotReached(f"{len(answers)} answers to type 0x{kind:02X}{fields}")
        return answers[0]

    def run(self, ms: int) -> None:
        self.table.advance(self.table.now_us + ms * 1000)
        self.read()

    def read(self) -> None:
        self._decoder.feed(self.table.transmit(), self._on_frame)

    def _on_frame(self, kind: int, counter: int, fields: Fields) -> None:
        self.counters.append(counter)
        if kind == m.SAMPLE:
            self.samples.append(fields)
        else:
            self.replies.append((kind, fields))

    # What was seen

    @property
    def status(self) -> int:
        return int(self.samples[-1][7])

    @property
    def trips(self) -> list[int]:
        """The cause of every TRIP that came."""
        return [fields[0] for kind, fields in self.replies if kind == m.TRIP]

    @property
    def force_mn(self) -> int:
        """The true one."""
        return self.table.truth.force_mn

    # Sessions

    def greet(self) -> "BareHost":
        self.run(50)
        self.send(m.HELLO, m.PROTOCOL, 7, counter=0)
        self.run(5)
        return self

    def arm(
        self, *, ceiling_mn: int = 420_000, travel_um: int = 150_000, pull_um_s: int = 5000, duration_s: int = 1800
    ) -> "BareHost":
        """Greets and arms. Raises NotReached where the table refuses."""
        self.greet()
        answer = self.ask(m.ARM, ceiling_mn, travel_um, pull_um_s, duration_s, *CALIBRATION_IDS)
        if answer != (m.ACK, (m.ARM,)):
            raise NotReached(f"not armed: {answer}")
        return self

    def move(self, velocity_um_s: int, lease_ms: int = LEASE_MS) -> None:
        self.send(m.MOVE, self.samples[-1][0], velocity_um_s, lease_ms)

    def keep(self, target_mn: int, ms: int) -> "BareHost":
        """Goes for that force, gently, and stops early at a trip."""
        for _ in range(ms // STEP_MS):
            self.steer(target_mn)
            self.run(STEP_MS)
            if self.trips:
                break
        return self

    def steer(self, target_mn: int) -> None:
        """One MOVE towards that force."""
        force_mn = self.force_mn
        wanted_mn_s = max(-300_000, min(LOADING_MN_S, (target_mn - force_mn) * 4))
        velocity_um_s = int(wanted_mn_s / self.table.rig.series_n_per_mm)
        if force_mn < TAKEN_UP_MN < target_mn:
            velocity_um_s = TAKE_UP_UM_S
        fastest_um_s = PULL_UM_S if force_mn > TAKEN_UP_MN else PAY_OUT_UM_S
        self.move(max(-PAY_OUT_UM_S, min(velocity_um_s, fastest_um_s)))

    def load(self, target_mn: int) -> "BareHost":
        """Pulls until that force or a trip. Raises NotReached after 50 s."""
        for _ in range(100):
            self.keep(target_mn, 500)
            if self.trips or abs(self.force_mn - target_mn) < NEAR_MN:
                return self
        raise NotReached(f"{target_mn} mN was not reached: {self.table.truth}")

    def run_until(self, wanted: Callable[[], bool], ms_max: int) -> int:
        """How many ms it took. Raises NotReached."""
        for ms in range(ms_max):
            if wanted():
                return ms
            self.run(1)
        raise NotReached(f"not within {ms_max} ms: {self.table.truth}, trips {self.trips}")

    def let_go(self, ms_max: int = 40_000) -> list[int]:
        """True force at every ms until the drive is off. Raises NotReached."""
        forces = [self.force_mn]
        while self.table.truth.drive_enabled:
            self.run(1)
            forces.append(self.force_mn)
            if len(forces) >= ms_max:
                raise NotReached(f"the drive is on after {ms_max} ms: {self.table.truth}")
        return forces
