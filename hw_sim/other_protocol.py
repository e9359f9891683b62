"""A table whose firmware is of another release: all that it says is as ever, but for the protocol's number."""

from collections.abc import Callable

from firmware import messages
from firmware.codec import Decoder, Encoder


class OtherProtocol:
    """Stands between the firmware and the line, and puts `protocol` into every IDENTITY."""

    def __init__(self, protocol: int, send: Callable[[memoryview], None]) -> None:
        self._protocol = protocol
        self._send = send
        self._decoder = Decoder(messages.FROM_DEVICE)  # type: ignore[no-untyped-call]
        self._encoder = Encoder(messages.FROM_DEVICE)  # type: ignore[no-untyped-call]

    def send(self, frame: memoryview) -> None:
        """One whole frame of the firmware's."""
        self._decoder.feed(frame, self._on_frame)  # type: ignore[no-untyped-call]

    def _on_frame(self, kind: int, counter: int, fields: tuple[int, ...]) -> None:
        told = (self._protocol, *fields[1:]) if kind == messages.IDENTITY else fields
        self._send(self._encoder.frame(kind, counter, told))  # type: ignore[no-untyped-call]
