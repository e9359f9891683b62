"""A clinician steers a session under way: pause, go on, lower, raise, take over. Words change the plan; nothing else.

Every change is answered, and on record with who asked and what came of it. A change moves nothing by itself: the next
sample follows the new plan, and the limiter judges that motion as it does any other.
"""

from dataclasses import dataclass
from typing import Final, assert_never

from controller import ahead, following, treatment
from controller.ahead import Segments
from controller.blinding import without_newtons
from controller.dose_clock import AT_FORCE_WITHIN_PERCENT
from controller.evolution import evolved
from controller.inputs import Answer, GoOnAsked, LowerAsked, PauseAsked, RaiseAsked, Record, TakeOverAsked
from controller.pain import heeded
from controller.phases import Following, Holding, Paused, Ramping, Resting, TakingUpSlack
from controller.prescription import FORCE_OF_BODY_WEIGHT_PERCENT_MAX
from controller.profile import Profile, ramp
from controller.quantities import body_weight_mn
from controller.readings import mean_force_mn
from controller.state import Course, Step, enter, why_no_pull
from safety import limits
from safety.reading import ForceReading, is_slack

Steered = PauseAsked | GoOnAsked | LowerAsked | RaiseAsked | TakeOverAsked

# A pause stays this far above slack (15 N) because nothing winds in meanwhile: breathing may take 10 N off it, and a
# patient who lies still must not be taken for one who left.
PAUSED_AT_N: Final = 30.0
# The way down, in a pause or when lowered: as fast as a session lets go at its end, never slower than it was raised.
EASE_N_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class Underway:
    """A pull that may be steered, and where it stands: `now_n` is its target, `behind` and `ahead` its profile."""

    course: Course
    phase: Following | Paused
    reading: ForceReading
    now_n: float
    behind: Segments
    ahead: Segments

    @property
    def pull_n(self) -> float:
        return ahead.pull_n(self.ahead)


class Refused(Exception):
    """Not done; the text is the sentence for whoever asked."""


def on_steered(s: Step, asked: Steered) -> None:
    """Does what was asked, or says why not. On record either way."""
    data: dict[str, object] = {"command": asked.command_id}
    try:
        text, changes = _steer(s, asked)
    except Refused as refused:
        s.record(Record("command", asked.actor, f"{_named(asked)} refused: {refused}", data | {"refused": True}))
        reason = without_newtons(str(refused)) if _is_blinded(s) else str(refused)
        s.outputs.append(Answer(asked.command_id, done=False, reason=reason))
        return
    s.record(Record("command", asked.actor, text, data | changes))
    told = {} if _is_blinded(s) else changes
    s.outputs.append(Answer(asked.command_id, done=True, data=told))


def _is_blinded(s: Step) -> bool:
    return s.state.course is not None and s.state.course.prescription.is_blinded


def _steer(s: Step, asked: Steered) -> tuple[str, dict[str, object]]:
    if isinstance(asked, TakeOverAsked):
        return _take_over(s, asked)
    under = _underway(s)
    if asked.actor != under.course.holder:
        raise Refused(f"{under.course.holder} holds this session: take it over first. Stop works for anybody.")
    if isinstance(asked, LowerAsked | RaiseAsked) and _is_blinded(s):
        raise Refused("In a trial the force is not changed, since the answer would tell the arm: pause or stop.")
    match asked:
        case PauseAsked():
            return _pause(s, under)
        case GoOnAsked():
            return _go_on(s, under)
        case LowerAsked():
            return _lower(s, under, asked.to_mn)
        case RaiseAsked():
            return _raise(s, under, asked)
        case _:
            assert_never(asked)


def _named(asked: Steered) -> str:
    match asked:
        case PauseAsked():
            return "Pause"
        case GoOnAsked():
            return "Go on"
        case LowerAsked(to_mn=to_mn):
            return f"Lower to {to_mn / 1000:g} N"
        case RaiseAsked(to_mn=to_mn):
            return f"Raise to {to_mn / 1000:g} N"
        case TakeOverAsked():
            return "Take over"
        case _:
            assert_never(asked)


def _take_over(s: Step, asked: TakeOverAsked) -> tuple[str, dict[str, object]]:
    course = s.state.course
    if course is None:
        raise Refused("There is no session to take over.")
    s.set_course(holder=asked.actor)
    return f"{asked.actor} takes over from {course.holder}", {"from": course.holder, "to": asked.actor}


