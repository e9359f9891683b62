import asyncio
import contextlib
import socket
import subprocess

import aiomqtt
import pytest

from controller.broker_address import BrokerAddress

TIMEOUT_S = 10


@pytest.fixture
def connect():
    """connect(address, **options) -> a client; `identifier` and `will` are options."""

    def connect(address: BrokerAddress, **options) -> aiomqtt.Client:
        return aiomqtt.Client(
            address.host, address.port, username=address.username, password=address.password, timeout=3, **options
        )

    return connect


@pytest.fixture
def received():
    """await received(client, until): the topics that arrive, up to and with `until`."""

    async def received(client: aiomqtt.Client, until: str) -> list[str]:
        topics = []
        async with asyncio.timeout(TIMEOUT_S):
            async for message in client.messages:
                topics.append(str(message.topic))
                if topics[-1] == until:
                    return topics
        return topics

    return received


@pytest.fixture
def vanish(connect):
    """await vanish(address, will): connect with that will, and be cut off without a goodbye."""

    async def vanish(address: BrokerAddress, will: aiomqtt.Will) -> None:
        with contextlib.suppress(aiomqtt.MqttError):  # refused, or lost
            async with connect(address, will=will) as client:
                client._client.socket().shutdown(socket.SHUT_RDWR)
                await asyncio.wait([client._disconnected])
                await client.publish("too/late")

    return vanish


@pytest.fixture
def start():
    """start(command) -> a running process whose output can be read."""
    return lambda command: subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
