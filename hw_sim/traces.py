"""Records all that goes into the firmware and all that comes out, for `hw_sim.replay` to play on another interpreter.

The firmware is not changed: the board that it is given, and the calls that the board makes, are what is recorded.
"""

import struct
from collections.abc import Iterator
from contextlib import contextmanager

import hw_sim.table
from firmware import messages
from hw_sim import replay
from hw_sim.board import Board
from hw_sim.table import BOOT, Firmware


class Trace:
    """One trace while it is recorded; `batch_bytes` once it is whole. Power-ons within it are resets."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.trips: set[int] = set()  # causes
        self.refusals: set[int] = set()  # reasons of NAK
        self._records = bytearray()

    def add(self, tag: int, *fields: int) -> None:
        self._records.append(tag)
        self._records += struct.pack(replay.LAYOUTS[tag], *fields)

    def add_bytes(self, tag: int, data: bytes | memoryview) -> None:
        self.add(tag, len(data))
        self._records += data

    def add_frame(self, frame: memoryview) -> None:
        """COBS moves nothing: a byte that is never zero stands where it stood, after one byte more."""
        self.add_bytes(replay.FRAME, frame)
        if frame[1] == messages.TRIP:
            self.trips.add(frame[3])
        elif frame[1] == messages.NAK:
            self.refusals.add(frame[5])

    def boot(self, board: Board) -> Firmware:
        """The firmware on that board, recorded from its power-on."""
        a, b = board.load_calibration(0), board.load_calibration(1)
        self.add(
            replay.POWER_ON,
            board.rate_hz,
            board.serial,
            board.simulated,
            board.boot_nonce,
            *a,
            *b,
            board.under_load(),
        )
        return RecordedFirmware(self, BOOT(RecordedBoard(self, board)))  # type: ignore[arg-type]  # the same to it

    def batch_bytes(self) -> bytes:
        """As it stands in a batch: batches are traces one after the other."""
        name = self.name.encode("ascii")
        header = struct.pack(replay.TRACE_HEADER, 1 + len(name) + len(self._records), len(name))
        return header + name + self._records


class RecordedBoard:
    """The board that it wraps, for the firmware; what is asked of it, and done to it, goes into the trace."""

    def __init__(self, trace: Trace, board: Board) -> None:
        self.rate_hz = board.rate_hz
        self.serial = board.serial
        self.simulated = board.simulated
        self.boot_nonce = board.boot_nonce
        self.load_calibration = board.load_calibration
        self.under_load = board.under_load
        self._trace = trace
        self._board = board

    def inputs(self) -> int:
        bits = self._board.inputs()
        self._trace.add(replay.INPUTS, bits)
        return bits

    def write(self, view: memoryview) -> None:
        self._trace.add_frame(view)
        self._board.write(view)

    def set_drive(self, velocity_um_s: int, enabled: bool, brake_on: bool) -> None:
        self._trace.add(replay.DRIVE, velocity_um_s, enabled, brake_on)
        self._board.set_drive(velocity_um_s, enabled, brake_on)

    def store_calibration(self, channel: int, zero_counts: int, span_q20: int, id_: int) -> None:
        self._trace.add(replay.STORE, channel, zero_counts, span_q20, id_)
        self._board.store_calibration(channel, zero_counts, span_q20, id_)

    def mark_under_load(self, loaded: bool) -> None:
        self._trace.add(replay.MARK, loaded)
        self._board.mark_under_load(loaded)


class RecordedFirmware:
    """The firmware that it wraps, for the board; every call goes into the trace first."""

    def __init__(self, trace: Trace, firmware: Firmware) -> None:
        self._trace = trace
        self._firmware = firmware

    @property
    def greeted(self) -> bool:
        return self._firmware.greeted

    @property
    def status(self) -> int:
        return self._firmware.status

    def on_bytes(self, data: bytes) -> None:
        self._trace.add_bytes(replay.BYTES, data)
        self._firmware.on_bytes(data)

    def on_millisecond(self, t_us: int) -> None:
        self._trace.add(replay.MILLISECOND, t_us)
        self._firmware.on_millisecond(t_us)

    def on_conversion(
        self,
        t_us: int,
        raw_a: int | None,
        raw_b: int | None,
        cable_um: int,
        velocity_um_s: int,
        current_ma: int,
        inputs: int,
    ) -> None:
        given = (raw_a is not None) | (raw_b is not None) << 1
        sensed = (cable_um, velocity_um_s, current_ma, inputs)
        self._trace.add(replay.CONVERSION, t_us, given, raw_a or 0, raw_b or 0, *sensed)
        self._firmware.on_conversion(t_us, raw_a, raw_b, *sensed)


@contextmanager
def recording(name: str) -> Iterator[Trace]:
    """Records the one simulated table that is made, and lives, within the block."""
    trace = Trace(name)
    vars(hw_sim.table)["BOOT"] = trace.boot
    try:
        yield trace
    finally:
        vars(hw_sim.table)["BOOT"] = BOOT
