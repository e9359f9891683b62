"""Looks at a running stack from all sides while something is done to it: the patient, the controller, the viewers."""

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final, Self

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from proof.network.relay import LOOPBACK
from proof.network.viewed_stack import StackFailed, ViewedStack

LOOK_EVERY_S: Final = 0.02
ASK_EVERY_S: Final = 0.05
ANSWER_WITHIN_S: Final = 3.0
Headers = dict[str, str]


@dataclass(frozen=True, slots=True)
class Answered:
    """What the dashboard answered, and how long that took."""

    status: int
    body: str
    took_ms: float
    headers: Headers


@dataclass(slots=True)
class Browser:
    """Asks the dashboard as a browser does that was let in, or as a stranger: `cookie` and `token` as one likes."""

    port: int
    cookie: str = ""
    token: str = ""

    @classmethod
    def signed_in(cls, port: int, key: str) -> Self:
        """Raises StackFailed where the key opens nothing: another's dashboard, on a port that was free a moment ago."""
        answer = cls(port).ask("GET", f"/?key={key}")
        if "set-cookie" not in answer.headers:
            raise StackFailed(f"the dashboard let nobody in: {answer.status} {answer.body[:200]}")
        cookie = answer.headers["set-cookie"].split(";")[0]
        page = cls(port, cookie).ask("GET", "/").body
        return cls(port, cookie, page.split('name="csrf-token" content="')[1].split('"')[0])

    @property
    def origin(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def own_headers(self) -> Headers:
        """What the page's own scripts send with what they ask."""
        sent = {"Origin": self.origin, "Sec-Fetch-Site": "same-origin", "Content-Type": "application/json"}
        return {**sent, "X-CSRF-Token": self.token, "Cookie": self.cookie}

    def ask(self, method: str, path: str, body: object = None, headers: Headers | None = None) -> Answered:
        """Raises OSError where nobody answers."""
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=ANSWER_WITHIN_S)
        sent = {"Cookie": self.cookie} if headers is None else headers
        began = time.monotonic()
        try:
            connection.request(method, path, None if body is None else json.dumps(body), sent)
            response = connection.getresponse()
            text = response.read().decode()
        finally:
            connection.close()
        took_ms = (time.monotonic() - began) * 1000
        return Answered(response.status, text, took_ms, {n.lower(): v for n, v in response.getheaders()})

    def snapshot(self) -> dict[str, Any]:
        """What the dashboard knows now."""
        known: dict[str, Any] = json.loads(self.ask("GET", "/api/state").body)
        return known


@dataclass(frozen=True, slots=True)
class Look:
    at_s: float
    phase: str
    alarms: frozenset[str]
    ceiling_n: float


@dataclass(slots=True)
class Watch:
    """What was seen, with the monotonic time in s. `t_us` is the table's own clock at the begin and at the end."""

    began_s: float = field(default_factory=time.monotonic)
    forces_n: list[tuple[float, float]] = field(default_factory=list)
    t_us: list[int] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    views: list[tuple[float, frozenset[str]]] = field(default_factory=list)
    session_id: str | None = None
    fault_s: float = 0.0

    def fault_now(self) -> None:
        self.fault_s = time.monotonic()

    def told_ms(self, alarm: str) -> float | None:
        """After the fault, until the controller told it."""
        return next((_ms(self.fault_s, look.at_s) for look in self._since() if alarm in look.alarms), None)

    def shown_ms(self, alarm: str) -> float | None:
        """After the fault, until the dashboard showed it by itself."""
        seen = (at_s for at_s, alarms in self.views if at_s >= self.fault_s and alarm in alarms)
        return next((_ms(self.fault_s, at_s) for at_s in seen), None)

    @property
    def alarms_told(self) -> frozenset[str]:
        return frozenset().union(*(look.alarms for look in self._since()))

    @property
    def phases(self) -> list[str]:
        """In their order, each once."""
        return list(dict.fromkeys(look.phase for look in self.looks))

    @property
    def ceiling_n(self) -> float:
        return max(look.ceiling_n for look in self.looks)

    def _since(self) -> list[Look]:
        return [look for look in self.looks if look.at_s >= self.fault_s]


def _ms(from_s: float, to_s: float) -> float:
    return (to_s - from_s) * 1000


@contextmanager
def watching(stack: ViewedStack, browser: Browser | None = None) -> Iterator[Watch]:
    """Watches until the block ends. Without a browser, the dashboard is not asked."""
    watch, over = Watch(), threading.Event()
    works = [lambda: _look(stack, watch), *([lambda: _view(browser, watch)] if browser else [])]
    every_s = (LOOK_EVERY_S, ASK_EVERY_S)
    threads = [threading.Thread(target=_repeat, args=(work, over, s)) for work, s in zip(works, every_s, strict=False)]
    watch.t_us.append(int(stack.truth()["t_us"]))
    watch.fault_now()
    for thread in threads:
        thread.start()
    try:
        yield watch
    finally:
        over.set()
        for thread in threads:
            thread.join()
        watch.t_us.append(int(stack.truth()["t_us"]))


def _repeat(work: Callable[[], None], over: threading.Event, every_s: float) -> None:
    """At once, then again and again, and once more at the end: the shortest block is looked at twice."""
    ended = False
    while True:
        with suppress(StackFailed, OSError, ValueError, http.client.HTTPException):  # what dies is part of the proof
            work()
        if ended:
            return
        ended = over.wait(every_s)


def _look(stack: ViewedStack, watch: Watch) -> None:
    watch.forces_n.append((time.monotonic(), stack.force_n))
    state = stack.status()
    alarms = frozenset(alarm["id"] for alarm in state["alarms"])
    watch.session_id = state["session_id"] or watch.session_id
    watch.looks.append(Look(time.monotonic(), state["phase"], alarms, (state["ceiling_mn"] or 0) / 1000))


def _view(browser: Browser, watch: Watch) -> None:
    shown = frozenset(alarm["id"] for alarm in browser.snapshot()["alarms"])
    watch.views.append((time.monotonic(), shown))


class Page:
    """An open page without its browser: what the dashboard sends it over the WebSocket, as it came."""

    def __init__(self, browser: Browser, query: str = "") -> None:
        self.heard: list[tuple[float, dict[str, Any]]] = []
        address = f"ws://{LOOPBACK}:{browser.port}/ws/table{query}"
        sent = {"Cookie": browser.cookie}
        self._socket = connect(address, additional_headers=sent, origin=browser.origin, max_size=None)  # type: ignore[arg-type]
        self._thread = threading.Thread(target=self._listen)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._thread.join()

    def _listen(self) -> None:
        with suppress(WebSocketException, OSError):
            for text in self._socket:
                self.heard.append((time.monotonic(), json.loads(text)))

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [message for _at_s, message in list(self.heard) if message["kind"] == kind]

    def batches(self) -> list[dict[str, Any]]:
        """All that were sent, the missed ones too, as they came."""
        together: list[dict[str, Any]] = []
        for _at_s, message in list(self.heard):
            together += message["batches"] if message["kind"] == "missed" else [message] * (message["kind"] == "force")
        return together

    def events(self) -> list[tuple[str | None, int]]:
        """Session and number of each, as they came."""
        greeted = [event for message in self.of("events") for event in message["events"]]
        told = greeted + [message["event"] for message in self.of("event")]
        return [(event["session_id"], event["number"]) for event in told]
