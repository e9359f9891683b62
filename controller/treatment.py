"""The course of a treatment, phase by phase: zero check, switch test, slack take-up, ramp, hold, release.

Each phase looks at the newest sample, perhaps goes on to the next, and proposes a motion. Forces inside are in N and
speeds in mm/s, after the tare; the limiter judges the untared reading.
"""

from typing import Final, assert_never

from controller import alarm_board, following
from controller.dose_clock import counted
from controller.evolution import evolved
from controller.inputs import Record
from controller.pain import heeded
from controller.phases import (
    AwaitingSwitchTest,
    CheckingZero,
    Ended,
    Following,
    Holding,
    Idle,
    Paused,
    Ramping,
    Releasing,
    Resting,
    TakingUpSlack,
    Tripped,
)
from controller.profile import Kind, Profile, Segment, ramp
from controller.readings import mean_force_mn
from controller.state import (
    Course,
    OpenEnd,
    Step,
    close,
    enter,
    let_go,
    let_go_again,
    note_alarm,
    propose,
    raise_alarm,
    trip,
)
from controller.take_up import Stiffness, once_more, preload_n, stiffness, take_up_step
from controller.tension import Gains, Loop, gains
from firmware_bridge.messages import NakReason
from safety import interlock, limits
from safety.alarms import AlarmId
from safety.motion import Arm, ReleaseProfile
from safety.reading import ForceReading, is_slack, largest_force
from safety.slope import Feel
from safety.units import Microseconds, MillinewtonsPerMillimetre

ZERO_CHECK_US: Final = 1_000_000
ZERO_NOISE_MAX_MN: Final = 1_000
SWITCH_TEST_US_MAX: Final = 60_000_000
ARMED_WITHIN_US: Final = 1_000_000
TAKE_UP_US_MAX: Final = 60_000_000
# The ramp leaves a fifth of the pull speed to the loop.
RAMP_SHARE_OF_PULL: Final = 0.8
FEEL_FROM_MN: Final = 20_000  # a shorter ramp teaches nothing of the drive's current
# On the way up it is learned early, so that the rest of the ramp is judged by it; at the ramp's end anew, and better.
FEEL_ON_THE_WAY_FROM_MN: Final = 40_000
FEEL_FROM_MA: Final = 100  # nor does one in which the current hardly shows the load: its noise would count as force
MN_PER_KN: Final = 1_000_000
MINUTE_US: Final = 60_000_000
# Whoever pauses comes back within this; a patient is not left strapped for longer*. All pauses of a session together
# stay well under the time that the table is armed for beyond its profile.
# Nobody comes: the record is closed all the same, so that it does not lie open over night.
OPEN_END_US_MAX: Final = 15 * MINUTE_US
PAUSE_US_MAX: Final = 5 * MINUTE_US
PAUSED_IN_ALL_US_MAX: Final = 10 * MINUTE_US


def on_sample(s: Step, reading: ForceReading) -> None:
    """Goes on with the treatment by the newest sample."""
    match s.state.phase:
        case CheckingZero() as phase:
            _check_zero(s, phase, reading)
        case AwaitingSwitchTest() as phase:
            _await_switch(s, phase, reading)
        case TakingUpSlack() as phase:
            _take_up(s, phase, reading)
        case Ramping() as phase:
            _ramp(s, phase, reading)
        case Holding() as phase:
            _hold(s, phase, reading)
        case Resting() as phase:
            _rest(s, phase, reading)
        case Paused() as phase:
            _pause(s, phase, reading)
        case Releasing() as phase:
            _watch_release(s, phase, reading)
        case Idle() | Ended():
            # By an ARM that was under way for long. Under load the lease ends by itself, and says who stopped.
            if reading.armed and is_slack(reading):
                let_go_again(s, ReleaseProfile.NORMAL)
        case _:
            pass


def on_time(s: Step) -> None:
    """What must happen also when no sample comes."""
    match s.state.phase:
        case Releasing(profile=profile) | Tripped(profile=profile):
            let_go_again(s, profile)
        case Ended() if s.state.open_end is not None and s.now_us - s.state.open_end.since_us >= OPEN_END_US_MAX:
            s.record(Record("note", "controller", "Nobody acknowledged the end: the record is closed"))
            close(s)
        case CheckingZero() | AwaitingSwitchTest() if s.state.age_us > limits.SAMPLE_LOST_US:
            end(s, "the table stopped sending before the pull")
        case _:
            pass


def release(s: Step, because: str, profile: ReleaseProfile = ReleaseProfile.NORMAL) -> None:
    """Lets go, on somebody's word, at the end, or with a table that does so by itself."""
    s.set_course(target_mn=None)
    enter(s, Releasing(s.now_us, profile, because), f"Letting go: {because}")
    let_go(s, profile)


