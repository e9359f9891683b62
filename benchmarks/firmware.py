# mypy: allow-untyped-calls
"""What the table's own processor has to do for a conversion, counted in bytecodes and reckoned in milliseconds.

The bytecodes are counted by CPython, in scripted sessions on the simulated table; the milliseconds are an estimate,
from published speeds of MicroPython and of the buses. No Pico was measured. Each figure's goal is the period; its
baseline is the same for a conversion with nothing unusual in it. firmware/README.md says what follows.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from types import CodeType, FrameType
from typing import Any, Final

import firmware
from benchmarks.figures import Figure, print_figures
from firmware import messages as m
from firmware.codec import Encoder
from hw_sim.rigs import load_rig
from hw_sim.table import CALIBRATION_IDS, SimulatedTable

# MicroPython's own misc_pystone gives 1848 a second on a pyboard (STM32F405, 168 MHz; micropython pull request 4858).
# One interpreter benchmark that ran on both takes 13.0 s there and 19.8 s on a Pico W at 125 MHz (scruss.com, "Parallel
# MicroPython Benchmarking"): so 1213 pystones a second there. One is 496 bytecodes of CPython 3.11: 1.66 us each.
PROCESSOR_HZ: Final = 125_000_000
US_PER_BYTECODE: Final = 1_000_000 / (1848 * 13.0 / 19.8) / 496
DOUBT: Final = 1.25  # another mix of bytecodes than pystone's, and code that has to be fetched from flash

# Of firmware/board_pico.py and firmware/main.py, which need pins: tests/firmware/test_board_pico.py holds them to this.
BOARD_CONVERSION_BYTECODES: Final = 520
BOARD_MILLISECOND_BYTECODES: Final = 165

I2C_US: Final = (
    2 * 160
)  # two converters, one after the other: 6 bytes and their acknowledgements at 400 kHz, and setting up
PINS_US: Final = 100  # two analogue readings, the encoder's count, a frame into the line's buffer
HEAP_BYTES: Final = 192 * 1024
LIVE_BYTES: Final = 64 * 1024  # code, tables and buffers that stay
COLLECTION_CYCLES: Final = LIVE_BYTES // 4 * 20 + HEAP_BYTES // 16 * 20  # looks at each word that lives, at each block

OWN_CODE: Final = str(Path(firmware.__file__).parent)
SESSION_MS: Final = 9_000
LIMITS: Final = (420_000, 150_000, 5_000, 1_800)
ENOUGH_MN: Final = 150_000
CONFIGURATIONS: Final = (
    (80, 200),
    (80, 125),
    (320, 200),
    (320, 125),
)  # conversions a second, MHz; the first is shipped
RIGS: Final = {80: "nominal_80", 320: "nominal"}


@dataclass
class Counted:
    """Bytecodes of each call of one kind."""

    conversions: list[int] = field(default_factory=list)
    milliseconds: list[int] = field(default_factory=list)
    bytes_: list[int] = field(default_factory=list)


def figures(seed: int) -> Iterator[Figure]:
    """Runs a session a converter's rate that ends in a trip, and gives what the worst period takes."""
    counted = {rate_hz: count_session(name, seed) for rate_hz, name in RIGS.items()}
    for rate_hz, counts in counted.items():
        usual = median(counts.conversions)
        yield Figure(f"{rate_hz}/s: worst conversion", max(counts.conversions), None, usual, "bytecodes", seed)
    for rate_hz, mhz in CONFIGURATIONS:
        usual_ms, worst_ms = (work_ms(counted[rate_hz], mhz, pick) for pick in (median, max))
        goal_ms = 1000 / rate_hz
        yield Figure(f"{rate_hz}/s, {mhz} MHz: work", worst_ms, goal_ms, usual_ms, "ms", seed)
        collecting_ms = collection_ms(mhz)
        name = f"{rate_hz}/s, {mhz} MHz: and memory"
        yield Figure(name, worst_ms + collecting_ms, goal_ms, usual_ms + collecting_ms, "ms", seed)


def work_ms(counts: Counted, mhz: int, pick: Callable[[list[int]], float]) -> float:
    """A conversion's work, a frame of the host, and one look at the milliseconds: more looks take what time is left."""
    bytecodes = pick(counts.conversions) + pick(counts.bytes_) + pick(counts.milliseconds)
    bytecodes += BOARD_CONVERSION_BYTECODES + BOARD_MILLISECOND_BYTECODES
    us = bytecodes * US_PER_BYTECODE * DOUBT * PROCESSOR_HZ / (mhz * 1_000_000)
    return (us + I2C_US + PINS_US) / 1000


def collection_ms(mhz: int) -> float:
    """The longest collection: MicroPython looks at every word that lives, and at every block of its heap."""
    return COLLECTION_CYCLES / mhz / 1000


def count_session(rig_name: str, seed: int) -> Counted:
    """Greets, arms, takes up slack, pulls and holds; then the patient presses, and a converter dies in the release."""
    table = SimulatedTable(load_rig(rig_name), seed)
    counted = Counted()
    table.firmware = CountedFirmware(table.firmware, counted)
    host = Encoder(m.FROM_HOST)
    counter = 0

    def send(kind: int, *values: int) -> None:
        nonlocal counter
        table.receive(bytes(host.frame(kind, counter, values)))
        counter = (counter + 1) & 0xFF

    table.advance(50_000)
    send(m.HELLO, m.PROTOCOL, 7)
    send(m.ARM, *LIMITS, *CALIBRATION_IDS)
    for at_ms in range(50, SESSION_MS, 10):
        table.advance(at_ms * 1000)
        speed_um_s = 5_000 if table.truth.force_mn < ENOUGH_MN else 0
        send(m.MOVE, len(counted.conversions) - 1 & 0xFFFF, speed_um_s, 200)
    table.press_patient_switch(1_000_000)
    table.advance((SESSION_MS + 300) * 1000)
    table.channel_faults[0] = lambda _: None
    table.advance((SESSION_MS + 2_000) * 1000)
    return counted


class CountedFirmware:
    """The firmware that it wraps, each of its calls counted."""

    def __init__(self, firmware: Any, counted: Counted) -> None:
        self._firmware = firmware
        self._counted = counted

    @property
    def greeted(self) -> bool:
        return bool(self._firmware.greeted)

    @property
    def status(self) -> int:
        return int(self._firmware.status)

    def on_bytes(self, data: bytes) -> None:
        self._counted.bytes_.append(bytecodes_of(self._firmware.on_bytes, data))

    def on_millisecond(self, t_us: int) -> None:
        self._counted.milliseconds.append(bytecodes_of(self._firmware.on_millisecond, t_us))

    def on_conversion(self, *values: Any) -> None:
        self._counted.conversions.append(bytecodes_of(self._firmware.on_conversion, *values))


def bytecodes_of(call: Callable[..., object], *arguments: object, where: str = OWN_CODE) -> int:
    """How many bytecodes it takes, of code under that folder alone."""
    counted = 0

    def trace(frame: FrameType, event: str, _: object) -> Callable[..., Any] | None:
        nonlocal counted
        if not _is_under(frame.f_code, where):
            return None
        frame.f_trace_lines, frame.f_trace_opcodes = False, True
        counted += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call(*arguments)
    finally:
        sys.settrace(before)
    return counted


def _is_under(code: CodeType, folder: str) -> bool:
    return code.co_filename.startswith(folder)


if __name__ == "__main__":
    print_figures(figures(1), as_json=False)
