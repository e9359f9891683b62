"""The messages of the table's serial protocol, version 1, and the table that turns each into bytes and back.

Units are in the names: millinewtons (mN), micrometres (um), um/s, microseconds of the device's own clock (us).
Cable position is wound-in positive; a positive velocity winds in, and so pulls. All integers are little-endian.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import IntEnum, IntFlag
from typing import Final, cast

PROTOCOL: Final = 1

# Sent for a channel whose converter has given nothing for two periods. It is no reading, and never zero.
RAW_MISSING: Final = -2147483648


class MessageType(IntEnum):
    HELLO = 0x01
    ARM = 0x02
    MOVE = 0x03
    RELEASE = 0x04
    DISARM = 0x05
    CLEAR = 0x06
    WRITE_CALIBRATION = 0x07
    IDENTITY = 0x81
    SAMPLE = 0x82
    ACK = 0x83
    NAK = 0x84
    TRIP = 0x85
    CALIBRATION = 0x86


class ReleaseProfile(IntEnum):
    """How fast the table lets go: 20, 50 or 100 N/s."""

    NORMAL = 0
    PROTECTIVE = 1
    EMERGENCY = 2


class SpelledEnum(IntEnum):
    @property
    def spelled(self) -> str:
        """The protocol's own words for it, for a sentence."""
        return self.name.lower().replace("_", " ")


class NakReason(SpelledEnum):
    NOT_ARMED = 1
    TRIPPED = 2
    BASIS_TOO_OLD = 3
    OUT_OF_RANGE = 4
    NOT_SLACK = 5
    CALIBRATION_DOES_NOT_MATCH = 6
    PATIENT_SWITCH_NOT_CONNECTED_OR_PRESSED = 7
    SERVICE_JUMPER_OPEN = 8
    UNKNOWN_PROTOCOL = 9
    RELEASING = 10
    EMERGENCY_STOP = 11


class TripCause(SpelledEnum):
    ARMED_CEILING = 1
    FIRMWARE_CEILING = 2
    LEASE_ENDED = 3
    CHANNEL_OUT_OF_RANGE = 4
    CHANNEL_STUCK = 5
    CHANNELS_DIFFER = 6
    MOVEMENT_NOT_AS_COMMANDED = 7
    TRAVEL = 8
    PATIENT_SWITCH_PRESSED = 9
    PATIENT_SWITCH_UNPLUGGED = 10
    EMERGENCY_STOP = 11
    SESSION_TIME = 12
    FORCE_LOST = 13
    DRIVE_FAULT = 14
    SUPPLY = 15
    RESET_UNDER_LOAD = 16
    RELEASE_INCOMPLETE = 17
    SELF_TEST = 18
    RISE_TOO_FAST = 19


class IdentityFlag(IntFlag):
    SIMULATED = 1 << 0
    SERVICE_JUMPER_CLOSED = 1 << 1


class Status(IntFlag):
    ARMED = 1 << 0
    DRIVE_ENABLED = 1 << 1
    RELEASING = 1 << 2
    TRIPPED = 1 << 3
    PATIENT_SWITCH_CONNECTED = 1 << 4
    PATIENT_SWITCH_PRESSED = 1 << 5
    EMERGENCY_STOP = 1 << 6
    WOUND_IN_LIMIT = 1 << 7
    PAID_OUT_LIMIT = 1 << 8
    SERVICE_JUMPER = 1 << 9
    SLACK = 1 << 10  # both channels in range and within +-15 N
    BRAKE_ON = 1 << 11
    SIMULATED = 1 << 12
    MAINS_GOOD = 1 << 13


@dataclass(frozen=True, slots=True)
class Hello:
    protocol: int
    nonce: int


@dataclass(frozen=True, slots=True)
class Arm:
    ceiling_mn: int
    travel_um: int
    pull_um_s: int
    duration_s: int
    calibration_a: int
    calibration_b: int


@dataclass(frozen=True, slots=True)
class Move:
    basis: int  # the `seq`, as sent, of the SAMPLE that the velocity was computed from
    velocity_um_s: int
    lease_ms: int


@dataclass(frozen=True, slots=True)
class Release:
    profile: ReleaseProfile


@dataclass(frozen=True, slots=True)
class Disarm:
    pass


@dataclass(frozen=True, slots=True)
class Clear:
    cause: TripCause


@dataclass(frozen=True, slots=True)
class WriteCalibration:
    channel: int
    zero_counts: int
    span_q20: int
    id: int


@dataclass(frozen=True, slots=True)
class Identity:
    protocol: int
    flags: IdentityFlag
    model: str
    serial: int
    fw_major: int
    fw_minor: int
    fw_patch: int
    boot_nonce: int
    rate_hz: int
    ceiling_mn: int
    travel_um: int
    pull_um_s: int
    payout_um_s: int


@dataclass(frozen=True, slots=True)
class Sample:
    seq: int
    t_us: int
    raw_a: int
    raw_b: int
    cable_um: int
    velocity_um_s: int
    current_ma: int
    status: Status


@dataclass(frozen=True, slots=True)
class Ack:
    counter: int
    type: MessageType


