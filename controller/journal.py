"""What the controller's shell writes down, and the protocol that whoever stores it must fill."""

from dataclasses import dataclass, field
from typing import Literal, Protocol

Actor = str  # "clinician", "patient", "table", "controller", or a signed-in user's pseudonym


@dataclass(frozen=True, slots=True)
class SampleRow:
    """One conversion of both channels. A raw code or a force that is absent is None, never zero.

    `seq` and `t_us` are the device's own, unwrapped (they never run backwards within a session).
    `target_mn` is the force that the loop followed at that moment; None while it followed none.
    `late` marks a sample that came too old to be acted on. `host_us` is when it was judged, by the computer's
    monotonic clock, and `age_us` how old it was then; `asked_um_s` is the speed that was permitted on it (a pull is
    positive, 0 holds), None when no move was sent.
    """

    seq: int
    t_us: int
    raw_a: int | None
    raw_b: int | None
    force_a_mn: int | None
    force_b_mn: int | None
    target_mn: int | None
    cable_um: int
    velocity_um_s: int
    current_ma: int
    status: int
    late: bool
    host_us: int | None = None
    age_us: int | None = None
    asked_um_s: int | None = None


EventKind = Literal["session", "command", "verdict", "phase", "alarm", "trip", "link", "note"]


@dataclass(frozen=True, slots=True)
class EventRow:
    """One thing that happened: its number in the session, when by both clocks, who, and the particulars.

    `t_us` is the unwrapped device clock of the newest sample then, None before the first.
    `text` is a sentence for people; `data` holds JSON values for programs. Neither ever names a patient.
    """

    number: int
    t_us: int | None
    time_utc: str
    kind: EventKind
    actor: Actor
    text: str
    data: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SessionHeader:
    """What a session's record begins with. All values are JSON values."""

    session_id: str
    started_utc: str
    prescription: dict[str, object]
    calibration: dict[str, object]
    table: dict[str, object]
    limits: dict[str, object]
    versions: dict[str, object]
    simulated: bool


@dataclass(frozen=True, slots=True)
class JournalHealth:
    """`failure` is a sentence when the record can no longer be written; what waits is kept in memory."""

    waiting_rows: int
    dropped_rows: int
    failure: str | None


class Journal(Protocol):
    """Takes rows and returns at once: it never blocks a step and never raises into one."""

    def begin(self, header: SessionHeader) -> None: ...

    def sample(self, row: SampleRow) -> None: ...

    def event(self, row: EventRow) -> None: ...

    def end(self) -> None:
        """Closes the session's record; rows taken until then are written first, in the background."""

    def health(self) -> JournalHealth: ...


class StorageCheck(Protocol):
    """Asked before a session may start. None when there is room to write; else a sentence that says what to do."""

    def refusal(self) -> str | None: ...
