"""A clinician steers from the page: what is offered when, what is sent, and what comes of it."""

import asyncio

import httpx
import pytest
from playwright.async_api import Page, expect

from controller.messages import PhaseName

browser_tests = [pytest.mark.needs("chromium"), pytest.mark.filterwarnings("ignore::ResourceWarning")]
HELD = {"holder": "clinician", "setpoint_mn": 200_000, "target_mn": 200_000, "agreed_mn": 230_000}


def button(page: Page, name: str):
    return page.locator(f'steering-panel [data-do="{name}"]')


async def steering(page: Page, table, **changes) -> None:
    table.changes = HELD | changes
    table.speak()
    await expect(page.locator("steering-panel")).to_be_visible()


@pytest.mark.parametrize(
    ("path", "body", "sent"),
    [
        ("pause", {}, {"do": "pause"}),
        ("go-on", {}, {"do": "go_on"}),
        ("lower", {"to_mn": 100_000}, {"do": "lower", "to_mn": 100_000}),
        (
            "raise",
            {"to_mn": 120_000, "confirmed_mn": 120_000},
            {"do": "raise", "to_mn": 120_000, "confirmed_mn": 120_000},
        ),
        (
            "pain",
            {"score": 3, "when": "during", "leg_symptoms": True},
            {"do": "pain", "score": 3, "leg_symptoms": True},
        ),
        ("take-over", {}, {"do": "take_over"}),
        ("acknowledge-end", {}, {"do": "acknowledge_end"}),
        ("zero", {}, {"do": "zero"}),
    ],
)
async def test_what_a_page_asks_reaches_the_controller_with_its_id_an_actor_and_an_expiry(
    browser: httpx.AsyncClient, controller, path: str, body: dict, sent: dict
) -> None:
    response = await browser.post(f"/api/{path}", json={"id": "press-00001", **body})

    assert response.status_code == 200
    asked = controller.asked[0]
    assert asked["id"] == "press-00001"
    assert asked["actor"] == "clinician"
    assert asked["expires_us"] > 0
    assert sent.items() <= asked.items()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("lower", {}),
        ("lower", {"to_mn": "much"}),
        ("raise", {"to_mn": 120_000}),
        ("pain", {"score": 11, "when": "during"}),
        ("pain", {"score": 3, "when": "later"}),
        ("pause", {"for_s": 3}),
    ],
)
async def test_bad_input_never_reaches_the_controller(browser: httpx.AsyncClient, controller, path, body) -> None:
    response = await browser.post(f"/api/{path}", json=body)

    assert response.status_code == 422
    assert controller.asked == []


async def test_a_refusal_comes_back_with_its_reason(browser: httpx.AsyncClient, controller) -> None:
    controller.reply = {"outcome": "refused", "reason": "doctor holds this session: take it over first."}

    response = await browser.post("/api/pause", json={})

    assert response.status_code == 409
    assert "doctor holds" in response.json()["detail"]


async def test_no_answer_is_unknown(browser: httpx.AsyncClient, controller) -> None:
    controller.silent = True

    response = await browser.post("/api/raise", json={"to_mn": 120_000, "confirmed_mn": 120_000})

    assert response.status_code == 504
    assert response.json()["code"] == "unknown"


