"""What may be asked of the controller over its local socket: one JSON object a line, one reply a line.

A command carries an id (sent again, it is answered as the first time), who asks, and when it expires by the
machine's monotonic clock (CLOCK_MONOTONIC, shared by all processes of one machine). Stop needs no session and
is never refused. A reply that does not come within 2 s is to be shown as unknown, never as done.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from controller.messages import Pseudonym

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


class Status(_Command):
    do: Literal["status"]


Command = Start | Stop | Acknowledge | Zero | Status
COMMAND: TypeAdapter[Command] = TypeAdapter(Annotated[Command, Field(discriminator="do")])


class Reply(BaseModel):
    """`done` with what came of it, or `refused` with a sentence that a person can act on."""

    model_config = ConfigDict(frozen=True)

    id: str | None
    outcome: Literal["done", "refused"]
    reason: str = ""
    data: dict[str, Any] = {}
