"""The device's clock: microseconds in a u32 that wraps every 71.6 minutes, and milliseconds that do not.

A u32 is more than MicroPython's small integers hold (31 bits), and what is once computed with a long integer stays
one, on the heap, anew at every step. So time is reckoned with the low 24 bits, which wrap every 16.8 s: nothing here is
asked about more than a second.
"""

import struct

LOW_US = 0xFFFFFF


class Clock:
    def __init__(self):
        self.t_us = None
        self.low_us = 0
        self.now_ms = 0  # since power-on
        self._rest_us = 0
        self._bytes = bytearray(4)

    def tick(self, t_us):
        buffer = self._bytes
        struct.pack_into("<I", buffer, 0, t_us)
        low_us = buffer[0] | buffer[1] << 8 | buffer[2] << 16
        if self.t_us is None:
            self.low_us = low_us
        rest_us = self._rest_us + ((low_us - self.low_us) & LOW_US)
        self.t_us = t_us
        self.low_us = low_us
        self.now_ms += rest_us // 1000
        self._rest_us = rest_us % 1000
