"""Frames to the host that never wait: a frame goes whole into the line's own buffer, or is dropped whole and counted.

How full that buffer is cannot be asked. But a line without flow control empties it at its own rate, whatever the host
does; so a count of what must have left by now is enough.
"""

from micropython import const

BYTES_PER_MS = const(40)  # 460 800 baud carry 46; the rest is doubt about a millisecond


class Transmitter:
    def __init__(self, write, buffer_bytes):
        self.dropped = 0
        self._write = write
        self._buffer_bytes = buffer_bytes
        self._free = buffer_bytes

    def milliseconds(self, elapsed_ms):
        """That much time has passed."""
        self._free = min(self._buffer_bytes, self._free + BYTES_PER_MS * elapsed_ms)

    def send(self, view):
        if len(view) > self._free:
            self.dropped += 1
            return
        self._free -= len(view)
        self._write(view)
