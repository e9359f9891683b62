"""When a sample was taken, on the host's clock: found from the least delayed of the samples that arrived lately.

Every arrival is late by the line's delay, never early, so that the smallest (arrival - t_us) is the best evidence of
how the two clocks stand. The estimate falls at once to a smaller one and rises only slowly, so that a line that has
become late is seen as late, and not taken for a device whose clock runs slow. All times are whole microseconds.
"""

from collections import deque
from typing import Final

WINDOW_US: Final = 10_000_000

# The smallest of each tenth of a second is kept, so that memory is bounded at any sample rate.
BUCKET_US: Final = 100_000

# Two ordinary crystals differ by less than 100 ppm. At 200, a line late by 60 ms would pass for fresh after 5 minutes.
DRIFT_PPM_MAX: Final = 200
PPM: Final = 1_000_000

# In the first window after the start, any earlier arrival is believed: the first samples may have waited in a buffer.
# After that, one that is earlier by more than the age at which the table is given up is a leap of the device's clock.
LEAP_US_MAX: Final = 250_000


class DeviceClock:
    """Maps the device's microseconds (unwrapped) to the host's. One for each connection: `observe` every sample."""

    def __init__(self) -> None:
        self.leaps = 0  # samples that claimed to be from the future, and were not believed
        self._offset_us: int | None = None  # host time = device time + offset
        self._least: deque[tuple[int, int]] = deque()  # (bucket, offset), offsets rising: the first is the smallest
        self._first_arrival_us = 0
        self._last_arrival_us = 0
        self._rise_ppm_us = 0  # the part of a microsecond that the estimate may rise, and has not yet

    def observe(self, t_us: int, arrival_us: int) -> None:
        """Takes a sample's device time and the host's monotonic time at which its bytes arrived."""
        offset_us = arrival_us - t_us
        if self._offset_us is None:
            self._offset_us = offset_us
            self._first_arrival_us = self._last_arrival_us = arrival_us
        elif self._is_leap(offset_us, arrival_us):
            self.leaps += 1
            return
        self._remember(offset_us, arrival_us // BUCKET_US)
        self._offset_us = self._moved_towards(self._least[0][1], self._offset_us, arrival_us)
        self._last_arrival_us = arrival_us

    def host_us(self, t_us: int) -> int:
        """The host's time at which the device's clock showed `t_us`. Needs one observed sample (else ValueError)."""
        if self._offset_us is None:
            raise ValueError("no sample has been observed yet, so the device's time is not known")
        return t_us + self._offset_us

    def age_us(self, t_us: int, now_us: int) -> int:
        """How long before `now_us` (host) the device's clock showed `t_us`. Negative is from the future: not fresh."""
        return now_us - self.host_us(t_us)

    def _is_leap(self, offset_us: int, arrival_us: int) -> bool:
        assert self._offset_us is not None
        settling = arrival_us - self._first_arrival_us < WINDOW_US
        return not settling and offset_us < self._offset_us - LEAP_US_MAX

    def _remember(self, offset_us: int, bucket: int) -> None:
        while self._least and self._least[-1][1] >= offset_us:
            self._least.pop()
        if not self._least or self._least[-1][0] != bucket:
            self._least.append((bucket, offset_us))
        while self._least[0][0] < bucket - WINDOW_US // BUCKET_US:
            self._least.popleft()

    def _moved_towards(self, least_us: int, offset_us: int, arrival_us: int) -> int:
        # After a long silence nothing is known of the drift in between: it counts as one window.
        elapsed_us = min(max(arrival_us - self._last_arrival_us, 0), WINDOW_US)
        rise_us_max, self._rise_ppm_us = divmod(self._rise_ppm_us + elapsed_us * DRIFT_PPM_MAX, PPM)
        return min(least_us, offset_us + rise_us_max)
