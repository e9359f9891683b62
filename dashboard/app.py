"""Puts the dashboard together: the feed, the guard before everything, the pages, and how it is served."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final
from urllib.parse import quote

import uvicorn
from fastapi import FastAPI
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles

from dashboard import api, live, mqtt_feed, pages, problems, records, steering
from dashboard.config import DashboardConfig
from dashboard.control_client import ControlClient
from dashboard.feed import Feed
from dashboard.guard import Guard
from dashboard.sign_in import SignIn

__all__ = ["DashboardConfig", "create_app", "create_server", "sign_in_path"]

STATIC: Final = Path(__file__).parent / "static"
# At this stage there is one operator, who is a clinician; the record names them so.
OPERATOR: Final = "clinician"
MESSAGE_BYTES_MAX: Final = 4_096  # pages only ever ask for the clock
PING_S: Final = 5.0
SHUTDOWN_S: Final = 2


def create_app(config: DashboardConfig) -> FastAPI:
    """The whole dashboard of one table as an ASGI application; its lifespan listens to the broker."""
    feed = Feed()
    sign_in = SignIn(config.access_key, f"{config.site}/{config.table}")
    control = ControlClient(config.control_socket, OPERATOR, config.reply_within_s)
    app = FastAPI(
        title="Tractable dashboard",
        version="1",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan(config, feed),
    )
    app.state.feed = feed
    problems.install(app)
    app.include_router(api.router(feed, control, config.site_limits))
    app.include_router(steering.router(control))
    app.include_router(live.router(feed))
    app.include_router(pages.router(config, OPERATOR))
    app.include_router(records.router(config.data_folder))
    app.add_api_route("/favicon.ico", lambda: FileResponse(STATIC / "favicon.svg"), include_in_schema=False)
    app.mount("/static", StaticFiles(directory=STATIC))
    app.add_middleware(Guard, sign_in=sign_in)
    return app


def _lifespan(config: DashboardConfig, feed: Feed) -> Callable[[FastAPI], contextlib.AbstractAsyncContextManager[None]]:
    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(mqtt_feed.listen(config, feed)), asyncio.create_task(feed.watch())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    return lifespan


def create_server(config: DashboardConfig, host: str, port: int) -> uvicorn.Server:
    """The server for it, with compression of WebSocket messages off: it more than doubles their cost."""
    return uvicorn.Server(
        uvicorn.Config(
            create_app(config),
            host=host,
            port=port,
            ws="websockets-sansio",
            ws_max_size=MESSAGE_BYTES_MAX,
            ws_per_message_deflate=False,
            ws_ping_interval=PING_S,
            ws_ping_timeout=PING_S,
            timeout_graceful_shutdown=SHUTDOWN_S,
            log_level="warning",
            access_log=False,  # addresses may carry the key
            server_header=False,
        )
    )


def sign_in_path(access_key: str) -> str:
    """What follows the host in the address to print."""
    return f"/?key={quote(access_key, safe='')}"
