"""What truly happens at the table, and what an open page of the dashboard is told, while real processes run.

Both are kept by a thread of their own, in the computer's monotonic time and in the simulated table's own.
"""

import http.client
import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from hw_sim.table import Truth
from proof.bench import COMING_TO_REST_UM_S, SLACK_MN
from tractable.realtime import PRIORITY

LOOK_EVERY_S: Final = 0.003
ENDED_WITHIN_S: Final = 5.0


class TruthWatch:
    """The patient's true force and the drum's true speed, some 300 times a second. Times are the table's, in us."""

    def __init__(self, simulator: Path) -> None:
        self.rows: list[Truth] = []
        self._simulator = simulator
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, name="truth")
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join(ENDED_WITHIN_S)

    def _look(self) -> None:
        with suppress(AttributeError, OSError):  # it must see in time what happens in time, where the system lets it
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))
        with socket.socket(socket.AF_UNIX) as line, suppress(OSError, ValueError):  # the table was switched off
            line.connect(str(self._simulator))
            with line.makefile("rw") as talk:
                while not self._stop.wait(LOOK_EVERY_S):
                    talk.write('{"do": "truth"}\n')
                    talk.flush()
                    self.rows.append(Truth(**json.loads(talk.readline())["truth"]))

    @property
    def now(self) -> Truth:
        return self.rows[-1]

    def since(self, t_us: int) -> list[Truth]:
        return [row for row in tuple(self.rows) if row.t_us >= t_us]

    def unwatched_ms_max(self, t_us: int) -> float:
        """The longest that nobody looked, since then."""
        rows = self.since(t_us)
        return max((after.t_us - before.t_us for before, after in pairwise(rows)), default=0) / 1000

    def peak_n(self, t_us: int) -> float:
        return max(row.force_mn for row in self.since(t_us)) / 1000

    def lowest_n(self, t_us: int) -> float:
        return min(row.force_mn for row in self.since(t_us)) / 1000

    def pulled_ms(self, t_us: int) -> float:
        """Until the drum wound in for the last time."""
        return _last_ms([row.t_us for row in self.since(t_us) if row.velocity_um_s > COMING_TO_REST_UM_S], t_us)

    def slack_ms(self, t_us: int) -> float:
        """Until the last moment with more than 15 N."""
        return _last_ms([row.t_us for row in self.since(t_us) if row.force_mn > SLACK_MN], t_us)

    def steepest_fall_n(self, t_us: int, over_ms: int) -> float:
        """The most that force fell within that time."""
        rows, steepest, last = self.since(t_us), 0, 0
        for row in rows:
            while last + 1 < len(rows) and rows[last + 1].t_us - row.t_us <= over_ms * 1000:
                last += 1
            steepest = max(steepest, row.force_mn - rows[last].force_mn)
        return steepest / 1000


def _last_ms(times_us: list[int], since_us: int) -> float:
    return (times_us[-1] - since_us) / 1000 if times_us else 0.0


class PageWatch:
    """An open page: every message of the dashboard, with the moment (monotonic, in ms) at which it was sent."""

    def __init__(self, address: str) -> None:
        self.messages: list[dict[str, Any]] = []
        self._socket = _open_page(address)
        self._thread = threading.Thread(target=self._listen, name="page")
        self._thread.start()

    def close(self) -> None:
        self._socket.close()
        self._thread.join(ENDED_WITHIN_S)

    def _listen(self) -> None:
        with suppress(ConnectionClosed):
            for text in self._socket:
                self.messages.append(json.loads(text))

    def alarms(self, since_ms: float) -> Iterator[tuple[float, str, str]]:
        """Since then: how many ms later, which alarm, and its priority; the dashboard's own and the controller's."""
        for message in tuple(self.messages):
            if message["sent_ms"] < since_ms:
                continue
            for alarm in _shown(message):
                yield message["sent_ms"] - since_ms, alarm["id"], alarm["priority"]


def _shown(message: dict[str, Any]) -> list[dict[str, Any]]:
    if message["kind"] == "link":
        return list(message["alarms"])
    if message["kind"] == "state" and message["state"] is not None:
        return list(message["state"]["alarms"])
    return []


def _open_page(address: str) -> ClientConnection:
    place = urlsplit(address)
    asking = http.client.HTTPConnection(place.netloc, timeout=ENDED_WITHIN_S)
    try:
        asking.request("GET", f"{place.path}?{place.query}")
        cookie = (asking.getresponse().getheader("Set-Cookie") or "").partition(";")[0]
    finally:
        asking.close()
    origin = Origin(f"http://{place.netloc}")
    return connect(f"ws://{place.netloc}/ws/table", additional_headers={"Cookie": cookie}, origin=origin)


@contextmanager
def witnesses(simulator: Path, address: str) -> Iterator[tuple[TruthWatch, PageWatch]]:
    """Both, until the end of the block."""
    truths = TruthWatch(simulator)
    try:
        page = PageWatch(address)
        try:
            yield truths, page
        finally:
            page.close()
    finally:
        truths.close()
