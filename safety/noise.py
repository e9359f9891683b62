"""Whether the force signal is noisy: by how much it changes from one sample to the next, over each whole second.

Changes, and not the spread around a mean: a ramp is no noise, and a cough is smooth beside one wild conversion.
"""

from dataclasses import dataclass
from typing import Final

from safety import limits
from safety.reading import ForceReading
from safety.units import Microseconds

# The changes of pure noise have twice its variance.
SQUARE_MAX_MN2: Final = 2 * limits.NOISE_SIGMA_MAX_MN * limits.NOISE_SIGMA_MAX_MN


@dataclass(frozen=True, slots=True)
class Noise:
    """Of the second since `began_us`: changes seen, and their squares by channel. `is_noisy`: of the one before."""

    began_us: Microseconds | None = None
    changes: int = 0
    squares_a_mn2: int = 0
    squares_b_mn2: int = 0
    is_noisy: bool = False


NO_NOISE: Final = Noise()


def noise_after(memory: Noise, last: ForceReading | None, reading: ForceReading) -> Noise:
    """Folds one reading in. A channel that is absent has no noise: it has its own alarm."""
    taken_us = reading.taken_us
    if last is None or memory.began_us is None:
        return Noise(began_us=taken_us, is_noisy=memory.is_noisy)
    changes = memory.changes + 1
    squares_a = memory.squares_a_mn2 + _square(last.force_a_mn, reading.force_a_mn)
    squares_b = memory.squares_b_mn2 + _square(last.force_b_mn, reading.force_b_mn)
    if taken_us - memory.began_us < limits.NOISE_WINDOW_US:
        return Noise(memory.began_us, changes, squares_a, squares_b, memory.is_noisy)
    return Noise(began_us=taken_us, is_noisy=max(squares_a, squares_b) > SQUARE_MAX_MN2 * changes)


def _square(before_mn: int | None, now_mn: int | None) -> int:
    if before_mn is None or now_mn is None:
        return 0
    return (now_mn - before_mn) * (now_mn - before_mn)