class TestOnThePage:
    pytestmark = browser_tests

    async def test_one_press_lowers_by_20_n(self, page: Page, table, controller) -> None:
        await steering(page, table)

        await button(page, "lower").click()
        await expect(page.locator("steering-panel .outcome")).to_contain_text("Done")

        assert (controller.asked[0]["do"], controller.asked[0]["to_mn"]) == ("lower", 180_000)

    async def test_a_raise_takes_two_presses_and_ends_at_what_was_agreed(self, page: Page, table, controller) -> None:
        await steering(page, table, setpoint_mn=220_000)

        await expect(button(page, "raise")).to_have_text("Raise to 230 N")
        await button(page, "raise").click()
        asked_after_one = list(controller.asked)
        await expect(button(page, "confirm")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator("steering-panel .outcome")).to_contain_text("Done")

        assert asked_after_one == []
        assert (controller.asked[0]["to_mn"], controller.asked[0]["confirmed_mn"]) == (230_000, 230_000)

    async def test_a_raise_that_is_not_confirmed_is_not_sent(self, page: Page, table, controller) -> None:
        await steering(page, table)

        await button(page, "raise").click()
        await button(page, "cancel").click()

        await expect(button(page, "confirm")).to_be_hidden()
        await expect(button(page, "raise")).to_be_focused()
        assert controller.asked == []

    @pytest.mark.parametrize(
        ("phase", "changes", "enabled"),
        [
            (PhaseName.HOLDING, {}, {"lower", "raise", "pause"}),
            (PhaseName.HOLDING, {"setpoint_mn": 230_000}, {"lower", "pause"}),
            (PhaseName.HOLDING, {"setpoint_mn": 20_000, "agreed_mn": 20_000}, {"pause"}),
            (PhaseName.RAMPING, {}, {"lower", "pause"}),
            (PhaseName.PAUSED, {"pause_left_s": 280}, {"lower", "go-on"}),
            (PhaseName.HOLDING, {"holder": "doctor"}, {"lower", "raise", "pause", "take-over"}),
            (PhaseName.ENDED, {"session_id": None, "end_unacknowledged": True}, {"acknowledge-end"}),
        ],
    )
    async def test_what_makes_no_sense_now_is_not_offered(self, page: Page, table, phase, changes, enabled) -> None:
        await steering(page, table, phase=phase, **changes)

        offered = await page.locator("steering-panel .line button, steering-panel .actions button").evaluate_all(
            "buttons => buttons.filter((b) => !b.hidden && !b.disabled).map((b) => b.dataset.do)"
        )

        assert set(offered) == enabled

    async def test_pain_is_noted_and_what_it_suggests_is_shown(self, page: Page, table, controller) -> None:
        controller.reply = {
            "outcome": "done",
            "data": {"suggestion": "Pain rose from 2 to 5: think of lowering."},
        }
        await steering(page, table)

        await page.get_by_label("Pain during").select_option("5")
        await page.get_by_label("in a leg").check()
        await page.get_by_role("button", name="Note").click()

        await expect(page.locator("steering-panel .outcome")).to_contain_text("Pain rose from 2 to 5")
        asked = controller.asked[0]
        assert (asked["score"], asked["when"], asked["leg_symptoms"]) == (5, "during", True)

    @pytest.mark.parametrize("size", [(1280, 860), (1024, 768), (768, 1024)])
    async def test_an_alarm_and_stop_stay_in_view_beside_all_that_steers(
        self, page: Page, table, controller, payloads, size: tuple[int, int]
    ) -> None:
        await page.set_viewport_size({"width": size[0], "height": size[1]})
        controller.reply = {"outcome": "refused", "reason": "doctor holds this session: take it over first."}
        alarms = tuple(payloads.alarm(name) for name in ("A26", "A03"))
        await steering(page, table, holder="doctor", alarms=alarms, movement="Breathing, 3 N either way", pulls=3)
        await button(page, "raise").click()

        await button(page, "pause").click()
        await expect(page.locator("steering-panel .outcome")).to_contain_text("take it over first")

        await expect(page.locator(".alarm b").first).to_be_in_viewport(ratio=1)
        await expect(page.locator("#stop")).to_be_in_viewport(ratio=1)
        wider = "(button) => button.scrollWidth > button.clientWidth"
        assert not any([await one.evaluate(wider) for one in await page.locator("steering-panel button").all()])

    async def test_a_tone_sounds_every_30_s_until_the_end_is_acknowledged(self, page: Page, table) -> None:
        await page.evaluate(LISTEN)
        await steering(page, table, phase=PhaseName.ENDED, session_id=None, end_unacknowledged=True)
        await page.locator("#sound-button").click()

        first = await tones(page, 2)
        await page.evaluate("window.aheadMs = 30_500")
        second = await tones(page, 4)
        table.state(**(HELD | {"phase": PhaseName.ENDED, "session_id": None, "end_unacknowledged": False}))
        table.changes = HELD | {"phase": PhaseName.ENDED, "session_id": None, "end_unacknowledged": False}
        await expect(page.locator("steering-panel")).to_be_hidden()
        await page.evaluate("window.aheadMs = 90_000")
        await page.wait_for_timeout(400)
        third = await tones(page, 4)

        assert first == [440, 440]
        assert second == [440] * 4
        assert third == second


async def tones(page: Page, at_least: int) -> list[int]:
    """The pitches that have sounded, once there are so many."""
    async with asyncio.timeout(10):
        while len(sounded := await page.evaluate("window.tones")) < at_least:  # noqa: ASYNC110 - a page sets no event here
            await asyncio.sleep(0.02)
    return sounded


# Notes every tone, and lets the page's clock run ahead.
LISTEN = """() => {
    window.tones = [];
    window.aheadMs = 0;
    const now = performance.now.bind(performance);
    performance.now = () => now() + window.aheadMs;
    const { start } = AudioScheduledSourceNode.prototype;
    AudioScheduledSourceNode.prototype.start = function (at) {
        if (this.frequency.value === 440) window.tones.push(440); // alarms have other pitches
        start.call(this, at);
    };
}"""
