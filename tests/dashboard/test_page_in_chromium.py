"""The page in a real browser: what it shows, and what it stops showing. Ages are measured by the page's own clock."""

import asyncio
import re
import threading
from collections.abc import Callable
from typing import Any

import pytest
from playwright.async_api import Page, expect

from controller.messages import PhaseName
from dashboard.viewer import WAITING_MESSAGES_MAX

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.filterwarnings("ignore::ResourceWarning")]

# Notes when the shown value changes its age, and when the newest sample arrived.
WATCH_AGES = """() => {
    const value = document.getElementById("force-value");
    window.ages = {};
    new MutationObserver(() => { window.ages[value.dataset.age] ??= [performance.now(), value.textContent]; })
        .observe(value, { attributes: true, attributeFilter: ["data-age"], childList: true });
    window.lastLive = performance.now();
}"""


async def until_true(page: Page, expression: str) -> None:
    """Playwright's own wait evaluates text inside the page, which the page's policy rightly forbids."""
    async with asyncio.timeout(15):
        while not await page.evaluate(expression):  # noqa: ASYNC110 - a page sets no event here
            await asyncio.sleep(0.01)


async def live(page: Page) -> None:
    await expect(page.locator("#force-value")).to_have_text("300.0")


async def test_a_value_greys_after_one_second_and_is_gone_after_two(page: Page, table) -> None:
    table.speak()
    await live(page)
    await table.fall_silent()
    table.batch()
    await page.evaluate(WATCH_AGES)

    await until_true(page, "window.ages.none !== undefined")
    ages = await page.evaluate("window.ages")
    last = await page.evaluate("window.lastLive")

    grey_ms, grey_text = ages["stale"][0] - last, ages["stale"][1]
    gone_ms, gone_text = ages["none"][0] - last, ages["none"][1]
    assert 600 <= grey_ms <= 1_250
    assert grey_text == "300.0"
    assert 900 <= gone_ms - grey_ms <= 1_250
    assert gone_text == "--"
    await expect(page.locator('#alarms [data-alarm="A35"]')).to_contain_text("NO LIVE DATA")
    await expect(page.locator("#live-chip")).to_have_text("No live data")


async def test_a_tab_that_was_frozen_does_not_show_the_old_value_as_live(page: Page, table) -> None:
    table.speak()
    await live(page)
    devtools = await page.context.new_cdp_session(page)

    await devtools.send("Page.setWebLifecycleState", {"state": "frozen"})
    await table.fall_silent()
    table.served.feed.tick()
    await asyncio.to_thread(_outlast, 2.1)
    await devtools.send("Page.setWebLifecycleState", {"state": "active"})

    await expect(page.locator("#force-value")).to_have_text("--", timeout=1_000)


def _outlast(seconds: float) -> None:
    """Lets real time pass, which is the thing under test."""
    threading.Event().wait(seconds)


async def test_lost_samples_are_drawn_as_a_gap(page: Page, table) -> None:
    table.batch()
    table.skip(10)
    table.batch()

    await until_true(page, "document.querySelector('force-chart').rows[0].length > 2")
    seconds, force, *_ = await page.evaluate("document.querySelector('force-chart').rows")

    gaps = [i for i, newtons in enumerate(force) if newtons is None]
    assert len(gaps) == 1
    (gap,) = gaps
    assert seconds[gap - 1] < 0.1 < seconds[gap] < 1.1 <= seconds[gap + 1] + 1e-9
    assert force[gap - 1] == force[gap + 1] == 300


async def test_a_force_that_could_not_be_read_is_no_number(page: Page, table) -> None:
    table.batch(force_mn=[300_000] * 16 + [None] * 16)

    await expect(page.locator("#live-chip")).to_contain_text("Live")
    await expect(page.locator("#force-value")).to_have_text("--")


async def test_a_slack_cable_reads_zero_without_a_minus(page: Page, table) -> None:
    table.batch(force_mn=[-20] * 32)

    await expect(page.locator("#force-value")).to_have_text("0.0")


async def test_a_page_that_lost_its_connection_asks_for_what_it_missed(page: Page, table) -> None:
    sockets: list[str] = []
    page.on("websocket", lambda opened: sockets.append(opened.url))
    table.batch()
    await until_true(page, "document.querySelector('force-chart').rows[0].length > 0")

    for _ in range(WAITING_MESSAGES_MAX + 5):  # more at once than any page is waited for
        table.batch()

    await until_true(page, "document.querySelector('force-chart').rows[0].at(-1) > 6.8")
    _, force, *_ = await page.evaluate("document.querySelector('force-chart').rows")
    assert None not in force
    assert re.search(r"since=\d+&run=run-1$", sockets[-1])