def end(s: Step, because: str, *, refused: bool = True) -> None:
    """Closes the session: the cable is slack and the table disarmed. `refused`: a check was not passed."""
    s.set_course(target_mn=None)
    s.set(interlock=interlock.opened(s.state.interlock), frozen=False)
    s.set(board=alarm_board.condition_gone(s.state.board, AlarmId.A25, s.now_us))
    enter(s, Ended(because, refused), f"Ended: {because}", because=because, refused=refused)
    course = s.state.course
    if course is not None and course.loaded_at_um is not None:
        s.set(course=None, open_end=OpenEnd(s.now_us, course.session_id, heeded(course.pain)))
    else:
        close(s)


def on_arm_refused(s: Step, reason: NakReason) -> None:
    if isinstance(s.state.phase, TakingUpSlack):
        end(s, f"the table refused to arm: {reason.spelled}")


def _check_zero(s: Step, phase: CheckingZero, reading: ForceReading) -> None:
    a, b = reading.force_a_mn, reading.force_b_mn
    if a is None or b is None:
        _refuse_zero(s, "a force channel gives no reading")
    elif reading.drive_enabled or reading.armed or not is_slack(reading):
        _refuse_zero(s, f"the cable carries {max(a, b) / 1000:.1f} N, or the drive is on")
    else:
        started_us = reading.taken_us if phase.started_us is None else phase.started_us
        after = CheckingZero(
            started_us,
            phase.count + 1,
            phase.sum_a + a,
            phase.sum_b + b,
            phase.square_a + a * a,
            phase.square_b + b * b,
        )
        s.set(phase=after)
        if reading.taken_us - started_us >= ZERO_CHECK_US:
            _judge_zero(s, after)


