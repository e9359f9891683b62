"""What the controller says over MQTT, as data. Everything that views a table is built from these.

A payload carries no name, birth date or text that a person typed: a patient is a keyed pseudonym.
Forces in mN, positions in um, device time in us, wall-clock times as ISO 8601 in UTC with a Z.
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

TOPIC_ROOT = "traction/v1"
# A state is sent on change and every second; what is older than this is no longer the state.
STATE_VALID_S = 3
BATCH_SAMPLES_MAX = 2_000
Pseudonym = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$")]


class PhaseName(StrEnum):
    IDLE = "idle"
    CHECKING_ZERO = "checking_zero"
    AWAITING_SWITCH_TEST = "awaiting_switch_test"
    TAKING_UP_SLACK = "taking_up_slack"
    RAMPING = "ramping"
    HOLDING = "holding"
    RESTING = "resting"
    PAUSED = "paused"
    RELEASING = "releasing"
    ENDED = "ended"
    TRIPPED = "tripped"


class Payload(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Presence(Payload):
    online: bool
    since: datetime
    version: str
    simulated: bool | None


class ActiveAlarm(Payload):
    """`shown` and `what_to_do` are the catalogue's; `detail` says what was measured. `root` marks the first cause."""

    id: str
    priority: str
    shown: str
    what_to_do: str
    detail: str
    since: datetime
    latched: bool
    acknowledged: bool
    root: bool


class TableIdentity(Payload):
    model: str
    serial: int
    firmware: str
    rate_hz: int
    simulated: bool
    calibration_a: int
    calibration_b: int


class PrescriptionSummary(Payload):
    """As prescribed, whichever arm of a trial is given. `course` has a sentence for each pull."""

    pseudonym: Pseudonym
    mode: str
    force_mn: int
    body_mass_g: int
    time_at_force_s: int
    ramp_mn_s: int
    course: tuple[str, ...] = ()


class State(Payload):
    """What is true of one table now, until `valid_until`. `run` names one life of the controller's process.

    `instruction` is what the person at the table should do next, empty when nothing.
    `within_5_percent` is a share of the time at force, 0 to 1; None before there is any. `setpoint_mn` is the force
    of the pull that is given or comes next; `agreed_mn` how far it may be raised; `holder` who may change it.
    `pull_number` of `pulls` counts the pulls between rests, `segment` of `segments` the steps of the profile, from 1.
    `pain` is the newest score, `suggestion` what it suggests; `movement` the newest movement, in words.
    `end_unacknowledged`: a session is over, and a tone sounds until somebody says that they are there.
    `blinded`: forces here and in batches are no newtons but thousandths of a percent of the prescribed peak.
    """

    run: str
    sent: datetime
    valid_until: datetime
    connected: bool
    phase: PhaseName
    session_id: str | None
    instruction: str
    target_mn: int | None
    setpoint_mn: int | None
    ceiling_mn: int | None
    elapsed_s: int | None
    at_force_s: int | None
    remaining_s: int | None
    within_5_percent: float | None
    stiffness_n_per_mm: float | None
    patient_switch_connected: bool | None
    patient_switch_pressed: bool | None
    alarms: tuple[ActiveAlarm, ...]
    table: TableIdentity | None
    prescription: PrescriptionSummary | None
    recording_failure: str | None
    blinded: bool = False
    holder: str | None = None
    agreed_mn: int | None = None
    pull_number: int | None = None
    pulls: int | None = None
    segment: int | None = None
    segments: int | None = None
    pause_left_s: int | None = None
    pain: int | None = None
    suggestion: str = ""
    movement: str | None = None
    end_unacknowledged: bool = False


class ForceBatch(Payload):
    """Columns of consecutive samples: sample i has sequence number `first_seq + i`; lists are of one length.

    A force that could not be read is null. `dropped` counts samples lost on the way since the run began;
    `age_us` is the age of the newest sample when the batch was sent.
    """

    run: str
    session_id: str | None
    first_seq: int
    t_us: Annotated[list[int], Field(max_length=BATCH_SAMPLES_MAX)]
    force_mn: list[int | None]
    target_mn: list[int | None]
    cable_um: list[int]
    age_us: int
    dropped: int


class Event(Payload):
    """One phase change, alarm or operator action, with its number in the session (from 1)."""

    run: str
    session_id: str | None
    number: int
    time: datetime
    t_us: int | None
    kind: str
    actor: str
    text: str


def topic(site: str, table: str, leaf: str) -> str:
    return f"{TOPIC_ROOT}/{site}/{table}/{leaf}"


def utc_now() -> datetime:
    """Wall-clock time, for records and screens only."""
    return datetime.now(UTC)
