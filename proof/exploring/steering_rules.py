"""What may be changed in a pull, by whom, and how far: judged from the command and the agreement alone."""

from collections.abc import Iterator
from typing import Final

from controller.inputs import Answer, GoOnAsked, LowerAsked, PauseAsked, RaiseAsked, Record
from controller.phases import Holding, Paused, Tripped
from proof.exploring.transition import Transition
from proof.exploring.world import AGREED_MN

STEERED: Final = (PauseAsked, GoOnAsked, LowerAsked, RaiseAsked)
STEP_MN: Final = 20_000
LEAST_MN: Final = 20_000


def a_change_is_earned(t: Transition) -> Iterator[str]:
    """Answered once and on record; refused, nothing changes; done, the holder asked, and within what was agreed."""
    if not isinstance(t.given, STEERED):
        return
    answers = [output for output in t.outputs if isinstance(output, Answer)]
    told = [output for output in t.outputs if isinstance(output, Record) and output.kind == "command"]
    if len(answers) != 1 or not told or answers[0].done == bool(answers[0].reason):
        yield "not answered once and on record, with a reason where refused"
    elif not answers[0].done:
        if t.before.phase is not t.after.phase and not isinstance(t.after.phase, Tripped):
            yield "refused, and yet something changed"
    else:
        yield from (f"done although {what}" for what in _against(t))


def _against(t: Transition) -> Iterator[str]:
    course, given = t.before.course, t.given
    if course is None or course.holder != getattr(given, "actor", None):
        yield "somebody else holds it, or there is no session"
    match given:
        case GoOnAsked():
            if not isinstance(t.before.phase, Paused) or not 0 <= t.before.age_us <= 60_000 or t.before.frozen:
                yield "it was not paused, or nothing could be pulled"
        case LowerAsked(to_mn=to_mn):
            if to_mn < LEAST_MN:
                yield "it is less than can be held"
        case RaiseAsked(to_mn=to_mn, confirmed_mn=confirmed_mn):
            held_mn = t.before.phase.target_n * 1000 if isinstance(t.before.phase, Holding) else 0
            if to_mn != confirmed_mn or to_mn > AGREED_MN or not held_mn < to_mn <= held_mn + STEP_MN:
                yield "it was not a confirmed step within what was agreed, from a force that is held"


def no_plan_goes_beyond_what_was_agreed(t: Transition) -> Iterator[str]:
    """Whatever is changed: no segment lies above the highest force agreed at the start."""
    course = t.after.course
    if course is not None and course.profile.peak_n * 1000 > AGREED_MN:
        yield f"planned up to {course.profile.peak_n:g} N"
