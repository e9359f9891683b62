"""What a clinician does: open the page, prescribe, start, watch the force reach its target, press stop."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from controller.commands import HUMAN_TICKS

pytestmark = [
    pytest.mark.needs("chromium"),
    pytest.mark.timeout(180),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # Playwright's own pipes, closed by its driver
]

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
NEAR_TARGET = r"^(99|100|101)\.\d$"


def test_force_reaches_its_target_on_the_page_and_stop_lets_the_cable_go_slack(running: Any) -> None:
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS) as browser,
    ):
        page = browser.new_page(viewport={"width": 1280, "height": 860})
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(running.stack.address)
        expect(page.locator("#simulated-banner")).to_be_visible(timeout=10_000)

        prescribe(page)
        page.locator("#start-button").click()

        expect(page.locator("#phase-now")).to_have_text("Hold", timeout=60_000)
        expect(page.locator("#force-value")).to_have_text(_pattern(NEAR_TARGET), timeout=10_000)
        assert abs(running.truth()["force_mn"] - 100_000) < 3_000
        page.locator("#stop").click()
        took_s = running.wait_until_slack(7.5)
        expect(page.locator("#force-value")).to_have_text(_pattern(r"^[-−]?\d\.\d$"), timeout=10_000)
        running.wait_until(lambda: running.status()[0].phase == "ended", 10)
        assert problems == []
        print(f"slack {took_s:.1f} s after the press of STOP")


def prescribe(page: Page) -> None:
    """Fills in 100 N for a minute, and ticks what a person ticks."""
    page.locator("[name='patient.pseudonym']").fill("SYS-1")
    page.locator("[name='patient.body_mass']").fill("80")
    page.locator("[name='pull.force']").fill("100")
    page.locator("[name='pull.time_at_force']").fill("1")
    page.locator("[name='pull.ramp']").fill("20")
    page.locator("[name='prescribed.by']").fill("tester")
    page.locator("[name='patient_read']").fill("SYS-1")
    for tick in HUMAN_TICKS:
        page.locator(f"input[name='tick'][value='{tick}']").check()


def _pattern(text: str) -> Any:

    return re.compile(text)
