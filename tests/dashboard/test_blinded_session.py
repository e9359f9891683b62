"""A blinded session on the page: force relative to what was prescribed, in percent, and no newtons."""

import pytest
from playwright.async_api import Page, expect

from controller.messages import PhaseName

pytestmark = [
    pytest.mark.needs("chromium"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # Playwright's own pipes, closed by its driver
]


async def test_a_blinded_session_shows_percent_where_others_show_newtons(page: Page, table) -> None:
    table.changes = {"phase": PhaseName.HOLDING, "blinded": True, "target_mn": 100_000, "ceiling_mn": None}

    table.speak()

    await expect(page.locator("#target-value")).to_have_text("100 %")
    await expect(page.locator("#force-unit")).to_have_text(" %")
