"""The host's end of the conversation with a table: bytes in, events out, and nothing that does I/O or reads a clock.

`Link` numbers what is sent, checks the numbers of what arrives, does the handshake, and makes the samples' wrapping
numbers count on. A frame that was seen before, or that is older than one seen, is never handed on as if it were new.
"""

from dataclasses import dataclass
from typing import Final

from firmware_bridge.framing import FrameDecoder, encode_frame
from firmware_bridge.messages import (
    PROTOCOL,
    Calibration,
    DeviceMessage,
    Hello,
    HostMessage,
    Identity,
    MessageType,
    Nak,
    NakReason,
    Sample,
)

CHANNELS: Final = frozenset((0, 1))
COUNTER_WRAP: Final = 1 << 8
COUNTER_AHEAD_MAX: Final = 127
SEQ_WRAP: Final = 1 << 16
SEQ_AHEAD_MAX: Final = 32_767
T_US_WRAP: Final = 1 << 32

# A sample this far ahead of the last one is not believed: `t_us` wraps every 71.6 minutes, so that a recording of an
# hour ago looks like the near future. A line that was silent for longer needs a new `open`, whose IDENTITY also tells
# whether the table was restarted meanwhile.
SILENCE_US_MAX: Final = 30_000_000

# Over a gap, `seq` and `t_us` must agree with the table's rate: a converter's own clock is off by less than an eighth,
# and the device may pause for up to a second (it writes a calibration). A recording's numbers wrap apart.
RATE_ERROR_DIVISOR: Final = 8
PAUSE_US_MAX: Final = 1_000_000
US_PER_S: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class ReceivedSample:
    """A sample whose numbers count on where the wire's wrap and where the table was reset; `sample` has the wire's."""

    sample: Sample
    seq: int
    t_us: int
    lost_before: int  # samples that were sent and did not arrive, since the one before


@dataclass(frozen=True, slots=True)
class DeviceRestarted:
    """The table answered HELLO with another boot nonce than before: it was reset, and has forgotten ARM."""

    before: Identity
    now: Identity


@dataclass(frozen=True, slots=True)
class ProtocolMismatch:
    """The table and this program do not speak the same protocol. `device_protocol` is None where it only refused."""

    host_protocol: int
    device_protocol: int | None

    @property
    def sentence(self) -> str:
        spoken = "another protocol" if self.device_protocol is None else f"protocol {self.device_protocol}"
        return (
            f"The table speaks {spoken}, this program speaks protocol {self.host_protocol}. "
            "Install the release of this program that belongs to the table's firmware, or update the firmware."
        )


LinkEvent = DeviceMessage | ReceivedSample | DeviceRestarted | ProtocolMismatch


@dataclass(frozen=True, slots=True)
class LinkStatistics:
    """Counts since the link was made. Frames, but for the samples."""

    sent: int
    received: int  # handed on
    missing: int  # gaps in the device's counter
    duplicated: int  # repeats, and frames older than one that was seen
    late: int  # samples that were not ahead of the last one
    samples_lost: int  # gaps in the samples' numbers
    unidentified: int  # came before the first IDENTITY
    unexpected: int  # a host's message, or an IDENTITY that was not asked for
    damaged: int
    unknown: int
    oversize: int


