"""The samples that a MOVE may be computed from: the last few, when they were taken, and whether they were slack."""

from firmware.clock import LOW_US
from firmware.limits import BASIS_AGE_US_MAX

KEPT = 64  # 200 ms at 320 samples a second; at any rate less than the 16.8 s after which a time comes round again


class Bases:
    def __init__(self):
        self._next_seq = 0
        self._known = 0
        self._taken_us = [0] * KEPT
        self._slack = bytearray(KEPT)

    def add(self, low_us, slack):
        """Numbers the sample taken now; the time is the clock's low bits."""
        seq = self._next_seq
        self._next_seq = (seq + 1) & 0xFFFF
        self._known = min(KEPT, self._known + 1)
        self._taken_us[seq % KEPT] = low_us
        self._slack[seq % KEPT] = slack
        return seq

    def is_fresh(self, seq, low_us):
        """Whether that sample exists and is no older than 150 ms; one that has not been taken yet is not fresh."""
        back = (self._next_seq - 1 - seq) & 0xFFFF
        return back < self._known and (low_us - self._taken_us[seq % KEPT]) & LOW_US <= BASIS_AGE_US_MAX

    def was_slack(self, seq):
        """Of a fresh one only."""
        return bool(self._slack[seq % KEPT])
