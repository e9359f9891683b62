"""The NAU7802 bridge converter: what is written to it at power-on, and how its answers are read.

Registers and bits are those of Nuvoton's data sheet NAU7802, revision 2.6, section 11. Nothing here touches a pin.
"""

from micropython import const

ADDRESS = const(0x2A)

POWER = const(0x00)
GAIN = const(0x01)
RATE = const(0x02)
CODE = const(0x12)  # three bytes, high byte first
CHOPPER = const(0x15)
CAPACITOR = const(0x1C)
CODE_BYTES = const(3)

RESET = const(0x01)  # POWER: all registers back to what they are at power-on
DIGITAL_ON = const(0x02)  # POWER: the digital half alone, until it says that it is ready
IS_READY = const(0x08)  # POWER: set within 200 us of DIGITAL_ON
RUNNING = const(0x96)  # POWER: supply of the bridge from its own regulator, both halves on, converting
CALIBRATE = const(0x04)  # RATE: set to start an offset calibration with its inputs shorted; clear when it is over
CALIBRATION_FAILED = const(0x08)  # RATE

GAIN_128_AT_3V0 = const(0x2F)  # 2 mV/V at 3.0 V is 6 mV: 128 times that is 77 % of full scale either way
CHOPPER_OFF = const(0x30)  # as the data sheet asks for
SECOND_CHANNEL_IS_A_CAPACITOR = const(0x80)  # 330 pF across the unused input: less noise

RATE_BITS = {10: 0x00, 20: 0x10, 40: 0x20, 80: 0x30, 320: 0x70}  # conversions a second

READY_MS = const(10)
CALIBRATED_MS = const(1000)  # four conversions at 10 a second, and doubt


def settings(rate_hz):
    """(register, value) in the order in which they are written after RESET and DIGITAL_ON."""
    return (
        (POWER, RUNNING),
        (GAIN, GAIN_128_AT_3V0),
        (CHOPPER, CHOPPER_OFF),
        (CAPACITOR, SECOND_CHANNEL_IS_A_CAPACITOR),
        (RATE, RATE_BITS[rate_hz]),
    )


def code(three_bytes):
    """The signed 24-bit code of a conversion."""
    value = three_bytes[0] << 16 | three_bytes[1] << 8 | three_bytes[2]
    return value - 0x1000000 if value & 0x800000 else value