def _judge_zero(s: Step, phase: CheckingZero) -> None:
    means = (phase.sum_a // phase.count, phase.sum_b // phase.count)
    variances = (
        phase.square_a // phase.count - means[0] * means[0],
        phase.square_b // phase.count - means[1] * means[1],
    )
    shown = f"A {means[0] / 1000:z.2f} N, B {means[1] / 1000:z.2f} N"
    if max(abs(mean) for mean in means) > limits.ZERO_WITHIN_MN:
        _refuse_zero(s, f"zero is off by more than 5 N: {shown}")
    elif max(variances) > ZERO_NOISE_MAX_MN**2:
        _refuse_zero(s, "the reading is noisier than 1 N: let the cable hang still")
    else:
        s.set(interlock=interlock.zeroed(s.state.interlock, Microseconds(s.now_us)))
        s.set_course(tare_mn=sum(means) // 2)
        text = f"Zero is good ({shown}). The patient presses the switch now, once"
        enter(s, AwaitingSwitchTest(s.now_us), text, zero_a_mn=means[0], zero_b_mn=means[1])


def _refuse_zero(s: Step, detail: str) -> None:
    note_alarm(s, AlarmId.A27, detail)
    end(s, f"zero refused: {detail}")


def _await_switch(s: Step, phase: AwaitingSwitchTest, reading: ForceReading) -> None:
    if not reading.switch_connected:
        end(s, "the patient's switch is not plugged in")
    elif reading.switch_pressed:
        s.set(switch_seen_at_us=s.now_us)
        if not phase.pressed:
            s.record(Record("note", "patient", "The patient's switch was pressed and seen"))
            s.set(phase=evolved(phase, pressed=True))
    elif phase.pressed:
        _arm(s, reading)
    elif s.now_us - phase.since_us > SWITCH_TEST_US_MAX:
        end(s, "the patient's switch was not pressed within 60 s")


def _arm(s: Step, reading: ForceReading) -> None:
    course, table = s.state.course, s.state.table
    if course is None or table is None:
        end(s, "the table is not connected")
        return
    s.set_course(armed_us=reading.taken_us, took_up_from_um=reading.cable_um)
    enter(s, TakingUpSlack(asked_us=s.now_us), "Switch works. Taking up slack, which is the small test pull")
    propose(s, Arm(course.limits, table.calibration_a.id, table.calibration_b.id))


def _take_up(s: Step, phase: TakingUpSlack, reading: ForceReading) -> None:
    if phase.since_us is None:
        if reading.armed:
            s.set_course(took_up_from_um=reading.cable_um)
            s.set(phase=evolved(phase, since_us=reading.taken_us))
        elif s.now_us - phase.asked_us > ARMED_WITHIN_US:
            end(s, "the table did not answer when it was asked to arm")
        return
    course = s.state.course
    force_n = None if course is None else following.control_force_n(course, reading)
    if course is None or force_n is None:
        return
    _note_first_load(s, course, reading)
    target_n = course.profile.first_n
    memory, speed_mm_s = take_up_step(
        phase.memory,
        reading.taken_us / 1e6,
        reading.cable_um / following.UM_PER_MM,
        force_n,
        target_n,
        course.timing.measuring_delay_s,
    )
    s.set(phase=evolved(phase, memory=memory))
    if force_n >= preload_n(target_n) and not memory.backing_off:
        _go_ramping(s, evolved(phase, memory=memory), reading, force_n)
    elif reading.taken_us - phase.since_us > TAKE_UP_US_MAX:
        trip(s, AlarmId.A41, "60 s of winding in did not load the cable", ReleaseProfile.PROTECTIVE)
    else:
        following.move(s, reading, speed_mm_s)


def _note_first_load(s: Step, course: Course, reading: ForceReading) -> None:
    if course.loaded_at_um is None and not is_slack(reading):
        s.set_course(loaded_at_um=reading.cable_um)


def _go_ramping(s: Step, phase: TakingUpSlack, reading: ForceReading, force_n: float) -> None:
    course, measured = s.state.course, stiffness(phase.memory)
    if course is None:
        return
    if measured is None or not measured.plausible:
        _measure_again(s, phase, measured)
        return
    tuned = gains(measured.loop_n_mm, course.timing.delay_s)
    rate_max_n_s = ramp_rate_n_s(course, measured.loop_n_mm)
    first, *rest = course.profile.no_faster_than(rate_max_n_s).segments
    profile = Profile((ramp(force_n, first.to_n, first.rate_max_n_s, first.shape), *rest))
    s.set_course(stiffness=measured, preloaded=reading, profile=profile)
    text = f"Stiffness {measured.measured_n_mm:.1f} N/mm from slack take-up, plausible. Ramping to {first.to_n:.0f} N"
    phase_after = Ramping(reading.taken_us, profile.segments[0], tuned)
    enter(s, phase_after, text, stiffness_n_per_mm=round(measured.measured_n_mm, 3))
    following.follow(s, reading, phase_after.segment, 0.0, tuned, Loop())


def ramp_rate_n_s(course: Course, stiffness_n_mm: float) -> float:
    """How fast force may be raised: as prescribed, and no faster than the drum can follow."""
    pull_mm_s = course.limits.pull_um_s / following.UM_PER_MM
    return min(course.prescription.ramp_mn_s / 1000, RAMP_SHARE_OF_PULL * pull_mm_s * stiffness_n_mm)


def _measure_again(s: Step, phase: TakingUpSlack, measured: Stiffness | None) -> None:
    """A patient who coughs meanwhile has no stiffness that fits a line; a snagged cable has none however often."""
    seen = "nothing" if measured is None else f"{measured.measured_n_mm:.1f} N/mm, fit {measured.fit:.2f}"
    memory = once_more(phase.memory)
    if memory is None:
        trip(s, AlarmId.A41, f"stiffness not plausible ({seen})", ReleaseProfile.PROTECTIVE)
    else:
        s.record(Record("note", "controller", f"Stiffness not plausible ({seen}): measuring it once more"))
        s.set(phase=evolved(phase, memory=memory))


def _ramp(s: Step, phase: Ramping, reading: ForceReading) -> None:
    at_s = (reading.taken_us - phase.since_us) / 1e6
    if s.state.course is not None:
        _note_first_load(s, s.state.course, reading)  # a low target's preload may lie under 15 N
    loop = following.follow(s, reading, phase.segment, at_s, phase.gains, phase.loop)
    if s.state.phase is not phase:
        return
    course, first, over = s.state.course, phase.step == 0, at_s >= phase.segment.duration_s
    if course is not None and (course.feel is None or (first and over)):
        _learn_feel(s, course, reading, FEEL_FROM_MN if over else FEEL_ON_THE_WAY_FROM_MN)
    if over:
        enter_step(s, reading, phase.step + 1, phase.gains, loop)
    else:
        s.set(phase=evolved(phase, loop=loop))


def enter_step(s: Step, reading: ForceReading, step: int, tuned: Gains, loop: Loop) -> None:
    """Enters that segment of the profile; behind its last one the session is over."""
    course = s.state.course
    if course is None:
        return
    if step >= len(course.profile.segments):
        release(s, "time at force is complete")
        return
    segment = course.profile.segments[step]
    match segment.kind:
        case Kind.RAMP:
            entered: Following = Ramping(reading.taken_us, segment, tuned, loop, step)
            enter(s, entered, f"Going to {segment.to_n:.0f} N")
        case Kind.HOLD:
            until_us = course.clock.at_force_us + round(segment.duration_s * 1_000_000)
            entered = Holding(reading.taken_us, segment.to_n, tuned, loop, until_us, step)
            started = "started" if course.clock.held_us == 0 else "goes on"
            enter(s, entered, f"Reached {segment.to_n:.0f} N. Clock {started}")
        case Kind.REST:
            entered = Resting(reading.taken_us, segment, tuned, loop, step)
            enter(s, entered, f"Resting at {segment.to_n:.0f} N")
        case _:
            assert_never(segment.kind)


def _learn_feel(s: Step, course: Course, reading: ForceReading, from_mn: int) -> None:
    """What a millimetre of cable and a kilonewton mean here, once so much force was added: the ramp shows both."""
    if course.stiffness is None or course.preloaded is None:
        return
    before, measured = course.preloaded, course.stiffness
    loaded_mn = (mean_force_mn(reading) or 0) - (mean_force_mn(before) or 0)
    if loaded_mn >= from_mn:
        harder_ma = reading.current_ma - before.current_ma
        current_ma_kn = harder_ma * MN_PER_KN // loaded_mn
        stiffness_mn_mm = MillinewtonsPerMillimetre(round(measured.loop_n_mm * 1000))
        if harder_ma >= FEEL_FROM_MA:
            force_mn = largest_force(reading)
            loaded = None if force_mn is None else (reading.taken_us, reading.cable_um, reading.current_ma, force_mn)
            s.set_course(feel=Feel(stiffness_mn_mm, current_ma_kn, loaded))


def _hold(s: Step, phase: Holding, reading: ForceReading) -> None:
    _count_dose(s, phase, reading)
    course = s.state.course
    if course is None:
        return
    if course.clock.at_force_us >= phase.until_at_force_us:
        enter_step(s, reading, phase.step + 1, phase.gains, phase.loop)
        return
    _announce_last_minute(s, course, phase)
    loop = following.follow(s, reading, Segment(phase.target_n, phase.target_n, 0.0), 0.0, phase.gains, phase.loop)
    if s.state.phase is phase and loop is not phase.loop:
        s.set(phase=evolved(phase, loop=loop))


def _rest(s: Step, phase: Resting, reading: ForceReading) -> None:
    at_s = (reading.taken_us - phase.since_us) / 1e6
    loop = following.follow(s, reading, phase.segment, at_s, phase.gains, phase.loop)
    if s.state.phase is not phase:
        return
    if at_s >= phase.segment.duration_s:
        enter_step(s, reading, phase.step + 1, phase.gains, loop)
    elif loop is not phase.loop:
        s.set(phase=evolved(phase, loop=loop))


def _pause(s: Step, phase: Paused, reading: ForceReading) -> None:
    course = s.state.course
    if course is not None and pause_left_us(course, phase, reading.taken_us) <= 0:
        release(s, "the pause was not ended in time")
        return
    at_s = (reading.taken_us - phase.since_us) / 1e6
    loop = following.follow(s, reading, phase.segment, at_s, phase.gains, phase.loop, pull_mm_s=0.0)
    if s.state.phase is phase and loop is not phase.loop:
        s.set(phase=evolved(phase, loop=loop))


def pause_left_us(course: Course, phase: Paused, taken_us: int) -> int:
    """How long this pause may still last."""
    lasted_us = taken_us - phase.began_us
    return min(PAUSE_US_MAX - lasted_us, PAUSED_IN_ALL_US_MAX - course.paused_us - lasted_us)


def _count_dose(s: Step, phase: Holding, reading: ForceReading) -> None:
    course = s.state.course
    force_n = None if course is None else following.control_force_n(course, reading)
    if course is not None and force_n is not None:
        clock = counted(course.clock, reading.taken_us, round(force_n * 1000), round(phase.target_n * 1000))
        s.set_course(clock=clock)


def _announce_last_minute(s: Step, course: Course, phase: Holding) -> None:
    whole_us = round(course.profile.at_force_s * 1_000_000)  # a pull cut up by pauses adds up to a little more
    if not course.minute_announced and course.remaining_us <= MINUTE_US < whole_us:
        s.set_course(minute_announced=True)
        raise_alarm(s, AlarmId.A25, _what_is_left(course, phase.step))


def _what_is_left(course: Course, step: int) -> str:
    """The clock counts time at force only: with a rest still ahead, the end is further off than it shows."""
    at_force = f"{round(course.remaining_us / 1e6)} s at force to go"
    rests = any(segment.kind is Kind.REST for segment in course.profile.segments[step:])
    return f"{at_force}; with the rests between, the end comes later" if rests else at_force


def _watch_release(s: Step, phase: Releasing, reading: ForceReading) -> None:
    let_go_again(s, phase.profile)
    if not (reading.armed or reading.releasing) and is_slack(reading):
        offsets_mn = (reading.force_a_mn or 0, reading.force_b_mn or 0)
        if max(abs(offset_mn) for offset_mn in offsets_mn) > limits.ZERO_WITHIN_MN:
            shown = f"A {offsets_mn[0] / 1000:.1f} N, B {offsets_mn[1] / 1000:.1f} N"
            note_alarm(s, AlarmId.A27, f"zero is off after the session: {shown}")
        end(s, phase.because, refused=False)
