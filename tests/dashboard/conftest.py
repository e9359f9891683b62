"""What a controller sends, a clock that tests turn, a real control socket, a real server, and a real browser."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from playwright.async_api import Page, async_playwright

from controller.messages import ActiveAlarm, Event, ForceBatch, PhaseName, State, TableIdentity
from dashboard.app import DashboardConfig, create_app, create_server, sign_in_path
from dashboard.feed import Feed
from proof.bench import bench_at
from proof.record import written
from safety.alarms import CATALOGUE, AlarmId

KEY = "a-key-that-is-long-enough"
SAMPLES_A_BATCH = 32
SAMPLE_US = 3_125
BATCH_US = 100_000
CHROMIUM = "/usr/bin/chromium"
CHROMIUM_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@dataclass
class Clock:
    """Both clocks of a computer; `pass_s` turns them."""

    now_s: float = 1_000.0
    began: datetime = field(default_factory=lambda: datetime(2025, 1, 1, 10, 0, tzinfo=UTC))

    def monotonic_s(self) -> float:
        return self.now_s

    def wall(self) -> datetime:
        return self.began + timedelta(seconds=self.now_s - 1_000.0)

    def pass_s(self, seconds: float) -> None:
        self.now_s += seconds


class Payloads:
    """Makes payloads of one run, with times by the given clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def batch(self, first_seq: int, *, run: str = "run-1", **changes: Any) -> ForceBatch:
        count = changes.pop("count", SAMPLES_A_BATCH)
        whole: dict[str, Any] = {
            "run": run,
            "session_id": "s-1",
            "first_seq": first_seq,
            "t_us": [(first_seq + i) * SAMPLE_US for i in range(count)],
            "force_mn": [300_000] * count,
            "target_mn": [300_000] * count,
            "cable_um": [0] * count,
            "age_us": 1_000,
            "dropped": 0,
        }
        return ForceBatch(**{**whole, **changes})

    def state(self, *, run: str = "run-1", phase: PhaseName = PhaseName.HOLDING, **changes: Any) -> State:
        now = self._clock.wall()
        whole: dict[str, Any] = {
            "run": run,
            "sent": now,
            "valid_until": now + timedelta(seconds=3),
            "connected": True,
            "phase": phase,
            "session_id": "s-1",
            "instruction": "",
            "target_mn": 300_000,
            "setpoint_mn": 300_000,
            "ceiling_mn": 350_000,
            "elapsed_s": 10,
            "at_force_s": 5,
            "remaining_s": 1_195,
            "within_5_percent": 1.0,
            "stiffness_n_per_mm": 6.7,
            "patient_switch_connected": True,
            "patient_switch_pressed": False,
            "alarms": (),
            "table": TableIdentity(
                model="m", serial=1, firmware="1", rate_hz=320, simulated=True, calibration_a=1, calibration_b=2
            ),
            "prescription": None,
            "recording_failure": None,
        }
        return State(**{**whole, **changes})

    def event(self, number: int, *, run: str = "run-1", text: str = "Reached 300 N.") -> Event:
        return Event(
            run=run,
            session_id="s-1",
            number=number,
            time=self._clock.wall(),
            t_us=1,
            kind="phase",
            actor="controller",
            text=text,
        )

    def alarm(self, name: str, *, root: bool = False, acknowledged: bool = False) -> ActiveAlarm:
        entry = CATALOGUE[AlarmId(name)]
        return ActiveAlarm(
            id=name,
            priority=entry.priority.value,
            shown=entry.shown,
            what_to_do=entry.what_to_do,
            detail="",
            since=self._clock.wall(),
            latched=entry.latches,
            acknowledged=acknowledged,
            root=root,
        )


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def payloads(clock: Clock) -> Payloads:
    return Payloads(clock)


@pytest.fixture
def feed(clock: Clock) -> Feed:
    made = Feed(clock.monotonic_s, clock.wall)
    made.broker_is(connected=True)
    return made


@pytest.fixture
def config(tmp_path: Path) -> DashboardConfig:
    """Of a dashboard whose broker is not there and whose controller answers within 0.2 s or not at all."""
    return DashboardConfig("127.0.0.1", 1, "clinic", "2", tmp_path / "control.sock", KEY, reply_within_s=0.2)


