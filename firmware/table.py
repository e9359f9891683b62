"""The table: states, commands, and what is done at every conversion. All of the device but its pins.

The board that it runs on offers:
    rate_hz, serial, simulated, boot_nonce          what it is
    inputs() -> the input bits of `messages`        read at this moment
    set_drive(velocity_um_s, enabled, brake_on)     called when one of the three changes
    write(view)                                     bytes to the host; never waits
    load_calibration(channel) -> (zero_counts, span_q20, id), store_calibration(channel, zero_counts, span_q20, id)
    under_load() -> bool, mark_under_load(bool)     one bit that outlives a reset
and calls `on_conversion` once a period whether or not the converters gave something, `on_millisecond`, and `on_bytes`.
A patient's switch or an emergency stop also cuts the wind-in in the board's hardware, faster than any of this.
"""

from firmware import messages as m
from firmware.bases import Bases
from firmware.clock import Clock
from firmware.limiter import Limiter
from firmware.limits import (
    CEILING_MN,
    CLEAR_SLACK_MS,
    LEASE_MS_MAX,
    PULL_UM_S,
    SESSION_S,
    SLACK_MN,
    TAKE_UP_UM_S,
    TRAVEL_UM,
    payout_um_s,
)
from firmware.link import Link
from firmware.reading import Reading
from firmware.release import Release

MODEL = b"TT-1"
VERSION = (0, 1, 0)

DISARMED = 0
ARMED = 1
RELEASING = 2

STATUS_OF_STATE = (0, m.ARMED, m.RELEASING)
TRIP_AGAIN_MS = 1000
SETTLING_CONVERSIONS = 8  # after power-on: until then a load that was there before has shown itself


