"""What the two force channels say: counts to millinewtons, and whether a channel can be believed."""

from firmware.limits import (
    CHANNEL_MN_MIN,
    MISSED_PERIODS_MAX,
    OUT_OF_RANGE_SAMPLES,
    RAW_END,
    RAW_MISSING,
    SLACK_MN,
    STUCK_CODES,
)


def millinewtons(counts, span_q20):
    """(counts * span_q20) >> 20 in parts of 10 bits, exactly: the whole product is more than a small integer holds.

    In MicroPython what comes of a long integer stays one, so that every force after it would be one too.
    """
    high = counts >> 10
    low = counts & 0x3FF
    span_high = span_q20 >> 10
    span_low = span_q20 & 0x3FF
    return high * span_high + ((high * span_low + low * span_high + (low * span_low >> 10)) >> 10)


class Channel:
    """One bridge on its converter, with the calibration that turns its counts into force."""

    def __init__(self):
        self.zero_counts = 0
        self.span_q20 = 0
        self.id = 0
        self.raw = RAW_MISSING
        self.force_mn = 0
        self.in_range = False  # this code is one that a channel at work can give
        self.failed = True  # it has been out of range for longer than an outlier is, or gives nothing
        self.identical = 0  # codes in a row
        self._out_of_range = 0  # codes in a row
        self._missed = 0

    def calibrate(self, zero_counts, span_q20, identity):
        self.zero_counts = zero_counts
        self.span_q20 = span_q20
        self.id = identity

    def take(self, raw):
        """The code of this period, or None where the converter gave nothing."""
        if raw is None:
            self._missed += 1
            raw = self.raw if self._missed <= MISSED_PERIODS_MAX else RAW_MISSING
        else:
            self._missed = 0
        self.identical = self.identical + 1 if raw == self.raw else 1
        self.raw = raw
        self.force_mn = force_mn = millinewtons(raw - self.zero_counts, self.span_q20)
        self.in_range = in_range = -RAW_END < raw < RAW_END and force_mn >= CHANNEL_MN_MIN
        self._out_of_range = 0 if in_range else min(self._out_of_range + 1, OUT_OF_RANGE_SAMPLES)
        self.failed = raw == RAW_MISSING or self._out_of_range >= OUT_OF_RANGE_SAMPLES


class Reading:
    """Both channels and the encoder at one conversion."""

    def __init__(self):
        self.a = Channel()
        self.b = Channel()
        self.cable_um = 0
        self.velocity_um_s = 0
        self.slack = False
        self.blind = True  # neither channel can be believed
        self.force_mn = 0  # the larger of those believed; without one, the last that was

    def take(self, raw_a, raw_b, cable_um, velocity_um_s):
        a = self.a
        b = self.b
        a.take(raw_a)
        b.take(raw_b)
        self.cable_um = cable_um
        self.velocity_um_s = velocity_um_s
        self.slack = (
            a.in_range and b.in_range and -SLACK_MN <= a.force_mn <= SLACK_MN and -SLACK_MN <= b.force_mn <= SLACK_MN
        )
        if self.slack:
            a.identical = b.identical = 1  # a slack channel may stand still
        believe_a = a.in_range and a.identical < STUCK_CODES
        believe_b = b.in_range and b.identical < STUCK_CODES
        self.blind = not (believe_a or believe_b)
        if believe_a and (not believe_b or a.force_mn >= b.force_mn):
            self.force_mn = a.force_mn
        elif believe_b:
            self.force_mn = b.force_mn
