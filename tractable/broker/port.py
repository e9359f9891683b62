"""Loopback ports: is it free, give me one, does somebody answer there."""

import asyncio
import socket

from controller.broker_address import BrokerAddress
from tractable.broker.accounts import LOOPBACK

POLL_S = 0.02


class PortTaken(Exception):
    def __init__(self, port: int) -> None:
        super().__init__(
            f"Port {port} on this computer is already in use. Stop the program that uses it, or choose another port."
        )


class BrokerSilent(Exception):
    pass


def require_free_port(port: int) -> None:
    """Raises PortTaken when nothing new can listen on that loopback port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            raise PortTaken(port) from None


def free_port() -> int:
    """A loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


async def wait_until_listening(address: BrokerAddress, timeout_s: float = 10) -> None:
    """Return as soon as somebody listens at `address`. Raises BrokerSilent after `timeout_s`."""
    try:
        async with asyncio.timeout(timeout_s):
            while not await _answers(address):  # noqa: ASYNC110 - another process tells us nothing but this
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        raise BrokerSilent(
            f"The broker at {address.host}:{address.port} did not answer within {timeout_s:g} s. "
            "Check that it runs and that its address is right."
        ) from None


async def _answers(address: BrokerAddress) -> bool:
    try:
        _, writer = await asyncio.open_connection(address.host, address.port)
    except OSError:
        return False
    writer.close()
    try:
        await writer.wait_closed()
    except OSError:
        return False
    return True
