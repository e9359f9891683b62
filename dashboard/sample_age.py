"""When a sample was taken, by this computer's clock: judged by the device's clock, not by when bytes arrived."""

from collections import deque

# A line that falls behind is seen at once; a device whose clock stood still is believed again after this.
WINDOW_S = 10.0


class SampleClock:
    """Maps device time to local monotonic seconds by the quickest arrival of the last 10 s."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, float]] = deque()  # (heard at, local minus device time), seconds
        self._newest_us = -1

    def taken_s(self, newest_us: int, age_us: int, now_s: float) -> float:
        """Local time at which the newest sample was taken, never later than its sender says."""
        if newest_us < self._newest_us:  # a device that restarted counts from zero
            self._seen.clear()
        self._newest_us = newest_us
        claimed_s = now_s - age_us / 1e6
        self._seen.append((now_s, claimed_s - newest_us / 1e6))
        while self._seen[0][0] < now_s - WINDOW_S:
            self._seen.popleft()
        quickest_s = min(offset_s for _, offset_s in self._seen)
        return newest_us / 1e6 + quickest_s
