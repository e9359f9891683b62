"""What the patient tells of pain, and what that suggests. It suggests only: nothing here changes the pull."""

from dataclasses import dataclass, replace
from typing import Literal

PainWhen = Literal["before", "during", "after"]
PAIN_MAX = 10


@dataclass(frozen=True, slots=True)
class Pain:
    """`least` is the lowest score of this session, `last` the newest; None while nobody was asked.

    `suggestion` is a sentence for the operator; empty when there is none.
    """

    least: int | None = None
    last: int | None = None
    suggestion: str = ""


NOTHING_TOLD = Pain()


def told(pain: Pain, score: int, leg_symptoms: bool) -> Pain:
    """After the patient gave a score of 0 to 10."""
    least = score if pain.least is None else min(pain.least, score)
    return Pain(least, score, _suggestion(least, score, leg_symptoms))


def heeded(pain: Pain) -> Pain:
    """The pull was lowered, paused or ended: what was suggested is done."""
    return replace(pain, suggestion="") if pain.suggestion else pain


def _suggestion(least: int, score: int, leg_symptoms: bool) -> str:
    if leg_symptoms:
        return "Symptoms in a leg: lower the force or stop, and have the patient examined."
    if score > least:
        return f"Pain rose from {least} to {score}: think of lowering the force."
    return ""
