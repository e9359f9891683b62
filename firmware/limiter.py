"""The trips: which cause, if any, one sample gives. It moves nothing and sends nothing.

On one sample the first of this order wins: 11, 9, 10, 15, 14, 4, 5, 6, 7, 2, 1, 19, 13, 8, 12, 3. While releasing only
those are looked for that say that the release itself cannot go on as it does; while disarmed only faults.
"""

from firmware import messages as m
from firmware.history import History
from firmware.limits import (
    CEILING_MN,
    CEILING_SAMPLES,
    DIFFER_FAST_MN,
    DIFFER_FAST_SAMPLES,
    DIFFER_MN,
    DIFFER_MS,
    DIFFER_PERCENT,
    STUCK_CODES,
)
from firmware.motion import Motion
from firmware.stiffness import Stiffness

INPUTS_WATCHED = m.EMERGENCY_STOP | m.SWITCH_PRESSED | m.SWITCH_CONNECTED | m.MAINS_GOOD | m.DRIVE_FAULT
INPUTS_WELL = m.SWITCH_CONNECTED | m.MAINS_GOOD
LIMIT_SWITCHES = m.WOUND_IN_LIMIT | m.PAID_OUT_LIMIT


class Limiter:
    def __init__(self, rate_hz):
        self.stiffness = Stiffness()
        self.motion = Motion(rate_hz)
        self._history = History(rate_hz)
        self._differ_samples = DIFFER_MS * rate_hz // 1000
        self.arm(0, 0, 0, 0, 0)

    def arm(self, ceiling_mn, travel_um, ends_ms, cable_um, inputs):
        """A session begins, slack: these are its limits."""
        self._ceiling_mn = ceiling_mn
        self._travel_um = travel_um
        self._ends_ms = ends_ms
        self._limits_open = ~inputs & LIMIT_SWITCHES
        self._over = 0
        self._differing = 0
        self._differing_much = 0
        self.stiffness.start()
        self._history.start(0, cable_um)
        self.motion.start(cable_um)

    def observe(self, reading):
        """Takes one sample into all that needs more than one; while the drive is enabled, before judging."""
        a_mn = reading.a.force_mn
        b_mn = reading.b.force_mn
        if a_mn < b_mn:
            a_mn, b_mn = b_mn, a_mn
        self._over = self._over + 1 if a_mn > self._ceiling_mn else 0
        difference = a_mn - b_mn
        differ = difference > DIFFER_MN and difference * 100 > a_mn * DIFFER_PERCENT
        self._differing = self._differing + 1 if differ else 0
        self._differing_much = self._differing_much + 1 if difference > DIFFER_FAST_MN else 0
        self._history.take(reading.force_mn, reading.cable_um)
        self.motion.take(reading.cable_um)

    def judge_armed(self, reading, inputs, now_ms, lease_ended):
        """The cause of a trip, or 0."""
        cause = self.judge_inputs(inputs, True) or self._judge_channels(reading) or self._judge_force(reading)
        if cause:
            return cause
        if not reading.slack:
            self.stiffness.learn(self._history.median_mn, reading.cable_um)
        if self._history.rose_too_fast():
            return m.RISE_TOO_FAST
        if self._history.lost(reading.cable_um, self.stiffness.mn_mm):
            return m.FORCE_LOST
        if self._too_far(reading, inputs):
            return m.TRAVEL
        if now_ms >= self._ends_ms:
            return m.SESSION_TIME
        if lease_ended and not reading.slack:
            return m.LEASE_ENDED
        return 0

    def judge_releasing(self, reading, inputs):
        """The cause of a trip, or 0."""
        cause = self.judge_inputs(inputs, False) or self._judge_channels(reading)
        if cause:
            return cause
        return m.FIRMWARE_CEILING if _above_firmware_ceiling(reading) else 0

    def judge_disarmed(self, reading, inputs):
        """The cause of a trip, or 0."""
        cause = self.judge_inputs(inputs, False)
        if cause or not (reading.a.failed or reading.b.failed):
            return cause
        return m.CHANNEL_RANGE

    def still_there(self, cause, reading, inputs):
        """Whether what tripped can be seen to be there yet, slack and disarmed."""
        if cause == m.PATIENT_PRESSED or cause == m.PATIENT_UNPLUGGED:
            return inputs & (m.SWITCH_PRESSED | m.SWITCH_CONNECTED) != m.SWITCH_CONNECTED
        return self.judge_disarmed(reading, inputs) == cause

    def judge_inputs(self, inputs, armed):
        if inputs & INPUTS_WATCHED == INPUTS_WELL:
            return 0
        if inputs & m.EMERGENCY_STOP:
            return m.EMERGENCY_STOPPED
        if armed and inputs & m.SWITCH_PRESSED:
            return m.PATIENT_PRESSED
        if armed and not inputs & m.SWITCH_CONNECTED:
            return m.PATIENT_UNPLUGGED
        if not inputs & m.MAINS_GOOD:
            return m.SUPPLY
        return m.DRIVE_FAILED if inputs & m.DRIVE_FAULT else 0

    def _judge_channels(self, reading):
        a = reading.a
        b = reading.b
        if a.failed or b.failed:
            return m.CHANNEL_RANGE
        if a.identical >= STUCK_CODES or b.identical >= STUCK_CODES:
            return m.CHANNEL_STUCK
        if self._differing > self._differ_samples or self._differing_much >= DIFFER_FAST_SAMPLES:
            return m.CHANNELS_DIFFER
        return self.judge_drive()

    def judge_drive(self):
        """The cause of a trip where the drum is not where its commands can have brought it, or 0."""
        return m.NOT_AS_COMMANDED if self.motion.astray else 0

    def _judge_force(self, reading):
        if _above_firmware_ceiling(reading):
            return m.FIRMWARE_CEILING
        return m.ARMED_CEILING if self._over >= CEILING_SAMPLES else 0

    def _too_far(self, reading, inputs):
        closed = self._limits_open & inputs
        self._limits_open |= ~inputs & LIMIT_SWITCHES
        loaded_at_um = self.stiffness.loaded_at_um
        return closed or (loaded_at_um is not None and reading.cable_um - loaded_at_um > self._travel_um)


def _above_firmware_ceiling(reading):
    a = reading.a
    b = reading.b
    return (a.in_range and a.force_mn > CEILING_MN) or (b.in_range and b.force_mn > CEILING_MN)
