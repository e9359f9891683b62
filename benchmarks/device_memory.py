# mypy: allow-untyped-calls, disable-error-code="attr-defined"
"""What a recorded session does to the heap of MicroPython. Runs there only; started by `on_micropython.mjs`.

The heap is collected between two calls from outside, so what one call allocates can be counted exactly.
"""

import gc
import json
import struct

from firmware.table import Table
from hw_sim.replay import BYTES, CONVERSION, FRAME, LAYOUTS, MILLISECOND, POWER_ON, TRACE_HEADER

CONVERSIONS_A_CALL = 20


class QuietBoard:
    """Answers as the session's board did at the last conversion, and takes everything without a word."""

    simulated = True

    def __init__(self, fields: tuple[int, ...]) -> None:
        self.rate_hz = fields[0]
        self.serial = fields[1]
        self.boot_nonce = fields[3]
        self._calibrations = (fields[4:7], fields[7:10])
        self.last_inputs = 0

    def load_calibration(self, channel: int) -> tuple[int, ...]:
        return self._calibrations[channel]

    def under_load(self) -> bool:
        return False

    def inputs(self) -> int:
        return self.last_inputs

    def set_drive(self, velocity_um_s: int, enabled: bool, brake_on: bool) -> None:
        pass

    def write(self, view: memoryview) -> None:
        pass

    def mark_under_load(self, loaded: bool) -> None:
        pass


class Course:
    """The firmware in the course of a trace, which is read from a file and not kept in memory."""

    def __init__(self, file_name: str, holds_after_conversions: int) -> None:
        self._file = open(file_name, "rb")  # noqa: PTH123, SIM115  # as MicroPython has it; it ends with the interpreter
        name_length = self._take(TRACE_HEADER)[1]
        self._file.read(name_length + 1)
        self._board = QuietBoard(self._take(LAYOUTS[POWER_ON]))
        self._table = Table(self._board)
        self._holds_after_conversions = holds_after_conversions
        self._measured = False
        self._conversions = 0
        self._allocated = 0
        self._allocated_at_once_max = 0
        self._heap_bytes_first = 0
        self._heap_bytes_last = 0

    def run_to_hold(self) -> bool:
        """Some way towards the hold; whether there is more of it. Nothing is measured on that way."""
        for _ in range(CONVERSIONS_A_CALL):
            while self._next_input() != CONVERSION:
                pass
        self._conversions += CONVERSIONS_A_CALL
        self._measured = self._conversions >= self._holds_after_conversions
        if self._measured:
            self._conversions = 0
        gc.collect()
        return not self._measured

    def next_conversion(self) -> None:
        """All that comes in before the next conversion, and that; then the garbage may go."""
        self._heap_bytes_last = gc.mem_alloc()
        if not self._heap_bytes_first:
            self._heap_bytes_first = self._heap_bytes_last
        while self._next_input() != CONVERSION:
            pass
        self._conversions += 1
        gc.collect()

    def as_json(self) -> str:
        return json.dumps(
            {
                "conversions": self._conversions,
                "allocated_bytes_mean": self._allocated / self._conversions,
                "allocated_bytes_max": self._allocated_at_once_max,
                "heap_bytes_first": self._heap_bytes_first,
                "heap_bytes_last": self._heap_bytes_last,
                "status": self._table.status,
            }
        )

    def _next_input(self) -> int:
        tag = self._file.read(1)[0]
        fields = self._take(LAYOUTS[tag])
        if tag == CONVERSION:
            self._convert(fields)
        elif tag == MILLISECOND:
            self._table.on_millisecond(fields[0])
        elif tag == BYTES:
            self._table.on_bytes(self._file.read(fields[0]))
        elif tag == FRAME:
            self._file.read(fields[0])
        return tag

    def _convert(self, fields: tuple[int, ...]) -> None:
        t_us, _given, raw_a, raw_b, cable_um, velocity_um_s, current_ma, inputs = fields
        self._board.last_inputs = inputs
        before = gc.mem_alloc() if self._measured else 0
        self._table.on_conversion(t_us, raw_a, raw_b, cable_um, velocity_um_s, current_ma, inputs)
        if not self._measured:
            return
        allocated = gc.mem_alloc() - before
        self._allocated += allocated
        self._allocated_at_once_max = max(self._allocated_at_once_max, allocated)

    def _take(self, layout: str) -> tuple[int, ...]:
        return struct.unpack(layout, self._file.read(struct.calcsize(layout)))
