import asyncio
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import aiomqtt
import pytest

from controller.messages import Event, ForceBatch, PhaseName, State, utc_now
from controller.mqtt_bus import MqttBus

TIMEOUT_S = 15


@pytest.fixture
def state():
    """state(**changes) -> a State of an idle table."""

    def state(**changes) -> State:
        now = utc_now()
        idle = dict.fromkeys(name for name, field in State.model_fields.items() if field.is_required()) | {
            "run": "run-1",
            "sent": now,
            "valid_until": now + timedelta(seconds=3),
            "connected": True,
            "phase": PhaseName.IDLE,
            "instruction": "",
            "alarms": (),
        }
        return State(**idle | changes)

    return state


@pytest.fixture
def batch():
    """batch(number) -> ten samples, the first of which has sequence number 10 x number."""

    def batch(number: int) -> ForceBatch:
        first = 10 * number
        return ForceBatch(
            run="run-1",
            session_id=None,
            first_seq=first,
            t_us=[1_000 * (first + i) for i in range(10)],
            force_mn=[None, *range(9)],
            target_mn=[None] * 10,
            cable_um=[0] * 10,
            age_us=0,
            dropped=0,
        )

    return batch


@pytest.fixture
def event():
    def event(number: int) -> Event:
        return Event(
            run="run-1",
            session_id="s",
            number=number,
            time=utc_now(),
            t_us=None,
            kind="phase",
            actor="table",
            text="idle",
        )

    return event


@pytest.fixture
def running():
    """async with running(address) as (bus, reachable): a bus that runs; `await reachable(True)` waits for it."""

    @asynccontextmanager
    async def running(address):
        changes: asyncio.Queue[bool] = asyncio.Queue()

        async def reachable(wanted: bool) -> None:
            async with asyncio.timeout(TIMEOUT_S):
                assert await changes.get() is wanted

        bus = MqttBus(address, "clinic", "table-1", "0.1.0", True, changes.put_nowait)
        task = asyncio.create_task(bus.run())
        try:
            yield bus, reachable
            assert not task.done()
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    return running


@pytest.fixture
def dashboard(broker):
    """async with dashboard() as next_on: `await next_on("state")` is the next payload on that topic."""

    @asynccontextmanager
    async def dashboard():
        address = broker.address("dashboard")
        async with aiomqtt.Client(
            address.host, address.port, username=address.username, password=address.password
        ) as client:
            await client.subscribe("traction/v1/#", qos=1)

            async def next_on(leaf: str) -> bytes:
                async with asyncio.timeout(TIMEOUT_S):
                    async for message in client.messages:
                        if str(message.topic) == f"traction/v1/clinic/table-1/{leaf}":
                            return message.payload
                raise AssertionError("unreachable")

            yield next_on

    return dashboard
