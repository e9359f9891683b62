"""What may be asked of the controller over its local socket: one JSON object a line, one reply a line.

A command carries an id (sent again, it is answered as the first time), who asks, and when it expires by the
machine's monotonic clock (CLOCK_MONOTONIC, shared by all processes of one machine). Stop needs no session and
is never refused. A reply that does not come within 2 s is to be shown as unknown, never as done.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from controller.messages import Pseudonym
from controller.pain import PAIN_MAX, PainWhen

LINE_BYTES_MAX = 65_536
REPLY_WITHIN_S = 2.0
CommandId = Annotated[str, Field(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
ActorName = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9 ._@-]+$")]

# The ticks that a person gives before a start; the rest of the start list ticks itself.
HumanTick = Literal["screening", "harness", "table_unlocked"]
HUMAN_TICKS: tuple[HumanTick, ...] = ("screening", "harness", "table_unlocked")
HUMAN_TICK_TEXTS: dict[HumanTick, str] = {
    "screening": "No contraindication: no fracture, tumour, infection, pregnancy, or new numbness or weakness",
    "harness": "The harness is on, snug, and hooked to the cable",
    "table_unlocked": "The table's split is unlocked",
}


class _Command(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    id: CommandId
    actor: ActorName


class _Expiring(_Command):
    expires_us: int


class Start(_Expiring):
    """Begins a session. `prescription` is the document as the clinician wrote it (tables of TOML or JSON).

    `confirmed_mn` repeats the force, in mN: needed above 200 N or a quarter of the body weight, and wherever it is
    given it must be the prescription's. `patient` is the pseudonym as it is read from the patient, and must be too.
    `unattended` records that a script answered for a person.
    """

    do: Literal["start"]
    prescription: dict[str, Any]
    ticks: tuple[HumanTick, ...]
    confirmed_mn: int | None = None
    patient: Pseudonym | None = None
    unattended: bool = False


class Stop(_Command):
    do: Literal["stop"]


class Acknowledge(_Expiring):
    """Acknowledges the alarm of that id ("A10"), by name; only when slack and its cause gone does it unlock."""

    do: Literal["acknowledge"]
    alarm: Annotated[str, Field(pattern=r"^A\d\d$")]


class Zero(_Expiring):
    """Asks how far each channel is from the calibration's zero, between sessions. Shifts nothing."""

    do: Literal["zero"]


class Pause(_Expiring):
    """Down to a low force, where the clock stands, until somebody goes on."""

    do: Literal["pause"]


class GoOn(_Expiring):
    """Out of the pause, back to where the profile was."""

    do: Literal["go_on"]


class Lower(_Expiring):
    """From now on nowhere above `to_mn`; at least 20 N."""

    do: Literal["lower"]
    to_mn: int


class Raise(_Expiring):
    """The force that is held, by at most 20 N, up to what was agreed at the start. `confirmed_mn` says it again."""

    do: Literal["raise"]
    to_mn: int
    confirmed_mn: int


class PainScore(_Expiring):
    """What the patient answered, 0 (none) to 10 (the worst), and whether a leg hurts, is numb or weak."""

    do: Literal["pain"]
    score: Annotated[int, Field(ge=0, le=PAIN_MAX)]
    when: PainWhen
    leg_symptoms: bool = False


class TakeOver(_Expiring):
    """Whoever asks holds the session from now on, and nobody else steers it. Stop needs no holding."""

    do: Literal["take_over"]


class AcknowledgeEnd(_Expiring):
    """The end was heard, and somebody is with the patient: ends the tone, and closes the session's record."""

    do: Literal["acknowledge_end"]


class Status(_Command):
    do: Literal["status"]


Steering = Pause | GoOn | Lower | Raise | PainScore | TakeOver | AcknowledgeEnd
Command = Start | Stop | Acknowledge | Zero | Steering | Status
COMMAND: TypeAdapter[Command] = TypeAdapter(Annotated[Command, Field(discriminator="do")])


class Reply(BaseModel):
    """`done` with what came of it, or `refused` with a sentence that a person can act on."""

    model_config = ConfigDict(frozen=True)

    id: str | None
    outcome: Literal["done", "refused"]
    reason: str = ""
    data: dict[str, Any] = {}
