"""What the clinician of a scenario asks of the controller, by the action's name."""

from collections.abc import Callable, Mapping
from typing import Final

from controller.inputs import (
    EndAcknowledged,
    GoOnAsked,
    Input,
    LowerAsked,
    PainTold,
    PauseAsked,
    RaiseAsked,
    StopAsked,
)
from controller.pain import PainWhen
from hw_sim.actions import Arguments

ACTOR: Final = "clinician"
# Of a scenario's phases; in all others the patient is being pulled.
PAIN_WHEN: Final[Mapping[str, PainWhen]] = {"ready": "before", "release": "after", "ended": "after", "tripped": "after"}

Ask = Callable[[str, Arguments, str], Input]  # the command's id, what it takes, the scenario's phase


def _mn(given: Arguments) -> int:
    return round(given["to"] * 1000)


ASKS: Final[Mapping[str, Ask]] = {
    "stop": lambda name, _given, _phase: StopAsked(ACTOR, name),
    "pause": lambda name, _given, _phase: PauseAsked(ACTOR, name),
    "go_on": lambda name, _given, _phase: GoOnAsked(ACTOR, name),
    "lower": lambda name, given, _phase: LowerAsked(ACTOR, name, _mn(given)),
    "raise": lambda name, given, _phase: RaiseAsked(ACTOR, name, _mn(given), confirmed_mn=_mn(given)),
    "pain": lambda name, given, phase: PainTold(ACTOR, name, int(given["score"]), PAIN_WHEN.get(phase, "during")),
    "acknowledge_end": lambda name, _given, _phase: EndAcknowledged(ACTOR, name),
}


def told(given: Arguments) -> str:
    """What was asked beyond its name, for the story: "to 80 N"."""
    if "to" in given:
        return f" to {given['to']:g} N"
    return f": {given['score']:g} of 10" if "score" in given else ""
