"""When a sample was taken, by this computer's clock: judged by the device's clock, not by when bytes arrived."""

# Quartz to quartz; fast enough to follow two clocks apart, too slow to swallow a line that has become late.
DRIFT_PER_SECOND = 200e-6


class SampleClock:
    """Maps device time to local monotonic seconds by the quickest arrival seen so far."""

    def __init__(self) -> None:
        self._offset_s: float | None = None
        self._heard_s = 0.0
        self._newest_us = -1

    def taken_s(self, newest_us: int, age_us: int, now_s: float) -> float:
        """Local time at which the newest sample was taken, never later than its sender says."""
        claimed_s = now_s - age_us / 1e6
        seen_s = claimed_s - newest_us / 1e6
        if self._offset_s is None or newest_us < self._newest_us:  # a device that restarted counts from zero
            self._offset_s = seen_s
        else:
            self._offset_s = min(self._offset_s + DRIFT_PER_SECOND * (now_s - self._heard_s), seen_s)
        self._heard_s, self._newest_us = now_s, newest_us
        return min(claimed_s, newest_us / 1e6 + self._offset_s)
