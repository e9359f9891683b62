"""From a prescription to its force profile: every treatment mode compiles to the same segments.

A mode is a list of stations: a force to go to, and how long to stay there. What lies between them is a ramp.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, assert_never

from controller.blinding import Sham
from controller.prescription import Prescription
from controller.profile import S_CURVE_PEAK_SLOPE, Kind, Profile, Segment, Shape, ramp
from controller.pulls import Cyclic, Intermittent, Logarithmic, Progressive, Pull, Regressive, Static

MN_PER_N: Final = 1000
# More pulls than this are a slip of the hand: 30 min hold no more than 180 of the shortest.
PULLS_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class _Station:
    """A force (N), the way there, and the stay there (s; 0 to go straight on)."""

    force_n: float
    ramp_n_s: float
    stay_s: float = 0.0
    kind: Kind = Kind.HOLD
    rise_s: float | None = None  # the duration of a logarithmic way there; None for an S-curve at the ramp

    def segments(self, from_n: float) -> Iterator[Segment]:
        if self.force_n != from_n and self.rise_s is not None:
            yield Segment(from_n, self.force_n, self.rise_s, Kind.RAMP, Shape.LOGARITHMIC)
        elif self.force_n != from_n:
            yield ramp(from_n, self.force_n, self.ramp_n_s)
        if self.stay_s > 0:
            yield Segment(self.force_n, self.force_n, self.stay_s, self.kind)


def profile_of(prescription: Prescription) -> Profile:
    """The pull as it is to be given, from slack: the first ramp begins at 0 N. A sham's has the same course, lower."""
    profile = profile_as_prescribed(prescription)
    sham_mn = prescription.sham_force_mn
    if sham_mn is None:
        return profile
    sham = Sham(prescription.force_mn / MN_PER_N, sham_mn / MN_PER_N)
    return Profile(
        tuple(replace(s, from_n=sham.given_n(s.from_n), to_n=sham.given_n(s.to_n)) for s in profile.segments)
    )


def profile_as_prescribed(prescription: Prescription) -> Profile:
    """The pull as the clinician wrote it, whatever the arm."""
    segments: list[Segment] = []
    at_n = 0.0
    for station in _stations(prescription):
        segments += station.segments(at_n)
        at_n = station.force_n
    return Profile(tuple(segments))


def profile_duration_s(prescription: Prescription) -> int:
    """Whole seconds of the whole profile, rounded up."""
    return math.ceil(profile_of(prescription).total_s)


def is_countable(prescription: Prescription) -> bool:
    """Whether its pulls are few enough to be written out."""
    return sum(_holds(pull) for pull in prescription.pulls) <= PULLS_MAX


def swing_s(pull: Cyclic) -> float:
    """What remains of half a period once the ramp is over."""
    ramp_s = S_CURVE_PEAK_SLOPE * abs(pull.force_mn - pull.low_force_mn) / max(pull.ramp_mn_s, 1)
    return pull.period_s / 2 - ramp_s


def _holds(pull: Pull) -> int:
    """How many holds share its time at force."""
    match pull:
        case Intermittent(hold_s=hold_s):
            return _shares(pull.time_at_force_s, hold_s)
        case Cyclic():
            return _shares(pull.time_at_force_s, swing_s(pull))
        case Progressive(steps=steps) | Regressive(steps=steps):
            return max(1, steps)
        case Static() | Logarithmic():
            return 1
        case _:
            assert_never(pull)


def _shares(whole_s: int, each_s: float) -> int:
    return max(1, math.ceil(whole_s / max(each_s, 1)))


def _stations(prescription: Prescription) -> Iterator[_Station]:
    for number, pull in enumerate(prescription.pulls):
        if number > 0 and prescription.base_force_mn is not None:
            base_n, stay_s = prescription.base_force_mn / MN_PER_N, prescription.base_time_s or 0
            yield _Station(base_n, _ramp_n_s(pull), stay_s, Kind.REST)
        yield from _stations_of(pull)


def _stations_of(pull: Pull) -> Iterator[_Station]:
    high_n, ramp_n_s, whole_s = pull.force_mn / MN_PER_N, _ramp_n_s(pull), pull.time_at_force_s
    match pull:
        case Static():
            yield _Station(high_n, ramp_n_s, whole_s)
        case Intermittent():
            yield from _alternating(pull, pull.rest_force_mn, pull.hold_s, pull.rest_s)
        case Cyclic():
            stay_s = max(swing_s(pull), 1)
            yield from _alternating(pull, pull.low_force_mn, stay_s, stay_s)
        case Progressive(start_force_mn=start_mn):
            yield from _steps(pull, start_mn, pull.force_mn)
        case Regressive(end_force_mn=end_mn):
            yield from _steps(pull, pull.force_mn, end_mn)
        case Logarithmic(rise_s=rise_s):
            yield _Station(high_n / 2, ramp_n_s)
            yield _Station(high_n, ramp_n_s, whole_s, rise_s=rise_s)
        case _:
            assert_never(pull)


def _alternating(pull: Intermittent | Cyclic, low_mn: int, hold_s: float, rest_s: float) -> Iterator[_Station]:
    """Up and down; the last time up completes the time at force."""
    high_n, ramp_n_s, left_s = pull.force_mn / MN_PER_N, _ramp_n_s(pull), float(pull.time_at_force_s)
    for number in range(_holds(pull)):
        if number > 0:
            yield _Station(low_mn / MN_PER_N, ramp_n_s, rest_s, Kind.REST)
        yield _Station(high_n, ramp_n_s, min(hold_s, left_s))
        left_s -= hold_s


def _steps(pull: Progressive | Regressive, first_mn: int, last_mn: int) -> Iterator[_Station]:
    stay_s, steps = pull.time_at_force_s / max(1, pull.steps), max(1, pull.steps)
    for number in range(steps):
        force_mn = first_mn + (last_mn - first_mn) * number / max(1, steps - 1)
        yield _Station(force_mn / MN_PER_N, _ramp_n_s(pull), stay_s)


def _ramp_n_s(pull: Pull) -> float:
    return max(pull.ramp_mn_s, 1) / MN_PER_N
