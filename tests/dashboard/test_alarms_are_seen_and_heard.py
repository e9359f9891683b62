"""An alarm's colour, rhythm and sound say its priority; pausing the sound and acknowledging hide no text."""

import asyncio
import colorsys
import re
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.filterwarnings("ignore::ResourceWarning")]

ONE_OF_EACH = {"HIGH": "A10", "MEDIUM": "A26", "LOW": "A03"}
HUES = {"HIGH": (345, 15), "MEDIUM": (35, 60), "LOW": (180, 200)}  # red, yellow, cyan, in degrees
SCHEMES = ("light", "dark")
PAUSED_S = 120
TEN_PULSES = [0, 0.25, 0.5, 0.95, 1.2, 2.2, 2.45, 2.7, 3.15, 3.4]
THREE_PULSES = [0, 0.4, 0.8]

# The colour at two moments of a flash's period, and the period in ms; null where nothing flashes.
RHYTHM = """(element) => {
    const [flash] = element.getAnimations();
    if (!flash) return null;
    const { duration, iterations } = flash.effect.getTiming();
    const colours = [0.25, 0.75].map((share) => {
        flash.currentTime = share * duration;
        return getComputedStyle(element).backgroundColor;
    });
    return { duration, endless: iterations === Infinity, colours };
}"""
# Notes every pulse that is scheduled, and every one that is cut short; and lets this page's clock be put forward.
LISTEN = """() => {
    const { start, stop } = AudioScheduledSourceNode.prototype;
    window.pulses = [];
    AudioScheduledSourceNode.prototype.start = function (at) {
        this.pulse = { at, hertz: this.frequency.value };
        window.pulses.push(this.pulse);
        start.call(this, at);
    };
    AudioScheduledSourceNode.prototype.stop = function (at) {
        this.pulse[at === undefined ? "hushed" : "until"] = at ?? true;
        stop.call(this, at);
    };
    const now = performance.now.bind(performance);
    window.aheadMs = 0;
    performance.now = () => now() + window.aheadMs;
}"""


async def until(page: Page, expression: str) -> None:
    """Playwright's own wait evaluates text inside the page, which the page's policy rightly forbids."""
    async with asyncio.timeout(20):
        while not await page.evaluate(expression):  # noqa: ASYNC110 - a page sets no event here
            await asyncio.sleep(0.01)


async def shown(page: Page, table, *alarms) -> Locator:
    """The first of those alarms, once the page shows them."""
    table.changes = {"alarms": alarms}
    table.speak()
    await expect(page.locator(".alarm")).to_have_count(len(alarms))
    return page.locator(f'[data-alarm="{alarms[0].id}"]')


def hue(colour: str) -> float:
    """In degrees, of what a browser calls rgb(...)."""
    red, green, blue = (float(part) / 255 for part in re.findall(r"[\d.]+", colour)[:3])
    return 360 * colorsys.rgb_to_hsv(red, green, blue)[0]


def is_between(degrees: float, span: tuple[float, float]) -> bool:
    low, high = span
    return low <= degrees <= high if low <= high else degrees >= low or degrees <= high


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("priority", ONE_OF_EACH)
async def test_the_colour_says_the_priority(page: Page, table, payloads, priority: str, scheme: Any) -> None:
    await page.emulate_media(color_scheme=scheme)

    alarm = await shown(page, table, payloads.alarm(ONE_OF_EACH[priority]))

    style = await alarm.evaluate(
        "(element) => [getComputedStyle(element).backgroundColor, getComputedStyle(element).color]"
    )
    assert all(is_between(hue(colour), HUES[priority]) for colour in style), style
    await expect(alarm.locator(".priority")).to_contain_text(priority)


@pytest.mark.parametrize(("priority", "hertz"), [("HIGH", 2.0), ("MEDIUM", 0.5)])
async def test_the_rhythm_says_the_priority(page: Page, table, payloads, priority: str, hertz: float) -> None:
    alarm = await shown(page, table, payloads.alarm(ONE_OF_EACH[priority]))

    rhythm = await alarm.evaluate(RHYTHM)

    assert 1000 / rhythm["duration"] == hertz
    assert rhythm["endless"]
    assert len(set(rhythm["colours"])) == 2
    assert all(is_between(hue(colour), HUES[priority]) for colour in rhythm["colours"])


async def test_low_priority_is_steady(page: Page, table, payloads) -> None:
    alarm = await shown(page, table, payloads.alarm("A03"))

    assert await alarm.evaluate(RHYTHM) is None


