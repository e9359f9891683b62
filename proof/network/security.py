"""Whoever has no business at the table: each is refused within half a second, that is logged, and nothing moves."""

import http.server
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from controller.commands import HUMAN_TICKS
from dashboard.sign_in import SESSION_S_MAX, SignIn
from proof.catalogue import Fault
from proof.network.browser import seen_in_chromium
from proof.network.faults import TOPICS, refused_strangers
from proof.network.mqtt_client import MqttClient
from proof.network.relay import LOOPBACK
from proof.network.shared_stack import stack_in, undisturbed, wait_until_heard
from proof.network.untouched import untouched
from proof.network.viewed_stack import ViewedStack, broker_kinds, prescription_of
from proof.network.watching import Answered, Browser, Headers, watching
from proof.prover import Prover
from proof.verdict import Verdict, at_most, equal, holds
from tractable.broker.accounts import DASHBOARD_USER, TABLE_USER
from tractable.local_stack import SITE, TABLE

if TYPE_CHECKING:  # it is there only where tests are run
    from playwright.sync_api import Page

LISTENED_S: Final = 1.0
FROM_ELSEWHERE_WITHIN_S: Final = 10.0
START: Final[dict[str, Any]] = {"prescription": prescription_of(), "ticks": HUMAN_TICKS}
WRITES: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("/api/start", START),
    ("/api/stop", {}),
    ("/api/acknowledge", {"alarm": "A01"}),
)
ORIGINS: Final = ("http://evil.example", "null", "", f"http://{LOOPBACK}:1", "file://")

# What a page of somebody else tries in a browser that is signed in here: to post a form, to fetch, to listen.
FORM_PAGE: Final = """<!doctype html><form id="f" method="post" enctype="text/plain" action="{origin}/api/start">
<input name='{{"prescription": {{}}, "ticks": [], "x": "' value='"}}'></form>
<script>document.forms[0].submit()</script>"""
LISTEN_PAGE: Final = """<!doctype html><title>waiting</title><script>
const socket = new WebSocket("{address}/ws/table");
socket.onmessage = () => {{ document.title = "heard"; }};
socket.onerror = () => {{ if (document.title === "waiting") document.title = "refused"; }};
</script>"""


def prove_no_cookie(fault: Fault, phase: str, _patient: str, _seed: int) -> Iterator[Verdict]:
    """Start, stop and acknowledge, by somebody who never signed in."""
    with stack_in(phase) as (stack, browser), watching(stack) as watch, _audit(stack) as audit:
        headers = {name: value for name, value in browser.own_headers.items() if name != "Cookie"}
        for path, body in WRITES:
            yield from _refused(fault, f"{path} without a cookie", browser.ask("POST", path, body, headers), 401)
        for path in ("/api/state", "/"):
            yield from _refused(fault, f"{path} without a cookie", browser.ask("GET", path, headers={}), 401)
    yield from audit.tells(401, "/api/start")
    yield from untouched(fault, phase, stack, watch)


def prove_other_origin(fault: Fault, phase: str, _patient: str, _seed: int) -> Iterator[Verdict]:
    """With the cookie of somebody who is signed in, but from a page that is not this dashboard's."""
    with seen_in_chromium(phase) as (stack, browser, page), watching(stack) as watch, _audit(stack) as audit:
        for origin in ORIGINS:
            headers = {**browser.own_headers, "Origin": origin}
            yield from _refused(fault, f"a start from {origin!r}", browser.ask("POST", "/api/start", START, headers))
        altered: dict[str, Headers] = {
            "another site's page": {"Sec-Fetch-Site": "cross-site"},
            "another port's page": {"Sec-Fetch-Site": "same-site"},
            "no token": {"X-CSRF-Token": ""},
            "a token of somebody else": {"X-CSRF-Token": "0" * 64},
        }
        for name, changed in altered.items():
            answer = browser.ask("POST", "/api/start", START, {**browser.own_headers, **changed})
            yield from _refused(fault, f"a start with {name}", answer)
        yield from _form_in_a_browser(browser, page)
    yield from audit.tells(403, "/api/start")
    yield from untouched(fault, phase, stack, watch)


