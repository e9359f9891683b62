"""What the embedded broker closes is open in amqtt as it comes: when amqtt closes it, our guard can go."""

import asyncio
import socket
import stat
import subprocess
import sys
from contextlib import asynccontextmanager
from dataclasses import replace

import aiomqtt
import pytest
from amqtt.broker import Broker
from amqtt.contexts import Action, BrokerConfig, ListenerConfig

from controller.broker_address import BrokerAddress
from tractable.broker.accounts import BrokerAccounts, Deed
from tractable.broker.choice import BrokerKind, broker_command
from tractable.broker.embedded import quieten_amqtt, run_embedded_broker
from tractable.broker.port import BrokerSilent, PortTaken, free_port, wait_until_listening

OWN = "traction/v1/clinic/table-1/"
AUTH_PLUGIN = "amqtt.plugins.authentication.AnonymousAuthPlugin"


@asynccontextmanager
async def stock_broker(kind: type[Broker] = Broker):
    quieten_amqtt()
    port = free_port()
    listeners = {"default": ListenerConfig(bind=f"127.0.0.1:{port}")}
    broker = kind(BrokerConfig(listeners=listeners, plugins={AUTH_PLUGIN: {}}))
    await broker.start()
    try:
        yield BrokerAddress("127.0.0.1", port, "anybody", "anything")
    finally:
        await broker.shutdown()


async def test_stock_amqtt_sends_retained_messages_to_a_client_that_only_connects(connect):
    async with stock_broker() as address, connect(address) as first:
        await first.subscribe("secret/#")
        await first.publish("secret/one", b"{}", qos=1, retain=True)

        async with connect(address) as newcomer:
            await newcomer.subscribe("nothing/here")

            assert len(newcomer.messages) == 1


async def test_stock_amqtt_publishes_a_last_will_that_its_owner_may_not_publish(connect, received, vanish):
    class NobodyMayPublish(Broker):
        async def _topic_filtering(self, session, topic, action):
            return action is not Action.PUBLISH

    async with stock_broker(NobodyMayPublish) as address, connect(address) as listener:
        await listener.subscribe("#", qos=1)

        await vanish(address, aiomqtt.Will("forbidden", b"{}", qos=1))

        assert await received(listener, "forbidden") == ["forbidden"]


async def test_stock_amqtt_allows_what_nothing_forbids(connect, received):
    async with stock_broker() as address, connect(replace(address, username=None, password=None)) as stranger:
        await stranger.subscribe("#", qos=1)

        await stranger.publish("anything", b"{}", qos=1)

        assert await received(stranger, "anything") == ["anything"]


@pytest.mark.parametrize("deed", Deed)
@pytest.mark.parametrize("user", [None, "", "somebody", "root"])
def test_whoever_has_no_account_may_do_nothing(user, deed):
    accounts = BrokerAccounts.generate("clinic", "table-1")

    assert not accounts.may(user, deed, OWN + "state")
    assert not accounts.knows(user, "")


async def test_whoever_knows_a_clients_id_cannot_take_its_place(connect, received):
    port, accounts = free_port(), BrokerAccounts.generate("clinic", "table-1")
    stop, ready = asyncio.Event(), asyncio.Event()
    serving = asyncio.create_task(run_embedded_broker(accounts, port, stop, ready.set))
    await ready.wait()
    viewer, table = accounts.address("dashboard", port), accounts.address("table", port)

    async with connect(viewer, identifier="known") as dashboard, connect(table, identifier="known") as speaker:
        await dashboard.subscribe("traction/v1/#", qos=1)
        for clean_session in (True, False):
            with pytest.raises(aiomqtt.MqttError):
                async with connect(replace(viewer, password="guess"), identifier="known", clean_session=clean_session):
                    pass
        await speaker.publish(OWN + "state", b"{}", qos=1)

        assert await received(dashboard, OWN + "state") == [OWN + "state"]

    stop.set()
    await serving


async def test_a_client_that_falls_silent_is_told_of_by_its_last_will(connect, received, elapsed_s):
    port, accounts = free_port(), BrokerAccounts.generate("clinic", "table-1")
    stop, ready = asyncio.Event(), asyncio.Event()
    serving = asyncio.create_task(run_embedded_broker(accounts, port, stop, ready.set))
    await ready.wait()
    connect_packet = bytes.fromhex("10") + packet_of_a_silent_table(accounts)

    async with connect(accounts.address("dashboard", port)) as dashboard:
        await dashboard.subscribe("traction/v1/#", qos=1)
        _, silent = await asyncio.open_connection("127.0.0.1", port)
        silent.write(connect_packet)

        assert await received(dashboard, OWN + "presence") == [OWN + "presence"]

    assert elapsed_s() < 5
    silent.close()
    stop.set()
    await serving


def packet_of_a_silent_table(accounts: BrokerAccounts) -> bytes:
    """The body of an MQTT CONNECT with a last will, user name, password, and a keep-alive of one second."""

    def text(value: str) -> bytes:
        return len(value).to_bytes(2, "big") + value.encode()

    flags = 0b1100_1110  # user name, password, will at QoS 1, clean session
    body = text("MQTT") + bytes((4, flags)) + (1).to_bytes(2, "big")
    body += text("silent") + text(OWN + "presence") + text("gone") + text("table") + text(accounts.table_password)
    assert len(body) < 128  # so that its length is one byte
    return bytes((len(body),)) + body


async def test_a_taken_port_gives_one_clear_sentence(tmp_path):
    accounts = BrokerAccounts.generate("clinic", "table-1")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(PortTaken, match=f"Port {port} .* already in use"):
            await run_embedded_broker(accounts, port, asyncio.Event())
        command = broker_command(BrokerKind.EMBEDDED, tmp_path / "broker", port, accounts)
        finished = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=20)

    assert finished.returncode == 1
    assert finished.stderr.strip().splitlines() == [str(PortTaken(port))]


async def test_its_process_says_ready_when_clients_can_connect_and_ends_on_sigterm(tmp_path, connect, start):
    port, accounts = free_port(), BrokerAccounts.generate("clinic", "table-1")
    command = broker_command(BrokerKind.EMBEDDED, tmp_path / "broker", port, accounts)
    with start(command) as process:
        first_line = process.stdout.readline()

        async with connect(accounts.address("table", port)) as table:
            await table.publish(OWN + "state", b"{}", qos=1)
        process.terminate()
        rest, said = process.communicate(timeout=10)

    assert (first_line, rest, said, process.returncode) == (b"ready\n", b"", b"", 0)


async def test_a_broker_that_never_listens_is_told_of():
    with pytest.raises(BrokerSilent, match="did not answer within"):
        await wait_until_listening(BrokerAddress("127.0.0.1", free_port()), timeout_s=0.1)


@pytest.mark.parametrize("kind", ["embedded", pytest.param("mosquitto", marks=pytest.mark.needs("mosquitto"))])
def test_passwords_are_new_each_time_and_only_this_user_can_read_them(tmp_path, kind):
    folder = tmp_path / "broker"
    accounts = [BrokerAccounts.generate("clinic", "table-1") for _ in range(2)]
    passwords = {password for each in accounts for password in each.passwords.values()}

    for each in accounts:
        command = broker_command(BrokerKind(kind), folder, 1883, each)

        assert not any(password in " ".join(command) for password in passwords)
    assert len(passwords) == 4
    assert not any(password in repr(accounts) for password in passwords)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}


def test_the_modules_that_choose_a_broker_do_not_load_amqtt():
    loaded = "import sys, tractable.broker.choice; sys.exit('amqtt' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", loaded], check=False).returncode == 0
