"""What lies ahead of a force profile, and how a clinician's word changes it: forces in N, times in s.

What is behind stays as it was given: `Profile` is then history up to a moment, and a plan from there on.
"""

from collections.abc import Iterator
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
    return tuple(_led(segment, min(segment.from_n, most_n), min(segment.to_n, most_n)) for segment in ahead)


def raised(ahead: Segments, to_n: float, ramp_n_s: float) -> Segments:
    """The hold that comes first, and those that were prescribed at its force. All others stay where they are: lowering
    may have brought a rest down to it, or a later pull that was never to be so high."""
    alike = (Kind.HOLD, ahead[0].as_prescribed_n)
    stays = [_led(s, to_n, to_n) if (s.kind, s.as_prescribed_n) == alike else s for s in ahead]
    return tuple(_joined(stays, ramp_n_s))


def _led(segment: Segment, from_n: float, to_n: float) -> Segment:
    """Between other forces: a ramp as steep as it was, a stay that remembers where it was prescribed."""
    if (from_n, to_n) == (segment.from_n, segment.to_n):
        return segment
    if segment.kind is not Kind.RAMP:
        return replace(segment, from_n=from_n, to_n=to_n, prescribed_n=segment.as_prescribed_n)
    before_n = abs(segment.to_n - segment.from_n)
    share = abs(to_n - from_n) / before_n if before_n else 1.0
    return replace(segment, from_n=from_n, to_n=to_n, duration_s=segment.duration_s * share)


def _joined(segments: list[Segment], ramp_n_s: float) -> Iterator[Segment]:
    """Each ramp from where the stay before it is, to where the one behind it is; at that rate where it had none."""
    for before, segment, after in zip((None, *segments), segments, (*segments[1:], None), strict=False):
        if segment.kind is not Kind.RAMP or before is None or after is None:
            yield segment
            continue
        from_n, to_n = before.to_n, segment.to_n if after.kind is Kind.RAMP else after.from_n
        level = segment.from_n == segment.to_n
        yield ramp(from_n, to_n, ramp_n_s) if level else _led(segment, from_n, to_n)


def approached(ahead: Segments, from_n: float, up_n_s: float, down_n_s: float) -> Segments:
    """The same, begun from another force: at these rates to where it goes first."""
    first, *others = ahead
    to_n = first.to_n if first.kind is Kind.RAMP else first.from_n
    if from_n == to_n and first.kind is not Kind.RAMP:
        return ahead
    way = ramp(from_n, to_n, up_n_s if to_n > from_n else down_n_s)
    return (way, *others) if first.kind is Kind.RAMP else (way, *ahead)


def pulls(segments: Segments) -> int:
    """How many pulls they are: what lies between two rests is one, also where it was raised or paused."""
    stays = [segment.kind for segment in segments if segment.kind is not Kind.RAMP]
    return sum(now is Kind.HOLD and before is not Kind.HOLD for before, now in zip([None, *stays], stays, strict=False))