def _form_in_a_browser(browser: Browser, page: "Page") -> Iterator[Verdict]:
    """A real form, posted by a real browser that is signed in at the dashboard."""
    with _served(FORM_PAGE.format(origin=browser.origin)) as address:
        with page.expect_response(lambda answer: answer.url.endswith("/api/start")) as answered:
            page.goto(address)
        yield equal("a form that another page posts in a signed-in browser", answered.value.status, 403)


def prove_other_origin_listens(fault: Fault, phase: str, _patient: str, _seed: int) -> Iterator[Verdict]:
    """A WebSocket with the cookie of somebody who is signed in, opened by a page that is not this dashboard's."""
    with seen_in_chromium(phase) as (stack, browser, page), watching(stack) as watch, _audit(stack) as audit:
        for origin in ORIGINS:
            began = time.monotonic()
            yield equal(f"a WebSocket from {origin!r}", _open_socket(browser, browser.cookie, origin), 403)
            yield at_most("refused within", (time.monotonic() - began) * 1000, fault.alarm_ms, "ms")
        yield equal("a WebSocket without a cookie", _open_socket(browser, "", browser.origin), 403)
        yield equal("this page's own", _open_socket(browser, browser.cookie, browser.origin), 101)
        yield from _socket_in_a_browser(browser, page)
    yield from audit.tells(403, "/ws/table")
    yield from untouched(fault, phase, stack, watch)


def _socket_in_a_browser(browser: Browser, page: "Page") -> Iterator[Verdict]:
    """A real one, opened by a page of somebody else in a real browser that is signed in at the dashboard."""
    with _served(LISTEN_PAGE.format(address=browser.origin.replace("http", "ws"))) as address:
        page.goto(address)
        until = time.monotonic() + FROM_ELSEWHERE_WITHIN_S
        while page.title() == "waiting" and time.monotonic() < until:
            time.sleep(0.05)
        yield equal("one that another page opens in a signed-in browser", page.title(), "refused")


def _open_socket(browser: Browser, cookie: str, origin: str) -> int:
    """The status of the answer: 101 when it is opened."""
    address = f"ws://{LOOPBACK}:{browser.port}/ws/table"
    try:
        with connect(address, additional_headers={"Cookie": cookie}, origin=origin):  # type: ignore[arg-type]
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


def prove_other_cookies(fault: Fault, phase: str, _patient: str, _seed: int) -> Iterator[Verdict]:
    """Cookies that are over, altered, made elsewhere or chosen beforehand."""
    with stack_in(phase) as (stack, browser), watching(stack) as watch, _audit(stack) as audit:
        for name, cookie in _other_cookies(stack, browser):
            headers = {**browser.own_headers, "Cookie": cookie}
            yield from _refused(fault, f"a cookie {name}", browser.ask("POST", "/api/start", START, headers), 401)
        chosen = browser.cookie.split("=")[0] + "=chosen-beforehand"
        given = browser.ask("GET", f"/?key={stack.key}", headers={"Cookie": chosen}).headers["set-cookie"]
        yield holds("who signs in is given a new session", "chosen-beforehand" not in given, given.split("=")[0])
        for attribute in ("HttpOnly", "SameSite=strict"):
            yield holds(f"the cookie is {attribute}", attribute.lower() in given.lower())
        yield equal("the cookie that is right still is", browser.ask("GET", "/api/state").status, 200)
    yield from audit.tells(401, "/api/start")
    yield from untouched(fault, phase, stack, watch)


