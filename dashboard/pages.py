"""The pages. All that a page knows when it opens is in its HTML; all that changes comes over the WebSocket."""

from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates

from controller.commands import HUMAN_TICK_TEXTS, HUMAN_TICKS
from controller.presets import PRESETS, pull_of
from dashboard.config import DashboardConfig
from safety.alarms import CATALOGUE, AlarmId

TEMPLATES: Final = Jinja2Templates(directory=Path(__file__).parent / "templates")
NO_LIVE_DATA: Final = CATALOGUE[AlarmId.A35]


def router(config: DashboardConfig, operator: str) -> APIRouter:
    pages = APIRouter(include_in_schema=False)

    @pages.get("/", response_class=HTMLResponse)
    async def table(request: Request) -> HTMLResponse:
        return TEMPLATES.TemplateResponse(
            request,
            "table.html",
            {
                "site": config.site,
                "table": config.table,
                "operator": operator.capitalize(),
                "actor": operator,
                "csrf_token": request.state.session.csrf_token,
                "ticks": [(tick, HUMAN_TICK_TEXTS[tick]) for tick in HUMAN_TICKS],
                "presets": [(preset, pull_of(preset)) for preset in PRESETS],
                "no_live_data": NO_LIVE_DATA,
            },
        )

    return pages
