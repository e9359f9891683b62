"""Letting go: how fast the cable is paid out so that force falls at its profile's rate, and when that is over.

With a believable channel it is a closed loop around a reference that falls a little slower than the profile's rate;
without one it goes by the encoder at the learned stiffness. Either way it ends 20 mm beyond 15 N, or at the paid-out
limit. What the reading cannot show yet is no error: the reference is that of the moment which the reading shows.
"""

from firmware.limits import (
    BLIND_MN_S_MAX,
    BLIND_UM_S_MAX,
    BLIND_UM_S_MIN,
    DIFFER_MN,
    RELEASE_MN_S,
    SLACK_MN,
    SLACK_MORE_UM,
    TAIL_UM_S,
)

REFERENCE_PERCENT = 96  # of the profile's rate, which a breath and what is learned too soft must not carry it over
SOFT_START_MS = 300  # the rate grows over this: more than the period in which a hip swings on its harness
DRIVE_DELAY_MS = 20  # its ramp and the motor's lag
CATCH_UP_MN_S = 30000  # force behind the reference (a breath out) makes it at most so much faster
HOLD_BACK_MN_S = 100000  # force ahead of it may stop it
AWAY_MN = 10000  # above the force at which it began: no breath, but a patient who moves away and has to be followed,
AWAY_MN_S_MAX = 150000  # its own rate included; when the patient stops, a faster fall would be abrupt
INCOMPLETE_MARGIN_MS = 1000
PROGRESS_MS = 1000  # blind, the encoder is looked at this often


