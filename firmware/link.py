"""The device's end of the line: frame counters both ways, and which frames are let in at all."""

from firmware.codec import Decoder, Encoder
from firmware.messages import FROM_DEVICE, FROM_HOST, HELLO, RELEASE

COUNTER_AHEAD_MAX = 127  # a frame further ahead than this is an old one


class Link:
    """Takes bytes of the host, hands on (kind, counter, fields), and writes frames through `write(view)`."""

    def __init__(self, write):
        self.refused = 0  # whole frames with an old counter, or before HELLO
        self._write = write
        self._encoder = Encoder(FROM_DEVICE)
        self._decoder = Decoder(FROM_HOST)
        self.greeted = False
        self._last_accepted = 0
        self._next_counter = 0
        self._on_command = None

    @property
    def dropped(self):
        """Frames that were damaged, unknown, or of a wrong length."""
        return self._decoder.dropped

    def send(self, kind, fields):
        self._write(self._encoder.frame(kind, self._next_counter, fields))
        self._next_counter = (self._next_counter + 1) & 0xFF

    def restart(self, counter):
        """HELLO: the host counts on from its `counter`, and the device from 0."""
        self._last_accepted = counter
        self._next_counter = 0

    def greet(self):
        """The host has said HELLO in a protocol that the device speaks."""
        self.greeted = True

    def receive(self, data, on_command):
        self._on_command = on_command
        self._decoder.feed(data, self._on_frame)

    def _on_frame(self, kind, counter, fields):
        ahead = (counter - self._last_accepted) & 0xFF
        in_turn = self.greeted and 1 <= ahead <= COUNTER_AHEAD_MAX
        if in_turn:
            self._last_accepted = counter
        if in_turn or kind == HELLO or kind == RELEASE:
            self._on_command(kind, counter, fields)
        else:
            self.refused += 1
