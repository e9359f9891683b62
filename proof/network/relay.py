"""A relay between a client and its broker, as a process of its own: frozen by SIGSTOP, it is a network that was cut.

`python -m proof.network.relay LISTEN TARGET [CERTIFICATE]`: both are ports of this computer; with a certificate (a file
with its key) clients must speak TLS. While SIGUSR1 has switched it on, what the broker publishes arrives out of order.
"""

import asyncio
import contextlib
import random
import signal
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

LOOPBACK: Final = "127.0.0.1"
CHUNK_BYTES: Final = 65_536
SHUFFLED_TOGETHER_S: Final = 0.5  # five batches
PUBLISH: Final = 3  # the packet type of MQTT
SEED: Final = 7


def packets_of(pending: bytearray) -> Iterator[bytes]:
    """Takes every whole MQTT packet out of `pending`."""
    while (size := _size_of_first(pending)) is not None and len(pending) >= size:
        yield bytes(pending[:size])
        del pending[:size]


def _size_of_first(pending: bytearray) -> int | None:
    """Its length with its header; None while that is not known."""
    remaining = 0
    for place, byte in enumerate(pending[1:5]):
        remaining |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return 2 + place + remaining
    return None


class Shuffling:
    """While `on`, holds what is published back for half a second, and passes it on in another order."""

    def __init__(self) -> None:
        self.on = False
        self._random = random.Random(SEED)

    def toggle(self) -> None:
        self.on = not self.on

    async def pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pending, held = bytearray(), list[bytes]()
        releasing = asyncio.create_task(self._release(held, writer))
        try:
            while data := await reader.read(CHUNK_BYTES):
                pending += data
                for packet in packets_of(pending):
                    if self.on and packet[0] >> 4 == PUBLISH:
                        held.append(packet)
                    else:
                        writer.write(packet)
                await writer.drain()
        finally:
            releasing.cancel()

    async def _release(self, held: list[bytes], writer: asyncio.StreamWriter) -> None:
        while True:
            await asyncio.sleep(SHUFFLED_TOGETHER_S)
            self._random.shuffle(held)
            writer.write(b"".join(held))
            held.clear()


async def serve(listen: int, target: int, certificate: Path | None) -> None:
    """Until it is killed."""
    shuffling = Shuffling()
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, shuffling.toggle)

    async def on_client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            await _join(reader, writer, target, shuffling)
        writer.close()

    server = await asyncio.start_server(on_client, LOOPBACK, listen, ssl=_tls(certificate))
    print(f"Relay from {listen} to {target}", flush=True)
    await server.serve_forever()


async def _join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: int, shuffling: Shuffling) -> None:
    """Until either side hangs up. Raises OSError where nobody listens at the target."""
    target_reader, target_writer = await asyncio.open_connection(LOOPBACK, target)
    ways = {
        asyncio.create_task(_pump(reader, target_writer)),
        asyncio.create_task(shuffling.pass_on(target_reader, writer)),
    }
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        target_writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(CHUNK_BYTES):
        writer.write(data)
        await writer.drain()


def _tls(certificate: Path | None) -> ssl.SSLContext | None:
    if certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]) if len(sys.argv) > 3 else None))
