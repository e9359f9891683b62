"""The clock of a session: it counts time at force, and how much of it was within 5 %."""

from dataclasses import dataclass

AT_FORCE_WITHIN_PERCENT = 10
CLOSE_WITHIN_PERCENT = 5
# A gap between samples longer than this is a gap: nothing is known of it, and nothing is counted.
COUNTED_GAP_US_MAX = 100_000


@dataclass(frozen=True, slots=True)
class DoseClock:
    """Device microseconds: at force (within 10 % of the target), within 5 %, and held in all."""

    last_us: int | None = None
    at_force_us: int = 0
    close_us: int = 0
    held_us: int = 0

    @property
    def within_5_percent(self) -> float | None:
        return self.close_us / self.held_us if self.held_us else None


def counted(clock: DoseClock, taken_us: int, force_mn: int, target_mn: int) -> DoseClock:
    """Counts the time since the last sample by where force is now."""
    passed_us = 0 if clock.last_us is None else taken_us - clock.last_us
    if not 0 < passed_us <= COUNTED_GAP_US_MAX:
        passed_us = 0
    off_mn = abs(force_mn - target_mn)
    at_force = off_mn * 100 <= target_mn * AT_FORCE_WITHIN_PERCENT
    close = off_mn * 100 <= target_mn * CLOSE_WITHIN_PERCENT
    return DoseClock(
        last_us=taken_us,
        at_force_us=clock.at_force_us + passed_us * at_force,
        close_us=clock.close_us + passed_us * close,
        held_us=clock.held_us + passed_us,
    )