async def test_who_wants_no_motion_sees_the_same_text_without_flashing(page: Page, table, payloads) -> None:
    await page.emulate_media(reduced_motion="reduce")

    alarm = await shown(page, table, payloads.alarm("A10"), payloads.alarm("A26"))

    for one in await page.locator(".alarm").all():
        assert await one.evaluate(RHYTHM) is None
    await expect(alarm).to_contain_text("PATIENT PRESSED STOP - RELEASING FAST")
    await expect(alarm.locator(".priority")).to_contain_text("HIGH")


async def sound_on(page: Page) -> None:
    await page.evaluate(LISTEN)
    await page.locator("#sound-button").click()
    await expect(page.locator("#sound-button")).to_have_text("Pause sound 120 s")


async def pulses(page: Page) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await page.evaluate("window.pulses")
    return found


@pytest.mark.parametrize(
    ("alarms", "pattern", "lasts_s"),
    [(("A10",), TEN_PULSES, 0.15), (("A26",), THREE_PULSES, 0.2), (("A26", "A03", "A10"), TEN_PULSES, 0.15)],
)
async def test_the_highest_priority_sounds_with_its_own_pulses(
    page: Page, table, payloads, alarms: tuple[str, ...], pattern: list[float], lasts_s: float
) -> None:
    await shown(page, table, *(payloads.alarm(name) for name in alarms))

    await sound_on(page)
    await until(page, f"window.pulses.length >= {len(pattern)}")

    heard = await pulses(page)
    assert len(heard) == len(pattern)
    assert [round(pulse["at"] - heard[0]["at"], 3) for pulse in heard] == pattern
    assert {round(pulse["until"] - pulse["at"], 3) for pulse in heard} == {lasts_s}
    assert not any(pulse.get("hushed") for pulse in heard)


async def test_the_pulses_come_again_while_the_alarm_holds(page: Page, table, payloads) -> None:
    await shown(page, table, payloads.alarm("A10"))

    await sound_on(page)
    await until(page, f"window.pulses.length >= {2 * len(TEN_PULSES)}")

    heard = await pulses(page)
    again_s = heard[len(TEN_PULSES)]["at"] - heard[0]["at"]
    assert 6.5 < again_s < 8


async def test_low_priority_makes_no_sound(page: Page, table, payloads) -> None:
    await shown(page, table, payloads.alarm("A03"))

    await sound_on(page)
    until_ms = await page.evaluate("performance.now() + 1000")
    await until(page, f"performance.now() > {until_ms}")

    assert await pulses(page) == []


async def test_sound_is_paused_for_120_s_and_the_text_stays(page: Page, table, payloads) -> None:
    alarm = await shown(page, table, payloads.alarm("A10"))
    await sound_on(page)
    await until(page, "window.pulses.length > 0")

    await page.locator("#sound-button").click()
    await expect(page.locator("#sound-button")).to_have_text(re.compile(r"Sound paused, 1(20|19) s"))
    hushed = await pulses(page)
    await page.evaluate(f"window.aheadMs = {(PAUSED_S - 10) * 1000}")
    await expect(page.locator("#sound-button")).to_have_text(re.compile(r"Sound paused, (10|9|8) s"))
    await expect(alarm).to_contain_text("PATIENT PRESSED STOP - RELEASING FAST")
    in_the_pause = await pulses(page)
    await page.evaluate(f"window.aheadMs = {(PAUSED_S + 1) * 1000}")
    await until(page, f"window.pulses.length > {len(hushed)}")

    assert all(pulse["hushed"] for pulse in hushed)
    assert in_the_pause == hushed
    await expect(page.locator("#sound-button")).to_have_text("Pause sound 120 s")


async def test_an_acknowledged_alarm_is_steady_and_silent_and_still_there(page: Page, table, payloads) -> None:
    alarm = await shown(page, table, payloads.alarm("A10"))
    await sound_on(page)
    await until(page, "window.pulses.length > 0")

    table.changes = {"alarms": (payloads.alarm("A10", acknowledged=True),)}
    await expect(alarm.locator(".priority")).to_contain_text("acknowledged")

    await until(page, "window.pulses.every((pulse) => pulse.hushed)")
    assert await alarm.evaluate(RHYTHM) is None
    await expect(alarm).to_contain_text("PATIENT PRESSED STOP - RELEASING FAST")
    await expect(alarm.get_by_role("button")).to_be_hidden()