class Link:
    """One conversation. Call `open`, write what it returns, and feed what comes back to `receive`."""

    def __init__(self) -> None:
        self.identity: Identity | None = None
        self.calibrations: dict[int, Calibration] = {}
        self.mismatch: ProtocolMismatch | None = None
        self.sent_counter = -1  # of the last frame sent; ACK and NAK name it
        self._decoder = FrameDecoder()
        self._numbering = SampleNumbering()
        self._device_counter: int | None = None
        self._hello_counter: int | None = None  # of a HELLO that is not answered yet
        self._channels_awaited = CHANNELS
        self._sent = self._received = self._missing = self._duplicated = 0
        self._late = self._unidentified = self._unexpected = 0

    @property
    def ready(self) -> bool:
        """Whether the last HELLO has been answered in full: by IDENTITY and the CALIBRATION of both channels."""
        return self.identity is not None and self._hello_counter is None and not self._channels_awaited

    @property
    def statistics(self) -> LinkStatistics:
        return LinkStatistics(
            sent=self._sent,
            received=self._received,
            missing=self._missing,
            duplicated=self._duplicated,
            late=self._late,
            samples_lost=self._numbering.samples_lost,
            unidentified=self._unidentified,
            unexpected=self._unexpected,
            damaged=self._decoder.damaged,
            unknown=self._decoder.unknown,
            oversize=self._decoder.oversize,
        )

    @property
    def newest_us(self) -> int | None:
        """The device's time of the newest sample, counting on; None where none has come since the device was reset."""
        return self._numbering.newest_us

    def seq_on_wire(self, seq: int) -> int:
        """The number on the wire of a received sample: what the table knows it by."""
        return self._numbering.on_wire(seq)

    def open(self, nonce: int) -> bytes:
        """The bytes of a HELLO: the first one, or one that asks again after a silence. It stops nothing that runs."""
        hello = self.send(Hello(PROTOCOL, nonce))
        self.mismatch = None
        self._hello_counter = self.sent_counter
        self._channels_awaited = CHANNELS
        return hello

    def send(self, message: HostMessage) -> bytes:
        """The message's frame. Raises ValueError naming a field that does not fit the wire, and then counts nothing."""
        counter = (self.sent_counter + 1) % COUNTER_WRAP
        frame = encode_frame(counter, message)
        self.sent_counter = counter
        self._sent += 1
        return frame

    def receive(self, data: bytes) -> list[LinkEvent]:
        """What the bytes complete, in order: messages, numbered samples, a restart, a mismatch. Raises for no input."""
        events: list[LinkEvent] = []
        for counter, message in self._decoder.feed(data):
            if type(message) is Sample and self._device_counter is not None:  # nearly all that ever comes
                accepted = self._accept_sample(counter, message)
                self._received += len(accepted)
                events += accepted
            elif isinstance(message, DeviceMessage):
                accepted = self._accept(counter, message)
                self._received += bool(accepted)
                events += accepted
            else:  # a host's: our own come back on an echoing line, or a second host on the cable
                self._unexpected += 1
        return events

    def _accept(self, counter: int, message: DeviceMessage) -> list[LinkEvent]:
        match message:
            case Identity():
                return self._accept_identity(counter, message)
            case Nak(named, MessageType.HELLO, NakReason.UNKNOWN_PROTOCOL) if named == self._hello_counter:
                return self._refuse_protocol(device_protocol=None)
            case _ if self._device_counter is None:
                self._unidentified += 1
                return []
            case _ if not 1 <= self._ahead(counter) <= COUNTER_AHEAD_MAX:
                self._duplicated += 1
                return []
            case _:
                self._count_on(counter)
                self._note_calibration(message)
                return [message]

    def _note_calibration(self, message: DeviceMessage) -> None:
        if isinstance(message, Calibration):
            self.calibrations[message.channel] = message
            self._channels_awaited -= {message.channel}

    def _accept_identity(self, counter: int, identity: Identity) -> list[LinkEvent]:
        """IDENTITY answers HELLO as the device's frame number 0, and starts the device's counting anew."""
        if self._hello_counter is None or counter != 0:
            self._unexpected += 1
            return []
        if identity.protocol != PROTOCOL:
            return self._refuse_protocol(identity.protocol)
        before, self.identity = self.identity, identity
        self._hello_counter = None
        self._device_counter = 0
        if before is None or before.boot_nonce == identity.boot_nonce:
            self._numbering.allow_silence()
            return [identity]
        self._numbering.start_anew()
        self.calibrations.clear()
        return [DeviceRestarted(before, identity), identity]

    def _refuse_protocol(self, device_protocol: int | None) -> list[LinkEvent]:
        """Nothing that such a table says is understood, so nothing more of it is handed on before another HELLO."""
        self._hello_counter = None
        self._device_counter = None
        self.identity = None
        self._numbering.start_anew()
        self.mismatch = ProtocolMismatch(PROTOCOL, device_protocol)
        return [self.mismatch]

    def _accept_sample(self, counter: int, sample: Sample) -> list[LinkEvent]:
        """Samples carry better numbers than the frame's counter, which a gap of half a second leaves ambiguous."""
        if self._ahead(counter) == 0:
            self._duplicated += 1
            return []
        assert self.identity is not None
        received = self._numbering.number(sample, self.identity.rate_hz)
        if received is None:
            self._late += 1
            return []
        self._count_on(counter)
        return [received]

    def _ahead(self, counter: int) -> int:
        assert self._device_counter is not None
        return (counter - self._device_counter) % COUNTER_WRAP

    def _count_on(self, counter: int) -> None:
        self._missing += self._ahead(counter) - 1
        self._device_counter = counter


