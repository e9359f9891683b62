"""Both channels' calibration in two slots, written in turn, each with a number and a checksum.

A slot that is damaged, by power that went away while it was written or by age, leaves the other one. Where nothing can
be read the calibration is zeros, which ARM refuses.

    slot = number:u32 (zero_counts:i32 span_q20:i32 id:u32) of A and of B, crc32 of all that:u32     little-endian
"""

import binascii
import struct

LAYOUT = "<IiiIiiI"
CONTENT_BYTES = struct.calcsize(LAYOUT)
SLOT_BYTES = CONTENT_BYTES + 4
NEVER = (0, 0, 0)  # zero_counts, span_q20, id


def encode(number, a, b):
    """The bytes of a slot."""
    content = struct.pack(LAYOUT, number, *(a + b))
    return content + struct.pack("<I", binascii.crc32(content))


def decode(slot):
    """(number, a, b), or None where the bytes are not a whole slot."""
    if len(slot) != SLOT_BYTES or struct.unpack_from("<I", slot, CONTENT_BYTES)[0] != binascii.crc32(
        slot[:CONTENT_BYTES]
    ):
        return None
    fields = struct.unpack_from(LAYOUT, slot, 0)
    return fields[0], fields[1:4], fields[4:7]


class CalibrationStore:
    """`read_slot(index)` gives bytes, empty for a slot that was never written; `write_slot(index, bytes)` keeps them.

    `damaged` says that something was written once and neither slot can be read now.
    """

    def __init__(self, read_slot, write_slot):
        self._write_slot = write_slot
        self._number = 0
        self._next_slot = 0
        self._channels = [NEVER, NEVER]
        self.damaged = False
        for index in (0, 1):
            slot = read_slot(index)
            self.damaged = self.damaged or len(slot) > 0
            self._take(index, decode(slot))
        if self._number:
            self.damaged = False

    def _take(self, index, found):
        if found is not None and found[0] > self._number:
            self._number = found[0]
            self._channels = [found[1], found[2]]
            self._next_slot = 1 - index

    def load(self, channel):
        """(zero_counts, span_q20, id) of channel 0 or 1."""
        return self._channels[channel]

    def store(self, channel, zero_counts, span_q20, identity):
        """Keeps it beside the other channel's, in the slot that does not hold what is valid now."""
        self._channels[channel] = (zero_counts, span_q20, identity)
        self._number += 1
        self._write_slot(self._next_slot, encode(self._number, self._channels[0], self._channels[1]))
        self._next_slot = 1 - self._next_slot
