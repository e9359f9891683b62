"""The table's electronics on a Raspberry Pi Pico: the one module that touches `machine`, `time` and `os`.

What it is wired to, and why, stands in firmware/README.md. Every input is wired so that a broken wire reads as the
worse state, and every output so that a processor in reset leaves the drive off and the brake on.
"""

import binascii
import gc
import os
import time

import machine
import rp2
from micropython import const

from firmware import nau7802, switch_loop
from firmware.calibration_store import CalibrationStore
from firmware.collector import Collector
from firmware.drum import COUNT_AT_POWER_ON, Drum
from firmware.messages import (
    DRIVE_FAULT,
    EMERGENCY_STOP,
    MAINS_GOOD,
    PAID_OUT_LIMIT,
    SELF_TEST_FAILED,
    SERVICE_JUMPER,
    WOUND_IN_LIMIT,
)
from firmware.quadrature_pio import quadrature
from firmware.speed_ramp import SpeedRamp, step_hz
from firmware.transmitter import Transmitter

RATE_HZ = const(80)  # 320 once a bench has measured that the loop keeps up: firmware/README.md
PROCESSOR_HZ = const(200000000)
CORE_VOLTAGE = const(0x40064000)
AT_1V15 = const(0xC1)  # what 200 MHz are specified for; 1.10 V is enough for 133

# Pins, as GP numbers.
CONVERTER_A_SDA = const(0)
CONVERTER_A_SCL = const(1)
CONVERTER_B_SDA = const(2)
CONVERTER_B_SCL = const(3)
HOST_TX = const(4)
HOST_RX = const(5)
STEP = const(6)
WIND_IN = const(7)  # direction; low pays out
ENABLE = const(8)
BRAKE_RELEASE = const(9)
ENCODER_A = const(10)
ENCODER_B = const(11)
EMERGENCY_STOP_PIN = const(12)  # 12 to 15, 19 and 20 lie in the order of their status bits: one shift reads them all
WOUND_IN_PIN = const(13)
PAID_OUT_PIN = const(14)
SERVICE_JUMPER_PIN = const(15)
CONVERTER_A_READY = const(16)
CONVERTER_B_READY = const(17)
ENABLED = const(18)  # from behind the drive's enable relay
MAINS_GOOD_PIN = const(19)
DRIVE_FAULT_PIN = const(20)
PATIENT_SWITCH = const(26)
DRIVE_CURRENT = const(27)

ALL_PINS = const(0xD0000004)  # the register that holds the level of every pin
STATUS_SHIFT = const(6)  # from a pin's number to its status bit
STATUS_MASK = EMERGENCY_STOP | WOUND_IN_LIMIT | PAID_OUT_LIMIT | SERVICE_JUMPER | MAINS_GOOD | DRIVE_FAULT

HOST_BAUD = const(460800)
SEND_BYTES = const(512)
RECEIVE_BYTES = const(512)
RECEIVED_BYTES_MAX = const(64)  # in one turn of the loop

I2C_HZ = const(400000)
I2C_TIMEOUT_US = const(500)  # four bytes take 150; a bus that hangs must not hold up the loop

FULL_CURRENT_MA = const(10000)  # at 3.3 V
PULSE_HALF = const(32768)

MARK = const(0x40058014)  # the watchdog's scratch register 2: 4 to 7 are the boot loader's
LOADED = const(0x10AD5AFE)

WATCHDOG_MS = const(50)  # four conversions at 80 a second; 0.25 mm of pulling at the fastest under load
STORING_MS = const(2000)  # erasing two sectors of flash takes up to 0.8 s, with everything else stopped
CALIBRATION_FILES = ("calibration.0", "calibration.1")

TURN_OF_CLOCK = const(0x100000000)


class Converter:
    """One NAU7802 on a bus of its own; they have one address."""

    def __init__(self, bus, sda, scl, ready):
        self._i2c = machine.I2C(bus, sda=machine.Pin(sda), scl=machine.Pin(scl), freq=I2C_HZ, timeout=I2C_TIMEOUT_US)
        self._ready = machine.Pin(ready, machine.Pin.IN, machine.Pin.PULL_DOWN)
        self._bytes = bytearray(nau7802.CODE_BYTES)

    def start(self, rate_hz):
        """Whether it answered, took its settings, and calibrated its own offset; up to a second."""
        try:
            self._write(nau7802.POWER, nau7802.RESET)
            self._write(nau7802.POWER, nau7802.DIGITAL_ON)
            if not self._becomes(nau7802.POWER, nau7802.IS_READY, nau7802.IS_READY, nau7802.READY_MS):
                return False
            for register, value in nau7802.settings(rate_hz):
                self._write(register, value)
            if self._read(nau7802.GAIN) != nau7802.GAIN_128_AT_3V0:
                return False
            self._write(nau7802.RATE, nau7802.RATE_BITS[rate_hz] | nau7802.CALIBRATE)
            if not self._becomes(nau7802.RATE, nau7802.CALIBRATE, 0, nau7802.CALIBRATED_MS):
                return False
            return not self._read(nau7802.RATE) & nau7802.CALIBRATION_FAILED
        except OSError:
            return False

    def _write(self, register, value):
        self._i2c.writeto_mem(nau7802.ADDRESS, register, bytes((value,)))

    def _read(self, register):
        return self._i2c.readfrom_mem(nau7802.ADDRESS, register, 1)[0]

    def _becomes(self, register, mask, wanted, ms_max):
        for _ in range(ms_max):
            if self._read(register) & mask == wanted:
                return True
            time.sleep_ms(1)
        return False

    def take(self):
        """The code of a conversion that has ended since the last call, or None."""
        if not self._ready.value():
            return None
        try:
            self._i2c.readfrom_mem_into(nau7802.ADDRESS, nau7802.CODE, self._bytes)
        except OSError:
            return None
        return nau7802.code(self._bytes)


