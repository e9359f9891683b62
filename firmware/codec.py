"""Frames on the wire: COBS( body + crc32(body) ) + 0x00, with body = type:u8 counter:u8 payload.

Both directions work in buffers made once: a frame is stuffed and unstuffed where it lies. A body is shorter than 254
bytes, so that COBS (Cheshire & Baker, 1999) is a chain in which every zero is replaced by the distance to the next.
"""

import binascii
import struct

BODY_BYTES_MAX = 64
STUFFED_BYTES_MAX = 70  # before the 0x00 that ends a frame
CRC_BYTES = 4
HEADER_BYTES = 2


class Encoder:
    """Makes one frame at a time. `layouts` maps a type to the `struct` layout of its payload."""

    def __init__(self, layouts):
        self._layouts = {kind: (layout, struct.calcsize(layout)) for kind, layout in layouts.items()}
        self._buffer = bytearray(1 + BODY_BYTES_MAX + CRC_BYTES + 1)
        self._view = memoryview(self._buffer)

    def frame(self, kind, counter, fields):
        """The finished frame, its 0x00 included, as a view that the next call overwrites."""
        layout, payload_bytes = self._layouts[kind]
        buffer = self._buffer
        buffer[1] = kind
        buffer[2] = counter
        struct.pack_into(layout, buffer, 1 + HEADER_BYTES, *fields)
        end = 1 + HEADER_BYTES + payload_bytes
        struct.pack_into("<I", buffer, end, binascii.crc32(self._view[1:end]))
        end += CRC_BYTES
        stuff(buffer, end)
        return self._view[: end + 1]


def stuff(buffer, end):
    """COBS in place: the content is buffer[1:end], buffer[0] and buffer[end] are free."""
    buffer[0] = 0
    link = 0
    for position in range(1, end):
        if not buffer[position]:
            buffer[link] = position - link
            link = position
    buffer[link] = end - link
    buffer[end] = 0


def unstuff(buffer, end):
    """Undoes `stuff` in place; the content is then buffer[1:end]. False where the chain does not end at `end`."""
    position = 0
    while position < end:
        step = buffer[position]
        if not step:
            return False
        buffer[position] = 0
        position += step
    return position == end


class Decoder:
    """Finds whole, undamaged frames of known types in a stream of bytes; counts what it drops, in `dropped`."""

    def __init__(self, layouts):
        self.dropped = 0
        self._layouts = {kind: (layout, struct.calcsize(layout)) for kind, layout in layouts.items()}
        self._buffer = bytearray(STUFFED_BYTES_MAX)
        self._view = memoryview(self._buffer)
        self._used = 0
        self._too_long = False

    def feed(self, data, on_frame):
        """Calls on_frame(kind, counter, fields) for every good frame that ends in `data`."""
        for byte in data:
            if not byte:
                self._end_of_frame(on_frame)
            elif self._used < STUFFED_BYTES_MAX:
                self._buffer[self._used] = byte
                self._used += 1
            else:
                self._too_long = True

    def _end_of_frame(self, on_frame):
        end = self._used
        whole = not self._too_long and self._is_good(end)
        self._used = 0
        self._too_long = False
        if not whole:
            self.dropped += 1
            return
        kind = self._buffer[1]
        on_frame(kind, self._buffer[2], struct.unpack_from(self._layouts[kind][0], self._buffer, 1 + HEADER_BYTES))

    def _is_good(self, end):
        buffer = self._buffer
        if end < 1 + HEADER_BYTES + CRC_BYTES or not unstuff(buffer, end) or buffer[1] not in self._layouts:
            return False
        body_end = end - CRC_BYTES
        if body_end != 1 + HEADER_BYTES + self._layouts[buffer[1]][1]:
            return False
        return binascii.crc32(self._view[1:body_end]) == struct.unpack_from("<I", buffer, body_end)[0]
