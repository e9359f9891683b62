"""A prescription that is a file, opened on the page: a trial comes in no other way."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Page, expect

EXAMPLES = Path(__file__).parents[2] / "examples"
BROWSED = [pytest.mark.needs("chromium"), pytest.mark.filterwarnings("ignore::ResourceWarning")]


async def test_a_text_is_read_to_its_tables_in_either_language(browser: httpx.AsyncClient) -> None:
    in_toml = {"name": "chain.toml", "text": (EXAMPLES / "chain.toml").read_text()}
    tables = (await browser.post("/api/prescription-file", json=in_toml)).json()["prescription"]

    again = await browser.post("/api/prescription-file", json={"name": "chain.JSON", "text": json.dumps(tables)})

    assert [pull["mode"] for pull in tables["pull"]["chain"]] == ["progressive", "static"]
    assert again.json()["prescription"] == tables


@pytest.mark.parametrize("text", ["{", "[1]", "x = "])
async def test_a_file_that_is_no_prescription_says_which_and_why(browser: httpx.AsyncClient, text: str) -> None:
    answer = await browser.post("/api/prescription-file", json={"name": "mine.json", "text": text})

    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("mine.json ")


class TestOnThePage:
    pytestmark = BROWSED

    async def test_a_chain_is_shown_with_its_pulls_in_place_of_the_fields(self, page: Page) -> None:
        await page.locator("prescription-file input").set_input_files(EXAMPLES / "chain.toml")

        await expect(page.locator("prescription-file li")).to_have_count(3)
        await expect(page.locator("prescription-file .whose")).to_contain_text("K7-2F41")
        await expect(page.locator("profile-preview canvas")).to_be_visible()
        await expect(page.locator("[name='pull.force']")).to_be_hidden()

    async def test_it_is_started_as_it_was_written(self, page: Page, table: Any, controller: Any) -> None:
        table.changes = {"phase": "idle", "session_id": None}
        table.speak()
        await page.locator("prescription-file input").set_input_files(EXAMPLES / "trial.toml")
        for box in await page.locator("[name='tick']").all():
            await box.check()

        await page.locator("#start-button:enabled").click()

        await expect(page.locator("#start-outcome")).to_contain_text("Started")
        (started,) = (asked for asked in controller.asked if "prescription" in asked)
        assert started["prescription"]["trial"]["arm"] == "sham"

    async def test_what_is_wrong_in_it_is_told_with_its_place(self, page: Page, tmp_path: Path) -> None:
        broken = tmp_path / "broken.toml"
        broken.write_text((EXAMPLES / "chain.toml").read_text().replace('"200 N"', '"900 N"'))

        await page.locator("prescription-file input").set_input_files(broken)

        await expect(page.locator(".preview .refusal")).to_contain_text("900 N")
        await expect(page.locator("#start-button")).to_be_disabled()

    async def test_one_may_go_back_and_write(self, page: Page) -> None:
        await page.locator("prescription-file input").set_input_files(EXAMPLES / "chain.toml")
        await page.get_by_role("button", name="Write one here instead").click()

        await expect(page.locator("[name='pull.force']")).to_be_visible()
        await expect(page.locator("prescription-file .chosen")).to_be_hidden()

    async def test_a_file_that_cannot_be_read_leaves_the_form_and_says_why(self, page: Page, tmp_path: Path) -> None:
        broken = tmp_path / "broken.toml"
        broken.write_text("x = ")

        await page.locator("prescription-file input").set_input_files(broken)

        await expect(page.locator("prescription-file .outcome")).to_contain_text("broken.toml is not TOML")
        await expect(page.locator("[name='pull.force']")).to_be_visible()