class Release:
    def __init__(self, rate_hz, payout_um_s):
        self._rate_hz = rate_hz
        self._payout_um_s = payout_um_s
        self._delay_samples = DRIVE_DELAY_MS * rate_hz // 1000 + 3  # two in the converter, half of one to the next
        # An error is worked off within two delays: a third of the gain at which it would swing.
        self._error_works_off_ms = 2 * self._delay_samples * 1000 // rate_hz
        self._behind_uN_max = CATCH_UP_MN_S * self._error_works_off_ms
        self._ahead_uN_max = HOLD_BACK_MN_S * self._error_works_off_ms
        self.profile = 0
        self.done = False
        self.incomplete = False

    def start(self, profile, reading, stiffness, now_ms):
        self.done = False
        self.incomplete = False
        self._mn_mm = stiffness.mn_mm
        loaded_at_um = reading.cable_um if stiffness.loaded_at_um is None else stiffness.loaded_at_um
        # Who has moved away since then is loaded further out than where force first passed 15 N.
        slack_at_um = reading.cable_um - max(0, reading.force_mn) * 1000 // self._mn_mm
        self._blind_end_um = min(loaded_at_um, slack_at_um) - SLACK_MORE_UM
        self._slack_from_um = reading.cable_um
        self._was_loaded = True
        self._doubtful = False  # the larger channel may be one that is stuck: little is to be caught up with
        self._rate_uN_per_sample = 0
        self._shown_uN_per_sample = 0
        self._reference_uN = reading.force_mn * 1000
        self._before_mn = self._old_mn = self._older_mn = reading.force_mn
        self._away_from_mn = reading.force_mn + AWAY_MN
        self._look_at_progress_again(reading.cable_um, now_ms)
        self.quicken(profile, reading, now_ms)

    def quicken(self, profile, reading, now_ms):
        """Goes on with a faster profile, and gives it its own time to be complete."""
        self.profile = profile
        self._rate_mn_s = RELEASE_MN_S[profile]
        full_uN = self._rate_mn_s * 10 * REFERENCE_PERCENT // self._rate_hz
        self._away_uN_max = (AWAY_MN_S_MAX - self._rate_mn_s) * self._error_works_off_ms
        self._not_shown_samples = self._delay_samples
        self._full_uN_per_sample = full_uN
        self._soft_uN_per_sample = max(1, full_uN * 1000 // (SOFT_START_MS * self._rate_hz))
        reach_mn_s = min(self._rate_mn_s, self._payout_um_s * self._mn_mm // 1000)
        self._deadline_ms = now_ms + max(0, reading.force_mn) * 1500 // reach_mn_s + INCOMPLETE_MARGIN_MS

    def step(self, reading, paid_out_limit, now_ms):
        """The velocity for this sample, in um/s, never above zero; sets `done` and `incomplete`."""
        if paid_out_limit:
            return self._stop_at_the_limit(reading)
        if reading.blind:
            self._reference_uN = reading.force_mn * 1000
            return self._blind_step(reading.cable_um, now_ms)
        loaded = reading.force_mn > SLACK_MN and not self._one_channel_shows_too_much(reading)
        believed = loaded and self._was_loaded  # one sample above 15 N may be an outlier
        self._was_loaded = loaded
        if believed:
            self._look_at_progress_again(reading.cable_um, now_ms)
            self._slack_from_um = reading.cable_um
            self.incomplete = now_ms > self._deadline_ms
            self.done = False
            self._doubtful = _channels_differ(reading)
            before_mn = self._before_mn
            self._before_mn = reading.force_mn
            return self._loaded_step(min(before_mn, reading.force_mn))  # one of the two may be an outlier
        self.done = reading.cable_um <= self._slack_from_um - SLACK_MORE_UM
        return self._at_constant_speed(TAIL_UM_S, reading.cable_um, now_ms)

    def _stop_at_the_limit(self, reading):
        """Slack it is the end; loaded, the switch closed falsely, and a brake would hold the patient: power is cut."""
        loaded = reading.blind or reading.force_mn > SLACK_MN
        self.done = not loaded
        self.incomplete = loaded and self._was_loaded  # on two samples: one may be an outlier
        self._was_loaded = loaded
        return 0

    def _loaded_step(self, force_mn):
        rate_mn_s = self._soft_started_mn_s()
        if self._not_shown_samples:
            self._not_shown_samples -= 1
        else:
            self._shown_uN_per_sample = self._softly(self._shown_uN_per_sample)
        force = force_mn * 1000
        reference = self._reference_uN - self._shown_uN_per_sample
        if self._doubtful:
            behind_uN_max = self._behind_uN_max // 2
        else:
            behind_uN_max = self._behind_uN_max if force_mn <= self._away_from_mn else self._away_uN_max
        low = self._least_of_three(force_mn) * 1000  # noise must not lift the reference: the cable would be held
        reference = max(low - behind_uN_max, min(force + self._ahead_uN_max, reference))
        self._reference_uN = reference
        rate_mn_s += min(behind_uN_max, force - reference) // self._error_works_off_ms
        return -max(0, min(self._payout_um_s, rate_mn_s * 1000 // self._mn_mm))

    def _least_of_three(self, force_mn):
        older_mn = self._older_mn
        old_mn = self._older_mn = self._old_mn
        self._old_mn = force_mn
        return min(force_mn, old_mn, older_mn)

    def _one_channel_shows_too_much(self, reading):
        """The other one says that the cable is slack, and the encoder that it is back to where it was."""
        a = reading.a
        b = reading.b
        slack = (a.in_range and a.force_mn <= SLACK_MN) or (b.in_range and b.force_mn <= SLACK_MN)
        return slack and reading.cable_um <= self._blind_end_um + SLACK_MORE_UM

    def _blind_step(self, cable_um, now_ms):
        self.done = cable_um <= self._blind_end_um
        rate_mn_s = min(self._soft_started_mn_s(), BLIND_MN_S_MAX)
        speed = max(BLIND_UM_S_MIN, min(BLIND_UM_S_MAX, rate_mn_s * 1000 // self._mn_mm))
        return self._at_constant_speed(min(speed, self._payout_um_s), cable_um, now_ms)

    def _soft_started_mn_s(self):
        self._rate_uN_per_sample = self._softly(self._rate_uN_per_sample)
        return self._rate_uN_per_sample * self._rate_hz // 1000

    def _softly(self, uN_per_sample):
        return min(self._full_uN_per_sample, uN_per_sample + self._soft_uN_per_sample)

    def _at_constant_speed(self, speed_um_s, cable_um, now_ms):
        """Pays out at that speed, and looks every second whether at least half of what was asked was moved."""
        if now_ms - self._progress_ms >= PROGRESS_MS:
            self.incomplete = (self._progress_um - cable_um) * 2 * self._rate_hz < self._asked_um_s
            self._look_at_progress_again(cable_um, now_ms)
        self._asked_um_s += speed_um_s
        return -speed_um_s

    def _look_at_progress_again(self, cable_um, now_ms):
        self._progress_um = cable_um
        self._progress_ms = now_ms
        self._asked_um_s = 0  # of every sample since, added up


def _channels_differ(reading):
    a = reading.a
    b = reading.b
    return a.in_range and b.in_range and not -DIFFER_MN <= a.force_mn - b.force_mn <= DIFFER_MN
