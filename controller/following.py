"""The drum follows the target: one step of the tension loop when one is due, and the motion that it comes to.

Forces are in N and speeds in mm/s, after the tare. What moves is proposed, never commanded: the limiter has the word.
"""

from typing import Final

from controller import movement
from controller.phases import Holding, Paused
from controller.profile import Segment
from controller.readings import mean_force_mn
from controller.state import Course, Step, note_movement, propose
from controller.tension import Gains, Loop, SpeedLimits, tension_step
from safety import limits, plausibility
from safety.motion import Hold, Motion, PayOut, Pull
from safety.reading import ForceReading, is_slack
from safety.units import MicrometresPerSecond

UM_PER_MM: Final = 1000


def control_force_n(course: Course, reading: ForceReading) -> float | None:
    """None from one wild sample: nothing is concluded from it, and the next one comes well within the lease."""
    mean_mn = None if plausibility.is_wild(reading) else mean_force_mn(reading)
    return None if mean_mn is None else (mean_mn - course.tare_mn) / 1000


def _is_time_to_move(course: Course, reading: ForceReading) -> float | None:
    """Seconds since the last move when one is due, by the device's clock; None when not yet."""
    if course.moved_us is None:
        return course.timing.loop_period_s
    passed_s = (reading.taken_us - course.moved_us) / 1e6
    # Half a sample early is nearer to the period than half a sample late.
    return passed_s if passed_s >= course.timing.loop_period_s - course.timing.sample_period_s / 2 else None


def follow(
    s: Step,
    reading: ForceReading,
    segment: Segment,
    at_s: float,
    tuned: Gains,
    loop: Loop,
    pull_mm_s: float | None = None,
) -> Loop:
    """Follows the target one step of the loop, when one is due; returns the loop's memory.

    `pull_mm_s`: how fast it may wind in, where that is less than the session allows.
    """
    course = s.state.course
    if course is None:
        return loop
    target_n = segment.force_n(at_s)
    target_mn = round(target_n * 1000)
    if target_mn != course.target_mn:
        s.set_course(target_mn=target_mn)
    period_s = _is_time_to_move(course, reading)
    force_n = None if period_s is None else control_force_n(course, reading)
    if period_s is None or force_n is None:
        return loop
    _notice_movement(s, reading, force_n, target_n, tuned)
    fastest_mm_s = course.limits.pull_um_s / UM_PER_MM if pull_mm_s is None else pull_mm_s
    speeds = SpeedLimits(fastest_mm_s, course.limits.payout_um_s / UM_PER_MM)
    after, speed_mm_s = tension_step(loop, tuned, target_n, segment.rate_n_s(at_s), force_n, period_s, speeds)
    move(s, reading, speed_mm_s)
    return after


def _notice_movement(s: Step, reading: ForceReading, force_n: float, target_n: float, tuned: Gains) -> None:
    """Breath, cough, shift, slip: on record in words. What safety makes of the same sample is its own."""
    course = s.state.course
    if course is None or (isinstance(s.state.phase, Paused) and force_n < target_n):
        return
    memory, noticed = movement.watched(
        course.movement,
        reading.taken_us,
        round((force_n - target_n) * 1000),
        round(force_n * 1000),
        reading.cable_um,
        round(tuned.stiffness_n_mm * 1000),
        steady=isinstance(s.state.phase, Holding),
    )
    if memory is not course.movement:
        s.set_course(movement=memory)
    if noticed is not None:
        note_movement(s, noticed)


def move(s: Step, reading: ForceReading, speed_mm_s: float) -> None:
    """Proposes that speed when a move is due; while frozen nothing pulls, but paying out goes on."""
    course = s.state.course
    if course is None or _is_time_to_move(course, reading) is None:
        return
    s.set_course(moved_us=reading.taken_us)
    propose(s, _motion(speed_mm_s, reading, s.state.frozen))


def _motion(speed_mm_s: float, reading: ForceReading, frozen: bool) -> Motion:
    speed_um_s = MicrometresPerSecond(int(speed_mm_s * UM_PER_MM))
    if not is_slack(reading):
        speed_um_s = MicrometresPerSecond(min(speed_um_s, limits.PULL_MAX_UM_S))
    if speed_um_s < 0:
        return PayOut(MicrometresPerSecond(-speed_um_s))
    return Hold() if frozen or speed_um_s == 0 else Pull(speed_um_s)
