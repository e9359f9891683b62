"""The WebSocket of an open page: first what is known and what was missed, then everything as it comes."""

import asyncio

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dashboard.feed import Feed, TooManyViewers
from dashboard.viewer import Viewer

TRY_AGAIN_LATER = 1013
QUESTION_CHARACTERS_MAX = 200


class ClockAsked(BaseModel):
    """The only thing that a page says: what does your clock show? `echo` comes back with the answer."""

    model_config = ConfigDict(extra="forbid", strict=True)

    echo: int = Field(ge=0, le=2**53 - 1)


def router(feed: Feed) -> APIRouter:
    live = APIRouter()

    @live.websocket("/ws/table")
    async def table(socket: WebSocket, since: int | None = None, run: str | None = None) -> None:
        await socket.accept()
        try:
            viewer = feed.attach(since, run)
        except TooManyViewers:
            await socket.close(TRY_AGAIN_LATER, "Too many pages are open; close one.")
            return
        try:
            await _first_to_end(_write(socket, viewer), _read(socket, feed, viewer), viewer.stalled.wait())
        finally:
            feed.detach(viewer)
        if viewer.stalled.is_set():
            await socket.close(TRY_AGAIN_LATER, "This page fell behind; connect again.")

    return live


async def _write(socket: WebSocket, viewer: Viewer) -> None:
    for message in viewer.greeting:
        await socket.send_text(message)
    viewer.greeting = []  # it may be megabytes, and is no longer needed
    while True:
        await socket.send_text(await viewer.next_message())


async def _read(socket: WebSocket, feed: Feed, viewer: Viewer) -> None:
    while True:
        text = await socket.receive_text()
        try:
            asked = ClockAsked.model_validate_json(text[:QUESTION_CHARACTERS_MAX])
        except ValidationError:
            return
        viewer.offer(feed.clock_message(asked.echo))


async def _first_to_end(*works: object) -> None:
    """Runs all until one ends; then the others are cancelled. A page that goes away is no error."""
    tasks = [asyncio.ensure_future(work) for work in works]  # type: ignore[call-overload]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    for outcome in ended:
        if isinstance(outcome, Exception) and not isinstance(outcome, WebSocketDisconnect | RuntimeError | OSError):
            raise outcome
