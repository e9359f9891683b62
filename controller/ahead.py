"""What lies ahead of a force profile, and how a clinician's word changes it: forces in N, times in s.

What is behind stays as it was given: `Profile` is then history up to a moment, and a plan from there on.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from controller.profile import Kind, Profile, Segment, ramp

Segments = tuple[Segment, ...]


def split(profile: Profile, step: int, passed_s: float, now_n: float) -> tuple[Segments, Segments]:
    """What was given, and what is still ahead, where segment number `step` has gone on for so long and stands there."""
    segment = profile.segments[step]
    passed_s = min(max(0.0, passed_s), segment.duration_s)
    behind = replace(segment, to_n=now_n, duration_s=passed_s)
    rest_of_it = replace(segment, from_n=now_n, duration_s=segment.duration_s - passed_s)
    return (*profile.segments[:step], behind), (rest_of_it, *profile.segments[step + 1 :])


def pull_n(ahead: Segments) -> float:
    """The force of the pull that is given, or comes next."""
    return next((segment.to_n for segment in ahead if segment.kind is Kind.HOLD), ahead[-1].to_n)


def capped(ahead: Segments, most_n: float) -> Segments:
    """Nowhere above that force; what is lower stays as it is, and so does every time."""
    return tuple(_mapped(ahead, lambda force_n: min(force_n, most_n)))


def raised(ahead: Segments, from_n: float, to_n: float) -> Segments:
    """What was planned at the one force is planned at the other; other forces stay as they are."""
    return tuple(_mapped(ahead, lambda force_n: to_n if force_n == from_n else force_n))


def _mapped(ahead: Segments, force_of: Callable[[float], float]) -> Iterator[Segment]:
    for segment in ahead:
        from_n, to_n = force_of(segment.from_n), force_of(segment.to_n)
        duration_s = segment.duration_s
        if segment.kind is Kind.RAMP and segment.from_n != segment.to_n:  # as steep as it was
            duration_s *= abs(to_n - from_n) / abs(segment.to_n - segment.from_n)
        yield replace(segment, from_n=from_n, to_n=to_n, duration_s=duration_s)


def approached(ahead: Segments, from_n: float, up_n_s: float, down_n_s: float) -> Segments:
    """The same, begun from another force: at these rates to where it goes first."""
    first, *others = ahead
    to_n = first.to_n if first.kind is Kind.RAMP else first.from_n
    if from_n == to_n:
        return ahead
    way = ramp(from_n, to_n, up_n_s if to_n > from_n else down_n_s)
    return (way, *others) if first.kind is Kind.RAMP else (way, *ahead)


def pulls(segments: Segments) -> int:
    """How many pulls they are: what lies between two rests is one, also where it was raised or paused."""
    stays = [segment.kind for segment in segments if segment.kind is not Kind.RAMP]
    return sum(now is Kind.HOLD and before is not Kind.HOLD for before, now in zip([None, *stays], stays, strict=False))
