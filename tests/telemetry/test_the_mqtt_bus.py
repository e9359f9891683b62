import asyncio
import time
from dataclasses import replace

import pytest

from controller.broker_address import BrokerAddress
from controller.messages import Event, ForceBatch, PhaseName, Presence, State
from controller.mqtt_bus import ECHO_EVERY_S, FORCE_BATCHES_MAX, MqttBus, say
from tractable.broker.port import free_port

A34_WITHIN_S = 2.0  # of a broker that no longer answers


async def test_a_viewer_gets_what_the_table_says(broker, dashboard, running, state, batch, event):
    async with dashboard() as next_on, running(broker.address("table")) as (bus, reachable):
        await reachable(True)
        presence = Presence.model_validate_json(await next_on("presence"))

        bus.publish_state(state(phase=PhaseName.HOLDING))
        seen_state = State.model_validate_json(await next_on("state"))
        bus.publish_force(batch(7))
        seen_force = ForceBatch.model_validate_json(await next_on("force"))
        for number in (1, 2, 3):
            bus.publish_event(event(number))
        seen_events = [Event.model_validate_json(await next_on("event")).number for _ in range(3)]

    assert (presence.online, presence.version, presence.simulated) == (True, "0.1.0", True)
    assert seen_state.phase is PhaseName.HOLDING
    assert seen_force.model_copy(update={"age_us": 0}) == batch(7)
    assert 0 < seen_force.age_us < 1_000_000
    assert seen_events == [1, 2, 3]


async def test_a_viewer_who_comes_later_gets_the_latest_state_and_presence(broker, dashboard, running, state):
    async with running(broker.address("table")) as (bus, _), dashboard() as next_on:
        for phase in (PhaseName.IDLE, PhaseName.RAMPING):
            bus.publish_state(state(phase=phase))
        await next_on("state")

        async with dashboard() as next_on_later:
            seen = {State.model_validate_json(await next_on_later("state")).phase}
        async with dashboard() as next_on_later:
            presence = Presence.model_validate_json(await next_on_later("presence"))

    assert seen == {PhaseName.RAMPING}
    assert presence.online


async def test_a_bus_that_stops_leaves_the_table_offline(broker, dashboard, running):
    async with running(broker.address("table")) as (_, reachable):
        await reachable(True)

    async with dashboard() as next_on:
        while Presence.model_validate_json(await next_on("presence")).online:
            pass  # until the broker has noticed; the fixture's timeout ends it


async def test_after_the_broker_was_killed_and_restarted_everything_comes_again(
    broker, dashboard, running, state, batch, event
):
    async with running(broker.address("table")) as (bus, reachable):
        await reachable(True)
        async with dashboard() as next_on:
            bus.publish_state(state(phase=PhaseName.HOLDING))
            await next_on("state")

        broker.kill()
        began = time.monotonic()
        await reachable(False)
        noticed_s = time.monotonic() - began
        for number in (1, 2):
            bus.publish_event(event(number))
        await broker.start()
        async with dashboard() as next_on:
            await reachable(True)
            bus.publish_event(event(3))
            seen_state = State.model_validate_json(await next_on("state"))
            seen_events = [Event.model_validate_json(await next_on("event")).number for _ in range(3)]

        assert noticed_s < ECHO_EVERY_S / 2
        assert seen_state.phase is PhaseName.HOLDING
        assert seen_events == [1, 2, 3]


async def test_events_wait_for_viewers_who_lost_the_broker_too(broker, dashboard, running, event):
    async with running(broker.address("table")) as (bus, reachable):
        bus.publish_event(event(1))
        await reachable(True)
        async with dashboard() as next_on:
            seen = Event.model_validate_json(await next_on("event")).number

    assert seen == 1


async def test_events_of_an_outage_are_told_in_order_afterwards(broker, dashboard, running, event):
    async with dashboard() as next_on:
        absent = replace(broker.address("table"), port=free_port())
        async with running(absent) as (bus, reachable):
            await reachable(False)
            for number in range(1, 21):
                bus.publish_event(event(number))
            bus._address = broker.address("table")
            await reachable(True)
            seen = [Event.model_validate_json(await next_on("event")).number for _ in range(20)]

    assert seen == list(range(1, 21))


async def test_a_frozen_broker_is_noticed_and_found_again(broker, running, batch):
    async with running(broker.address("table")) as (bus, reachable):
        await reachable(True)
        bus.publish_force(batch(0))

        broker.freeze()
        began = time.monotonic()
        await reachable(False)
        noticed_s = time.monotonic() - began
        broker.thaw()
        await reachable(True)

    assert noticed_s < A34_WITHIN_S


async def test_a_bus_can_stop_while_the_broker_is_frozen(broker, running):
    broker.freeze()

    async with running(broker.address("table")) as (_, reachable):
        await reachable(False)

    broker.thaw()


async def test_a_refused_sign_in_is_an_unreachable_broker_and_not_an_error(broker, running):
    async with running(replace(broker.address("table"), password="wrong")) as (_, reachable):
        await reachable(False)


async def test_without_a_broker_publishing_neither_waits_nor_grows(running, state, batch, event):
    absent = BrokerAddress("127.0.0.1", free_port(), "table", "password")
    async with running(absent) as (bus, reachable):
        await reachable(False)

        for number in range(10_000):
            bus.publish_force(batch(number % 5))
            bus.publish_state(state())
        bus.publish_event(event(1))

        assert len(bus._force) == FORCE_BATCHES_MAX
        assert len(bus._state) == len(bus._events) == 1
        assert bus.samples_dropped == 10 * (10_000 - FORCE_BATCHES_MAX)


@pytest.mark.parametrize("broker", ["embedded"], indirect=True)
async def test_what_an_outage_drops_is_the_oldest_and_is_told_with_the_next_batch(broker, dashboard, running, batch):
    absent = replace(broker.address("table"), port=free_port())
    async with dashboard() as next_on, running(absent) as (bus, reachable):
        await reachable(False)

        for number in range(FORCE_BATCHES_MAX + 3):
            bus.publish_force(batch(number))
        bus._address = broker.address("table")
        await reachable(True)
        first = ForceBatch.model_validate_json(await next_on("force"))

    assert (first.first_seq, first.dropped) == (30, 30)


@pytest.mark.parametrize("broker", ["embedded"], indirect=True)
async def test_what_cannot_be_said_does_not_end_the_bus(broker, running, caplog):
    async with running(broker.address("table")) as (bus, reachable):
        await reachable(True)

        bus.publish_event("no event at all")
        await reachable(False)
        await reachable(True)

    assert "trying again" in caplog.text


async def test_publishing_needs_no_running_bus(state, batch, event):
    bus = MqttBus(BrokerAddress("127.0.0.1", 1883), "clinic", "table-1", "0.1.0", None, lambda _: None)

    bus.publish_state(state())
    bus.publish_force(batch(0))
    bus.publish_event(event(1))

    await asyncio.wait_for(bus._events.oldest(), 1)


async def test_a_cancellation_that_publishing_swallows_still_stops_the_sender():
    waiting = asyncio.Event()

    class AcknowledgedWhileCancelled:
        async def publish(self, *_, **__):
            waiting.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                return

    sending = asyncio.create_task(say(AcknowledgedWhileCancelled(), "to", b"", qos=1))
    await waiting.wait()
    sending.cancel()

    with pytest.raises(asyncio.CancelledError):
        await sending