class Drive:
    """Pulses, direction, enable and brake. Both stops hold back pulses that wind in, in hardware behind these pins."""

    def __init__(self):
        self._enable = machine.Pin(ENABLE, machine.Pin.OUT, value=0)
        self._brake_release = machine.Pin(BRAKE_RELEASE, machine.Pin.OUT, value=0)
        self._wind_in = machine.Pin(WIND_IN, machine.Pin.OUT, value=0)
        self._enabled = machine.Pin(ENABLED, machine.Pin.IN, machine.Pin.PULL_UP)
        self._pulses = machine.PWM(machine.Pin(STEP), freq=1000, duty_u16=0)
        self._ramp = SpeedRamp()
        self._wanted_um_s = 0
        self._hz = 0

    def is_enabled(self):
        """As it really is, behind the relay."""
        return bool(self._enabled.value())

    def order(self, velocity_um_s, enabled, brake_on):
        self._wanted_um_s = velocity_um_s
        if not enabled:
            self._wanted_um_s = 0
            self._ramp.stop()
            self._step(0)
        self._enable.value(enabled)
        self._brake_release.value(not brake_on)

    def milliseconds(self, elapsed_ms):
        velocity_um_s = self._ramp.velocity_um_s
        if velocity_um_s != self._wanted_um_s:
            self._step(self._ramp.step(self._wanted_um_s, elapsed_ms))

    def _step(self, velocity_um_s):
        hz = step_hz(velocity_um_s)
        self._wind_in.value(velocity_um_s > 0)
        if hz != self._hz:
            self._hz = hz
            if hz:
                self._pulses.freq(hz)
            self._pulses.duty_u16(PULSE_HALF if hz else 0)


class Encoder:
    """The PIO's count. It runs by itself; two prepared instructions fetch it."""

    def __init__(self):
        a = machine.Pin(ENCODER_A, machine.Pin.IN, machine.Pin.PULL_UP)
        b = machine.Pin(ENCODER_B, machine.Pin.IN, machine.Pin.PULL_UP)
        self._counter = rp2.StateMachine(0, quadrature, in_base=a, jmp_pin=b)
        self._counter.put(COUNT_AT_POWER_ON)
        self._counter.exec("pull()")
        self._counter.exec("mov(x, osr)")
        self._to_shift = rp2.asm_pio_encode("mov(isr, x)", 0)
        self._push = rp2.asm_pio_encode("push(noblock)", 0)
        self._counter.active(1)

    def count(self):
        self._counter.exec(self._to_shift)
        self._counter.exec(self._push)
        return self._counter.get()


