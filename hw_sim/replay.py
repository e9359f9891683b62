# mypy: allow-untyped-calls
"""Plays recorded traces to the firmware and compares all that it does, output by output.

A trace is all that went into the firmware and all that came out of it, in order. This file runs alike on CPython and
on MicroPython, so it imports nothing but `struct` and the firmware, and keeps to what both have.

    batch = ( length:u32 name_length:u8 name record* )*         length: of all that follows in this trace
    record = tag:u8 fields                                     laid out by `LAYOUTS`; BYTES and FRAME add their bytes
"""

import struct

from firmware.table import Table

# What goes in.
POWER_ON = 0x50  # rate_hz, serial, simulated, boot_nonce, two calibrations (zero_counts, span_q20, id), under_load
BYTES = 0x42  # length, and the bytes from the host
MILLISECOND = 0x4D  # t_us
CONVERSION = (
    0x43  # t_us, which converters gave something (bit 0: A, bit 1: B), raw_a, raw_b, cable, velocity, mA, inputs
)
INPUTS = 0x49  # the answer to a question of the firmware: its input bits at this moment
# What comes out.
FRAME = 0x57  # length, and the bytes to the host
DRIVE = 0x44  # velocity_um_s, enabled, brake_on
STORE = 0x53  # channel, zero_counts, span_q20, id
MARK = 0x4C  # loaded

LAYOUTS = {
    POWER_ON: "<HIBIiiIiiIB",
    BYTES: "<H",
    MILLISECOND: "<I",
    CONVERSION: "<IBiiiiiH",
    INPUTS: "<H",
    FRAME: "<B",
    DRIVE: "<iBB",
    STORE: "<BiiI",
    MARK: "<B",
}
SIZES = {tag: struct.calcsize(layout) for tag, layout in LAYOUTS.items()}
NAMES = {
    POWER_ON: "power-on",
    BYTES: "bytes",
    MILLISECOND: "millisecond",
    CONVERSION: "conversion",
    INPUTS: "a look at its inputs",
    FRAME: "frame",
    DRIVE: "drive command",
    STORE: "calibration stored",
    MARK: "mark under load",
}
NOT_INPUTS = (INPUTS, FRAME, DRIVE, STORE, MARK)
TRACE_HEADER = "<IB"


class Different(Exception):
    """The firmware did something else than was recorded; the text says what."""


class ScriptedBoard:
    """Answers the firmware from the trace, and holds what it does against the trace."""

    def __init__(self, player: "Player", fields: tuple[int, ...]) -> None:
        self.rate_hz = fields[0]
        self.serial = fields[1]
        self.simulated = bool(fields[2])
        self.boot_nonce = fields[3]
        self._calibrations = (fields[4:7], fields[7:10])
        self._under_load = bool(fields[10])
        self._player = player

    def load_calibration(self, channel: int) -> tuple[int, ...]:
        return self._calibrations[channel]

    def under_load(self) -> bool:
        return self._under_load

    def inputs(self) -> int:
        return self._player.answer()

    def write(self, view: memoryview) -> None:
        self._player.expect_frame(view)

    def set_drive(self, velocity_um_s: int, enabled: bool, brake_on: bool) -> None:
        self._player.expect(DRIVE, (velocity_um_s, enabled, brake_on))

    def store_calibration(self, channel: int, zero_counts: int, span_q20: int, identity: int) -> None:
        self._player.expect(STORE, (channel, zero_counts, span_q20, identity))

    def mark_under_load(self, loaded: bool) -> None:
        self._player.expect(MARK, (loaded,))


