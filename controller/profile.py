"""The force profile: segments that the loop follows. Every treatment mode is such a list, as data."""

from dataclasses import dataclass

# Largest slope of the quintic S-curve, relative to a straight line: s'(1/2) = 15/8.
S_CURVE_PEAK_SLOPE = 15 / 8


@dataclass(frozen=True, slots=True)
class Segment:
    """From one force to another (N) within a duration (s), along the quintic S-curve; equal forces hold."""

    from_n: float
    to_n: float
    duration_s: float

    def force_n(self, at_s: float) -> float:
        return self.from_n + (self.to_n - self.from_n) * _s_curve(self._share(at_s))

    def rate_n_s(self, at_s: float) -> float:
        if self.duration_s <= 0:
            return 0.0
        return (self.to_n - self.from_n) * _s_curve_slope(self._share(at_s)) / self.duration_s

    def _share(self, at_s: float) -> float:
        if self.duration_s <= 0:
            return 1.0
        return min(1.0, max(0.0, at_s / self.duration_s))


def ramp(from_n: float, to_n: float, rate_max_n_s: float) -> Segment:
    """The S-curve whose steepest slope is that rate, in N/s."""
    return Segment(from_n, to_n, S_CURVE_PEAK_SLOPE * abs(to_n - from_n) / rate_max_n_s)


def _s_curve(u: float) -> float:
    return u * u * u * (10 - 15 * u + 6 * u * u)


def _s_curve_slope(u: float) -> float:
    return 30 * u * u * (1 - u) * (1 - u)
