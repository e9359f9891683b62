"""What the patient tells, before, during and after; and the end of a session, until somebody acknowledges it."""

from dataclasses import replace
from typing import Final

from controller import pain as pains
from controller.inputs import Answer, EndAcknowledged, PainTold, Record
from controller.pain import PAIN_MAX, Pain
from controller.phases import AwaitingSwitchTest, CheckingZero, Holding, Paused, Ramping, Resting, TakingUpSlack
from controller.state import Step, close

BEFORE_THE_PULL: Final = (CheckingZero, AwaitingSwitchTest)
IN_THE_PULL: Final = (TakingUpSlack, Ramping, Holding, Resting, Paused)


def on_pain(s: Step, told: PainTold) -> None:
    """Notes the score; a rise, or symptoms in a leg, suggests lowering and does nothing."""
    data: dict[str, object] = {"command": told.command_id, "pain": told.score, "when": told.when}
    refusal = _why_not(s, told)
    if refusal is not None:
        _refuse(s, told, f"Pain {told.score}, {told.when}", refusal)
        return
    after = pains.told(_pain(s), told.score, told.leg_symptoms)
    _remember(s, after)
    legs = ", with symptoms in a leg" if told.leg_symptoms else ""
    text = f"Pain {told.when}: {told.score} of {PAIN_MAX}{legs}. {after.suggestion}".rstrip()
    s.record(Record("command", told.actor, text, data | {"leg_symptoms": told.leg_symptoms}))
    s.outputs.append(Answer(told.command_id, done=True, data={"suggestion": after.suggestion}))


def on_end_acknowledged(s: Step, heard: EndAcknowledged) -> None:
    """Anybody may: whoever stands beside the patient. Said again, it is done already."""
    if s.state.open_end is not None:
        s.record(Record("command", heard.actor, "The end was acknowledged", {"command": heard.command_id}))
        close(s)
    elif s.state.course is not None:
        _refuse(s, heard, "Acknowledge the end", "The session has not ended.")
        return
    s.outputs.append(Answer(heard.command_id, done=True))


def _why_not(s: Step, told: PainTold) -> str | None:
    if not 0 <= told.score <= PAIN_MAX:
        return "Pain is a whole number from 0, none, to 10, the worst."
    if s.state.course is None and s.state.open_end is None:
        return "There is no session whose record could take it."
    pulled = not isinstance(s.state.phase, BEFORE_THE_PULL)
    pulling = isinstance(s.state.phase, IN_THE_PULL)
    fits = {"before": not pulled, "during": pulling, "after": pulled and not pulling}
    if not fits[told.when]:
        now = next(when for when, is_so in fits.items() if is_so)
        return f'It is "{now}" now, and not "{told.when}": ask the patient again.'
    return None


def _pain(s: Step) -> Pain:
    if s.state.course is not None:
        return s.state.course.pain
    return Pain() if s.state.open_end is None else s.state.open_end.pain


def _remember(s: Step, after: Pain) -> None:
    if s.state.course is not None:
        s.set_course(pain=after)
    elif s.state.open_end is not None:
        s.set(open_end=replace(s.state.open_end, pain=after))


def _refuse(s: Step, asked: PainTold | EndAcknowledged, what: str, reason: str) -> None:
    s.record(
        Record("command", asked.actor, f"{what} refused: {reason}", {"command": asked.command_id, "refused": True})
    )
    s.outputs.append(Answer(asked.command_id, done=False, reason=reason))