class Table:
    def __init__(self, board):
        self._board = board
        self._link = Link(board.write)
        self._clock = Clock()
        self._bases = Bases()
        self._reading = Reading()
        self._limiter = Limiter(board.rate_hz)
        self._payout_um_s = payout_um_s(board.rate_hz)
        self._release = Release(board.rate_hz, self._payout_um_s)
        self._reading.a.calibrate(*board.load_calibration(0))
        self._reading.b.calibrate(*board.load_calibration(1))
        self._handlers = {
            m.HELLO: self._hello,
            m.ARM: self._arm,
            m.MOVE: self._move,
            m.RELEASE: self._release_asked,
            m.DISARM: self._disarm,
            m.CLEAR: self._clear,
            m.WRITE_CALIBRATION: self._write_calibration,
        }
        self.status = 0  # of the last SAMPLE
        self._inputs = 0
        self._settling = SETTLING_CONVERSIONS
        self._slack_since_ms = 0
        self._pull_um_s = 0
        self._asked_um_s = 0
        self._lease_ends_ms = 0
        self._trip_sent_ms = 0
        self._trip = None  # the fields of TRIP, of the first cause
        self._powerless = False  # a cut: the drive is not powered again before the trip is cleared
        self._bleeding = False  # a cut with a patient on the cable: the brake must not hold what the drive lets go
        self._marked = board.under_load()
        self._state = DISARMED
        self._velocity_um_s = 0
        self._enabled = True  # not so, but thus the first order is a change
        self._brake_on = False
        self._set_drive(0, False, True)

    @property
    def greeted(self):
        """Whether a host has said HELLO since power-on."""
        return self._link.greeted

    # What the board calls

    def on_bytes(self, data):
        """Bytes from the host, as they come."""
        self._link.receive(data, self._on_command)

    def on_millisecond(self, t_us):
        """A lease ends to the millisecond, not to the sample."""
        self._clock.tick(t_us)
        if self._velocity_um_s and self._state == ARMED and self._clock.now_ms >= self._lease_ends_ms:
            self._set_drive(0, True, False)

    def on_conversion(self, t_us, raw_a, raw_b, cable_um, velocity_um_s, current_ma, inputs):
        """One conversion of both channels; a raw of None where a converter gave nothing in this period."""
        self._clock.tick(t_us)
        reading = self._reading
        reading.take(raw_a, raw_b, cable_um, velocity_um_s)
        self._inputs = inputs
        seq = self._bases.add(self._clock.low_us, reading.slack)
        if not reading.slack:
            self._slack_since_ms = self._clock.now_ms
        self._judge(reading, inputs)
        self._act(reading, inputs)
        self._remember_load(reading.slack)
        self._send_sample(seq, t_us, current_ma)
        self._send_trip()

    # At every conversion

    def _judge(self, reading, inputs):
        now_ms = self._clock.now_ms
        if self._state == DISARMED:
            cause = self._reset_under_load(reading) or self._limiter.judge_disarmed(reading, inputs)
            if not cause and inputs & m.SELF_TEST_FAILED:
                cause = m.SELF_TEST
        else:
            self._limiter.observe(reading)
            if self._state == ARMED:
                cause = self._limiter.judge_armed(reading, inputs, now_ms, now_ms >= self._lease_ends_ms)
            else:
                self._heed_patient(inputs)
                cause = self._limiter.judge_releasing(reading, inputs)
        if cause:
            self._latch(cause)
        # Behind any other cause, too: a release by a drive that does not obey would pull.
        if self._state == RELEASING and self._limiter.judge_drive():
            self._latch(m.NOT_AS_COMMANDED)

    def _heed_patient(self, inputs):
        """While releasing, the patient's switch trips nothing, but asks for the fastest release."""
        if inputs & (m.SWITCH_PRESSED | m.SWITCH_CONNECTED) != m.SWITCH_CONNECTED:
            self._let_go(m.EMERGENCY)

    def _reset_under_load(self, reading):
        """Shortly after power-on only: by the mark that was left, or by the force that is still there."""
        if not self._settling:
            return 0
        self._settling -= 1
        loaded = not reading.blind and reading.force_mn > SLACK_MN
        return m.RESET_UNDER_LOAD if self._marked or loaded else 0

    def _act(self, reading, inputs):
        if self._state == ARMED:
            self._set_drive(self._permitted_um_s(reading.slack), True, False)
        elif self._state == RELEASING:
            velocity_um_s = self._release.step(reading, inputs & m.PAID_OUT_LIMIT, self._clock.now_ms)
            if self._release.incomplete:
                self._latch(m.RELEASE_INCOMPLETE)
            elif self._release.done:
                self._stand_down()
            else:
                self._set_drive(velocity_um_s, True, False)
        elif self._bleeding:
            # Not before it has been slack for a while: a breath must not be caught halfway.
            self._set_drive(0, False, self._clock.now_ms - self._slack_since_ms >= CLEAR_SLACK_MS)

    def _permitted_um_s(self, slack):
        if self._clock.now_ms >= self._lease_ends_ms:
            return 0
        return self._asked_um_s if slack else min(self._asked_um_s, self._pull_um_s)

    def _latch(self, cause):
        """A trip: the first cause stands, and every cause has its say in how fast the cable is let go."""
        reading = self._reading
        if self._trip is None:
            self._trip = (cause, self._clock.t_us, reading.a.raw, reading.b.raw, reading.cable_um)
            self._trip_sent_ms = self._clock.now_ms - TRIP_AGAIN_MS
        profile = m.PROFILE_OF_CAUSE.get(cause, m.PROTECTIVE)
        if self._state != DISARMED or cause == m.RESET_UNDER_LOAD:
            self._let_go(profile)
        elif profile == m.CUT:
            self._powerless = True  # and nothing moves: it may be a technician's masses that hang there

    def _let_go(self, profile):
        now_ms = self._clock.now_ms
        if profile == m.CUT:
            self._cut()
        elif self._state != RELEASING:
            if self._state == DISARMED:
                self._limiter.motion.start(self._reading.cable_um)
            self._state = RELEASING
            self._release.start(profile, self._reading, self._limiter.stiffness, now_ms)
        elif profile > self._release.profile:
            self._release.quicken(profile, self._reading, now_ms)

    def _cut(self):
        self._state = DISARMED
        self._powerless = self._bleeding = True
        self._set_drive(0, False, self._reading.slack)

    def _stand_down(self):
        self._state = DISARMED
        self._set_drive(0, False, True)

    def _set_drive(self, velocity_um_s, enabled, brake_on):
        if velocity_um_s != self._velocity_um_s or enabled != self._enabled or brake_on != self._brake_on:
            self._velocity_um_s = velocity_um_s
            self._enabled = enabled
            self._brake_on = brake_on
            self._limiter.motion.command(velocity_um_s)
            self._board.set_drive(velocity_um_s, enabled, brake_on)

    def _remember_load(self, slack):
        """Marks, for the life after a reset, that a patient hangs on the cable."""
        loaded = not slack and (self._state != DISARMED or self._bleeding)
        if self._trip is not None and self._trip[0] == m.RESET_UNDER_LOAD:
            return  # until a person has cleared it, this too outlives a reset
        if loaded != self._marked:
            self._marked = loaded
            self._board.mark_under_load(loaded)

    # What is sent unasked

    def _send_sample(self, seq, t_us, current_ma):
        reading = self._reading
        status = STATUS_OF_STATE[self._state] | (self._inputs & m.INPUTS_SENT)
        if self._enabled:
            status |= m.DRIVE_ENABLED
        if self._trip is not None:
            status |= m.TRIPPED
        if reading.slack:
            status |= m.SLACK
        if self._brake_on:
            status |= m.BRAKE_ON
        if self._board.simulated:
            status |= m.SIMULATED
        self.status = status
        current_ma = max(-32768, min(32767, current_ma))
        fields = (seq, t_us, reading.a.raw, reading.b.raw, reading.cable_um, reading.velocity_um_s, current_ma, status)
        self._link.send(m.SAMPLE, fields)

    def _send_trip(self):
        if self._trip is not None and self._clock.now_ms - self._trip_sent_ms >= TRIP_AGAIN_MS:
            self._trip_sent_ms = self._clock.now_ms
            self._link.send(m.TRIP, self._trip)

    # Commands: each handler gives 0 for accepted, or the reason of a NAK

    def _on_command(self, kind, counter, fields):
        if kind == m.HELLO:
            self._link.restart(counter)
        reason = self._handlers[kind](*fields)
        if reason:
            self._link.send(m.NAK, (counter, kind, reason))
        elif kind != m.MOVE:
            self._link.send(m.ACK, (counter, kind))

    def _hello(self, protocol, _nonce):
        if protocol != m.PROTOCOL:
            return m.UNKNOWN_PROTOCOL
        self._link.greet()
        board = self._board
        flags = (m.FLAG_SIMULATED if board.simulated else 0) | (
            m.FLAG_SERVICE_JUMPER if board.inputs() & m.SERVICE_JUMPER else 0
        )
        what = (m.PROTOCOL, flags, MODEL, board.serial) + VERSION + (board.boot_nonce, board.rate_hz)
        self._link.send(m.IDENTITY, what + (CEILING_MN, TRAVEL_UM, PULL_UM_S, self._payout_um_s))
        self._send_calibration(0, self._reading.a)
        self._send_calibration(1, self._reading.b)
        return 0

    def _send_calibration(self, number, channel):
        self._link.send(m.CALIBRATION, (number, channel.zero_counts, channel.span_q20, channel.id))

    def _arm(self, ceiling_mn, travel_um, pull_um_s, duration_s, calibration_a, calibration_b):
        reading = self._reading
        if self._state == RELEASING:
            return m.IS_RELEASING
        if self._trip is not None:
            return m.IS_TRIPPED
        if self._state == ARMED or not reading.slack:
            return m.NOT_SLACK
        if not (_matches(reading.a, calibration_a) and _matches(reading.b, calibration_b)):
            return m.CALIBRATION_DIFFERS
        inputs = self._board.inputs()
        if inputs & (m.SWITCH_CONNECTED | m.SWITCH_PRESSED) != m.SWITCH_CONNECTED:
            return m.SWITCH_NOT_READY
        if inputs & m.EMERGENCY_STOP:
            return m.EMERGENCY_STOP_ACTIVE
        if ceiling_mn <= 0 or travel_um <= 0 or pull_um_s <= 0 or duration_s <= 0:
            return m.OUT_OF_RANGE
        now_ms = self._clock.now_ms
        ends_ms = now_ms + min(duration_s, SESSION_S) * 1000
        self._limiter.arm(min(ceiling_mn, CEILING_MN), min(travel_um, TRAVEL_UM), ends_ms, reading.cable_um, inputs)
        self._pull_um_s = min(pull_um_s, PULL_UM_S)
        self._asked_um_s = 0
        self._lease_ends_ms = now_ms
        self._state = ARMED
        self._set_drive(0, True, False)
        return 0

    def _move(self, basis, velocity_um_s, lease_ms):
        if self._state == RELEASING:
            return m.IS_RELEASING
        if self._state == DISARMED:
            return m.NOT_ARMED if self._trip is None else m.IS_TRIPPED
        if not self._bases.is_fresh(basis, self._clock.low_us):
            return m.BASIS_TOO_OLD
        # Judged by the sample that the host saw; `_permitted_um_s` goes by the sample that is now.
        fastest_um_s = TAKE_UP_UM_S if self._bases.was_slack(basis) else self._pull_um_s
        if not -self._payout_um_s <= velocity_um_s <= fastest_um_s or not 1 <= lease_ms <= LEASE_MS_MAX:
            return m.OUT_OF_RANGE
        inputs = self._board.inputs()
        if (velocity_um_s > 0 and inputs & m.WOUND_IN_LIMIT) or (velocity_um_s < 0 and inputs & m.PAID_OUT_LIMIT):
            return m.OUT_OF_RANGE
        self._asked_um_s = velocity_um_s
        self._lease_ends_ms = self._clock.now_ms + lease_ms
        self._set_drive(self._permitted_um_s(self._reading.slack), True, False)
        return 0

    def _release_asked(self, profile):
        """Never refused. An unknown profile is taken as the normal one."""
        profile = profile if profile <= m.EMERGENCY else m.NORMAL
        resting = self._state == DISARMED and self._reading.slack
        if not self._powerless and not resting:
            self._let_go(profile)
        return 0

    def _disarm(self):
        if self._state == RELEASING:
            return m.IS_RELEASING
        if not self._reading.slack:
            return m.NOT_SLACK
        self._stand_down()
        return 0

    def _clear(self, cause):
        if self._state == RELEASING:
            return m.IS_RELEASING
        if self._trip is None:
            return m.OUT_OF_RANGE
        slack_ms = self._clock.now_ms - self._slack_since_ms
        if not self._reading.slack or slack_ms < CLEAR_SLACK_MS:
            return m.NOT_SLACK
        inputs = self._board.inputs()
        if self._limiter.still_there(self._trip[0], self._reading, inputs):
            return m.NOT_SLACK
        if self._trip[0] == m.SELF_TEST and inputs & m.SELF_TEST_FAILED:
            return m.NOT_SLACK
        if cause != self._trip[0]:
            return m.OUT_OF_RANGE
        self._trip = None
        self._powerless = self._bleeding = False
        return 0

    def _write_calibration(self, channel, zero_counts, span_q20, identity):
        if self._state == RELEASING:
            return m.IS_RELEASING
        if self._state == ARMED:
            return m.NOT_SLACK
        if not self._board.inputs() & m.SERVICE_JUMPER:
            return m.JUMPER_OPEN
        if channel > 1:
            return m.OUT_OF_RANGE
        self._board.store_calibration(channel, zero_counts, span_q20, identity)
        (self._reading.b if channel else self._reading.a).calibrate(zero_counts, span_q20, identity)
        return 0


def _matches(channel, identity):
    return channel.id != 0 and channel.span_q20 != 0 and channel.id == identity