def _other_cookies(stack: ViewedStack, browser: Browser) -> Iterator[tuple[str, str]]:
    name, _, value = browser.cookie.partition("=")
    place = f"{SITE}/{TABLE}"
    now_s = time.time()
    over = SignIn(stack.key, place, lambda: now_s - SESSION_S_MAX - 1).new_cookie()
    early = SignIn(stack.key, place, lambda: now_s + 3600).new_cookie()
    session, made, signature = value.split(".")
    yield "that is over", f"{name}={over}"
    yield "of the future", f"{name}={early}"
    yield "made with another key", f"{name}={SignIn('x' * 24, place).new_cookie()}"
    yield "whose session was altered", f"{name}={session[::-1]}.{made}.{signature}"
    yield "whose time was altered", f"{name}={session}.{int(made) + 60}.{signature}"
    yield (
        "whose signature was altered",
        f"{name}={session}.{made}.{signature[:-1]}{'0' if signature[-1] != '0' else '1'}",
    )
    yield "without a signature", f"{name}={session}.{made}"
    yield "that is nothing", f"{name}="
    yield "that was chosen beforehand", f"{name}=chosen.{made}."


def prove_uninvited_listeners(fault: Fault, phase: str, _patient: str, _seed: int) -> Iterator[Verdict]:
    """At the broker: without an account, with a guess; and with an account, to everything."""
    for kind in broker_kinds():
        with stack_in(phase) as (stack, browser):
            stack.kill_broker()
            log_from = len(stack.broker_log.read_bytes())
            stack.start_broker(kind)
            wait_until_heard(stack, browser)
            with watching(stack) as watch:
                yield from refused_strangers(stack.broker_port)
                yield from _hears_only_its_own(stack)
            log = stack.broker_log.read_bytes()[log_from:].decode(errors="replace").lower()
            told = "not authorised" in log or "refused to let in" in log
            yield holds(f"the broker's log tells of it ({kind})", told)
            yield from untouched(fault, phase, stack, watch)


def _hears_only_its_own(stack: ViewedStack) -> Iterator[Verdict]:
    """The dashboard's account hears the tables and nothing else; the table's account hears nothing at all."""
    passwords = stack.accounts.passwords
    for user, allowed in ((DASHBOARD_USER, "traction/v1/"), (TABLE_USER, "nothing")):
        with MqttClient(stack.broker_port, user, passwords[user], f"curious-{user}") as client:
            granted = [topics for topics in ("#", "$SYS/#", "+/+/+/+/force", f"{TOPICS}#") if client.subscribe(topics)]
            client.listen(LISTENED_S)
            uninvited = {one.topic for one in client.heard if not one.topic.startswith(allowed)}
        yield holds(f"{user}'s account hears nothing else", not uninvited, ", ".join(sorted(uninvited)) or str(granted))


# What they have in common


def _refused(fault: Fault, what: str, answer: Answered, status: int = 403) -> Iterator[Verdict]:
    yield equal(what, answer.status, status)
    yield at_most(f"{what}: answered within", answer.took_ms, fault.alarm_ms, "ms")


class Audit:
    """What the dashboard logged since."""

    def __init__(self, stack: ViewedStack) -> None:
        self._log = stack.log_folder / "dashboard.log"
        self._from = self._log.stat().st_size
        self._key = stack.key
        self.text = ""

    def end(self) -> None:
        self.text = self._log.read_bytes()[self._from :].decode(errors="replace")

    def tells(self, status: int, path: str) -> Iterator[Verdict]:
        lines = [line for line in self.text.splitlines() if f"({status})" in line and path in line]
        yield holds("the dashboard's log tells of it", bool(lines), f"{len(lines)} lines")
        yield holds("the log does not hold the key", self._key not in self.text)


@contextmanager
def _audit(stack: ViewedStack) -> Iterator[Audit]:
    audit = Audit(stack)
    try:
        yield audit
    finally:
        audit.end()


@contextmanager
def _served(page: str) -> Iterator[str]:
    """That page, at an address that is not the dashboard's."""

    class Elsewhere(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer((LOOPBACK, 0), Elsewhere)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://{LOOPBACK}:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


PROVERS: Final[Mapping[str, Prover]] = {
    "SX01": Prover(undisturbed(prove_no_cookie), alone=True),
    "SX03": Prover(undisturbed(prove_other_origin), alone=True),
    "SX04": Prover(undisturbed(prove_other_origin_listens), alone=True),
    "SX06": Prover(undisturbed(prove_other_cookies), alone=True),
    "SX14": Prover(undisturbed(prove_uninvited_listeners), alone=True),
}
