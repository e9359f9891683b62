"""When memory is collected: right after a conversion's work, if there is time for it before the next."""

from micropython import const

FORCED_AFTER_CONVERSIONS = const(64)  # 64 of at most 2 kB: before a heap of 180 kB could fill up where it likes
SPARE_US = const(200)


class Collector:
    """`collect()` collects; `us()` is a clock that `passed(later, earlier)` subtracts, in us."""

    def __init__(self, collect, us, passed):
        self._collect = collect
        self._us = us
        self._passed = passed
        self._waited = 0
        self.longest_us = 0

    def collect(self):
        began = self._us()
        self._collect()
        self.longest_us = max(self.longest_us, self._passed(self._us(), began))
        self._waited = 0

    def after_conversion(self, left_us):
        """`left_us` to the next conversion. Without time for it memory waits, but not for ever."""
        self._waited += 1
        if left_us >= self.longest_us + SPARE_US or self._waited >= FORCED_AFTER_CONVERSIONS:
            self.collect()
