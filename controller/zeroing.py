"""A look at the zero between sessions: how far each channel is from the calibration's zero. It shifts nothing.

So a zero that creeps is refused once it has crept for 5 N, however often it was looked at and found good meanwhile.
"""

from typing import Final

from controller.inputs import Answer, Record, ZeroAsked
from controller.phases import Ended, Idle, Tripped
from controller.state import State, Step, note_alarm
from safety import limits
from safety.alarms import AlarmId
from safety.noise import Noise
from safety.plausibility import Watch, reading_is_fresh
from safety.reading import ForceReading, is_slack
from safety.units import Microseconds

Refusal = tuple[AlarmId | None, str]

STILL_FOR_US: Final = limits.RISE_RELEASE_WINDOW_US  # so far back, at least, the force is remembered at any rate
STILL_WITHIN_MN: Final = 2_000  # from the least to the most: a sigma of 1 N, the most that a zero may have, spans more
NOISE_MAX_MN: Final = 1_000


def on_zero(s: Step, asked: ZeroAsked) -> None:
    """Says both offsets, or refuses with the reason; either goes on record with what was measured."""
    refusal = _refusal(s.state)
    measured = _measured(s.state.reading)
    if refusal is None:
        text, done = f"Zero is good: {_shown(s.state.reading)}", True
    else:
        alarm, why = refusal
        text, done = f"Zero refused: {why}", False
        if alarm is not None:
            note_alarm(s, alarm, why)
    s.record(Record("command", asked.actor, text, {"command": asked.command_id, **measured}))
    s.outputs.append(Answer(asked.command_id, done=done, reason=text, data=measured))


def _refusal(state: State) -> Refusal | None:
    """Why the zero cannot be judged, or is not good; None when it is."""
    reading = state.reading
    if state.table is None or reading is None or not reading_is_fresh(Microseconds(state.age_us)):
        return None, "the table is not connected, or sends nothing: check its power and its cable."
    if isinstance(state.phase, Tripped):
        return AlarmId.A27, "a trip is latched: acknowledge its first cause before."
    if not isinstance(state.phase, Idle | Ended):
        holder = state.course.actor if state.course else "somebody"
        return AlarmId.A27, f"a session is running, held by {holder}. The zero is looked at between sessions."
    sentence = _not_at_zero(reading, state.watch)
    return None if sentence is None else (AlarmId.A27, sentence)


def _not_at_zero(reading: ForceReading, watch: Watch) -> str | None:
    a, b = reading.force_a_mn, reading.force_b_mn
    if a is None or b is None:
        return "a force channel gives no reading, or has no calibration record."
    if reading.armed or reading.releasing or reading.drive_enabled:
        return "the drive is on."
    if not is_slack(reading):
        return f"the cable is loaded ({_shown(reading)}): slacken it."
    if reading.velocity_um_s != 0 or not _hung_still(watch, reading.taken_us):
        return "the cable moves, or did within the last half second: let it hang still."
    if _is_noisy(watch.noise):
        return "the reading is noisier than 1 N: let the cable hang still."
    if max(abs(a), abs(b)) > limits.ZERO_WITHIN_MN:
        return f"zero is off by more than 5 N ({_shown(reading)}): have the table calibrated."
    return None


def _hung_still(watch: Watch, taken_us: int) -> bool:
    points = watch.rise.points
    if not points or taken_us - points[0][0] < STILL_FOR_US:
        return False
    forces_mn = [force_mn for at_us, force_mn in points if taken_us - at_us <= STILL_FOR_US]
    return max(forces_mn) - min(forces_mn) <= STILL_WITHIN_MN


def _is_noisy(noise: Noise) -> bool:
    """The changes of pure noise have twice its variance."""
    squares_mn2 = max(noise.squares_a_mn2, noise.squares_b_mn2)
    return noise.is_noisy or squares_mn2 > 2 * NOISE_MAX_MN**2 * noise.changes


def _measured(reading: ForceReading | None) -> dict[str, object]:
    if reading is None:
        return {}
    return {"zero_a_mn": reading.force_a_mn, "zero_b_mn": reading.force_b_mn}


def _shown(reading: ForceReading | None) -> str:
    assert reading is not None  # a refusal otherwise
    return ", ".join(
        f"{name} nothing" if force_mn is None else f"{name} {force_mn / 1000:+z.2f} N"
        for name, force_mn in (("A", reading.force_a_mn), ("B", reading.force_b_mn))
    )
