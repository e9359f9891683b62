"""The page held against axe-core's rules: in both colour schemes, at rest and in a session, with alarms that flash."""

import sys
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from controller.messages import PhaseName

pytestmark = [
    pytest.mark.needs("chromium", "axe-core"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # Playwright's own pipes, closed by its driver
]

AXE = Path(sys.prefix) / "axe-core" / "axe.min.js"
TOO_BAD = ("serious", "critical")
ALARMS = ("A10", "A26", "A03")  # one of each priority
# Of a flash that takes 0.5 s or 2 s: before and after its colour changes.
FLASH = (0.0, 0.75)
STAND_STILL_AT = """(share) => {
    for (const flash of document.getAnimations()) {
        flash.pause();
        flash.currentTime = share * flash.effect.getTiming().duration;
    }
}"""


async def findings(page: Page) -> list[str]:
    """What is serious or critical, a line each."""
    await page.evaluate(AXE.read_text(encoding="utf-8"))
    found: dict[str, Any] = await page.evaluate("axe.run({ resultTypes: ['violations'] })")
    return [
        f"{one['id']} ({one['impact']}): {one['help']}: {node['html']} {node['failureSummary']}"
        for one in found["violations"]
        for node in one["nodes"]
        if one["impact"] in TOO_BAD
    ]


@pytest.mark.parametrize("share_of_flash", FLASH)
@pytest.mark.parametrize("phase", [PhaseName.IDLE, PhaseName.HOLDING])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_nothing_serious_is_found_with_alarms_shown(
    page: Page, table, payloads, scheme: Any, phase: PhaseName, share_of_flash: float
) -> None:
    await page.emulate_media(color_scheme=scheme)
    table.changes = {"phase": phase, "alarms": tuple(payloads.alarm(name) for name in ALARMS)}
    table.speak()
    await expect(page.locator(".alarm")).to_have_count(len(ALARMS))
    await page.evaluate(STAND_STILL_AT, share_of_flash)

    found = await findings(page)

    assert found == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_nothing_serious_is_found_without_data_and_with_a_refusal(page: Page, table, scheme: Any) -> None:
    await page.emulate_media(color_scheme=scheme)
    for name, value in {"Patient's pseudonym": "K7-2F41", "Prescribed by": "Dr Example"}.items():
        await page.get_by_label(name).fill(value)
    for name, value in {"Body mass": "80", "Force": "9000", "Time at force": "20"}.items():
        await page.get_by_role("textbox", name=name, exact=True).fill(value)
    await expect(page.locator('[data-refusal="pull.force"]')).not_to_be_empty()
    await page.locator("#stop").click()
    await expect(page.locator("#stop-outcome")).to_contain_text("NOT SENT")
    await expect(page.locator('[data-alarm="A35"]')).to_be_visible()

    found = await findings(page)

    assert found == []


async def test_what_is_found_is_reported(page: Page) -> None:
    await page.evaluate("document.getElementById('stop').removeAttribute('aria-describedby')")
    await page.evaluate("document.getElementById('force').removeAttribute('id')")

    found = await findings(page)

    assert any(finding.startswith("label (critical)") for finding in found)
