"""On the form, in a real browser: what the patient had before, and writing the same again."""

from dataclasses import replace
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from dashboard.config import DashboardConfig

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.filterwarnings("ignore::ResourceWarning")]


@pytest.fixture
def config(config: DashboardConfig, data_folder: Path) -> DashboardConfig:
    return replace(config, data_folder=data_folder)


async def write_pseudonym(page: Page, pseudonym: str) -> None:
    await page.locator("[name='patient.pseudonym']").fill(pseudonym)


async def test_the_patients_sessions_are_listed_and_open_to_what_was_delivered(page: Page) -> None:
    await write_pseudonym(page, "K7-2F41")
    earlier = page.locator("earlier-sessions")
    await expect(earlier.locator("summary")).to_have_text("1 Jan 2026: static, 300 N")

    await earlier.locator("summary").click()

    await expect(earlier).to_contain_text("never (350 N)")
    await expect(earlier.get_by_role("link", name="Record")).to_have_attribute("href", "/records/S1")


async def test_the_same_pull_is_written_again_for_the_patient_of_today(page: Page) -> None:
    await write_pseudonym(page, "K7-2F41")
    await page.locator("[name='patient.body_mass']").fill("78")
    await page.locator("[name='pull.force']").fill("50")
    await page.locator("earlier-sessions summary").click()

    await page.get_by_role("button", name="Write the same pull").click()

    await expect(page.locator("[name='pull.force']")).to_have_value("300")
    await expect(page.locator("[name='pull.time_at_force']")).to_have_value("10")
    await expect(page.locator("[name='patient.body_mass']")).to_have_value("78")
    await expect(page.locator("#force-shown")).to_contain_text("300 N")


async def test_of_somebody_unknown_it_says_that_there_is_none(page: Page) -> None:
    await write_pseudonym(page, "K7-2F41")
    await expect(page.locator("earlier-sessions summary")).to_have_count(1)

    await write_pseudonym(page, "K7-2F42")

    await expect(page.locator("earlier-sessions")).to_contain_text("None is on record here.")
    await expect(page.locator("earlier-sessions summary")).to_have_count(0)


async def test_without_a_pseudonym_nothing_is_shown(page: Page) -> None:
    await write_pseudonym(page, "K7-2F41")
    await expect(page.locator("earlier-sessions")).to_be_visible()

    await write_pseudonym(page, "")

    await expect(page.locator("earlier-sessions")).to_be_hidden()
