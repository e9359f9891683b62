"""The force profile: segments that the loop follows. Every treatment mode is such a list, as data."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

# Largest slope of the quintic S-curve, relative to a straight line: s'(1/2) = 15/8.
S_CURVE_PEAK_SLOPE: Final = 15 / 8
# The logarithmic rise is ln(1 + 9 u) / ln 10: half of it is done after a quarter of its time.
LOGARITHM_STEEPNESS: Final = 9.0
LOGARITHM_PEAK_SLOPE: Final = LOGARITHM_STEEPNESS / math.log(1 + LOGARITHM_STEEPNESS)


class Kind(StrEnum):
    """What a segment is for: on the way, at force (the session's clock runs), or at a low force between pulls."""

    RAMP = "ramp"
    HOLD = "hold"
    REST = "rest"


class Shape(StrEnum):
    S_CURVE = "s_curve"
    LOGARITHMIC = "logarithmic"


DRAWN_PARTS_OF_A_RAMP: Final = 16
PEAK_SLOPES: Final = {Shape.S_CURVE: S_CURVE_PEAK_SLOPE, Shape.LOGARITHMIC: LOGARITHM_PEAK_SLOPE}


@dataclass(frozen=True, slots=True)
class Segment:
    """From one force to another (N) within a duration (s), along its shape; equal forces hold.

    `prescribed_n`: what a stay was prescribed at, once it was changed; None while it is as prescribed.
    """

    from_n: float
    to_n: float
    duration_s: float
    kind: Kind = Kind.RAMP
    shape: Shape = Shape.S_CURVE
    prescribed_n: float | None = None

    @property
    def as_prescribed_n(self) -> float:
        """Where it was to lead to before a clinician lowered or raised it."""
        return self.to_n if self.prescribed_n is None else self.prescribed_n

    def force_n(self, at_s: float) -> float:
        if self.from_n == self.to_n:
            return self.to_n
        return self.from_n + (self.to_n - self.from_n) * self._done(self._share(at_s))

    def rate_n_s(self, at_s: float) -> float:
        if self.duration_s <= 0 or self.from_n == self.to_n:
            return 0.0
        return (self.to_n - self.from_n) * self._slope(self._share(at_s)) / self.duration_s

    @property
    def rate_max_n_s(self) -> float:
        """The steepest that it gets, either way."""
        if self.duration_s <= 0:
            return 0.0
        return PEAK_SLOPES[self.shape] * abs(self.to_n - self.from_n) / self.duration_s

    def no_faster_than(self, rate_max_n_s: float) -> "Segment":
        """The same, stretched where its steepest slope would pass that rate."""
        too_fast = self.rate_max_n_s / rate_max_n_s
        return replace(self, duration_s=self.duration_s * too_fast) if too_fast > 1 else self

    def _share(self, at_s: float) -> float:
        if self.duration_s <= 0:
            return 1.0
        return min(1.0, max(0.0, at_s / self.duration_s))

    def _done(self, u: float) -> float:
        if self.shape is Shape.LOGARITHMIC:
            return math.log1p(LOGARITHM_STEEPNESS * u) / math.log1p(LOGARITHM_STEEPNESS)
        return u * u * u * (10 - 15 * u + 6 * u * u)

    def _slope(self, u: float) -> float:
        if self.shape is Shape.LOGARITHMIC:
            return LOGARITHM_PEAK_SLOPE / (1 + LOGARITHM_STEEPNESS * u)
        return 30 * u * u * (1 - u) * (1 - u)


def ramp(from_n: float, to_n: float, rate_max_n_s: float, shape: Shape = Shape.S_CURVE) -> Segment:
    """The shape whose steepest slope is that rate, in N/s."""
    return Segment(from_n, to_n, PEAK_SLOPES[shape] * abs(to_n - from_n) / rate_max_n_s, Kind.RAMP, shape)


def hold(force_n: float, duration_s: float) -> Segment:
    return Segment(force_n, force_n, duration_s, Kind.HOLD)


def rest(force_n: float, duration_s: float) -> Segment:
    return Segment(force_n, force_n, duration_s, Kind.REST)


@dataclass(frozen=True, slots=True)
class Profile:
    """A whole session's pull: at least one segment, each beginning where the one before ended. The first is a ramp."""

    segments: tuple[Segment, ...]

    @property
    def peak_n(self) -> float:
        return max(max(segment.from_n, segment.to_n) for segment in self.segments)

    @property
    def first_n(self) -> float:
        """The force that the first ramp leads to."""
        return self.segments[0].to_n

    @property
    def total_s(self) -> float:
        return sum(segment.duration_s for segment in self.segments)

    @property
    def at_force_s(self) -> float:
        """How long the session's clock is to run: the holds alone."""
        return sum(segment.duration_s for segment in self.segments if segment.kind is Kind.HOLD)

    def no_faster_than(self, rate_max_n_s: float) -> "Profile":
        return Profile(tuple(segment.no_faster_than(rate_max_n_s) for segment in self.segments))

    def planned_n(self, at_s: float) -> float:
        """The force that is planned so long after the first ramp began."""
        for began_s, segment in self.begins():
            if at_s <= began_s + segment.duration_s:
                return segment.force_n(at_s - began_s)
        return self.segments[-1].to_n

    def begins(self) -> Iterator[tuple[float, Segment]]:
        """Each segment with the planned second at which it begins."""
        began_s = 0.0
        for segment in self.segments:
            yield began_s, segment
            began_s += segment.duration_s

    def points(self) -> Iterator[tuple[float, float]]:
        """(s, N) in order, close enough to draw it with straight lines."""
        yield 0.0, self.segments[0].from_n
        for began_s, segment in self.begins():
            parts = DRAWN_PARTS_OF_A_RAMP if segment.kind is Kind.RAMP else 1
            for part in range(1, parts + 1):
                at_s = segment.duration_s * part / parts
                yield began_s + at_s, segment.force_n(at_s)
