"""On the form, in a real browser: pulls one after another, and presets to begin with."""

import sys
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from controller.messages import PhaseName

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.filterwarnings("ignore::ResourceWarning")]

AXE = Path(sys.prefix) / "axe-core" / "axe.min.js"
WRITTEN = {
    "patient.pseudonym": "K7-2F41",
    "patient.body_mass": "80",
    "prescribed.by": "Dr Example",
    "pull.force": "150",
    "pull.time_at_force": "3",
    "pull.ramp": "20",
}


async def fill(page: Page, **fields: str) -> None:
    for name, value in fields.items():
        await page.locator(f"[name='{name}']").fill(value)


async def two_pulls(page: Page) -> None:
    await fill(page, **WRITTEN)
    await page.get_by_role("button", name="Add another pull").click()
    await page.locator("[name='pull.mode']").select_option("cyclic")
    await fill(page, **{"pull.force": "180", "pull.low_force": "100", "pull.period": "60"})


async def preview_asked(page: Page, by: Any) -> dict[str, Any]:
    """The prescription of the preview that is asked for once this is done."""
    async with page.expect_request("**/api/preview") as asked:
        await by
    prescription: dict[str, Any] = (await asked.value).post_data_json["prescription"]
    return prescription


async def test_a_second_pull_makes_a_chain_in_the_order_of_the_list(page: Page) -> None:
    await two_pulls(page)
    written = await preview_asked(page, fill(page, **{"between.base_force": "40", "between.base_time": "20"}))

    ramp = {"ramp": "20 N/s", "time_at_force": "3 min"}
    assert written["pull"] == {
        "base_force": "40 N",
        "base_time": "20 s",
        "chain": [
            {"mode": "static", "force": "150 N", **ramp},
            {"mode": "cyclic", "force": "180 N", "low_force": "100 N", "period": "60 s", **ramp},
        ],
    }
    items = page.locator("pull-list li")
    await expect(items.nth(0)).to_contain_text("Static, 150 N, 3 min")
    await expect(items.nth(1)).to_contain_text("Cyclic, 180 N, 3 min in the fields above")


async def test_any_pull_is_taken_into_the_fields_again_and_changed(page: Page) -> None:
    await two_pulls(page)
    await page.get_by_role("button", name="Change pull 1").click()
    await expect(page.locator("[name='pull.force']")).to_have_value("150")
    await expect(page.locator("[name='pull.low_force']")).to_be_hidden()
    await expect(page.locator("[name='pull.mode']")).to_be_focused()

    written = await preview_asked(page, fill(page, **{"pull.force": "140"}))

    assert [pull["force"] for pull in written["pull"]["chain"]] == ["140 N", "180 N"]


@pytest.mark.parametrize(("removed", "left"), [(1, "180"), (2, "150")])
async def test_what_is_left_when_a_pull_is_removed_is_one_pull(page: Page, removed: int, left: str) -> None:
    await two_pulls(page)

    await page.get_by_role("button", name=f"Remove pull {removed}").click()

    await expect(page.locator("[name='pull.force']")).to_have_value(left)
    await expect(page.locator("pull-list li")).to_have_count(1)
    await expect(page.locator("pull-list ol")).to_be_hidden()
    await expect(page.locator("[name='between.base_force']")).to_be_hidden()
    written = await preview_asked(page, fill(page, **{"pull.time_at_force": "4"}))
    assert written["pull"]["force"] == f"{left} N"


async def test_a_pull_that_is_not_in_the_fields_says_in_the_list_what_is_wrong_with_it(page: Page) -> None:
    await two_pulls(page)
    await fill(page, **{"pull.force": "900"})
    await expect(page.locator("[data-refusal='pull.force']")).to_contain_text("900 N")

    await page.get_by_role("button", name="Change pull 1").click()

    await expect(page.locator("[data-refusal='pulls']")).to_contain_text("Pull 2, force: 900 N")
    await expect(page.locator("[data-refusal='pull.force']")).to_be_empty()
    await expect(page.locator("#start-button")).to_be_disabled()


async def test_a_base_force_that_breaks_a_rule_says_so_at_its_field(page: Page) -> None:
    await two_pulls(page)

    await fill(page, **{"between.base_force": "5", "between.base_time": "20"})

    await expect(page.locator("[data-refusal='between.base_force']")).to_contain_text("5 N (0.5 kgf, 1.1 lbf)")


async def test_the_highest_pull_is_confirmed_in_the_unit_in_which_it_was_written(page: Page, table, controller) -> None:
    table.changes = {"phase": PhaseName.IDLE, "session_id": None}
    table.speak()
    await two_pulls(page)
    await page.locator("[name='pull.force.unit']").select_option("% body weight")
    await fill(page, **{"pull.force": "35"})
    for box in await page.locator("[name='tick']").all():
        await box.check()
    await expect(page.locator("#confirm-unit")).to_have_text("% body weight")
    await page.locator("[name='confirm']").fill("35")

    await page.locator("#start-button:enabled").click()

    await expect(page.locator("#start-outcome")).to_contain_text("Started")
    (started,) = (asked for asked in controller.asked if "prescription" in asked)
    assert started["confirmed_mn"] == 274_586
    assert len(started["prescription"]["pull"]["chain"]) == 2


@pytest.mark.needs("axe-core")
async def test_nothing_serious_is_found_with_several_pulls(page: Page) -> None:
    await two_pulls(page)
    await page.evaluate(AXE.read_text(encoding="utf-8"))

    found = await page.evaluate("axe.run('start-form', { resultTypes: ['violations'] })")

    assert [one["help"] for one in found["violations"] if one["impact"] in ("serious", "critical")] == []


async def test_a_preset_fills_in_the_low_end_and_names_its_source(page: Page) -> None:
    await fill(page, **WRITTEN)

    await page.locator("preset-choice select").select_option(index=2)

    await expect(page.locator("preset-choice [role='status']")).to_contain_text("Fritz et al., Spine 2007")
    await expect(page.locator("[name='pull.force']")).to_have_value("40")
    await expect(page.locator("[name='pull.force.unit']")).to_have_value("% body weight")
    await expect(page.locator("[name='pull.time_at_force']")).to_have_value("12")
    await expect(page.locator("#share-shown")).to_have_text("40.0 %")