class Player:
    """Plays a batch of traces; counts what was compared, and keeps the first difference of every trace that has one."""

    def __init__(self, batch: bytes) -> None:
        self.traces = 0
        self.inputs = 0
        self.frames = 0
        self.drive_commands = 0
        self.other_outputs = 0
        self.differences: list[str] = []
        self._batch = batch
        self._view = memoryview(batch)
        self._at = 0
        self._trace_ends = 0
        self._name = ""
        self._input_number = 0
        self._input_tag = POWER_ON
        self._table: Table | None = None

    def play(self, inputs_max: int) -> bool:
        """Plays that many inputs at most, milliseconds in a row as one; whether there are more."""
        for _ in range(inputs_max):
            if self._at == self._trace_ends:
                if self._at == len(self._batch):
                    return False
                self._begin_trace()
            played_before = self._input_number
            self._input_number += 1
            try:
                self._play_input()
            except Different as difference:
                self._give_up(str(difference))
            except Exception as error:  # noqa: BLE001  # whatever the firmware raises is a difference
                self._give_up("it raised " + repr(error))
            self.inputs += self._input_number - played_before
        return True

    def _begin_trace(self) -> None:
        length, name_length = struct.unpack_from(TRACE_HEADER, self._batch, self._at)
        name_at = self._at + struct.calcsize(TRACE_HEADER)
        self._trace_ends = self._at + 4 + length
        self._at = name_at + name_length
        self._name = str(self._batch[name_at : self._at], "ascii")
        self._input_number = 0
        self._table = None
        self.traces += 1

    def _play_input(self) -> None:
        self._input_tag = tag = self._batch[self._at]
        if tag in NOT_INPUTS:  # it should have come with the input before
            self._input_number -= 1
            raise Different(self._recorded_here() + " was recorded, and did not come")
        if tag == POWER_ON:
            self._table = Table(ScriptedBoard(self, self._take(tag)))
            return
        table = self._table
        if table is None:
            raise Different("a trace has to begin with a power-on")
        if tag == CONVERSION:
            t_us, given, raw_a, raw_b, cable_um, velocity_um_s, current_ma, inputs = self._take(tag)
            sensed = (cable_um, velocity_um_s, current_ma, inputs)
            table.on_conversion(t_us, raw_a if given & 1 else None, raw_b if given & 2 else None, *sensed)
        elif tag == MILLISECOND:
            self._play_milliseconds(table)
        else:
            end = self._take(tag)[0] + self._at
            data = self._batch[self._at : end]
            self._at = end
            table.on_bytes(data)

    def _play_milliseconds(self, table: Table) -> None:
        """All in a row: three inputs of four are these, and each costs little but to be told."""
        batch = self._batch
        on_millisecond = table.on_millisecond
        while self._is_next(MILLISECOND):
            at = self._at
            self._at = at + 5
            on_millisecond(struct.unpack_from("<I", batch, at + 1)[0])
            self._input_number += 1
        self._input_number -= 1

    def _give_up(self, difference: str) -> None:
        place = self._name + ", input " + str(self._input_number) + " (" + NAMES.get(self._input_tag, "?") + "): "
        self.differences.append(place + difference)
        self._at = self._trace_ends

    # The trace

    def _take(self, tag: int) -> tuple[int, ...]:
        fields = struct.unpack_from(LAYOUTS[tag], self._batch, self._at + 1)
        self._at += 1 + SIZES[tag]
        return fields

    def _is_next(self, tag: int) -> bool:
        return self._at < self._trace_ends and self._batch[self._at] == tag

    def _recorded_here(self) -> str:
        if self._at == self._trace_ends:
            return "the end of the trace"
        tag = self._batch[self._at]
        fields = struct.unpack_from(LAYOUTS[tag], self._batch, self._at + 1)
        if tag == FRAME:
            begin = self._at + 1 + SIZES[tag]
            return NAMES[tag] + " " + _hexadecimal(self._batch[begin : begin + fields[0]])
        return NAMES[tag] + " " + str(fields)

    # What the firmware does, held against it

    def answer(self) -> int:
        if not self._is_next(INPUTS):
            raise Different("it looked at its inputs where " + self._recorded_here() + " was recorded")
        return self._take(INPUTS)[0]

    def expect(self, tag: int, fields: tuple[int, ...]) -> None:
        if not self._is_next(tag) or struct.unpack_from(LAYOUTS[tag], self._batch, self._at + 1) != fields:
            came = NAMES[tag] + " " + str(tuple([int(field) for field in fields]))
            raise Different(self._recorded_here() + " was recorded, but " + came + " came")
        self._at += 1 + SIZES[tag]
        if tag == DRIVE:
            self.drive_commands += 1
        else:
            self.other_outputs += 1

    def expect_frame(self, frame: memoryview) -> None:
        begin = self._at + 1 + SIZES[FRAME]
        end = begin + len(frame)
        if not self._is_next(FRAME) or self._batch[begin - 1] != len(frame) or self._view[begin:end] != frame:
            came = NAMES[FRAME] + " " + _hexadecimal(bytes(frame))
            raise Different(self._recorded_here() + " was recorded, but " + came + " came")
        self._at = end
        self.frames += 1


def _hexadecimal(data: bytes) -> str:
    return " ".join(["%02x" % byte for byte in data])  # noqa: UP031
