"""A Pico's `machine` and `rp2`, as little of them as the board asks for: pins, registers and writes are remembered.

It shows how the board is wired up, not that a Pico works: that only hardware can show.
"""

import types
from typing import Any, ClassVar

ALL_PINS = 0xD0000004
CLOCK_TURN = 1 << 30  # of MicroPython's ticks


class Pico:
    """The outside of the chip. Tests set levels and look at what was written."""

    def __init__(self) -> None:
        self.levels = 1 << 19 | 1 << 16 | 1 << 17 | 1 << 15  # mains good, both converters ready, the jumper open
        self.analog = {26: 20_480, 27: 0}
        self.written: dict[int, int] = {}  # by address
        self.converters = {0: Converter(), 1: Converter()}
        self.sent = bytearray()
        self.arriving = bytearray()
        self.pulses_hz = 0
        self.watchdog: list[str] = []
        self.ticks = CLOCK_TURN - 5_000
        self.count = 0

    def level(self, pin: int) -> int:
        return self.levels >> pin & 1

    def pass_us(self, us: int) -> None:
        self.ticks = (self.ticks + us) % CLOCK_TURN


class Converter:
    def __init__(self) -> None:
        self.answers = True
        self.calibrates = True
        self.registers = bytearray(32)
        self.written: list[tuple[int, int]] = []

    def write(self, register: int, value: int) -> None:
        if not self.answers:
            raise OSError(5)
        self.written.append((register, value))
        self.registers[register] = value
        if register == 0 and value & 0x02:
            self.registers[0] |= 0x08
        if register == 2 and value & 0x04 and self.calibrates:
            self.registers[2] &= ~0x04

    def read(self, register: int, count: int) -> bytes:
        if not self.answers:
            raise OSError(5)
        return bytes(self.registers[register : register + count])


def machine_of(pico: Pico) -> types.ModuleType:
    class Pin:
        IN, OUT, PULL_UP, PULL_DOWN = range(4)
        pulls: ClassVar[dict[int, int]] = {}

        def __init__(self, number: int, mode: int = -1, pull: int = -1, value: int | None = None) -> None:
            self.number = number
            if pull >= 0:
                self.pulls[number] = pull
            if value is not None:
                self.value(value)

        def value(self, level: int | None = None) -> int | None:
            if level is None:
                return pico.level(self.number)
            pico.levels = pico.levels & ~(1 << self.number) | bool(level) << self.number
            if self.number == 8:  # the enable relay, and what is read back behind it
                pico.levels = pico.levels & ~(1 << 18) | bool(level) << 18
            return None

    class I2C:
        def __init__(self, bus: int, *, sda: Pin, scl: Pin, freq: int, timeout: int) -> None:
            assert (sda.number, scl.number) == (2 * bus, 2 * bus + 1)
            assert timeout < 1_000
            self._converter = pico.converters[bus]

        def writeto_mem(self, address: int, register: int, data: bytes) -> None:
            assert address == 0x2A
            self._converter.write(register, data[0])

        def readfrom_mem(self, address: int, register: int, count: int) -> bytes:
            return self._converter.read(register, count)

        def readfrom_mem_into(self, address: int, register: int, buffer: bytearray) -> None:
            buffer[:] = self._converter.read(register, len(buffer))

    class PWM:
        def __init__(self, pin: Pin, freq: int, duty_u16: int) -> None:
            assert pin.number == 6
            self._freq, self._duty = freq, duty_u16

        def freq(self, hz: int) -> None:
            self._freq = hz

        def duty_u16(self, duty: int) -> None:
            self._duty = duty
            pico.pulses_hz = self._freq if duty else 0

    class ADC:
        def __init__(self, pin: Pin) -> None:
            self._pin = pin.number

        def read_u16(self) -> int:
            return pico.analog[self._pin]

    class UART:
        def __init__(self, number: int, baud: int, *, tx: Pin, rx: Pin, txbuf: int, rxbuf: int, timeout: int) -> None:
            assert (number, baud, tx.number, rx.number, timeout) == (1, 460_800, 4, 5, 0)

        def write(self, view: memoryview) -> int:
            pico.sent += view
            return len(view)

        def any(self) -> int:
            return len(pico.arriving)

        def readinto(self, buffer: bytearray, count: int) -> int:
            assert count <= len(pico.arriving), "it would wait for what does not come"
            buffer[:count] = pico.arriving[:count]
            del pico.arriving[:count]
            return count

    class WDT:
        def __init__(self, timeout: int) -> None:
            pico.watchdog.append(f"{timeout} ms")

        def feed(self) -> None:
            pico.watchdog.append("fed")

    class Memory:
        def __getitem__(self, address: int) -> int:
            return pico.levels if address == ALL_PINS else pico.written.get(address, 0)

        def __setitem__(self, address: int, value: int) -> None:
            pico.written[address] = value

    machine: Any = types.ModuleType("machine")
    machine.Pin, machine.I2C, machine.PWM, machine.ADC, machine.UART, machine.WDT = Pin, I2C, PWM, ADC, UART, WDT
    machine.mem32 = Memory()
    machine.freq = lambda hz: None
    machine.unique_id = lambda: b"\xe6\x60\x58\x38\x83\x12\x34\x56"
    return machine


