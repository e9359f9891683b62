"""How a page steers a session under way. Every change goes to the controller, which says yes or no with a sentence."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from controller.pain import PAIN_MAX, PainWhen
from dashboard.api import Asked, Done, done
from dashboard.control_client import ControlClient


class LowerAsked(Asked):
    to_mn: int


class RaiseAsked(Asked):
    """`confirmed_mn` is the new force once more, from a second press."""

    to_mn: int
    confirmed_mn: int


class PainTold(Asked):
    score: Annotated[int, Field(ge=0, le=PAIN_MAX)]
    when: PainWhen
    leg_symptoms: bool = False


def router(control: ControlClient) -> APIRouter:
    api = APIRouter(prefix="/api")

    @api.post("/pause")
    async def pause(asked: Asked) -> Done:
        """Down to a low force, where the clock stands."""
        return done(await control.pause(asked.id))

    @api.post("/go-on")
    async def go_on(asked: Asked) -> Done:
        """Out of the pause."""
        return done(await control.go_on(asked.id))

    @api.post("/lower")
    async def lower(asked: LowerAsked) -> Done:
        return done(await control.lower(asked.to_mn, asked.id))

    @api.post("/raise")
    async def raise_to(asked: RaiseAsked) -> Done:
        return done(await control.raise_to(asked.to_mn, asked.confirmed_mn, asked.id))

    @api.post("/pain")
    async def pain(asked: PainTold) -> Done:
        """What the patient answered; `data.suggestion` says what it suggests."""
        told = control.pain(asked.score, asked.when, leg_symptoms=asked.leg_symptoms, command_id=asked.id)
        return done(await told)

    @api.post("/take-over")
    async def take_over(asked: Asked) -> Done:
        """Whoever asks holds the session from now on."""
        return done(await control.take_over(asked.id))

    @api.post("/acknowledge-end")
    async def acknowledge_end(asked: Asked) -> Done:
        """Ends the tone after a session."""
        return done(await control.acknowledge_end(asked.id))

    @api.post("/zero")
    async def zero(asked: Asked) -> Done:
        """How far each channel is from its zero, between sessions. Shifts nothing."""
        return done(await control.zero(asked.id))

    return api