class SampleNumbering:
    """Makes the samples' `seq` and `t_us` count on where the wire's wrap and where the table was reset, and drops every
    sample that is not ahead of the last.
    """

    def __init__(self) -> None:
        self.samples_lost = 0
        self._last: ReceivedSample | None = None
        self._after_silence = False
        self._after_reset = False

    @property
    def newest_us(self) -> int | None:
        return None if self._last is None or self._after_reset else self._last.t_us

    def on_wire(self, seq: int) -> int:
        """The number that the table itself gave to that sample, of those since it was reset."""
        return (seq if self._last is None else seq - self._last.seq + self._last.sample.seq) % SEQ_WRAP

    def allow_silence(self) -> None:
        """The next sample may come after any silence: IDENTITY has just shown that the line is alive."""
        self._after_silence = True

    def start_anew(self) -> None:
        """The device was reset: its own numbers have nothing to do with those before."""
        self._after_reset = True

    def number(self, sample: Sample, rate_hz: int) -> ReceivedSample | None:
        """The sample counting on, or None where it is not ahead of the last one (a repeat, a replay, a late one)."""
        last = self._last
        if last is None:
            received = ReceivedSample(sample, sample.seq, sample.t_us, lost_before=0)
        elif self._after_reset:
            received = _counted_on(last, sample, rate_hz)
        else:
            seq_ahead = (sample.seq - last.sample.seq) % SEQ_WRAP
            t_us_ahead = (sample.t_us - last.sample.t_us) % T_US_WRAP
            if not self._is_ahead(seq_ahead, t_us_ahead, rate_hz):
                return None
            # After a silence of more than 65 536 samples this is what is known of how many were lost.
            lost_before = (seq_ahead - 1) % SEQ_WRAP
            received = ReceivedSample(sample, last.seq + lost_before + 1, last.t_us + t_us_ahead, lost_before)
        self.samples_lost += received.lost_before
        self._last = received
        self._after_silence = self._after_reset = False
        return received

    def _is_ahead(self, seq_ahead: int, t_us_ahead: int, rate_hz: int) -> bool:
        if self._after_silence:
            return 0 < t_us_ahead < T_US_WRAP - SILENCE_US_MAX  # all but what was sent in the seconds before the last
        return (
            1 <= seq_ahead <= SEQ_AHEAD_MAX
            and 0 < t_us_ahead <= SILENCE_US_MAX
            and _agree(seq_ahead, t_us_ahead, rate_hz)
        )


def _counted_on(last: ReceivedSample, sample: Sample, rate_hz: int) -> ReceivedSample:
    """After a reset: by the device's clock where that ran on, else by the time since it began anew. What was lost
    meanwhile is reckoned from the rate.
    """
    ran_on_us = (sample.t_us - last.sample.t_us) % T_US_WRAP
    since_us = ran_on_us if ran_on_us <= SILENCE_US_MAX else min(sample.t_us, SILENCE_US_MAX)
    since_us = max(1, since_us)
    seq_ahead = max(1, since_us * rate_hz // US_PER_S)
    return ReceivedSample(sample, last.seq + seq_ahead, last.t_us + since_us, seq_ahead - 1)


def _agree(seq_ahead: int, t_us_ahead: int, rate_hz: int) -> bool:
    error_us_max = t_us_ahead // RATE_ERROR_DIVISOR + PAUSE_US_MAX
    return abs(seq_ahead * US_PER_S - t_us_ahead * rate_hz) <= error_us_max * rate_hz