def _underway(s: Step) -> Underway:
    course, reading, phase = s.state.course, s.state.reading, s.state.phase
    if isinstance(phase, TakingUpSlack):
        raise Refused("The slack is being taken up: wait until the pull begins, or stop.")
    if course is None or reading is None or not isinstance(phase, Ramping | Holding | Resting | Paused):
        raise Refused("Nothing is being pulled now, so there is nothing to change.")
    passed_s = (reading.taken_us - phase.since_us) / 1e6
    match phase:
        case Paused():
            segments = course.profile.segments
            now_n = phase.segment.force_n(passed_s)
            return Underway(course, phase, reading, now_n, segments[: phase.step], segments[phase.step :])
        case Holding():
            left_s = (phase.until_at_force_us - course.clock.at_force_us) / 1e6
            passed_s = course.profile.segments[phase.step].duration_s - left_s
            now_n = phase.target_n
        case Ramping() | Resting():
            now_n = phase.segment.force_n(passed_s)
        case _:
            assert_never(phase)
    behind, to_come = ahead.split(course.profile, phase.step, passed_s, now_n)
    return Underway(course, phase, reading, now_n, behind, to_come)


def _pause(s: Step, under: Underway) -> tuple[str, dict[str, object]]:
    if isinstance(under.phase, Paused):
        raise Refused("It is paused already.")
    if under.course.paused_us >= treatment.PAUSED_IN_ALL_US_MAX:
        raise Refused("This session was paused for 10 minutes in all: stop it, or go through with it.")
    down = ramp(under.now_n, min(under.now_n, PAUSED_AT_N), EASE_N_S)
    behind = (*under.behind, down)
    s.set_course(profile=Profile((*behind, *under.ahead)), pain=heeded(under.course.pain))
    taken_us = under.reading.taken_us
    paused = Paused(taken_us, down, under.phase.gains, under.phase.loop, len(behind), began_us=taken_us)
    enter(s, paused, f"Paused: going down to {down.to_n:.0f} N. The clock stands")
    return "Pause", {"from_mn": _mn(under.now_n), "to_mn": _mn(down.to_n)}


def _go_on(s: Step, under: Underway) -> tuple[str, dict[str, object]]:
    phase = under.phase
    if not isinstance(phase, Paused):
        raise Refused("It is not paused.")
    _may_pull(s, under)
    force_mn = mean_force_mn(under.reading)
    assert force_mn is not None  # the limiter has read both channels
    from_n = min(under.now_n, (force_mn - under.course.tare_mn) / 1000)
    _ends_in_time(under, from_n)
    s.set_course(paused_us=under.course.paused_us + under.reading.taken_us - phase.began_us)
    _follow_from(s, under, under.ahead, from_n)
    return "Go on", {"from_mn": _mn(from_n), "to_mn": _mn(under.pull_n)}


def _lower(s: Step, under: Underway, to_mn: int) -> tuple[str, dict[str, object]]:
    to_n, from_n = to_mn / 1000, under.pull_n
    if to_mn < limits.SETPOINT_MIN_MN:
        raise Refused(f"{to_n:g} N is less than 20 N, the least that can be held: pause or stop instead.")
    if to_n >= from_n:
        raise Refused(f"The pull is {from_n:g} N, and {to_n:g} N is not lower.")
    s.set_course(pain=heeded(under.course.pain))
    to_come = ahead.capped(under.ahead, to_n)
    if isinstance(under.phase, Paused):
        _pause_lower(s, under, under.phase, to_come, to_n)
    else:
        _follow_from(s, under, to_come, under.now_n)
    return f"Lower from {from_n:g} N to {to_n:g} N", {"from_mn": _mn(from_n), "to_mn": to_mn}


def _pause_lower(s: Step, under: Underway, phase: Paused, to_come: Segments, to_n: float) -> None:
    """The pause stays one, at most at that force."""
    down = ramp(under.now_n, min(under.now_n, phase.segment.to_n, to_n), EASE_N_S)
    s.set_course(profile=Profile((*under.behind, *to_come)))
    s.set(phase=evolved(phase, since_us=under.reading.taken_us, segment=down))


