"""What a page shows in a real browser when its data is old: never as if it were now. Chromium, without a window."""

import json
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from proof.catalogue import Fault
from proof.network.faults import TOPICS
from proof.network.mqtt_client import MqttClient
from proof.network.shared_stack import stack_in, undisturbed, wait_until_heard
from proof.network.untouched import untouched
from proof.network.viewed_stack import ViewedStack
from proof.network.watching import Browser, watching
from proof.prover import Prover
from proof.verdict import Verdict, at_most, equal, holds
from safety.alarms import CATALOGUE, AlarmId
from tractable.broker.accounts import TABLE_USER

if TYPE_CHECKING:  # it is there only where tests are run
    from playwright.sync_api import Page

CHROMIUM: Final = "/usr/bin/chromium"
ARGUMENTS: Final = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
STALE_N: Final = 200
FROZEN_MS: Final = 2_500
LIVE_WITHIN_MS: Final = 15_000
SEEN_WITHIN_MS: Final = 10_000
GREY_MS, GONE_MS = 1_000, 2_000  # after the newest sample was taken
# From one look of the page at itself to the next, and the batch in which a sample may have waited.
PAGE_LATE_MS: Final = 250
STALE_SAMPLES: Final = 1_600  # so old is what the table said five seconds ago
SAMPLE_US: Final = 3_125

# Notes in the page, by its own clock, when the shown value changes how old it looks, all values, and when A35 came.
WATCH: Final = """() => {
    const value = document.getElementById("force-value");
    const seen = (window.seen = { ages: {}, values: [], a35: null, from: performance.now() });
    const look = () => {
        seen.ages[value.dataset.age] ??= performance.now();
        if (seen.values.at(-1) !== value.textContent) seen.values.push(value.textContent);
        if (document.querySelector('[data-alarm="A35"]')) seen.a35 ??= performance.now();
    };
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
    look();
}"""


@contextmanager
def seen_in_chromium(phase: str) -> Iterator[tuple[ViewedStack, Browser, "Page"]]:
    """The shared stack in that phase, and its page in a Chromium that was started while nothing ran.

    A program that starts holds up the kernel's work for serial lines, by 50 ms and more where processors are few: the
    table would pause, or let go.
    """
    from playwright.sync_api import sync_playwright

    with stack_in("IDLE") as (stack, _), sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        try:
            page = chromium.new_context().new_page()
            page.goto(stack.address)
            with stack_in(phase) as (stack, browser):
                page.goto(stack.address)
                yield stack, browser, page
        finally:
            chromium.close()


def prove_stale_retained_value(fault: Fault, phase: str, _patient: str, _seed: int) -> Iterator[Verdict]:
    """A force of 200 N lies retained where the live force is published, and the table itself is not heard any more.

    It is published as the table, once while the page is open and the table is heard, and then found by a dashboard
    that connects anew.
    """
    with seen_in_chromium(phase) as (stack, browser, page), watching(stack) as watch:
        _wait_for(page, "document.getElementById('force-value').dataset.age === 'live'", LIVE_WITHIN_MS)
        run, newest_seq = browser.snapshot()["run"], browser.snapshot()["newest_seq"]
        page.evaluate(WATCH)
        with MqttClient(stack.broker_port, TABLE_USER, stack.accounts.table_password, "stale") as sender:
            for stale in (_stale("of-yesterday", 0), _stale(run, newest_seq - STALE_SAMPLES)):
                sender.publish_and_wait(f"{TOPICS}force", stale, retain=True)
            time.sleep(0.5)
            yield equal("while the table is heard, the run stays the same", browser.snapshot()["run"], run)
            stack.signal_relays(signal.SIGSTOP, "table")
            try:
                _wait_for(page, "window.seen.a35 !== null", SEEN_WITHIN_MS)
                stack.stop_relay("dashboard")
                stack.start_relay("dashboard", None)
                stack.wait_until("the dashboard", lambda: bool(browser.snapshot()["broker_connected"]), 10)
                before = page.evaluate("window.seen")
                page.goto(stack.address)
                page.evaluate(WATCH)
                _wait_for(page, "window.seen.a35 !== null", SEEN_WITHIN_MS)
                opened = page.evaluate("window.seen")
                told = page.locator('[data-alarm="A35"]').inner_text()
            finally:
                stack.signal_relays(signal.SIGCONT, "table")
                sender.publish_and_wait(f"{TOPICS}force", b"", retain=True)
        wait_until_heard(stack, browser)
    shown = {value for value in before["values"] + opened["values"] if value.startswith(str(STALE_N))}
    yield equal("the stale value is shown", ", ".join(shown) or "never", "never")
    yield holds("it is not shown as live", "live" not in opened["ages"], ", ".join(opened["ages"]))
    yield at_most("alarm", opened["a35"], fault.alarm_ms, "ms")
    yield from _told_as_in_the_catalogue(fault, told)
    yield from untouched(fault, phase, stack, watch)