@dataclass(frozen=True, slots=True)
class Nak:
    counter: int
    type: MessageType
    reason: NakReason


@dataclass(frozen=True, slots=True)
class Trip:
    cause: TripCause
    t_us: int
    raw_a: int
    raw_b: int
    cable_um: int


@dataclass(frozen=True, slots=True)
class Calibration:
    channel: int  # 0 = A, 1 = B
    zero_counts: int
    span_q20: int
    id: int


HostMessage = Hello | Arm | Move | Release | Disarm | Clear | WriteCalibration
DeviceMessage = Identity | Sample | Ack | Nak | Trip | Calibration
Message = HostMessage | DeviceMessage


def force_mn(raw: int, zero_counts: int, span_q20: int) -> int:
    """A channel's force in mN from its raw counts, rounded down, exactly as the device computes it."""
    return ((raw - zero_counts) * span_q20) >> 20


def encode_payload(message: Message) -> tuple[MessageType, bytes]:
    """The message's type and payload. Raises ValueError naming a field that does not fit the wire."""
    layout = _LAYOUT_OF[type(message)]
    values = [field.write(getattr(message, field.name)) for field in layout.fields]
    return layout.type, layout.packed.pack(*values)


def decode_payload(type_byte: int, payload: bytes) -> Message | None:
    """The message, or None for a type, a length or an enumerated value that version 1 does not have."""
    layout = _LAYOUT_OF_BYTE.get(type_byte)
    if layout is None or len(payload) != layout.packed.size:
        return None
    values = [*layout.packed.unpack(payload)]
    try:
        for index, read in layout.reads:
            values[index] = read(values[index])
        return layout.message(*values)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class _Field:
    """One field on the wire: its struct code, and the Python type it is read as."""

    name: str
    code: str
    type: Callable[..., object]
    lowest: int
    highest: int

    def write(self, value: object) -> int | bytes:
        if self.type is str:
            return self._write_text(value)
        if not isinstance(value, int) or not self.lowest <= value <= self.highest:
            raise ValueError(f"{self.name} must be a whole number from {self.lowest} to {self.highest}, not {value!r}")
        try:
            self.type(value)
        except ValueError as unknown:
            raise ValueError(f"{self.name}: {unknown}") from None
        return value

    @property
    def read(self) -> Callable[..., object]:
        """From what struct gives to the field's type. Raises ValueError for what that type does not have."""
        return _text if self.type is str else self.type

    def _write_text(self, value: object) -> bytes:
        length_max = struct.calcsize(self.code)
        if not isinstance(value, str) or not value.isascii() or "\0" in value or len(value) > length_max:
            raise ValueError(f"{self.name} must be at most {length_max} ASCII characters, not {value!r}")
        return value.encode("ascii")


@dataclass(frozen=True, slots=True)
class _Layout:
    type: MessageType
    message: Callable[..., Message]
    fields: tuple[_Field, ...]
    packed: struct.Struct
    reads: tuple[tuple[int, Callable[..., object]], ...]  # by index: of the fields that are not plain integers


def _text(padded: bytes) -> str:
    return padded.rstrip(b"\0").decode("ascii")  # UnicodeDecodeError is a ValueError


def _field(name: str, read_as: Callable[..., object], code: str) -> _Field:
    bits = 8 * struct.calcsize("<" + code)
    signed = code.islower()  # struct's own convention
    lowest, highest = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    return _Field(name, code, read_as, lowest, highest)


def _layout(type_byte: MessageType, message: type[Message], codes: str = "") -> _Layout:
    """A message's layout: `codes` gives the struct code of each of its fields, in their order."""
    wire_fields = tuple(
        _field(member.name, cast(Callable[..., object], member.type), code)
        for member, code in zip(fields(message), codes.split(), strict=True)
    )
    reads = tuple((index, field.read) for index, field in enumerate(wire_fields) if field.type is not int)
    return _Layout(type_byte, message, wire_fields, struct.Struct("<" + codes.replace(" ", "")), reads)


_LAYOUTS: Final = (
    _layout(MessageType.HELLO, Hello, "B I"),
    _layout(MessageType.ARM, Arm, "i i H H I I"),
    _layout(MessageType.MOVE, Move, "H i H"),
    _layout(MessageType.RELEASE, Release, "B"),
    _layout(MessageType.DISARM, Disarm),
    _layout(MessageType.CLEAR, Clear, "B"),
    _layout(MessageType.WRITE_CALIBRATION, WriteCalibration, "B i i I"),
    _layout(MessageType.IDENTITY, Identity, "B B 8s I B B B I H i i H H"),
    _layout(MessageType.SAMPLE, Sample, "H I i i i i h H"),
    _layout(MessageType.ACK, Ack, "B B"),
    _layout(MessageType.NAK, Nak, "B B B"),
    _layout(MessageType.TRIP, Trip, "B I i i i"),
    _layout(MessageType.CALIBRATION, Calibration, "B i i I"),
)
_LAYOUT_OF: Final = {layout.message: layout for layout in _LAYOUTS}
_LAYOUT_OF_BYTE: Final = {int(layout.type): layout for layout in _LAYOUTS}