def _raise(s: Step, under: Underway, asked: RaiseAsked) -> tuple[str, dict[str, object]]:
    from_n, to_n = under.pull_n, asked.to_mn / 1000
    if not isinstance(under.phase, Holding):
        raise Refused("Raise only while a force is held: wait until it is reached, or go on from the pause.")
    _may_be_raised(s, under.course, asked, _mn(from_n))
    _may_pull(s, under)
    _is_felt(under)
    _follow_from(s, under, ahead.raised(under.ahead, to_n, _ramp_n_s(under)), under.now_n)
    return f"Raise from {from_n:g} N to {to_n:g} N", {
        "from_mn": _mn(from_n),
        "to_mn": asked.to_mn,
        "confirmed_mn": asked.confirmed_mn,
    }


def _may_be_raised(s: Step, course: Course, asked: RaiseAsked, from_mn: int) -> None:
    prescription, to_mn = course.prescription, asked.to_mn
    half_weight_mn = body_weight_mn(prescription.body_mass_g) * FORCE_OF_BODY_WEIGHT_PERCENT_MAX // 100
    to, step_max = f"{to_mn / 1000:g} N", limits.RAISE_STEP_MAX_MN
    rules = (
        (asked.confirmed_mn != to_mn, f"{to} was asked for and {asked.confirmed_mn / 1000:g} N was confirmed."),
        (to_mn <= from_mn, f"The pull is {from_mn / 1000:g} N, and {to} is not higher."),
        (to_mn - from_mn > step_max, f"From {from_mn / 1000:g} N to {to} is more than a step of {step_max // 1000} N."),
        (
            to_mn > prescription.agreed_mn,
            f"{to} is more than the {prescription.agreed_mn / 1000:g} N agreed at the start: more needs a new session.",
        ),
        (to_mn > s.state.site.setpoint_cap_mn, f"{to} is more than this site allows."),
        (to_mn > half_weight_mn, f"{to} is more than half of the body weight, {half_weight_mn / 1000:.0f} N."),
    )
    for broken, sentence in rules:
        if broken:
            raise Refused(sentence)


def _may_pull(s: Step, under: Underway) -> None:
    """All that a pull needs, by the limiter's word, before a change that leads to one."""
    why_not = why_no_pull(s)
    if why_not is not None:
        raise Refused(why_not)
    if is_slack(under.reading):
        raise Refused("The cable is slack: have the patient lie as before, or stop and begin anew.")


def _is_felt(under: Underway) -> None:
    """A raise follows on a force that is there, and not on one that the drum still winds in after."""
    force_n = following.control_force_n(under.course, under.reading)
    if force_n is None or abs(force_n - under.now_n) * 100 > AT_FORCE_WITHIN_PERCENT * under.now_n:
        raise Refused(f"The force is away from its {under.now_n:g} N now: wait until it is there.")


def _ends_in_time(under: Underway, from_n: float) -> None:
    """Slow ramps, begun anew after every pause, may use up the time that the table is armed for: it would trip."""
    course = under.course
    takes_s = sum(segment.duration_s for segment in _way(under, under.ahead, from_n))
    passed_us = under.reading.taken_us - (course.armed_us or 0)
    left_s = (course.limits.duration_us - passed_us) / 1e6
    if takes_s > left_s:
        reason = (
            f"What is left takes {takes_s / 60:.0f} min, and this session may last {max(0.0, left_s) / 60:.0f} more"
        )
        raise Refused(f"{reason}: lower the pull until it fits, or stop.")


def _ramp_n_s(under: Underway) -> float:
    """How fast a change may lead upwards: no faster than any pull was prescribed to rise."""
    slowest_n_s = under.course.prescription.slowest_ramp_mn_s / 1000
    return min(slowest_n_s, treatment.ramp_rate_n_s(under.course, under.phase.gains.stiffness_n_mm))


def _follow_from(s: Step, under: Underway, to_come: Segments, from_n: float) -> None:
    """Goes on with that plan from that force, beginning with the way to where it is now."""
    s.set_course(profile=Profile((*under.behind, *_way(under, to_come, from_n))))
    treatment.enter_step(s, under.reading, len(under.behind), under.phase.gains, under.phase.loop)


def _way(under: Underway, to_come: Segments, from_n: float) -> Segments:
    up_n_s = _ramp_n_s(under)
    return ahead.approached(to_come, from_n, up_n_s, max(up_n_s, EASE_N_S))


def _mn(force_n: float) -> int:
    return round(force_n * 1000)
