"""Whether the computer's wall clock was set, or jumped. It dates records, and nothing else goes by it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

# Two clocks of one computer drift apart by less than this between two looks; what sets a clock moves it by more.
JUMP: Final = timedelta(seconds=1)
# No release of this program is older: a clock that shows less was never set.
BUILT: Final = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class WallClock:
    """When, by the wall clock, the monotonic clock showed nought; None before the first look."""

    began: datetime | None = None


def looked_at(clock: WallClock, utc: datetime, now_us: int) -> tuple[WallClock, str | None]:
    """What is remembered, and a sentence where the clock jumped since the last look, or was never set."""
    began = utc - timedelta(microseconds=now_us)
    if clock.began is None:
        return WallClock(began), None if utc >= BUILT else f"it shows {utc:%Y-%m-%d}, so it was never set"
    jumped = began - clock.began
    if abs(jumped) < JUMP:
        return WallClock(began), None
    return WallClock(began), f"by {jumped.total_seconds():+.1f} s, to {utc:%Y-%m-%d %H:%M:%S} UTC"
