"""The WebSocket as a browser uses it, over a real server and a real connection."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from dashboard.viewer import WAITING_MESSAGES_MAX


async def signed_in(served) -> dict[str, str]:
    async with httpx.AsyncClient() as client:
        await client.get(served.sign_in_address)
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in client.cookies.items())}


def live_address(served, query: str = "") -> str:
    return served.address.replace("http", "ws") + "/ws/table" + query


def open_page(served, cookie: dict[str, str], query: str = "", origin: str | None = None, **more: Any):
    origin = served.address if origin is None else origin
    return connect(live_address(served, query), additional_headers=cookie, origin=origin, **more)


async def next_of(page: ClientConnection, kind: str) -> dict[str, Any]:
    async with asyncio.timeout(10):
        while True:
            message = json.loads(await page.recv())
            if message["kind"] == kind:
                return message


async def test_a_page_sees_each_batch_as_it_comes(served, payloads) -> None:
    async with open_page(served, await signed_in(served)) as page:
        await next_of(page, "hello")
        served.feed.take_batch(payloads.batch(64))

        assert (await next_of(page, "force"))["batch"]["first_seq"] == 64


async def test_a_page_that_comes_back_is_sent_what_it_missed(served, payloads) -> None:
    for first_seq in (0, 32, 64):
        served.feed.take_batch(payloads.batch(first_seq))

    async with open_page(served, await signed_in(served), "?since=31&run=run-1") as page:
        missed = await next_of(page, "missed")

    assert [one["batch"]["first_seq"] for one in missed["batches"]] == [32, 64]


async def test_a_page_can_ask_for_the_clock_that_ages_are_judged_by(served) -> None:
    async with open_page(served, await signed_in(served)) as page:
        await page.send('{"echo": 42}')

        answer = await next_of(page, "clock")

    assert answer["echo"] == 42
    assert answer["sent_ms"] > 0


async def test_messages_are_not_compressed(served) -> None:
    async with open_page(served, await signed_in(served), compression="deflate") as page:
        assert page.protocol.extensions == []


async def test_without_a_session_nothing_is_shown(served) -> None:
    with pytest.raises(InvalidStatus, match="403"):
        async with open_page(served, {}):
            pass


@pytest.mark.parametrize("origin", ["http://evil.example", "null"])
async def test_another_sites_page_is_shown_nothing(served, origin: str) -> None:
    cookie = await signed_in(served)

    with pytest.raises(InvalidStatus, match="403"):
        async with open_page(served, cookie, origin=origin):
            pass


async def test_a_page_that_says_anything_else_is_let_go(served) -> None:
    async with open_page(served, await signed_in(served)) as page:
        await page.send('{"do": "start"}')

        with pytest.raises(ConnectionClosed):
            await next_of(page, "nothing that is ever said")


async def test_a_browser_that_stops_reading_is_let_go_while_another_goes_on(served, payloads) -> None:
    cookie = await signed_in(served)
    async with (
        open_page(served, cookie, max_queue=1, close_timeout=0.1) as stalled,
        open_page(served, cookie) as reading,
    ):
        await next_of(stalled, "hello")
        await next_of(reading, "hello")
        seen = 0

        async with asyncio.timeout(60):
            while served.feed.snapshot()["viewers"] == 2:
                served.feed.take_batch(payloads.batch(2_000 * seen, count=2_000))
                assert (await next_of(reading, "force"))["batch"]["first_seq"] == 2_000 * seen
                seen += 1

        served.feed.take_batch(payloads.batch(2_000 * seen))
        assert (await next_of(reading, "force"))["batch"]["first_seq"] == 2_000 * seen
        assert seen >= WAITING_MESSAGES_MAX
