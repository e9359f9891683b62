"""Listening over MQTT, through a real broker in a process of its own."""

import asyncio
import contextlib
import dataclasses
import json
from collections.abc import AsyncIterator, Callable

import aiomqtt
import pytest

from controller.messages import PhaseName, topic
from dashboard import mqtt_feed
from dashboard.config import DashboardConfig
from dashboard.feed import Feed


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(15):
        while not holds():  # noqa: ASYNC110 - what arrives on a socket sets no event
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def listens(config: DashboardConfig, feed: Feed) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(mqtt_feed.listen(config, feed)), asyncio.create_task(feed.watch())]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@contextlib.asynccontextmanager
async def listening(config: DashboardConfig) -> AsyncIterator[Feed]:
    """A feed whose broker has been reached."""
    feed = Feed()
    async with listens(config, feed):
        await until(lambda: feed.snapshot()["broker_connected"])
        yield feed


@pytest.fixture
def at_broker(config: DashboardConfig, broker) -> DashboardConfig:
    address = broker.address("dashboard")
    return dataclasses.replace(
        config,
        table="table-1",
        mqtt_port=address.port,
        mqtt_username=address.username,
        mqtt_password=address.password,
    )


@contextlib.asynccontextmanager
async def speaking(broker) -> AsyncIterator[aiomqtt.Client]:
    """The table's own account."""
    address = broker.address("table")
    async with aiomqtt.Client(
        address.host, address.port, username=address.username, password=address.password
    ) as client:
        yield client


def alarms(feed: Feed) -> list[str]:
    raised = feed.snapshot()["alarms"]
    assert isinstance(raised, list)
    return [alarm["id"] for alarm in raised]


def said(leaf: str) -> str:
    return topic("clinic", "table-1", leaf)


async def test_a_batch_and_an_event_reach_the_feed(at_broker, payloads, broker) -> None:
    async with listening(at_broker) as feed, speaking(broker) as table:
        await table.publish(said("force"), payloads.batch(0).model_dump_json())
        await table.publish(said("event"), payloads.event(1).model_dump_json(), qos=1)

        await until(lambda: feed.snapshot()["newest_seq"] == 31)
        await until(lambda: "Reached 300 N." in "".join(feed.attach().greeting))


async def test_malformed_and_oversize_payloads_are_counted_and_dropped(at_broker, payloads, broker) -> None:
    async with listening(at_broker) as feed, speaking(broker) as table:
        for payload in (b"", b"\xff\x00", b"{}", json.dumps({"run": 1}).encode(), b"[" * 300_000):
            await table.publish(said("force"), payload, qos=1)
        await table.publish(said("force"), payloads.batch(0).model_dump_json(), qos=1)

        await until(lambda: feed.snapshot()["newest_seq"] == 31)
        assert feed.snapshot()["malformed_payloads"] == 5


async def test_a_retained_force_is_of_the_past_and_ignored(at_broker, payloads, broker) -> None:
    async with speaking(broker) as table:
        await table.publish(said("force"), payloads.batch(0).model_dump_json(), qos=1, retain=True)

        async with listening(at_broker) as feed:
            await until(lambda: feed.outdated == 1)

            assert feed.snapshot()["newest_seq"] is None


async def test_listens_again_when_the_broker_comes_back(at_broker, payloads, broker) -> None:
    async with listening(at_broker) as feed:
        broker.kill()
        await until(lambda: alarms(feed) == ["A34"])

        await broker.start()
        await until(lambda: feed.snapshot()["broker_connected"])
        async with speaking(broker) as table:
            await table.publish(said("force"), payloads.batch(0).model_dump_json(), qos=1)
            await until(lambda: feed.snapshot()["newest_seq"] == 31)


async def hold(table: aiomqtt.Client, payloads) -> None:
    """The table says that it holds, and sends a sample."""
    state = payloads.state(phase=PhaseName.HOLDING)
    await table.publish(said("state"), state.model_dump_json(), qos=1)
    await table.publish(said("force"), payloads.batch(0).model_dump_json(), qos=1)


async def test_a_controller_that_falls_silent_under_load_is_an_alarm_within_half_a_second(
    at_broker, payloads, broker, elapsed_s
) -> None:
    async with listening(at_broker) as feed, speaking(broker) as table:
        await hold(table, payloads)
        await until(lambda: feed.snapshot()["newest_seq"] == 31)
        began_s = elapsed_s()

        await until(lambda: alarms(feed) == ["A16"])

        assert elapsed_s() - began_s < 0.6


async def test_a_frozen_broker_is_remote_view_offline_and_never_a_stopped_controller(
    at_broker, payloads, broker, elapsed_s
) -> None:
    seen = set()

    def watched() -> bool:
        seen.update(alarms(feed))
        return "A34" in seen

    async with listening(at_broker) as feed, speaking(broker) as table:
        await hold(table, payloads)
        await until(lambda: feed.snapshot()["newest_seq"] == 31)
        broker.freeze()
        began_s = elapsed_s()
        await until(watched)
        took_s = elapsed_s() - began_s
        broker.thaw()

    assert seen == {"A34"}
    assert took_s < 2.0


@pytest.mark.parametrize("broker", ["embedded"], indirect=True)  # mosquitto grants, and then sends nothing
async def test_a_subscription_that_the_broker_refuses_is_said_and_not_taken_for_silence(
    at_broker, broker, caplog
) -> None:
    address, feed = broker.address("table"), Feed()
    may_only_speak = dataclasses.replace(at_broker, mqtt_username=address.username, mqtt_password=address.password)

    async with listens(may_only_speak, feed):
        await until(lambda: "allow this user to read it" in caplog.text)

    assert feed.snapshot()["broker_connected"] is False