async def test_a_table_no_longer_heard_in_a_session_does_not_offer_a_start(page: Page, table) -> None:
    table.state(phase=PhaseName.HOLDING)
    await expect(page.locator("#phase-now")).to_have_text("Hold")

    await expect(page.locator("#phase-now")).to_have_text("Unknown")

    await expect(page.locator("#target-value")).to_have_text("--")
    await expect(page.locator("#start-button")).to_be_hidden()


async def test_a_simulated_table_says_so_where_it_cannot_be_missed(page: Page, table) -> None:
    table.speak()

    await expect(page.locator("#simulated-banner")).to_be_in_viewport()
    await expect(page.locator("#simulated-banner")).to_contain_text("SIMULATED")


async def test_escape_stops_and_the_page_says_that_it_is_done(page: Page, table, controller) -> None:
    table.speak()
    await live(page)

    await page.keyboard.press("Escape")

    await expect(page.locator("#stop-outcome")).to_contain_text("Stop done")
    assert controller.asked[0]["do"] == "stop"


async def test_a_stop_without_an_answer_is_shown_as_unknown(page: Page, table, controller) -> None:
    controller.silent = True

    await page.locator("#stop").click()

    await expect(page.locator("#stop-outcome")).to_contain_text("UNKNOWN")
    await expect(page.locator("#stop-outcome")).to_contain_text("Look at the table")


@pytest.mark.parametrize("size", [(1280, 860), (1024, 768), (390, 844)])
async def test_stop_is_in_view_whatever_holds_and_however_far_one_scrolled(
    page: Page, table, payloads, size: tuple[int, int]
) -> None:
    await page.set_viewport_size({"width": size[0], "height": size[1]})
    held = [payloads.alarm(name) for name in ("A10", "A01", "A26", "A37", "A03")]
    table.changes = {"phase": PhaseName.IDLE, "alarms": tuple(held)}
    table.speak()
    await expect(page.locator('[data-alarm="A10"]')).to_be_visible()

    await page.locator("#events").scroll_into_view_if_needed()

    await expect(page.locator("#stop")).to_be_in_viewport(ratio=1)
    assert await page.evaluate("document.documentElement.scrollWidth") <= size[0]


async def test_the_first_cause_is_on_top_and_is_acknowledged_by_name(page: Page, table, payloads, controller) -> None:
    table.changes = {"alarms": (payloads.alarm("A01"), payloads.alarm("A26", root=True))}
    table.speak()

    await expect(page.locator(".alarm").first).to_contain_text("first cause")
    await expect(page.locator(".alarm").first).to_contain_text("A26")
    await page.get_by_role("button", name="Acknowledge A26").click()

    await asked(controller, lambda command: command["alarm"] == "A26")


async def asked(controller: Any, wanted: Callable[[dict[str, Any]], bool]) -> None:
    async with asyncio.timeout(10):
        while not any(wanted(command) for command in controller.asked):  # noqa: ASYNC110 - it sets no event
            await asyncio.sleep(0.01)


async def test_a_session_is_started_with_ticks_and_the_force_typed_twice(page: Page, table, controller) -> None:
    table.changes = {"phase": PhaseName.IDLE, "session_id": None}
    table.speak()
    await page.get_by_label("Patient's pseudonym").fill("K7-2F41")
    await page.get_by_label("Body mass", exact=True).fill("80")
    await page.get_by_role("textbox", name="Force", exact=True).fill("400")
    await page.get_by_label("Time at force", exact=True).fill("20")
    await page.get_by_label("Prescribed by").fill("Dr Example")
    await expect(page.locator('[data-refusal="pull.force"]')).to_contain_text("more than half of the body weight")
    await expect(page.locator("#start-button")).to_be_disabled()

    await page.get_by_role("textbox", name="Force", exact=True).fill("300")
    await page.get_by_label("Pseudonym as read from the patient").fill("K7-2F41")
    for box in await page.get_by_role("checkbox").all():
        await box.check()
    await page.get_by_label("Type it again").fill("300")
    await page.locator("#start-button").click()

    await expect(page.locator("#start-outcome")).to_contain_text("Started")
    command = controller.asked[0]
    assert command["prescription"]["pull"]["force"] == "300 N"
    assert command["confirmed_mn"] == 300_000
    assert command["patient"] == "K7-2F41"
    assert len(command["ticks"]) == 3
