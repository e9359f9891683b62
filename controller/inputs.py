"""What comes into a step, and what comes out. All of it is data; the shell turns it into bytes, rows and replies."""

from dataclasses import dataclass, field

from controller.calibration import Calibration as CalibrationRecord
from controller.journal import Actor, EventKind, SampleRow
from controller.pain import PainWhen
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
class PauseAsked:
    """Down to a low force, and stay there."""

    actor: Actor
    command_id: str


@dataclass(frozen=True, slots=True)
class GoOnAsked:
    """Out of the pause, back to where the profile was."""

    actor: Actor
    command_id: str


@dataclass(frozen=True, slots=True)
class LowerAsked:
    actor: Actor
    command_id: str
    to_mn: int


@dataclass(frozen=True, slots=True)
class RaiseAsked:
    """`confirmed_mn` is the new force, said a second time."""

    actor: Actor
    command_id: str
    to_mn: int
    confirmed_mn: int


@dataclass(frozen=True, slots=True)
class PainTold:
    """By the patient, 0 to 10. `leg_symptoms`: pain, numbness or weakness that goes down a leg."""

    actor: Actor
    command_id: str
    score: int
    when: PainWhen
    leg_symptoms: bool = False


@dataclass(frozen=True, slots=True)
class TakeOverAsked:
    """Another operator holds the session from now on."""

    actor: Actor
    command_id: str


@dataclass(frozen=True, slots=True)
class EndAcknowledged:
    """Somebody heard that the session is over, and sees to the patient."""

    actor: Actor
    command_id: str


@dataclass(frozen=True, slots=True)
class CameTooLate:
    """A command that had expired before it arrived: nothing is done about it, but it goes on record."""

    actor: Actor
    command_id: str
    asked: str


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
    | PauseAsked
    | GoOnAsked
    | LowerAsked
    | RaiseAsked
    | PainTold
    | TakeOverAsked
    | EndAcknowledged
    | CameTooLate
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
