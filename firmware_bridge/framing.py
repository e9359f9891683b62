"""Frames of the table's serial protocol: COBS( type, counter, payload, crc32 ) and a 0x00. Bytes in, messages out."""

import zlib
from typing import Final

from firmware_bridge import cobs
from firmware_bridge.messages import Message, decode_payload, encode_payload

FRAME_END: Final = b"\0"
FRAME_BYTES_MAX: Final = 70  # before the 0x00; the protocol's number
CRC_BYTES: Final = 4
HEADER_BYTES: Final = 2  # type and counter


def encode_frame(counter: int, message: Message) -> bytes:
    """The frame as it goes on the wire, its 0x00 included. Raises ValueError naming a field that does not fit."""
    if not 0 <= counter <= 0xFF:
        raise ValueError(f"counter must be a whole number from 0 to 255, not {counter!r}")
    type_byte, payload = encode_payload(message)
    body = bytes((type_byte, counter)) + payload
    return cobs.encode(body + zlib.crc32(body).to_bytes(CRC_BYTES, "little")) + FRAME_END


class FrameDecoder:
    """Finds the frames in a stream of bytes, however it is chopped. Holds at most 70 bytes, and raises for none.

    A frame that is not whole, not of this protocol, or too long is dropped and counted: in `damaged` (stuffing or
    CRC), `unknown` (type, length, or a value that version 1 does not have) or `oversize`.
    """

    def __init__(self) -> None:
        self.damaged = 0
        self.unknown = 0
        self.oversize = 0
        self._held = bytearray()
        self._overflowing = False

    def feed(self, data: bytes) -> list[tuple[int, Message]]:
        """The counters and messages of the frames that end in `data`, in their order."""
        *ended, begun = data.split(FRAME_END)
        frames: list[tuple[int, Message]] = []
        for piece in ended:
            self._hold(piece)
            frame = self._end_frame()
            if frame is not None:
                frames.append(frame)
        self._hold(begun)
        return frames

    def _hold(self, piece: bytes) -> None:
        if self._overflowing or len(self._held) + len(piece) > FRAME_BYTES_MAX:
            self._overflowing = True
            self._held.clear()
        else:
            self._held += piece

    def _end_frame(self) -> tuple[int, Message] | None:
        encoded, overflowed = bytes(self._held), self._overflowing
        self._held.clear()
        self._overflowing = False
        if overflowed:
            self.oversize += 1
            return None
        body = _checked_body(encoded)
        if body is None:
            self.damaged += 1
            return None
        message = decode_payload(body[0], body[HEADER_BYTES:])
        if message is None:
            self.unknown += 1
            return None
        return body[1], message


def _checked_body(encoded: bytes) -> bytes | None:
    """The frame's body, or None where the stuffing or the CRC is wrong, or it is too short to have a type."""
    decoded = cobs.decode(encoded)
    if decoded is None or len(decoded) < HEADER_BYTES + CRC_BYTES:
        return None
    body, crc = decoded[:-CRC_BYTES], decoded[-CRC_BYTES:]
    return body if zlib.crc32(body) == int.from_bytes(crc, "little") else None
