"""What a page may ask over HTTP. Every change goes to the controller, which may refuse; nothing is decided here."""

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from controller.commands import CommandId, HumanTick
from controller.messages import Pseudonym
from controller.prescription import PrescriptionError, parse, tables_of
from controller.quantities import NotAQuantity, force_mn
from dashboard.control_client import Answer, ControlClient, Outcome
from dashboard.feed import Feed
from dashboard.preview import Preview, preview
from dashboard.problems import Problem
from safety.limits import SiteLimits

_STATUS_OF: Final = {Outcome.REFUSED: 409, Outcome.UNREACHABLE: 503, Outcome.UNKNOWN: 504}


class Asked(BaseModel):
    """`id` names the press: sent again with the same id, a command is answered as the first time."""

    model_config = ConfigDict(extra="forbid")

    id: CommandId | None = None


class StartAsked(Asked):
    """`confirmed_force` is the force typed a second time, where one is needed: "300 N".

    `patient` is the pseudonym as it is read from the patient: another one than the prescription's is refused.
    """

    prescription: dict[str, Any]
    ticks: tuple[HumanTick, ...]
    confirmed_force: str | None = None
    patient: Pseudonym | None = None


class StopAsked(Asked):
    pass


class AcknowledgeAsked(Asked):
    alarm: Annotated[str, Field(pattern=r"^A\d\d$")]


class PreviewAsked(BaseModel):
    model_config = ConfigDict(extra="forbid")

    prescription: dict[str, Any]


class FileText(BaseModel):
    """The text of a prescription file as somebody chose it; `name` tells by its ending which language it is in."""

    model_config = ConfigDict(extra="forbid")

    name: str
    text: str


class FileRead(BaseModel):
    prescription: dict[str, Any]


class Done(BaseModel):
    outcome: Literal["done"] = "done"
    sentence: str
    data: dict[str, Any]


def router(feed: Feed, control: ControlClient, site: SiteLimits) -> APIRouter:
    api = APIRouter(prefix="/api")

    @api.get("/state")
    async def state() -> dict[str, object]:
        """What is known of the table now. What is not known is null."""
        return feed.snapshot()

    @api.post("/preview")
    async def preview_prescription(asked: PreviewAsked) -> Preview:
        return preview(asked.prescription, site)

    @api.post("/prescription-file")
    async def read_prescription_file(asked: FileText) -> FileRead:
        """The tables of a TOML or JSON text, before any rule."""
        language: Literal["TOML", "JSON"] = "JSON" if asked.name.lower().endswith(".json") else "TOML"
        try:
            return FileRead(prescription=tables_of(asked.text, language, asked.name[:64] or "The file"))
        except PrescriptionError as error:
            raise Problem(422, "invalid", str(error), reasons=error.reasons) from error

    @api.post("/start")
    async def start(asked: StartAsked) -> Done:
        confirmed_mn = _confirmed_mn(asked)
        return done(await control.start(asked.prescription, asked.ticks, confirmed_mn, asked.id, patient=asked.patient))

    @api.post("/stop")
    async def stop(request: Request) -> Done:
        """Needs no body, and no session: one that cannot be read stops all the same."""
        return done(await control.stop(await _id_if_readable(request)))

    @api.post("/acknowledge")
    async def acknowledge(asked: AcknowledgeAsked) -> Done:
        return done(await control.acknowledge(asked.alarm, asked.id))

    return api


def done(answer: Answer) -> Done:
    """What was done; else the problem that says why not, or that it is not known."""
    if answer.outcome is Outcome.DONE:
        return Done(sentence=answer.sentence, data=answer.data)
    raise Problem(_STATUS_OF[answer.outcome], answer.outcome.value, answer.sentence, **answer.data)


def _confirmed_mn(asked: StartAsked) -> int | None:
    """The force typed again, in mN, against the prescription's own body mass; None when none was typed."""
    if asked.confirmed_force is None:
        return None
    try:
        return force_mn(asked.confirmed_force, parse(asked.prescription).body_mass_g)
    except NotAQuantity as error:
        raise Problem(422, "invalid", f"The force typed again: {error}.") from error
    except PrescriptionError as error:
        raise Problem(422, "invalid", str(error), reasons=error.reasons) from error


async def _id_if_readable(request: Request) -> str | None:
    try:
        return StopAsked.model_validate_json(await request.body() or b"{}").id
    except ValueError:
        return None
