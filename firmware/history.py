"""The last half second of force, in buckets of 25 ms: how fast it rose, and how much of it was lost.

Both are asked of the median of three samples, so that one wild conversion is not an event.
"""

from firmware.limits import LOSS_MN, LOSS_MS, LOSS_PERCENT, RISE_MN, RISE_MS

BUCKETS_PER_S = 40


class History:
    def __init__(self, rate_hz):
        buckets_per_s = min(BUCKETS_PER_S, rate_hz)
        self._samples_per_bucket = rate_hz // buckets_per_s
        # Whole buckets; the one being filled makes up the time.
        rise_buckets = max(1, RISE_MS * buckets_per_s // 1000 - 1)
        loss_buckets = max(1, LOSS_MS * buckets_per_s // 1000 - 1)
        self._lows = [0] * rise_buckets
        self._highs = [0] * loss_buckets
        self._cables = [0] * loss_buckets  # where the drum was at each high
        self.start(0, 0)

    def start(self, force_mn, cable_um):
        """Forgets what was, as if force had been the same for ever."""
        for index in range(len(self._lows)):
            self._lows[index] = force_mn
        for index in range(len(self._highs)):
            self._highs[index] = force_mn
            self._cables[index] = cable_um
        self._before = self._last = self.median_mn = force_mn
        self._next_low = self._next_high = 0
        self._past_low = force_mn
        self._past_high = force_mn
        self._past_cable = cable_um
        self._open_bucket(force_mn, cable_um)

    def _open_bucket(self, force_mn, cable_um):
        self._samples = 0
        self._low = force_mn
        self._high = force_mn
        self._cable = cable_um

    def take(self, force_mn, cable_um):
        before = self._before
        last = self._last
        self._before = last
        self._last = force_mn
        if before > last:
            before, last = last, before
        self.median_mn = median = before if force_mn < before else (last if force_mn > last else force_mn)
        if median < self._low:
            self._low = median
        if median > self._high:
            self._high = median
            self._cable = cable_um
        self._samples += 1
        if self._samples >= self._samples_per_bucket:
            self._close_bucket(median, cable_um)

    def _close_bucket(self, median_mn, cable_um):
        self._lows[self._next_low] = self._low
        self._next_low = (self._next_low + 1) % len(self._lows)
        self._highs[self._next_high] = self._high
        self._cables[self._next_high] = self._cable
        self._next_high = (self._next_high + 1) % len(self._highs)
        self._past_low = min(self._lows)
        self._past_high = max(self._highs)
        self._past_cable = self._cables[self._highs.index(self._past_high)]
        self._open_bucket(median_mn, cable_um)

    def rose_too_fast(self):
        low = self._low if self._low < self._past_low else self._past_low
        return self.median_mn - low > RISE_MN

    def lost(self, cable_um, stiffness_mn_mm):
        """Whether force fell by more than the cable paid out since explains, at that stiffness."""
        high = self._past_high
        cable = self._past_cable
        if self._high > high:
            high = self._high
            cable = self._cable
        fallen = high - self.median_mn
        if fallen <= LOSS_MN:
            return False
        paid_out_um = cable - cable_um
        if paid_out_um > 0:
            fallen -= stiffness_mn_mm * paid_out_um // 1000
        return fallen > LOSS_MN and fallen * 100 > high * LOSS_PERCENT
