"""The form offers every mode with its own fields, and draws the whole profile before anything starts."""

import sys
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

pytestmark = [
    pytest.mark.needs("chromium"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # Playwright's own pipes, closed by its driver
]

AXE = Path(sys.prefix) / "axe-core" / "axe.min.js"
SHARED = {"patient.pseudonym": "K7-2F41", "patient.body_mass": "80", "prescribed.by": "Dr Example", "pull.ramp": "20"}
MODES: dict[str, dict[str, str]] = {
    "static": {},
    "intermittent": {"pull.hold": "60", "pull.rest_force": "60", "pull.rest": "20"},
    "cyclic": {"pull.low_force": "100", "pull.period": "120"},
    "progressive": {"pull.start_force": "80", "pull.steps": "3"},
    "regressive": {"pull.end_force": "80", "pull.steps": "3"},
    "logarithmic": {"pull.rise": "60"},
}
ROWS = "document.querySelector('profile-preview').rows"


async def write(page: Page, mode: str) -> None:
    await page.locator("[name='pull.mode']").select_option(mode)
    for name, value in {**SHARED, "pull.force": "200", "pull.time_at_force": "3", **MODES[mode]}.items():
        await page.locator(f"[name='{name}']").fill(value)


@pytest.mark.parametrize("mode", MODES)
async def test_a_mode_shows_its_own_fields_and_its_profile_is_drawn(page: Page, mode: str) -> None:
    await write(page, mode)

    await expect(page.locator("profile-preview canvas")).to_be_visible()
    shown = {name for name in MODES[mode] if await page.locator(f"[name='{name}']").is_visible()}
    others = {name for fields in MODES.values() for name in fields} - set(MODES[mode])
    seconds, newtons = await page.evaluate(ROWS)
    assert shown == set(MODES[mode])
    assert not any([await page.locator(f"[name='{name}']").is_visible() for name in others])
    assert max(newtons) == 200
    assert newtons[0] == 0
    assert seconds == sorted(seconds)
    assert seconds[-1] > 180
    await expect(page.locator("#start-form [aria-invalid='true']")).to_have_count(0)


async def test_the_steps_can_be_read_by_one_who_sees_no_plot(page: Page) -> None:
    await write(page, "intermittent")
    steps = page.locator("profile-preview li")
    await expect(steps).to_have_count(10)

    await page.locator("profile-preview summary").focus()
    await page.keyboard.press("Enter")

    await expect(steps.first).to_be_visible()
    await expect(steps.nth(1)).to_have_text("00:19 Hold 200 N, 01:00 long")
    await expect(page.get_by_role("img", name="Force profile: 3 holds, at most 200 N")).to_be_visible()


@pytest.mark.needs("axe-core")
async def test_nothing_serious_is_found_with_a_long_profile_shown_step_by_step(page: Page) -> None:
    await write(page, "intermittent")
    await page.locator("[name='pull.hold']").fill("10")
    await expect(page.locator("profile-preview li")).to_have_count(70)
    await page.locator("profile-preview summary").click()
    await page.evaluate(AXE.read_text(encoding="utf-8"))

    found = await page.evaluate("axe.run('start-form', { resultTypes: ['violations'] })")

    assert [one["help"] for one in found["violations"] if one["impact"] in ("serious", "critical")] == []


async def test_a_field_of_a_mode_that_breaks_a_rule_says_so_in_three_units(page: Page) -> None:
    await write(page, "intermittent")

    await page.locator("[name='pull.rest_force']").fill("5")

    refusal = page.locator('[data-refusal="pull.rest_force"]')
    await expect(refusal).to_contain_text("20 N (2.0 kgf, 4.5 lbf)")
    await expect(page.locator("[name='pull.rest_force']")).to_have_attribute("aria-invalid", "true")


async def test_what_belongs_to_another_mode_is_not_sent(page: Page, table: Any) -> None:
    await write(page, "progressive")
    await page.locator("[name='pull.mode']").select_option("static")

    async with page.expect_request("**/api/preview") as asked:
        await page.locator("[name='pull.force']").fill("190")

    document = (await asked.value).post_data_json["prescription"]
    assert document["pull"] == {"mode": "static", "force": "190 N", "time_at_force": "3 min", "ramp": "20 N/s"}


async def test_a_number_of_steps_is_sent_as_a_number(page: Page) -> None:
    async with page.expect_request(
        lambda request: request.url.endswith("/api/preview") and "steps" in request.post_data
    ) as asked:
        await write(page, "regressive")

    assert (await asked.value).post_data_json["prescription"]["pull"]["steps"] in (3, 4)


async def test_a_profile_that_cannot_be_told_is_not_drawn(page: Page) -> None:
    await write(page, "static")
    await expect(page.locator("profile-preview canvas")).to_be_visible()

    await page.locator("[name='pull.force']").fill("")

    await expect(page.locator("profile-preview")).to_be_hidden()