class Board:
    """What `table` asks for, and what `main` turns. The table's word for each is in their docstrings."""

    simulated = False

    def __init__(self):
        machine.mem32[CORE_VOLTAGE] = AT_1V15
        machine.freq(PROCESSOR_HZ)
        self.rate_hz = RATE_HZ
        self.serial = binascii.crc32(machine.unique_id())
        self.boot_nonce = int.from_bytes(os.urandom(4), "little")
        self._drive = Drive()
        self._set_up_inputs()
        self._encoder = Encoder()
        self._drum = Drum(RATE_HZ)
        self._uart = machine.UART(
            1,
            HOST_BAUD,
            tx=machine.Pin(HOST_TX),
            rx=machine.Pin(HOST_RX),
            txbuf=SEND_BYTES,
            rxbuf=RECEIVE_BYTES,
            timeout=0,
        )
        self._transmitter = Transmitter(self._uart.write, SEND_BYTES)
        self._received = bytearray(RECEIVED_BYTES_MAX)
        self._received_view = memoryview(self._received)
        self._calibrations = CalibrationStore(_read_slot, self._write_slot)
        self._converter_a = Converter(0, CONVERTER_A_SDA, CONVERTER_A_SCL, CONVERTER_A_READY)
        self._converter_b = Converter(1, CONVERTER_B_SDA, CONVERTER_B_SCL, CONVERTER_B_READY)
        self._self_test = SELF_TEST_FAILED if self._self_test_fails() else 0
        self._collector = Collector(gc.collect, time.ticks_us, time.ticks_diff)
        self._watchdog = None
        self._period_us = 1000000 // RATE_HZ
        self._milliseconds = 0  # looks since the watchdog was fed
        self.t_us = 0
        self._ticks = self._millisecond_due = self._conversion_due = time.ticks_us()
        self.raw_a = None
        self.raw_b = None
        self.cable_um = 0
        self.velocity_um_s = 0
        self.current_ma = 0
        self.input_bits = 0

    def _set_up_inputs(self):
        for pin in (EMERGENCY_STOP_PIN, WOUND_IN_PIN, PAID_OUT_PIN, SERVICE_JUMPER_PIN, DRIVE_FAULT_PIN):
            machine.Pin(pin, machine.Pin.IN, machine.Pin.PULL_UP)
        machine.Pin(MAINS_GOOD_PIN, machine.Pin.IN, machine.Pin.PULL_DOWN)
        self._patient_switch = machine.ADC(machine.Pin(PATIENT_SWITCH))
        self._current = machine.ADC(machine.Pin(DRIVE_CURRENT))

    def _self_test_fails(self):
        """Once, at power-on. Both converters are started, even where the first does not answer."""
        a_runs = self._converter_a.start(RATE_HZ)
        b_runs = self._converter_b.start(RATE_HZ)
        return not (a_runs and b_runs) or self._calibrations.damaged or self._drive.is_enabled()

    def start(self):
        """Memory is collected, the watchdog runs from now on, and time begins."""
        self._collector.collect()
        self._watchdog = machine.WDT(timeout=WATCHDOG_MS)
        now = time.ticks_us()
        self._ticks = now
        self._millisecond_due = time.ticks_add(now, 1000)
        self._conversion_due = time.ticks_add(now, self._period_us)

    # What the table asks for

    def inputs(self):
        levels = machine.mem32[ALL_PINS] >> STATUS_SHIFT & STATUS_MASK ^ SERVICE_JUMPER  # a closed jumper is low
        return levels | switch_loop.bits(self._patient_switch.read_u16()) | self._self_test

    def set_drive(self, velocity_um_s, enabled, brake_on):
        self._drive.order(velocity_um_s, enabled, brake_on)

    def write(self, view):
        self._transmitter.send(view)

    def load_calibration(self, channel):
        return self._calibrations.load(channel)

    def store_calibration(self, channel, zero_counts, span_q20, identity):
        self._calibrations.store(channel, zero_counts, span_q20, identity)

    def _write_slot(self, index, data):
        """Only ever disarmed. The watchdog is given time for the flash, and taken back."""
        machine.WDT(timeout=STORING_MS)
        with open(CALIBRATION_FILES[index], "wb") as file:  # noqa: PTH123
            file.write(data)
        machine.WDT(timeout=WATCHDOG_MS)

    def under_load(self):
        return machine.mem32[MARK] == LOADED

    def mark_under_load(self, loaded):
        machine.mem32[MARK] = LOADED if loaded else 0

    # What the loop turns

    def received(self):
        """A view of what the host has sent, or None; never waits for more."""
        waiting = self._uart.any()
        if not waiting:
            return None
        return self._received_view[: self._uart.readinto(self._received, min(waiting, RECEIVED_BYTES_MAX))]

    def millisecond_passed(self):
        self._tell_time()
        late_us = time.ticks_diff(self._ticks, self._millisecond_due)
        if late_us < 0:
            return False
        elapsed_ms = 1 + late_us // 1000
        self._millisecond_due = time.ticks_add(self._millisecond_due, elapsed_ms * 1000)
        self._drive.milliseconds(elapsed_ms)
        self._transmitter.milliseconds(elapsed_ms)
        self._milliseconds += 1
        return True

    def conversion_due(self):
        """Once a period; a period that the loop has slept through is not made up for."""
        late_us = time.ticks_diff(self._ticks, self._conversion_due)
        if late_us < 0:
            return False
        periods = 1 + late_us // self._period_us
        self._conversion_due = time.ticks_add(self._conversion_due, periods * self._period_us)
        return True

    def convert(self):
        self.raw_a = self._converter_a.take()
        self.raw_b = self._converter_b.take()
        self._drum.take(self._encoder.count())
        self.cable_um = self._drum.cable_um
        self.velocity_um_s = self._drum.velocity_um_s
        self.current_ma = self._current.read_u16() * FULL_CURRENT_MA >> 16
        self.input_bits = self.inputs()

    def conversion_done(self):
        """Feeds the watchdog where milliseconds were looked at too, and collects memory where there is time."""
        if self._milliseconds:
            self._milliseconds = 0
            self._watchdog.feed()
        self._collector.after_conversion(time.ticks_diff(self._conversion_due, time.ticks_us()))

    def _tell_time(self):
        now = time.ticks_us()
        t_us = self.t_us + time.ticks_diff(now, self._ticks)
        self._ticks = now
        self.t_us = t_us if t_us < TURN_OF_CLOCK else t_us - TURN_OF_CLOCK


def _read_slot(index):
    try:
        with open(CALIBRATION_FILES[index], "rb") as file:  # noqa: PTH123
            return file.read()
    except OSError:
        return b""
