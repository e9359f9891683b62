"""Our own broker, for a computer without one: amqtt on loopback, with what it leaves open closed.

amqtt 0.12, as it comes:
- sends the retained messages of other users' subscriptions to a client that only connects;
- publishes a last will without asking whether its owner may publish there;
- allows what nothing forbids;
- lets a stranger who knows a client's id change that client's session before signing in;
- never lets go of a client that fell silent, so that its last will is not told.

It works on private methods of amqtt, so the version is pinned and tests prove every one of these closed.
"""

import asyncio
import logging
import math
from collections.abc import Callable

from amqtt.adapters import ReaderAdapter, WriterAdapter
from amqtt.broker import Broker, Server
from amqtt.contexts import Action, BrokerConfig, ListenerConfig
from amqtt.errors import AMQTTError, BrokerError, MQTTError, NoDataError
from amqtt.mqtt.connack import NOT_AUTHORIZED, ConnackPacket
from amqtt.mqtt.protocol.broker_handler import BrokerProtocolHandler
from amqtt.session import Session
from amqtt.utils import gen_client_id

from tractable.broker.accounts import LOOPBACK, BrokerAccounts, Deed
from tractable.broker.port import PortTaken, require_free_port

log = logging.getLogger(__name__)

SIGN_IN_TIMEOUT_S = 5
# MQTT 3.1.1, 3.1.2.10: a client is gone after one and a half times its keep-alive.
SILENCE_ALLOWED = 1.5


async def run_embedded_broker(
    accounts: BrokerAccounts, port: int, stop: asyncio.Event, on_ready: Callable[[], None] = lambda: None
) -> None:
    """Serve on loopback until `stop` is set; `on_ready` is called once clients can connect. Raises PortTaken."""
    quieten_amqtt()
    require_free_port(port)
    broker = GuardedBroker(accounts, port)
    try:
        await broker.start()
    except BrokerError as problem:
        raise PortTaken(port) from problem
    on_ready()
    try:
        await stop.wait()
    finally:
        await broker.shutdown()


def quieten_amqtt() -> None:
    """amqtt tells every coming and going, and logs a client that vanished as an error with its stack."""
    for name in ("amqtt", "transitions"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


class Connection(BrokerProtocolHandler):  # type: ignore[misc]  # amqtt has no type information
    """One client's connection, which ends when the client has been silent for too long."""

    def handle_read_timeout(self) -> None:
        if self._disconnect_waiter and not self._disconnect_waiter.done():
            self._disconnect_waiter.set_result(None)


class GuardedBroker(Broker):  # type: ignore[misc]  # amqtt has no type information
    """amqtt that lets in who has an account, lets them do what the accounts say, and nothing else."""

    def __init__(self, accounts: BrokerAccounts, port: int) -> None:
        self._accounts = accounts
        super().__init__(BrokerConfig(listeners={"default": ListenerConfig(bind=f"{LOOPBACK}:{port}")}, plugins={}))

    async def _initialize_client_session(
        self, reader: ReaderAdapter, writer: WriterAdapter, *_peer: object
    ) -> tuple[BrokerProtocolHandler, Session]:
        """Every connection is a session of its own under an id of ours, so that nobody can take over another's."""
        try:
            async with asyncio.timeout(SIGN_IN_TIMEOUT_S):
                handler, session = await Connection.init_from_connect(reader, writer, self.plugins_manager)
        except (TimeoutError, OSError, EOFError, MQTTError, NoDataError, AMQTTError) as problem:
            await writer.close()
            raise AMQTTError(f"no sign-in: {problem}") from problem
        session.client_id = gen_client_id()
        session.clean_session = True
        session.keep_alive = math.ceil(session.keep_alive * SILENCE_ALLOWED)
        return handler, session

    async def _handle_client_session(
        self,
        reader: ReaderAdapter,
        writer: WriterAdapter,
        client_session: Session,
        handler: BrokerProtocolHandler,
        server: Server,
        listener_name: str,
    ) -> None:
        if not self._is_welcome(client_session):
            await ConnackPacket.build(0, NOT_AUTHORIZED).to_stream(writer)
            await writer.close()
            return
        await super()._handle_client_session(reader, writer, client_session, handler, server, listener_name)

    def _is_welcome(self, session: Session) -> bool:
        if not self._accounts.knows(session.username, session.password):
            log.warning("Refused to let in: %r", session.username)
            return False
        return not session.will_flag or self._may(session, Deed.PUBLISH, session.will_topic or "")

    def _may(self, session: Session, deed: Deed, topic: str) -> bool:
        allowed = self._accounts.may(session.username, deed, topic)
        if not allowed and deed is not Deed.RECEIVE:
            log.warning("Refused: %r may not %s %r", session.username, deed.value, topic)
        return allowed

    async def _authenticate(self, session: Session, _: ListenerConfig) -> bool:
        return self._is_welcome(session)

    async def _topic_filtering(self, session: Session, topic: str, action: Action) -> bool:
        # Without a pause inside: amqtt asks while it walks its table of subscriptions, which must not change meanwhile.
        return self._may(session, Deed(action.value), topic)

    async def _publish_retained_messages_for_subscription(
        self, subscription: tuple[str, int], session: Session
    ) -> None:
        subscribers = self._subscriptions.get(subscription[0], [])
        if any(subscriber is session for subscriber, _ in subscribers):
            await super()._publish_retained_messages_for_subscription(subscription, session)
