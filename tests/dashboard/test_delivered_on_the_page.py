"""On the table's own page, in a real browser: what was delivered, from the end of a session to the next one's start."""

from dataclasses import replace
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from controller.messages import PhaseName
from dashboard.config import DashboardConfig

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.filterwarnings("ignore::ResourceWarning")]
SESSION = "S1"


@pytest.fixture
def config(config: DashboardConfig, data_folder: Path) -> DashboardConfig:
    return replace(config, data_folder=data_folder)


async def test_the_end_of_a_session_shows_what_it_delivered_and_where_its_record_is(page: Page, table) -> None:
    card = page.locator("delivered-card")
    table.state(session_id=SESSION, phase=PhaseName.HOLDING)
    await expect(page.locator("#phase-now")).to_have_text("Hold")
    await expect(card).to_be_hidden()

    table.state(session_id=None, phase=PhaseName.ENDED, end_unacknowledged=True)

    await expect(card).to_contain_text("Above the ceiling")
    await expect(card).to_contain_text("never (350 N)")
    await expect(card.get_by_role("link", name="The record")).to_have_attribute("href", f"/records/{SESSION}")
    await expect(card.get_by_role("link", name="PDF")).to_have_attribute("href", f"/api/sessions/{SESSION}/report.pdf")


async def test_the_next_session_takes_the_last_ones_figures_off_the_page(page: Page, table) -> None:
    card = page.locator("delivered-card")
    table.state(session_id=SESSION, phase=PhaseName.TRIPPED)
    await expect(card).to_contain_text("never (350 N)")

    table.state(session_id="S2", phase=PhaseName.CHECKING_ZERO)

    await expect(card).to_be_hidden()


async def test_a_record_that_cannot_be_read_is_told_in_its_place(page: Page, table, data_folder: Path) -> None:
    year = next((data_folder / "sessions").iterdir())
    (year / "S3.tractable").write_bytes(b"nothing")

    table.state(session_id="S3", phase=PhaseName.ENDED)

    await expect(page.locator("delivered-card")).to_contain_text("tractable session verify S3")