@pytest.fixture(scope="module")
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With the record of one session, S1, of K7-2F41."""
    folder = tmp_path_factory.mktemp("records")
    written(bench_at("RAMP"), folder)
    return folder


@pytest.fixture
def app(config: DashboardConfig) -> FastAPI:
    return create_app(config)


@pytest_asyncio.fixture
async def stranger(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that has not signed in."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://table.local") as client:
        yield client


@pytest_asyncio.fixture
async def browser(stranger: httpx.AsyncClient) -> httpx.AsyncClient:
    """A browser that opened the printed address, and sends what the page's own scripts send."""
    await stranger.get(sign_in_path(KEY))
    page = (await stranger.get("/")).text
    token = page.split('name="csrf-token" content="')[1].split('"')[0]
    stranger.headers.update({"Origin": "http://table.local", "Sec-Fetch-Site": "same-origin", "X-CSRF-Token": token})
    return stranger


Answering = Callable[[dict[str, Any]], Awaitable[bytes | None]]


@dataclass
class Controller:
    """A real Unix socket where a controller would listen. It keeps what it was asked; `answer` may be replaced."""

    asked: list[dict[str, Any]] = field(default_factory=list)
    reply: dict[str, Any] = field(default_factory=lambda: {"outcome": "done", "reason": "Letting go at 20 N/s."})
    raw_reply: bytes | None = None
    silent: bool = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            command = json.loads(await reader.readline())
            self.asked.append(command)
            if self.silent:
                await reader.read()  # until the dashboard gives up
            else:
                line = self.raw_reply or json.dumps({"id": command["id"], **self.reply}).encode() + b"\n"
                writer.write(line)
                await writer.drain()
        writer.close()


@pytest_asyncio.fixture
async def controller(config: DashboardConfig) -> AsyncIterator[Controller]:
    made = Controller()
    server = await asyncio.start_unix_server(made.serve, str(config.control_socket))
    yield made
    server.close()
    await server.wait_closed()


@dataclass
class Served:
    """A dashboard that is served for real; `feed` is the one that its pages see."""

    address: str
    feed: Feed

    @property
    def sign_in_address(self) -> str:
        return self.address + sign_in_path(KEY)


@pytest_asyncio.fixture
async def served(config: DashboardConfig) -> AsyncIterator[Served]:
    """Without its lifespan: no broker is asked, and tests feed it themselves."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen()  # who connects before the server has started waits
    server = create_server(config, "127.0.0.1", 0)
    server.config.lifespan = "off"
    app = server.config.app
    assert isinstance(app, FastAPI)
    task = asyncio.create_task(server.serve([listening]))
    app.state.feed.broker_is(connected=True)
    yield Served(f"http://127.0.0.1:{listening.getsockname()[1]}", app.state.feed)
    server.should_exit = True
    await task
    listening.close()


class Table:
    """A table that says how it is to the served dashboard ten times a second, until it falls silent."""

    def __init__(self, served: Any, payloads: Any) -> None:
        self.served, self._payloads = served, payloads
        self._seq = 0
        self.changes: dict[str, Any] = {}
        self._task: asyncio.Task[None] | None = None

    def batch(self, **changes: Any) -> None:
        self.served.feed.take_batch(self._payloads.batch(self._seq, **changes))
        self._seq += 32

    def skip(self, batches: int) -> None:
        """Samples that are lost on the way."""
        self._seq += 32 * batches

    def state(self, **changes: Any) -> None:
        self.served.feed.take_state(self._payloads.state(**changes), retained=False)

    def speak(self) -> None:
        self._task = asyncio.create_task(self._speak())

    async def _speak(self) -> None:
        loop = asyncio.get_running_loop()
        began_s, said = loop.time(), 0
        while True:
            self.batch()
            if said % 10 == 0:
                self.state(**self.changes)
            said += 1
            await asyncio.sleep(began_s + said * BATCH_US / 1e6 - loop.time())

    async def fall_silent(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)


@pytest_asyncio.fixture
async def table(served, payloads) -> AsyncIterator[Table]:
    made = Table(served, payloads)
    yield made
    await made.fall_silent()


@pytest_asyncio.fixture
async def page(table: Table) -> AsyncIterator[Page]:
    """The table's page, opened by its printed address. It may not write an error to the console."""
    complaints: list[str] = []
    async with async_playwright() as tools:
        browser = await tools.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        opened = await browser.new_page()
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        opened.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
        await opened.goto(table.served.sign_in_address)
        yield opened
        await browser.close()
    assert complaints == []