def _stale(run: str, first_seq: int) -> bytes:
    """A tenth of a second of 200 N, as a table sends it."""
    count = 32
    force: list[Any] = [STALE_N * 1000] * count
    batch = {
        "run": run,
        "session_id": None,
        "first_seq": first_seq,
        "t_us": [(first_seq + i) * SAMPLE_US for i in range(count)],
    }
    batch |= {"force_mn": force, "target_mn": force, "cable_um": [0] * count, "age_us": 0, "dropped": 0}
    return json.dumps(batch).encode()


def prove_frozen_tab(fault: Fault, phase: str, _patient: str, _seed: int) -> Iterator[Verdict]:
    """The tab is frozen, and the table is no longer heard; then it thaws. And a tab that is awake, for comparison."""
    with seen_in_chromium(phase) as (stack, browser, page), watching(stack) as watch:
        _wait_for(page, "document.getElementById('force-value').dataset.age === 'live'", LIVE_WITHIN_MS)
        page.evaluate(WATCH)
        cut_off = page.evaluate("performance.now()")
        stack.signal_relays(signal.SIGSTOP, "table")
        try:
            _wait_for(page, "window.seen.a35 !== null", SEEN_WITHIN_MS)
            awake = page.evaluate("window.seen")
        finally:
            stack.signal_relays(signal.SIGCONT, "table")
        wait_until_heard(stack, browser)
        _wait_for(page, "document.getElementById('force-value').dataset.age === 'live'", LIVE_WITHIN_MS)
        yield at_most("awake: the value greys after", awake["ages"]["stale"] - cut_off, GREY_MS + PAGE_LATE_MS, "ms")
        yield at_most("awake: the value is gone after", awake["ages"]["none"] - cut_off, GONE_MS + PAGE_LATE_MS, "ms")

        page.evaluate("window.seen = null")
        devtools = page.context.new_cdp_session(page)
        devtools.send("Page.setWebLifecycleState", {"state": "frozen"})
        stack.signal_relays(signal.SIGSTOP, "table")
        try:
            time.sleep(FROZEN_MS / 1000)
            devtools.send("Page.setWebLifecycleState", {"state": "active"})
            page.evaluate(WATCH)
            _wait_for(page, "window.seen.a35 !== null", SEEN_WITHIN_MS)
            thawed = page.evaluate("window.seen")
            told = page.locator('[data-alarm="A35"]').inner_text()
        finally:
            stack.signal_relays(signal.SIGCONT, "table")
        wait_until_heard(stack, browser)
    live_ms = _lasted_ms(thawed, "live")
    yield at_most("thawed: an old value looks live for", live_ms, PAGE_LATE_MS, "ms")
    yield at_most("thawed: the value is gone after", thawed["ages"]["none"] - thawed["from"], GONE_MS - GREY_MS, "ms")
    yield at_most("alarm", thawed["a35"] - thawed["from"], fault.alarm_ms, "ms")
    yield from _told_as_in_the_catalogue(fault, told)
    yield from untouched(fault, phase, stack, watch)


def _lasted_ms(seen: dict[str, Any], age: str) -> float:
    """How long the page showed that age, until it showed another one."""
    ages: dict[str, float] = seen["ages"]
    if age not in ages:
        return 0.0
    return min((at_ms for at_ms in ages.values() if at_ms > ages[age]), default=float("inf")) - ages[age]


def _told_as_in_the_catalogue(fault: Fault, told: str) -> Iterator[Verdict]:
    alarm = CATALOGUE[AlarmId(str(fault.alarm))]
    yield holds(f"{fault.alarm} is raised", alarm.shown in told, told.replace("\n", " "))
    yield equal("priority", alarm.priority.value, fault.priority)


def _wait_for(page: "Page", condition: str, within_ms: int) -> None:
    """The page's own policy forbids what Playwright would wait with."""
    until = time.monotonic() + within_ms / 1000
    while not page.evaluate(condition):
        if time.monotonic() > until:
            raise TimeoutError(f"not within {within_ms} ms: {condition}")
        time.sleep(0.02)


PROVERS: Final[Mapping[str, Prover]] = {
    "NB08": Prover(undisturbed(prove_stale_retained_value), alone=True),
    "HU21": Prover(undisturbed(prove_frozen_tab), alone=True, sole=True),
}
