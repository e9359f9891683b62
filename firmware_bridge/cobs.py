"""Consistent-overhead byte stuffing (Cheshire & Baker): bytes without a zero, so that a zero can end a frame."""

from typing import Final

# A code byte counts itself and the bytes up to the next zero; 255 means a full run that no zero follows.
FULL_RUN_CODE: Final = 0xFF
FULL_RUN_BYTES: Final = FULL_RUN_CODE - 1


def encode(data: bytes) -> bytes:
    """`data` stuffed, without the 0x00 that ends it on the wire."""
    encoded = bytearray()
    for run in data.split(b"\0"):
        while len(run) >= FULL_RUN_BYTES:
            encoded.append(FULL_RUN_CODE)
            encoded += run[:FULL_RUN_BYTES]
            run = run[FULL_RUN_BYTES:]
        encoded.append(len(run) + 1)
        encoded += run
    return bytes(encoded)


def decode(encoded: bytes) -> bytes | None:
    """What was stuffed into `encoded` (given without its ending 0x00), or None where no encoder could have made it."""
    if not encoded or 0 in encoded:
        return None
    decoded = bytearray()
    at, end = 0, len(encoded)
    while True:
        code = encoded[at]
        run_end = at + code
        decoded += encoded[at + 1 : run_end]
        at = run_end
        if at >= end:
            return bytes(decoded) if at == end else None
        if code != FULL_RUN_CODE:
            decoded.append(0)
