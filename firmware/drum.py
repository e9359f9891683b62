"""Where the cable is and how fast it goes, from the encoder's counts at each conversion."""

from micropython import const

COUNT_AT_POWER_ON = const(0x20000000)  # the counter starts in the middle, so that a count never is a long integer
HALF_UM_PER_COUNT = const(5)  # 2.5 um: a 1000-line encoder, two counts a line, 5 mm of screw a turn
OVER_CONVERSIONS = const(8)  # 25 ms at 320 a second: one count in that is 0.1 mm/s


class Drum:
    def __init__(self, rate_hz):
        self._rate_hz = rate_hz
        self._was_um = [0] * OVER_CONVERSIONS
        self._oldest = 0
        self.cable_um = 0
        self.velocity_um_s = 0

    def take(self, count):
        """The encoder's count at this conversion; wound-in positive."""
        cable_um = (count - COUNT_AT_POWER_ON) * HALF_UM_PER_COUNT >> 1
        self.velocity_um_s = (cable_um - self._was_um[self._oldest]) * self._rate_hz // OVER_CONVERSIONS
        self._was_um[self._oldest] = cable_um
        self._oldest = (self._oldest + 1) % OVER_CONVERSIONS
        self.cable_um = cable_um
