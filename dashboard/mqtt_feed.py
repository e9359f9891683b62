"""Listens to one table over MQTT and hands what is valid to the feed. It only listens: nothing is ever published."""

import asyncio
import logging
import socket
import ssl
from typing import Final

import aiomqtt

from controller.messages import Event, ForceBatch, Payload, Presence, State, topic
from dashboard.config import DashboardConfig
from dashboard.feed import Feed
from dashboard.received import NotAPayload, payload_of

log = logging.getLogger(__name__)

QOS_OF: Final = {"presence": 1, "state": 1, "force": 0, "event": 1}
# Things that happened, not things that are: a retained one is old by definition.
NEVER_RETAINED: Final = frozenset({"force", "event"})
KEEPALIVE_S: Final = 5
CONNECT_WITHIN_S: Final = 5.0
WAITING_MESSAGES_MAX: Final = 1_000
# Ten batches a second are expected: asked when one has stayed away, it answers before silence is an alarm (0.4 s).
QUIET_S: Final = 0.15
ANSWER_WITHIN_S: Final = 1.0
BACKOFF_S_MIN: Final = 0.25
BACKOFF_S_MAX: Final = 1.0  # a table that finds its broker again waits 1.5 s for viewers before it tells what happened
GRANTED_MAX: Final = 2  # a SUBACK code above it is a refusal


class SubscriptionRefused(RuntimeError):
    """The broker does not let this dashboard listen."""


async def listen(config: DashboardConfig, feed: Feed) -> None:
    """Feeds `feed` from the broker, and connects again whenever that breaks. Runs until cancelled."""
    backoff_s = BACKOFF_S_MIN
    while True:
        try:
            async with _client(config) as client:
                await subscribe(client, config.site, config.table)
                feed.broker_is(connected=True)
                log.info("Listening to %s.", topic(config.site, config.table, "..."))
                backoff_s = BACKOFF_S_MIN
                async with asyncio.TaskGroup() as group:
                    group.create_task(_receive(client, feed))
                    group.create_task(_see_that_it_answers(client, topic(config.site, config.table, "event"), feed))
        except* (aiomqtt.MqttError, SubscriptionRefused) as errors:
            log.warning("The broker at %s:%d: %s", config.mqtt_host, config.mqtt_port, errors.exceptions[0])
        finally:
            feed.broker_is(connected=False)
        await asyncio.sleep(backoff_s)
        backoff_s = min(2 * backoff_s, BACKOFF_S_MAX)


async def _receive(client: aiomqtt.Client, feed: Feed) -> None:
    async for message in client.messages:
        _take(feed, message)


async def _see_that_it_answers(client: aiomqtt.Client, name: str, feed: Feed) -> None:
    """Asks a broker that went silent to subscribe us once more, as we are: a frozen one stays silent to that too.

    A dashboard may not publish, so there is no message of its own that could come back. Nothing is retained there.
    """
    while True:
        await asyncio.sleep(QUIET_S)
        if feed.silent_s() < QUIET_S:
            continue
        try:
            await client.subscribe(name, QOS_OF["event"], timeout=ANSWER_WITHIN_S)
        except aiomqtt.MqttError:
            feed.broker_is(connected=False)  # now, and not once the connection has been given up
            raise
        feed.broker_answered()


def _client(config: DashboardConfig) -> aiomqtt.Client:
    return aiomqtt.Client(
        config.mqtt_host,
        config.mqtt_port,
        username=config.mqtt_username,
        password=config.mqtt_password,
        tls_context=ssl.create_default_context() if config.mqtt_tls else None,
        keepalive=KEEPALIVE_S,
        timeout=CONNECT_WITHIN_S,
        max_queued_incoming_messages=WAITING_MESSAGES_MAX,
        socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
    )


async def subscribe(client: aiomqtt.Client, site: str, table: str) -> None:
    for leaf, qos in QOS_OF.items():
        name = topic(site, table, leaf)
        for code in await client.subscribe(name, qos):
            granted = code if isinstance(code, int) else code.value
            if granted > GRANTED_MAX:
                raise SubscriptionRefused(f"it refuses {name}; allow this user to read it.")


def _take(feed: Feed, message: aiomqtt.Message) -> None:
    leaf = message.topic.value.rpartition("/")[2]
    if message.retain and leaf in NEVER_RETAINED:
        feed.outdated += 1
        return
    try:
        payload = payload_of(leaf, bytes(message.payload)) if isinstance(message.payload, bytes | bytearray) else None
    except NotAPayload as reason:
        feed.malformed += 1
        log.debug("Dropped a message on %s: %s.", leaf, reason)
        return
    hand_over(feed, payload, retained=message.retain)


def hand_over(feed: Feed, payload: Payload | None, *, retained: bool) -> None:
    match payload:
        case ForceBatch():
            feed.take_batch(payload)
        case State():
            feed.take_state(payload, retained=retained)
        case Event():
            feed.take_event(payload)
        case Presence():
            feed.take_presence(payload)
        case _:
            feed.malformed += 1
