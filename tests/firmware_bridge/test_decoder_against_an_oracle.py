"""Both decoders of frames against a third, naive one, written from docs/protocol.md and sharing nothing with them.

The oracle has the whole line before it, looks at each byte between two zeros, and computes the checksum bit by bit.
"""

from collections.abc import Iterator, Sequence
from dataclasses import astuple
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from firmware.codec import STUFFED_BYTES_MAX, Decoder
from firmware.messages import FROM_DEVICE, FROM_HOST
from firmware_bridge.framing import FRAME_BYTES_MAX, FrameDecoder

# Of docs/protocol.md's tables: each type's name, and its payload in bytes.
PAYLOADS = {
    0x01: ("Hello", 1 + 4),
    0x02: ("Arm", 4 + 4 + 2 + 2 + 4 + 4),
    0x03: ("Move", 2 + 4 + 2),
    0x04: ("Release", 1),
    0x05: ("Disarm", 0),
    0x06: ("Clear", 1),
    0x07: ("WriteCalibration", 1 + 4 + 4 + 4),
    0x81: ("Identity", 1 + 1 + 8 + 4 + 1 + 1 + 1 + 4 + 2 + 4 + 4 + 2 + 2),
    0x82: ("Sample", 2 + 4 + 4 + 4 + 4 + 4 + 2 + 2),
    0x83: ("Ack", 1 + 1),
    0x84: ("Nak", 1 + 1 + 1),
    0x85: ("Trip", 1 + 4 + 4 + 4 + 4),
    0x86: ("Calibration", 1 + 4 + 4 + 4),
}
PAYLOAD_BYTES = {kind: length for kind, (_name, length) in PAYLOADS.items()}
TO_TABLE = frozenset(range(0x01, 0x08))
TYPES = frozenset(PAYLOAD_BYTES)
BYTES_MAX = 70

Frame = tuple[int, int, bytes]  # type, counter, payload


def checksum(body: bytes) -> int:
    """CRC-32/ISO-HDLC, a bit at a time."""
    crc = 0xFFFF_FFFF
    for byte in body:
        for bit in range(8):
            odd = (crc ^ (byte >> bit)) & 1
            crc = (crc >> 1) ^ (0xEDB8_8320 if odd else 0)
    return crc ^ 0xFFFF_FFFF


def unstuffed(stuffed: bytes) -> bytes | None:
    """Cheshire and Baker's, a run at a time; None where a run would go past the end, or nothing is there."""
    rest, plain = list(stuffed), []
    while rest:
        code = rest.pop(0)
        run, rest = rest[: code - 1], rest[code - 1 :]
        if len(run) < code - 1:
            return None
        plain += run
        if code < 255 and rest:
            plain.append(0)
    return bytes(plain) if stuffed else None


def whole(stuffed: bytes) -> Frame | None:
    plain = unstuffed(stuffed) if len(stuffed) <= BYTES_MAX else None
    if plain is None or len(plain) < 2 + 4:
        return None
    body, given_checksum = plain[:-4], plain[-4:]
    if checksum(body) != sum(byte << 8 * at for at, byte in enumerate(given_checksum)):
        return None
    if PAYLOAD_BYTES.get(body[0]) != len(body) - 2:
        return None
    return body[0], body[1], body[2:]


def oracle(line: bytes, types: frozenset[int]) -> tuple[list[Frame], int]:
    """The frames of those types that end in the line, and how many others do."""
    ended = line.split(b"\0")[:-1]
    frames = [frame for piece in ended if (frame := whole(piece)) is not None and frame[0] in types]
    return frames, len(ended) - len(frames)


def device_frames(pieces: Sequence[bytes], layouts: dict[int, str]) -> tuple[list[tuple[int, int, Any]], int]:
    decoder: Any = Decoder(layouts)
    taken: list[tuple[int, int, Any]] = []
    for piece in pieces:
        decoder.feed(piece, lambda *frame: taken.append(frame))
        assert len(decoder._buffer) == STUFFED_BYTES_MAX == BYTES_MAX
        assert decoder._used <= BYTES_MAX
    return taken, decoder.dropped


def host_frames(pieces: Sequence[bytes]) -> tuple[list[tuple[str, int, Any]], int]:
    decoder, taken = FrameDecoder(), []
    for piece in pieces:
        taken += [(type(message).__name__, counter, astuple(message)) for counter, message in decoder.feed(piece)]
        assert len(decoder._held) <= FRAME_BYTES_MAX == BYTES_MAX
    return taken, decoder.damaged + decoder.unknown + decoder.oversize


def fields_of(frame: Frame, layouts: dict[int, str]) -> tuple[int, int, tuple[int | bytes, ...]]:
    """The payload's integers, low byte first, a byte at a time."""
    kind, counter, payload = frame
    fields: list[int | bytes] = []
    at = 0
    for code in layouts[kind].removeprefix("<").replace("8s", "s"):
        width = {"b": 1, "h": 2, "i": 4, "s": 8}[code.lower()]
        piece, at = payload[at : at + width], at + width
        value = sum(byte << 8 * place for place, byte in enumerate(piece))
        negative = code in "bhi" and piece[-1] >= 0x80
        fields.append(piece if code == "s" else value - (1 << 8 * width) * negative)
    assert at == len(payload)
    return kind, counter, tuple(fields)


def message_of(frame: Frame) -> tuple[str, int, Any]:
    """As the computer's decoder gives it: by name, with its text as text."""
    kind, counter, fields = fields_of(frame, {**FROM_HOST, **FROM_DEVICE})
    values = [field.decode("ascii").rstrip("\0") if isinstance(field, bytes) else field for field in fields]
    return PAYLOADS[kind][0], counter, tuple(values)


# What may come down a line


