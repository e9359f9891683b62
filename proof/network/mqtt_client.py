"""Just enough of MQTT 3.1.1 to misuse a broker: it signs in as anybody, sends anything, and reads when it is asked to.

It shares no code with what the product speaks MQTT with.
"""

import socket
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from proof.network.relay import LOOPBACK, packets_of

CONNACK: Final = 2
PUBLISH: Final = 3
PUBACK: Final = 4
SUBACK: Final = 9
CONNECT_HEADER: Final = 0x10
SUBSCRIBE_HEADER: Final = 0x82
CLEAN_SESSION: Final = 0x02
WITH_USER: Final = 0x80
WITH_PASSWORD: Final = 0x40
KEEP_ALIVE_S: Final = 600
READ_BYTES: Final = 65_536
REFUSED_SUBSCRIPTION: Final = 0x80


class Refused(RuntimeError):
    """The broker did not let this client in."""


@dataclass(frozen=True, slots=True)
class Heard:
    topic: str
    payload: bytes
    retained: bool


class MqttClient:
    """Connected from the start. Raises Refused, and TimeoutError where the broker does not answer."""

    def __init__(self, port: int, user: str | None, password: str | None, name: str, timeout_s: float = 5.0) -> None:
        self.heard: list[Heard] = []
        self._pending = bytearray()
        self._packet_id = 0
        self._socket = socket.create_connection((LOOPBACK, port), timeout_s)
        try:
            self._socket.sendall(connect_packet(user, password, name))
            code = self._await(CONNACK, timeout_s)[3]
        except (Refused, OSError):
            self._socket.close()
            raise
        if code != 0:
            self._socket.close()
            raise Refused(f"code {code}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def subscribe(self, topics: str, timeout_s: float = 5.0) -> bool:
        """Whether the broker says that it will send those."""
        self._packet_id += 1
        body = self._packet_id.to_bytes(2, "big") + _text(topics) + b"\0"
        self._socket.sendall(_packet(SUBSCRIBE_HEADER, body))
        return self._await(SUBACK, timeout_s)[-1] != REFUSED_SUBSCRIPTION

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """At most once."""
        self._socket.sendall(publish_packet(topic, payload, retain=retain))

    def publish_and_wait(self, topic: str, payload: bytes, *, retain: bool = False, timeout_s: float = 5.0) -> None:
        """At least once; returns when the broker has said that it has it."""
        self._packet_id += 1
        body = _text(topic) + self._packet_id.to_bytes(2, "big") + payload
        self._socket.sendall(_packet(0x32 | retain, body))
        self._await(PUBACK, timeout_s)

    def listen(self, for_s: float) -> list[Heard]:
        """What comes within that time, added to `heard` too. Ends early where the broker hangs up."""
        until, before = time.monotonic() + for_s, len(self.heard)
        try:
            while time.monotonic() < until:
                self._read(until)
        except (TimeoutError, Refused):
            pass
        return self.heard[before:]

    def _await(self, kind: int, timeout_s: float) -> bytes:
        until = time.monotonic() + timeout_s
        while True:
            for packet in self._read(until):
                if packet[0] >> 4 == kind:
                    return packet

    def _read(self, until: float) -> list[bytes]:
        self._socket.settimeout(max(0.001, until - time.monotonic()))
        try:
            data = self._socket.recv(READ_BYTES)
        except ConnectionError as lost:
            raise Refused(str(lost)) from lost
        if not data:
            raise Refused("the broker hung up")
        self._pending += data
        packets = list(packets_of(self._pending))
        self.heard += [_heard(packet) for packet in packets if packet[0] >> 4 == PUBLISH]
        return packets


def connect_packet(user: str | None, password: str | None, name: str) -> bytes:
    flags = CLEAN_SESSION | (WITH_USER if user is not None else 0) | (WITH_PASSWORD if password is not None else 0)
    body = _text("MQTT") + bytes((4, flags)) + KEEP_ALIVE_S.to_bytes(2, "big") + _text(name)
    return _packet(CONNECT_HEADER, body + b"".join(_text(part) for part in (user, password) if part is not None))


def publish_packet(topic: str, payload: bytes, *, retain: bool = False) -> bytes:
    return _packet(0x30 | retain, _text(topic) + payload)


def _packet(header: int, body: bytes) -> bytes:
    size, encoded = len(body), bytearray()
    while True:
        size, low = divmod(size, 128)
        encoded.append(low | (0x80 if size else 0))
        if not size:
            return bytes((header,)) + bytes(encoded) + body


def _text(text: str) -> bytes:
    return len(text.encode()).to_bytes(2, "big") + text.encode()


def _heard(packet: bytes) -> Heard:
    """Of a message that came at most once, as all do that were subscribed to so."""
    start = 1 + next(i for i, byte in enumerate(packet[1:], 1) if byte < 0x80)
    topic_bytes = int.from_bytes(packet[start : start + 2], "big")
    topic = packet[start + 2 : start + 2 + topic_bytes].decode()
    return Heard(topic, packet[start + 2 + topic_bytes :], bool(packet[0] & 1))
