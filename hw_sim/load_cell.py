"""Two load cell bridges and their converters: from newtons in the cable to raw counts.

A sigma-delta converter's sinc^4 filter is four boxcars, each one conversion long, one after the other. Together they
are a cubic B-spline four conversions long: a step has settled after four, and what is read is two conversions old
(6.25 ms at 320 a second, 25 ms at 80). The spline is applied to the last fed forces when a conversion ends.
"""

import random
from operator import mul
from typing import Final

from hw_sim.rigs import Rig

BOXCARS: Final = 4
COUNTS_MAX: Final = (1 << 23) - 1
COUNTS_MIN: Final = -(1 << 23)
FULL_SCALE_N: Final = 1000.0
HYSTERESIS_TURNS_WITHIN_N: Final = 100.0  # a breath turns the way round by little, a session's ramp wholly
CELL_CREEP_S: Final = 600.0  # 95 % of its creep within the 30 minutes of a data sheet
MS_PER_HOUR: Final = 3_600_000


class LoadCells:
    """`feed` the cable's force every millisecond, `convert` at the rig's rate."""

    def __init__(self, rig: Rig, seed: int) -> None:
        self.fed_ms = 0
        self._rig = rig
        self._period_ms = 1000 / rig.rate_hz
        length = int(BOXCARS * self._period_ms) + 2
        # Each force stands twice, a length apart, so that the last `length` of them are always one slice.
        self._length = length
        self._forces = [0.0] * (2 * length)
        self._weights = {0: _spline_weights(self._period_ms, 0.0, length)}
        self._crept_n = 0.0
        self._followed_n = 0.0  # the force, followed with a play of `HYSTERESIS_TURNS_WITHIN_N`
        self._creep_share = self._period_ms / 1000 / CELL_CREEP_S
        self._draw_a = random.Random(f"bridge a {seed}")
        self._draw_b = random.Random(f"bridge b {seed}")

    def feed(self, force_n: float) -> None:
        """The cable's force at the end of the next millisecond."""
        length = self._length
        place = self.fed_ms % length
        self._forces[place] = self._forces[place + length] = force_n
        self.fed_ms += 1

    def convert(self, ended_us_ago: int = 0) -> tuple[int, int]:
        """Raw counts of both bridges, for a conversion that ended that long before the end of the last fed millisecond.

        0 to 999 us; a rate that does not divide a second into whole milliseconds needs it to keep its samples even.
        """
        force_n = self._filtered(ended_us_ago)
        self._crept_n += (force_n * self._rig.cell_creep_fraction - self._crept_n) * self._creep_share
        load = force_n / FULL_SCALE_N
        bowed_n = 4.0 * self._rig.cell_linearity_n * load * (1.0 - load)
        behind_n = self._behind_n(force_n)
        drift_n = self._rig.cell_drift_n_per_h * self.fed_ms / MS_PER_HOUR
        shown_n = force_n + self._crept_n + bowed_n + behind_n + drift_n
        rig = self._rig
        return (
            self._counts(shown_n, rig.cell_counts_per_n_a, rig.cell_zero_counts_a, self._draw_a),
            self._counts(shown_n, rig.cell_counts_per_n_b, rig.cell_zero_counts_b, self._draw_b),
        )

    def _behind_n(self, force_n: float) -> float:
        """Hysteresis: below the force by half of it on the way up, above it on the way down."""
        play = HYSTERESIS_TURNS_WITHIN_N / 2
        self._followed_n = followed = min(max(self._followed_n, force_n - play), force_n + play)
        return (followed - force_n) / play * self._rig.cell_hysteresis_n / 2

    def _filtered(self, ended_us_ago: int) -> float:
        weights = self._weights.get(ended_us_ago)
        if weights is None:
            weights = _spline_weights(self._period_ms, ended_us_ago / 1000, self._length)
            self._weights[ended_us_ago] = weights
        oldest = self.fed_ms % self._length
        return float(sum(map(mul, weights, self._forces[oldest : oldest + self._length])))

    def _counts(self, force_n: float, counts_per_n: float, zero_counts: int, draw: random.Random) -> int:
        rig = self._rig
        noisy_n = force_n + draw.gauss(0.0, rig.cell_noise_n)
        if rig.cell_spikes_per_conversion and draw.random() < rig.cell_spikes_per_conversion:
            noisy_n += draw.choice((-rig.cell_spike_n, rig.cell_spike_n))
        counts = round(noisy_n * counts_per_n) + zero_counts
        return min(max(counts, COUNTS_MIN), COUNTS_MAX)


def _spline_weights(period_ms: float, ended_ms_ago: float, length: int) -> list[float]:
    """How much each of the last `length` milliseconds counts, oldest first; they add up to 1."""
    ages_ms = [length - 1 - index - ended_ms_ago for index in range(length)]
    heights = [_cubic_b_spline(age / period_ms - BOXCARS / 2) for age in ages_ms]
    total = sum(heights)
    return [height / total for height in heights]


def _cubic_b_spline(x: float) -> float:
    """Four boxcars of length 1, convolved; centred on 0."""
    x = abs(x)
    if x >= 2.0:
        return 0.0
    if x >= 1.0:
        return (2.0 - x) ** 3 / 6.0
    return 2.0 / 3.0 - x * x * (1.0 - x / 2.0)
