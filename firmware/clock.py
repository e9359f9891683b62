"""The device's clock: microseconds in a u32 that wraps every 71.6 minutes, and milliseconds that do not."""

U32 = 0xFFFFFFFF


class Clock:
    def __init__(self):
        self.t_us = None
        self.now_ms = 0  # since power-on
        self._rest_us = 0

    def tick(self, t_us):
        if self.t_us is None:
            self.t_us = t_us
        rest_us = self._rest_us + ((t_us - self.t_us) & U32)
        self.t_us = t_us
        self.now_ms += rest_us // 1000
        self._rest_us = rest_us % 1000
