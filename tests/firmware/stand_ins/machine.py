"""As little of a Pico's `machine` as lets the board run under MicroPython on another computer."""

registers = [bytearray(32), bytearray(32)]
levels = [1 << 19 | 1 << 15]  # mains good, the jumper open
fed = [0]
sent = bytearray()
uarts = []


class Pin:
    IN, OUT, PULL_UP, PULL_DOWN = range(4)

    def __init__(self, number, mode=-1, pull=-1, value=0):
        self._level = 1 if number in (16, 17) else value  # both converters always have something

    def value(self, level=None):
        if level is None:
            return self._level
        self._level = level
        return None


class I2C:
    def __init__(self, bus, sda, scl, freq, timeout):
        self._registers = registers[bus]

    def writeto_mem(self, address, register, data):
        self._registers[register] = data[0]
        if register == 0 and data[0] & 2:
            self._registers[0] |= 8
        if register == 2:
            self._registers[2] &= 0xFB

    def readfrom_mem(self, address, register, count):
        return bytes(self._registers[register : register + count])

    def readfrom_mem_into(self, address, register, buffer):
        for index in range(len(buffer)):
            buffer[index] = self._registers[register + index]


class PWM:
    def __init__(self, pin, freq, duty_u16):
        pass

    def freq(self, hz):
        pass

    def duty_u16(self, duty):
        pass


class ADC:
    def __init__(self, pin):
        pass

    def read_u16(self):
        return 20480


class UART:
    def __init__(self, number, baud, tx, rx, txbuf, rxbuf, timeout):
        self.arriving = b""
        uarts.append(self)

    def write(self, view):
        sent.extend(view)
        return len(view)

    def any(self):
        return len(self.arriving)

    def readinto(self, buffer, count):
        buffer[:count] = self.arriving[:count]
        self.arriving = self.arriving[count:]
        return count


class WDT:
    def __init__(self, timeout):
        pass

    def feed(self):
        fed[0] += 1


class Registers:
    def __init__(self):
        self._values = {}

    def __getitem__(self, address):
        return levels[0] if address == 0xD0000004 else self._values.get(address, 0)

    def __setitem__(self, address, value):
        self._values[address] = value


mem32 = Registers()


def freq(hz):
    pass


def unique_id():
    return b"12345678"
