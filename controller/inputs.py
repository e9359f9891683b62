"""What comes into a step, and what comes out. All of it is data; the shell turns it into bytes, rows and replies."""

from dataclasses import dataclass, field

from controller.calibration import Calibration as CalibrationRecord
from controller.journal import Actor, EventKind, SampleRow
from controller.prescription import Prescription
from firmware_bridge.link import ReceivedSample
from firmware_bridge.messages import Ack, Calibration, Identity, Nak, Trip, TripCause
from safety.limiter import Permit


@dataclass(frozen=True, slots=True)
class SampleArrived:
    """`age_us` by the device's clock, as the shell maps it to the host's."""

    received: ReceivedSample
    age_us: int


@dataclass(frozen=True, slots=True)
class Tick:
    """The watchdog: time passed. `age_us` is the age of the newest sample; None before the first."""

    age_us: int | None


@dataclass(frozen=True, slots=True)
class TableFound:
    """The handshake is done. `restarted`: the table was reset since it was last known.

    `record` is the computer's calibration record for a table of that serial number; None when there is none.
    """

    identity: Identity
    calibration_a: Calibration
    calibration_b: Calibration
    restarted: bool
    record: CalibrationRecord | None


@dataclass(frozen=True, slots=True)
class TableLost:
    sentence: str


@dataclass(frozen=True, slots=True)
class TableSaid:
    message: Ack | Nak | Trip


@dataclass(frozen=True, slots=True)
class StartAsked:
    """`blocked` holds what the shell found against a start (space, calibration record), as sentences by alarm id.

    `patient` is the pseudonym as it was read from the patient; None when nobody read it.
    """

    actor: Actor
    command_id: str
    session_id: str
    prescription: Prescription
    ticks: tuple[str, ...]
    confirmed_mn: int | None
    unattended: bool
    calibration_age_days: int | None
    blocked: tuple[tuple[str, str], ...] = ()
    patient: str | None = None


@dataclass(frozen=True, slots=True)
class StopAsked:
    actor: Actor
    command_id: str


@dataclass(frozen=True, slots=True)
class AcknowledgeAsked:
    actor: Actor
    command_id: str
    alarm: str


@dataclass(frozen=True, slots=True)
class ZeroAsked:
    """How far is each channel from the calibration's zero? Shifts nothing."""

    actor: Actor
    command_id: str


@dataclass(frozen=True, slots=True)
class ConditionChanged:
    """Something beside the pull went wrong or came right: `alarm` names it, `detail` is None once it is right."""

    alarm: str
    detail: str | None


@dataclass(frozen=True, slots=True)
class GateBroken:
    """The last check before the wire found a motion that nobody permitted: it was not written."""

    sentence: str


Input = (
    SampleArrived
    | Tick
    | TableFound
    | TableLost
    | TableSaid
    | StartAsked
    | StopAsked
    | AcknowledgeAsked
    | ZeroAsked
    | ConditionChanged
    | GateBroken
)


@dataclass(frozen=True, slots=True)
class Execute:
    permit: Permit


@dataclass(frozen=True, slots=True)
class ClearTrip:
    cause: TripCause


@dataclass(frozen=True, slots=True)
class Began:
    """A session's record begins."""

    session_id: str
    prescription: Prescription
    limits: dict[str, object]


@dataclass(frozen=True, slots=True)
class Record:
    kind: EventKind
    actor: Actor
    text: str
    data: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RecordSample:
    row: SampleRow


@dataclass(frozen=True, slots=True)
class Answer:
    command_id: str
    done: bool
    reason: str = ""
    data: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Over:
    """The session's record ends."""


Output = Execute | ClearTrip | Began | Record | RecordSample | Answer | Over
