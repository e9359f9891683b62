"""What a run gives to be judged: true force and target, each millisecond from the first ramp on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Series = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Trace:
    """Forces in N at every millisecond. `holds_from_ms`: when the first ramp had ended.

    `ended`: why the run ended before its time, or None. `false_alarms`: alarms of a force that is too high.
    """

    force_n: Series
    reading_n: Series
    target_n: Series
    holds_from_ms: int
    stiffness_n_mm: float
    ended: str | None = None
    high_alarms: int = 0

    def error_n(self, from_s: float = 0.0, to_s: float | None = None) -> Series:
        """Force beyond its target, between two times of the hold."""
        return (self.force_n - self.target_n)[self.between(from_s, to_s)]

    def reading_error_n(self, from_s: float = 0.0, to_s: float | None = None) -> Series:
        return (self.reading_n - self.target_n)[self.between(from_s, to_s)]

    def between(self, from_s: float, to_s: float | None) -> slice:
        first = self.holds_from_ms + round(from_s * 1000)
        return slice(first, None if to_s is None else self.holds_from_ms + round(to_s * 1000))
