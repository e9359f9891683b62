"""The tension loop: holds a force by the speed of the drum. PI by stiffness and delay, with a firmer hand in an upset.

Pure. Forces in N, speeds in mm/s (winding in is positive), stiffness in N/mm, times in s. The gains follow from the
identified stiffness and the delay of the whole loop, so that one piece of code serves every table and patient.
"""

from dataclasses import dataclass

# Integrate only while the error is worth at most this much cable; beyond it, the upset is not the loop's to integrate.
INTEGRATE_WITHIN_MM = 2.5
BLEED_S = 0.3
# In an upset the loop has a firmer hand: by so much, fully from that error on. In a hold errors stay below the first,
# so that the margins of the hold are those of the plain PI; in an upset two fifths of the margin of gain are spent.
FIRMER_BY = 0.4
FIRMER_FROM_MM, FIRMEST_FROM_MM = 0.4, 1.3
# Force that is over and falls already is met by so much less pay-out, as it will be that much later: what is paid out
# into the end of a cough must be wound in again, at an eighth of the speed. Slower falls are noise and breath.
FALLING_FROM_N_S = 50.0
FALL_AHEAD_S = 0.15
CLOSED_LOOP_PER_DELAY = 1.5  # the closed loop's time constant, in delays: measured best on upsets
INTEGRAL_TIMES = 4.0

DRIVE_LAG_S = 0.010
LINE_ONE_WAY_S = 0.002
HOST_JITTER_S = 0.002
# Conversions that a converter takes to settle, by its rate (NAU7802, HX711).
SETTLING_CONVERSIONS = 4


@dataclass(frozen=True, slots=True)
class Timing:
    """Of one table: period of its samples, and of the loop's own steps, in s."""

    sample_period_s: float
    loop_period_s: float

    @property
    def measuring_delay_s(self) -> float:
        """From the force at the cable to the sample that shows it."""
        return (SETTLING_CONVERSIONS + 1) * self.sample_period_s / 2

    @property
    def delay_s(self) -> float:
        """Of the whole loop: converter, line there and back, waiting for the next step, jitter, drive."""
        waiting_s = self.loop_period_s / 2 + HOST_JITTER_S / 2
        return self.measuring_delay_s + 2 * LINE_ONE_WAY_S + waiting_s + DRIVE_LAG_S


def timing(rate_hz: int) -> Timing:
    """320 samples a second are stepped every 10 ms, 80 every 20 ms: faster gains nothing over the line's delay."""
    return Timing(sample_period_s=1 / rate_hz, loop_period_s=0.010 if rate_hz >= 160 else 0.020)


@dataclass(frozen=True, slots=True)
class Gains:
    stiffness_n_mm: float
    proportional: float  # mm/s a newton
    integral_time_s: float


def gains(stiffness_n_mm: float, delay_s: float) -> Gains:
    loop_s = (CLOSED_LOOP_PER_DELAY + 1) * delay_s
    return Gains(stiffness_n_mm, 1 / (stiffness_n_mm * loop_s), INTEGRAL_TIMES * loop_s)


@dataclass(frozen=True, slots=True)
class SpeedLimits:
    """How fast the drum may wind in, and pay out; both in mm/s and above zero."""

    pull_mm_s: float
    payout_mm_s: float


@dataclass(frozen=True, slots=True)
class Loop:
    """Memory of the loop: the integral, in mm/s, and the force of the step before; None before the first."""

    integral_mm_s: float = 0.0
    force_n: float | None = None


def tension_step(
    loop: Loop, gains: Gains, target_n: float, rate_n_s: float, force_n: float, period_s: float, speeds: SpeedLimits
) -> tuple[Loop, float]:
    """One step: the next memory, and the drum's speed in mm/s within the limits. `rate_n_s` is the target's slope."""
    error_n = target_n - force_n
    proportional = gains.proportional * firmness(error_n / gains.stiffness_n_mm)
    met_n = error_n + _falls_by_n(loop, error_n, force_n, rate_n_s, period_s)
    asked_mm_s = proportional * met_n + loop.integral_mm_s + rate_n_s / gains.stiffness_n_mm
    speed_mm_s = min(speeds.pull_mm_s, max(-speeds.payout_mm_s, asked_mm_s))
    near = abs(error_n) <= gains.stiffness_n_mm * INTEGRATE_WITHIN_MM
    if near and met_n == error_n and speed_mm_s == asked_mm_s:
        change = proportional * error_n * period_s / gains.integral_time_s
    else:
        change = -loop.integral_mm_s * period_s / BLEED_S
    return Loop(loop.integral_mm_s + change, force_n), speed_mm_s


def firmness(error_mm: float) -> float:
    """What the gain is multiplied by at an error that is worth so much cable."""
    share = (abs(error_mm) - FIRMER_FROM_MM) / (FIRMEST_FROM_MM - FIRMER_FROM_MM)
    return 1.0 + FIRMER_BY * min(1.0, max(0.0, share))


def _falls_by_n(loop: Loop, error_n: float, force_n: float, rate_n_s: float, period_s: float) -> float:
    """How much of an excess will soon have gone by itself: at most all of it, and nothing while force is short."""
    if error_n >= 0 or loop.force_n is None:
        return 0.0
    fall_n_s = (loop.force_n - force_n) / period_s + rate_n_s
    return min(-error_n, max(0.0, fall_n_s - FALLING_FROM_N_S) * FALL_AHEAD_S)
