"""Before a start, on the page: who lies here, as read from the patient, and how far the zero is off."""

import sys
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from controller.messages import PhaseName

pytestmark = [
    pytest.mark.needs("chromium"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # Playwright's own pipes, closed by its driver
]

AXE = Path(sys.prefix) / "axe-core" / "axe.min.js"
WRITTEN = {
    "patient.pseudonym": "K7-2F41",
    "patient.body_mass": "80",
    "pull.force": "100",
    "pull.time_at_force": "3",
    "prescribed.by": "Dr Example",
}
ZERO_IS_GOOD = {
    "outcome": "done",
    "reason": "Zero is good: A +0.12 N, B -0.05 N",
    "data": {"zero_a_mn": 120, "zero_b_mn": -50},
}
ZERO_IS_OFF = {
    "outcome": "refused",
    "reason": "Zero refused: zero is off by more than 5 N (A +6.20 N, B nothing): have the table calibrated.",
    "data": {"zero_a_mn": 6_200, "zero_b_mn": None},
}


@pytest.fixture
async def written(page: Page, table: Any) -> Page:
    """A form that lacks nothing; who lies here was not read off."""
    table.changes = {"phase": PhaseName.IDLE, "session_id": None}
    table.speak()
    for name, value in WRITTEN.items():
        await page.locator(f"[name='{name}']").fill(value)
    for box in await page.locator("[name='tick']").all():
        await box.check()
    await expect(page.locator("#start-button")).to_have_text("Start session")
    return page


def as_read(page: Page) -> Any:
    return page.get_by_label("Pseudonym as read from the patient")


async def test_the_pseudonym_as_read_goes_along_with_the_start_and_is_read_anew_for_the_next(
    written: Page, controller: Any
) -> None:
    await as_read(written).fill("  K7-2F41 ")
    await written.locator("#start-button").click()
    await expect(written.locator("#start-outcome")).to_contain_text("Started")

    assert controller.asked[0]["patient"] == "K7-2F41"
    await expect(as_read(written)).to_have_value("")


async def test_a_start_where_nobody_read_the_patient_off_says_so(written: Page, controller: Any) -> None:
    await written.locator("#start-button").click()
    await expect(written.locator("#start-outcome")).to_contain_text("Started")

    assert controller.asked[0]["patient"] is None


async def test_another_patient_than_the_prescriptions_is_for_the_controller_to_refuse(
    written: Page, controller: Any
) -> None:
    controller.reply = {"outcome": "refused", "reason": "The prescription is for another patient."}

    await as_read(written).fill("K7-9999")
    await expect(written.locator("#start-button")).to_be_enabled()
    await as_read(written).press("Enter")

    await expect(written.locator("#start-outcome")).to_have_text("Refused. The prescription is for another patient.")
    assert controller.asked[0]["patient"] == "K7-9999"
    await expect(as_read(written)).to_have_value("K7-9999")


async def test_what_is_no_pseudonym_is_told_beside_it_and_not_sent(written: Page, controller: Any) -> None:
    await as_read(written).fill("Jo Public")
    await expect(written.locator("#start-button")).to_be_enabled()
    await written.locator("#start-button").click()

    await expect(as_read(written)).to_have_attribute("aria-invalid", "true")
    await expect(as_read(written)).to_have_accessible_description("""\
From the wristband, or as the patient says it; not copied from above. \
Left empty, nobody compared it. \u26a0\ufe0e A pseudonym has letters, digits, dots, dashes and underscores only.""")
    assert controller.asked == []


@pytest.mark.parametrize(
    ("reply", "shown", "sentence"),
    [(ZERO_IS_GOOD, ("+0.12 N", "-0.05 N"), "Zero is good"), (ZERO_IS_OFF, ("+6.20 N", "--"), "have the table calib")],
    ids=["good", "off"],
)
async def test_the_zero_is_looked_at_by_key_and_both_offsets_are_shown_and_announced(
    written: Page, controller: Any, reply: dict[str, Any], shown: tuple[str, str], sentence: str
) -> None:
    controller.reply = reply
    button = written.get_by_role("button", name="Check zero")

    await button.focus()
    await written.keyboard.press("Enter")

    found = written.get_by_role("status").filter(has_text="Channel A")
    await expect(found).to_contain_text(sentence)
    assert tuple(await found.locator("dd").all_text_contents()) == shown
    await expect(button).to_be_focused()
    assert [asked["do"] for asked in controller.asked] == ["zero"]


async def test_a_zero_that_nobody_answers_for_is_unknown_and_shows_no_offset(written: Page, controller: Any) -> None:
    controller.silent = True

    await written.get_by_role("button", name="Check zero").click()

    await expect(written.locator("#zero-outcome")).to_contain_text("UNKNOWN. No reply from the controller")
    await expect(written.locator("zero-check dl")).to_be_hidden()


async def test_a_start_takes_away_what_the_zero_was_before_it(written: Page, controller: Any) -> None:
    controller.reply = ZERO_IS_GOOD
    await written.get_by_role("button", name="Check zero").click()
    await expect(written.locator("zero-check dl")).to_be_visible()

    await as_read(written).fill("K7-2F41")
    await written.locator("#start-button").click()
    await expect(written.locator("#start-outcome")).to_contain_text("Started")

    await expect(written.locator("zero-check dl")).to_be_hidden()
    await expect(written.locator("#zero-outcome")).to_be_empty()


@pytest.mark.needs("axe-core")
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_nothing_serious_is_found_with_a_zero_refused_and_a_pseudonym_that_is_none(
    written: Page, controller: Any, scheme: Any
) -> None:
    await written.emulate_media(color_scheme=scheme)
    controller.reply = ZERO_IS_OFF
    await written.get_by_role("button", name="Check zero").click()
    await expect(written.locator("zero-check dl")).to_be_visible()
    await as_read(written).fill("Jo Public")
    await written.locator("#start-button").click()
    await expect(as_read(written)).to_have_attribute("aria-invalid", "true")
    await written.evaluate(AXE.read_text(encoding="utf-8"))

    found = await written.evaluate("axe.run('start-form', { resultTypes: ['violations'] })")

    assert [one["help"] for one in found["violations"] if one["impact"] in ("serious", "critical")] == []