class CountingMachine:
    """Runs the encoder's program: the six instructions that it is made of, as the data sheet has them."""

    def __init__(self, instructions: list[tuple], labels: dict[str, int], x: int) -> None:
        self._instructions, self._labels = instructions, labels
        self.x, self._y, self._at = x, 0, 0

    def settle(self, a: int, b: int) -> None:
        """Runs with these levels until it waits for others."""
        while True:
            if self._at == len(self._instructions):
                self._at = 0
            name, *arguments = self._instructions[self._at]
            if name == "wait" and arguments[0] != a:
                return
            self._at += 1
            if name == "mov":
                setattr(self, *self._moved(*arguments))
            elif name == "jmp" and self._jumps(arguments[:-1], b):
                self._at = self._labels[arguments[-1]]

    def _moved(self, to: str, source: tuple) -> tuple[str, int]:
        assert source[0] == "invert"
        value = self.x if source[1] == "x" else self._y
        return ("x" if to == "x" else "_y"), ~value & 0xFFFF_FFFF

    def _jumps(self, conditions: list, b: int) -> bool:
        if not conditions:
            return True
        if conditions[0] == "pin":
            return bool(b)
        name = "x" if conditions[0] == "x_dec" else "_y"
        value = getattr(self, name)
        setattr(self, name, (value - 1) & 0xFFFF_FFFF)
        return value != 0


def rp2_of(pico: Pico) -> types.ModuleType:
    def asm_pio() -> Any:
        def assemble(program: Any) -> tuple[list[tuple], dict[str, int]]:
            instructions: list[tuple] = []
            labels: dict[str, int] = {}
            words = {name: name for name in ("x", "y", "pin", "x_dec", "y_dec")}
            assembler = {
                "wrap_target": lambda: None,
                "wrap": lambda: None,
                "label": lambda name: labels.update({name: len(instructions)}),
                "invert": lambda name: ("invert", name),
            } | {
                name: lambda *arguments, name=name: instructions.append((name, *arguments))
                for name in ("wait", "jmp", "mov")
            }
            types.FunctionType(program.__code__, words | assembler)()
            return instructions, labels

        return assemble

    class StateMachine:
        def __init__(self, number: int, program: tuple, *, in_base: Any, jmp_pin: Any) -> None:
            assert (in_base.number, jmp_pin.number) == (10, 11)
            self._start = 0

        def put(self, value: int) -> None:
            self._start = value

        def exec(self, instruction: str | int) -> None:
            pass

        def active(self, on: int) -> None:
            pass

        def get(self) -> int:
            return self._start + pico.count

    rp2: Any = types.ModuleType("rp2")
    rp2.asm_pio, rp2.StateMachine = asm_pio, StateMachine
    rp2.asm_pio_encode = lambda text, side: len(text)
    return rp2
