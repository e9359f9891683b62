"""What a table says over MQTT, said without ever making the table wait.

`publish_*` only put into bounded queues. `run` empties them towards the broker, and finds its way back to a broker
that died or froze. Force is sent at most once; states and events are sent until the broker has acknowledged them.
"""

import asyncio
import logging
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import aiomqtt
from pydantic import BaseModel

from controller.broker_address import BrokerAddress
from controller.mailbox import Mailbox
from controller.messages import Event, ForceBatch, Presence, State, topic, utc_now

# Ten seconds of batches: longer than a broker takes to start again. The session file has every sample anyway.
FORCE_BATCHES_MAX = 100
# More events than any session has. The bound is against a leak, not a policy.
EVENTS_MAX = 100_000
RETRY_S_MIN, RETRY_S_MAX = 0.2, 2.0
# Events wait for so long after every connection: viewers, who lost the broker too, try again every second.
VIEWERS_BACK_S = 1.5
# A broker that froze, or that a network no longer reaches, takes QoS 0 for 24 s before TCP complains. Asked 0.6 s after
# every answer for another, which must come within 1 s, it is found out and told (A34) within 2 s.
ECHO_EVERY_S = 0.6
ECHO_WITHIN_S = 1.0
ANSWER_TIMEOUT_S = 2.0
# By this the broker knows that the table's computer is gone: it publishes the last will after 1.5 times this.
KEEP_ALIVE_S = 5
logger = logging.getLogger(__name__)
NO_DELAY = (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


@dataclass(frozen=True, eq=False)
class QueuedForce:
    batch: ForceBatch
    queued_ns: int


class MqttBus:
    """One table's voice. `on_reachable` is called with every change of whether the broker can be reached.

    `simulated` may be set once the table has said what it is; the next presence (within 1 s) carries it.
    """

    def __init__(
        self,
        address: BrokerAddress,
        site: str,
        table: str,
        version: str,
        simulated: bool | None,
        on_reachable: Callable[[bool], None],
    ) -> None:
        self.simulated = simulated
        self.samples_dropped = 0
        self.events_dropped = 0
        self._address = address
        self._tls = ssl.create_default_context() if address.tls else None  # reading all authorities takes a while
        self._topics = {leaf: topic(site, table, leaf) for leaf in ("presence", "state", "force", "event")}
        self._version = version
        self._on_reachable = on_reachable
        self._reachable: bool | None = None
        self._force: Mailbox[QueuedForce] = Mailbox(FORCE_BATCHES_MAX)
        self._state: Mailbox[State] = Mailbox(1)
        self._events: Mailbox[Event] = Mailbox(EVENTS_MAX)
        self._latest_state: State | None = None

    def publish_force(self, batch: ForceBatch) -> None:
        """Queue a batch; when the queue is full, its oldest batch is dropped and counted in what is sent next."""
        self._count_lost(self._force.put(QueuedForce(batch, time.monotonic_ns())))

    def publish_state(self, state: State) -> None:
        """Queue a state in place of any that waits."""
        self._latest_state = state
        self._state.put(state)

    def publish_event(self, event: Event) -> None:
        """Queue an event; it is sent, in order, until the broker has acknowledged it."""
        if self._events.put(event) is not None:
            self.events_dropped += 1

    async def run(self) -> None:
        """Serve until cancelled, and raise nothing: a broker that refuses, dies or freezes is tried again later."""
        retry_s = RETRY_S_MIN
        while True:
            since = utc_now()
            try:
                async with connection(self._client(since)) as client:
                    await self._send_presence(client, since)
                    retry_s = RETRY_S_MIN
                    # In a task of its own: a group that failed leaves its task marked as being cancelled (Python 3.11).
                    await asyncio.create_task(self._serve(client, since))
            except* (aiomqtt.MqttError, OSError):
                pass
            except* Exception:  # whatever is wrong with telling, the pull goes on
                logger.exception("What the table says over MQTT was interrupted; trying again.")
            self._tell_reachable(False)
            await asyncio.sleep(retry_s)
            retry_s = min(2 * retry_s, RETRY_S_MAX)

    def _client(self, since: datetime) -> aiomqtt.Client:
        """A clean start each time: what must be acknowledged stays in our own queues until it is."""
        return aiomqtt.Client(
            self._address.host,
            self._address.port,
            username=self._address.username,
            password=self._address.password,
            tls_context=self._tls,
            will=aiomqtt.Will(self._topics["presence"], self._presence(False, since), qos=1, retain=True),
            clean_session=True,
            keepalive=KEEP_ALIVE_S,
            timeout=ANSWER_TIMEOUT_S,
            socket_options=[NO_DELAY],
        )

    async def _serve(self, client: aiomqtt.Client, since: datetime) -> None:
        """Send what is queued until the broker is lost; ends by an exception group that says how."""
        if self._latest_state is not None:  # a broker that was started again has forgotten it
            self._state.put(self._latest_state)
        self._tell_reachable(True)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(notice_disconnection(client))
            tasks.create_task(self._echo(client, since))
            tasks.create_task(self._send_force(client))
            tasks.create_task(self._send_states(client))
            tasks.create_task(self._send_events(client))

    async def _echo(self, client: aiomqtt.Client, since: datetime) -> None:
        while True:
            await asyncio.sleep(ECHO_EVERY_S)
            await self._send_presence(client, since, ECHO_WITHIN_S)

    async def _send_presence(self, client: aiomqtt.Client, since: datetime, within_s: float = ANSWER_TIMEOUT_S) -> None:
        presence = self._presence(True, since)
        await say(client, self._topics["presence"], presence, qos=1, retain=True, within_s=within_s)

    async def _send_force(self, client: aiomqtt.Client) -> None:
        while True:
            queued = await self._force.oldest()
            self._force.remove(queued)
            try:
                await say(client, self._topics["force"], self._encode_force(queued), qos=0)
            except BaseException:
                self._count_lost(queued)
                raise

    async def _send_states(self, client: aiomqtt.Client) -> None:
        while True:
            state = await self._state.oldest()
            await say(client, self._topics["state"], encode(state), qos=1, retain=True)
            self._state.remove(state)

    async def _send_events(self, client: aiomqtt.Client) -> None:
        await asyncio.sleep(VIEWERS_BACK_S)
        while True:
            event = await self._events.oldest()
            await say(client, self._topics["event"], encode(event), qos=1)
            self._events.remove(event)

    def _encode_force(self, queued: QueuedForce) -> bytes:
        """With what is known only now: how long the batch waited, and how much was lost until now."""
        batch = queued.batch
        waited_us = (time.monotonic_ns() - queued.queued_ns) // 1000
        now = {"age_us": batch.age_us + waited_us, "dropped": batch.dropped + self.samples_dropped}
        return encode(batch.model_copy(update=now))

    def _presence(self, online: bool, since: datetime) -> bytes:
        """`since` is when this connection was made, also in the last will, whose time nobody knows in advance."""
        return encode(Presence(online=online, since=since, version=self._version, simulated=self.simulated))

    def _count_lost(self, queued: QueuedForce | None) -> None:
        if queued is not None:
            self.samples_dropped += len(queued.batch.t_us)

    def _tell_reachable(self, reachable: bool) -> None:
        if reachable != self._reachable:
            self._reachable = reachable
            self._on_reachable(reachable)


def encode(payload: BaseModel) -> bytes:
    return payload.model_dump_json().encode()


async def say(
    client: aiomqtt.Client,
    to: str,
    payload: bytes,
    *,
    qos: int,
    retain: bool = False,
    within_s: float = ANSWER_TIMEOUT_S,
) -> None:
    """Publish, and with QoS 1 wait for the acknowledgement. Raises MqttError when there is none within that time.

    Python 3.11's wait_for, in which aiomqtt waits, loses a cancellation that comes together with the acknowledgement.
    """
    await client.publish(to, payload, qos=qos, retain=retain, timeout=within_s)
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def notice_disconnection(client: aiomqtt.Client) -> None:
    """Raises MqttError as soon as the broker closes the connection. Nothing is subscribed to, so nothing arrives."""
    async for _ in client.messages:
        pass


@asynccontextmanager
async def connection(client: aiomqtt.Client) -> AsyncIterator[aiomqtt.Client]:
    """`client`, connected. It never says goodbye: the broker then publishes the last will, so that presence is right
    however the table left. Raises MqttError when there is no answer.
    """
    client._client.connect_timeout = ANSWER_TIMEOUT_S
    connecting = asyncio.create_task(client.__aenter__())
    try:
        yield await asyncio.shield(connecting)
    finally:
        # It connects in a thread, which cannot be called back: when we are cancelled meanwhile, see its end.
        await asyncio.gather(connecting, return_exceptions=True)
        hang_up(client)


def hang_up(client: aiomqtt.Client) -> None:
    """Close the socket now. aiomqtt leaves it open after a broker that does not answer, until the keep-alive ends."""
    client._client._sock_close()
    if client._disconnected.done():
        client._disconnected.exception()  # said already, by whatever ended the connection