def stuffed(plain: bytes) -> bytes:
    """With its end, by definition: each zero becomes the distance to the next."""
    runs = plain.split(b"\0")
    assert all(len(run) < 254 for run in runs)
    return b"".join(bytes([len(run) + 1]) + run for run in runs) + b"\0"


def framed(body: bytes, wrong_by: int = 0) -> bytes:
    crc = checksum(body) ^ wrong_by
    return stuffed(body + bytes(crc >> 8 * at & 0xFF for at in range(4)))


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """Most of a known type and its length; some of none, or a byte short or long."""
    kind = draw(st.sampled_from(sorted(TYPES)) | st.integers(0, 255))
    length = PAYLOAD_BYTES.get(kind, 4) + draw(st.sampled_from([0, 0, 0, 0, -1, 1]))
    filling = draw(st.sampled_from([st.integers(0, 255), st.sampled_from([0, 1, 255]), st.integers(0, 20)]))
    payload = draw(st.lists(filling, min_size=max(0, length), max_size=max(0, length)))
    return bytes([kind, draw(st.integers(0, 255)), *payload])


@st.composite
def damaged_frames(draw: st.DrawFn) -> bytes:
    frame = bytearray(framed(draw(bodies())))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, max(0, len(frame) - 1)))
        match draw(st.sampled_from(["flip", "set", "drop", "double"])):
            case "flip":
                frame[at] ^= 1 << draw(st.integers(0, 7))
            case "set":
                frame[at] = draw(st.sampled_from([0, 1, 2, 254, 255]))
            case "drop":
                del frame[at]
            case _:
                frame[at:at] = frame[at : at + 1]
        if not frame:
            break
    return bytes(frame)


LINES = st.lists(
    st.builds(framed, bodies())
    | st.builds(framed, bodies(), st.integers(1, 0xFFFF_FFFF))
    | damaged_frames()
    | st.binary(max_size=90)
    | st.sampled_from([b"\0", b"\0\0\0", b"\1" * 69, b"\1" * 70, b"\1" * 71, b"\xff" * 300]),
    max_size=12,
).map(b"".join)


@st.composite
def chopped(draw: st.DrawFn) -> list[bytes]:
    line = draw(LINES)
    cuts = sorted(draw(st.lists(st.integers(0, len(line)), max_size=20)))
    return [line[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(line)], strict=True)]


def is_spelled(frame: Frame) -> bool:
    """Whether the computer's decoder has a name for all of its values; what it has none for it counts as unknown."""
    kind, _counter, payload = frame
    named = {
        0x04: [(0, range(3))],
        0x06: [(0, range(1, 20))],
        0x83: [(1, TYPES)],
        0x84: [(1, TYPES), (2, range(1, 12))],
        0x85: [(0, range(1, 20))],
    }
    is_ascii = kind != 0x81 or all(byte < 0x80 for byte in payload[2:10])
    return is_ascii and all(payload[at] in values for at, values in named.get(kind, []))


@settings(max_examples=400, deadline=None)
@given(chopped())
@example([framed(bytes([0x04, 7, 2])), b"\0", framed(bytes([0x05, 8]))])
@example([b"\1" * 71 + framed(bytes([0x05, 8])), framed(bytes([0x05, 9]))])
def test_the_tables_decoder_takes_what_the_oracle_takes_and_drops_the_rest(pieces: list[bytes]) -> None:
    frames, dropped = oracle(b"".join(pieces), TO_TABLE)

    taken = device_frames(pieces, FROM_HOST)

    assert taken == ([fields_of(frame, FROM_HOST) for frame in frames], dropped)


@settings(max_examples=400, deadline=None)
@given(chopped())
@example([framed(bytes([0x04, 7, 2])), framed(bytes([0x04, 8, 3])), b"\0"])
@example([framed(bytes([0x85, 1, 20, *[0] * 16]))])
def test_the_computers_decoder_takes_what_the_oracle_takes_and_drops_the_rest(pieces: list[bytes]) -> None:
    frames, dropped = oracle(b"".join(pieces), TYPES)
    spelled = [frame for frame in frames if is_spelled(frame)]

    taken = host_frames(pieces)

    assert taken == ([message_of(frame) for frame in spelled], dropped + len(frames) - len(spelled))


def flips(frame: bytes) -> Iterator[bytes]:
    """Any one and any two bits, the frame's end included; a zero follows, where the end is gone."""
    bits = range(8 * len(frame))
    for first in bits:
        for second in bits[first:]:
            flipped = int.from_bytes(frame, "little") ^ (1 << first) ^ (0 if first == second else 1 << second)
            yield flipped.to_bytes(len(frame), "little") + b"\0"


def test_no_command_with_one_or_two_flipped_bits_is_taken_by_table_or_computer(
    golden_frames: list[dict[str, Any]],
) -> None:
    commands = {row["name"]: bytes.fromhex(row["hex"]) for row in golden_frames if oracle_kind(row) in TO_TABLE}
    line = b"".join(flipped for frame in commands.values() for flipped in flips(frame))

    assert len(commands) == len(TO_TABLE)
    assert device_frames(list(commands.values()), FROM_HOST)[1] == 0
    assert device_frames([line], FROM_HOST)[0] == []
    assert host_frames([line])[0] == []


def oracle_kind(row: dict[str, Any]) -> int:
    [frame], _ = oracle(bytes.fromhex(row["hex"]), TYPES)
    return frame[0]


def test_the_oracle_itself_reads_every_golden_frame(golden_frames: list[dict[str, Any]]) -> None:
    kinds = {oracle_kind(row) for row in golden_frames}

    assert kinds == TYPES
    assert checksum(b"123456789") == 0xCBF4_3926  # the check value that the checksum's own definition gives
    assert {**FROM_HOST, **FROM_DEVICE}.keys() == TYPES
