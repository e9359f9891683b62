"""The control socket, over a real Unix socket: what is no command is refused, an effect happens once, stop always."""

import asyncio
import json
import os
import stat
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.commands import LINE_BYTES_MAX, Acknowledge, Command, Reply, Start, Status, Stop, Zero
from controller.control_socket import CONNECTIONS_MAX, ControlSocket, parse_command
from controller.journal import JournalHealth
from controller.shell import Shell, ShellConfig
from safety.limits import SHIPPED

STOP = {"do": "stop", "id": "stop-00001", "actor": "clinician"}
STATUS = {"do": "status", "id": "status-0001", "actor": "dashboard"}
FAR_US = 2**62


def acknowledge(**changes: object) -> dict[str, object]:
    asked = {"do": "acknowledge", "id": "ack-000001", "actor": "clinician", "expires_us": FAR_US, "alarm": "A10"}
    return asked | changes


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    async def send(self, line: bytes) -> None:
        self.writer.write(line)
        await self.writer.drain()

    async def read(self) -> dict[str, Any] | None:
        async with asyncio.timeout(5):
            line = await self._reader.readline()
        return json.loads(line) if line else None

    async def ask(self, command: object) -> dict[str, Any] | None:
        await self.send(json.dumps(command).encode() + b"\n")
        return await self.read()


class Controller:
    """Stands behind the socket: notes what was asked, and answers with a number that counts up."""

    def __init__(self) -> None:
        self.asked: list[Command] = []
        self.noticed = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def handle(self, command: Command) -> Reply:
        self.asked.append(command)
        number = len(self.asked)
        self.noticed.set()
        await self.may_answer.wait()
        return Reply(id=command.id, outcome="done", data={"number": number})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "control.sock"


@pytest.fixture
async def controller(path: Path) -> AsyncIterator[Controller]:
    controller = Controller()
    async with ControlSocket(path, controller.handle):
        yield controller
        controller.may_answer.set()


Connect = Callable[[], Awaitable[Client]]


@asynccontextmanager
async def connections(path: Path) -> AsyncIterator[Connect]:
    clients: list[Client] = []

    async def connect() -> Client:
        clients.append(Client(*await asyncio.open_unix_connection(str(path))))
        return clients[-1]

    yield connect
    for client in clients:
        client.writer.close()
    await asyncio.gather(*(client.writer.wait_closed() for client in clients), return_exceptions=True)


@pytest.fixture
async def connect(controller: Controller, path: Path) -> AsyncIterator[Connect]:
    async with connections(path) as connect:
        yield connect


GARBAGE = {
    "no JSON": b"stop!\n",
    "an empty line": b"\n",
    "half of it": b'{"do": "stop"\n',
    "no UTF-8": b"\xff\xfe\n",
    "a list": b"[]\n",
    "a number": b"1\n",
    "nothing": b"null\n",
    "very deep": b"[" * 50_000 + b"\n",
    "a huge number": b'{"do": "status", "id": ' + b"1" * 5_000 + b"}\n",
    "half a character": b'{"do": "stop", "id": "\\ud800-stop-1", "actor": "clinician"}\n',
    "half a character as a key": b'{"do": "stop", "id": "stop-00001", "actor": "clinician", "\\ud800": 1}\n',
}


@pytest.mark.parametrize("line", GARBAGE.values(), ids=GARBAGE)
async def test_a_line_that_is_no_command_is_refused_and_the_conversation_goes_on(connect, controller, line) -> None:
    client = await connect()

    await client.send(line)
    refused = await client.read()
    answered = await client.ask(STATUS)

    assert refused is not None
    assert refused["outcome"] == "refused"
    assert refused["reason"]
    assert answered is not None
    assert answered["outcome"] == "done"
    assert [type(command) for command in controller.asked] == [Status]


BAD_COMMANDS = {
    "an unknown one": STOP | {"do": "pull"},
    "none named": {"id": "stop-00001", "actor": "clinician"},
    "an extra key": STOP | {"force": "500 N"},
    "a short id": STOP | {"id": "x"},
    "an id with a path": STOP | {"id": "../../etc/passwd"},
    "an id that is a number": STOP | {"id": 12345678},
    "no actor": {"do": "stop", "id": "stop-00001"},
    "an actor of two lines": STOP | {"actor": "a\nb"},
    "an alarm that is none": acknowledge(alarm="everything"),
    "no expiry": {key: value for key, value in acknowledge().items() if key != "expires_us"},
    "a tick that is none": {
        "do": "start",
        "id": "start-0001",
        "actor": "c",
        "expires_us": FAR_US,
        "prescription": {},
        "ticks": ["all"],
    },
}


@pytest.mark.parametrize("command", BAD_COMMANDS.values(), ids=BAD_COMMANDS)
async def test_a_command_with_anything_wrong_is_refused_and_reaches_nobody(connect, controller, command) -> None:
    client = await connect()

    refused = await client.ask(command)

    assert refused is not None
    assert refused["outcome"] == "refused"
    assert "This is no command" in refused["reason"]
    assert controller.asked == []


async def test_a_line_that_is_too_long_ends_the_conversation_with_a_reason(connect, controller) -> None:
    client = await connect()

    client.writer.write(b'{"do": "' + b"x" * (LINE_BYTES_MAX + 1_000) + b'"}\n')
    refused = await client.read()
    after = await client.read()

    assert refused is not None
    assert str(LINE_BYTES_MAX) in refused["reason"]
    assert after is None
    assert controller.asked == []


async def test_a_command_sent_again_under_its_id_has_one_effect_and_the_same_reply(connect, controller) -> None:
    client, other = await connect(), await connect()

    replies = [await client.ask(acknowledge()), await client.ask(acknowledge()), await other.ask(acknowledge())]

    assert len(controller.asked) == 1
    assert replies[0] == replies[1] == replies[2]


async def test_a_command_sent_again_while_it_is_under_way_waits_for_the_same_reply(connect, controller) -> None:
    client, other = await connect(), await connect()
    controller.may_answer.clear()

    first = asyncio.create_task(client.ask(acknowledge()))
    await controller.noticed.wait()
    second = asyncio.create_task(other.ask(acknowledge()))
    await asyncio.wait([second], timeout=0.05)
    controller.may_answer.set()

    assert await first == await second
    assert len(controller.asked) == 1


async def test_stop_takes_effect_every_time_also_under_an_id_that_was_used_before(connect, controller) -> None:
    client = await connect()
    await client.ask(acknowledge(id="the-same-id"))

    replies = [await client.ask(STOP | {"id": "the-same-id"}) for _ in range(2)]

    assert [type(command) for command in controller.asked] == [Acknowledge, Stop, Stop]
    assert [reply["data"]["number"] for reply in replies] == [2, 3]


async def test_a_client_that_leaves_before_its_reply_leaves_its_effect_and_the_others_alone(
    connect, controller
) -> None:
    gone, other = await connect(), await connect()
    controller.may_answer.clear()
    await gone.send(json.dumps(acknowledge()).encode() + b"\n")
    await controller.noticed.wait()

    gone.writer.transport.abort()
    controller.may_answer.set()
    repeated = await other.ask(acknowledge())

    assert repeated is not None
    assert repeated["data"]["number"] == 1
    assert len(controller.asked) == 1


async def test_a_client_that_leaves_in_the_middle_of_a_line_has_asked_nothing(connect, controller) -> None:
    gone, other = await connect(), await connect()

    await gone.send(json.dumps(acknowledge()).encode()[:-3])
    gone.writer.close()
    await gone.writer.wait_closed()

    assert (await other.ask(STATUS)) is not None
    assert [type(command) for command in controller.asked] == [Status]


async def test_stop_is_answered_while_another_command_waits_for_its_reply(connect, controller) -> None:
    slow, quick = await connect(), await connect()
    controller.may_answer.clear()
    waiting = asyncio.create_task(slow.ask(acknowledge()))
    await controller.noticed.wait()
    controller.noticed.clear()

    stopping = asyncio.create_task(quick.ask(STOP))
    await controller.noticed.wait()

    assert [type(command) for command in controller.asked] == [Acknowledge, Stop]
    controller.may_answer.set()
    assert await stopping is not None
    assert await waiting is not None


async def test_stop_is_answered_however_many_others_hold_connections_open(connect, controller) -> None:
    for _ in range(CONNECTIONS_MAX):
        await connect()
    last = await connect()

    answered = await last.ask(STOP)

    assert answered is not None
    assert answered["outcome"] == "done"


async def test_a_failure_behind_the_socket_is_told_neither_as_done_nor_as_refused(path: Path) -> None:
    async def fail_at_first(command: Command) -> Reply:
        if isinstance(command, Status):
            return Reply(id=command.id, outcome="done")
        raise RuntimeError("a bug")

    async with ControlSocket(path, fail_at_first), connections(path) as connect:
        unlucky, other = await connect(), await connect()
        failed = await unlucky.ask(acknowledge())
        answered = await other.ask(STATUS)

    assert failed is None
    assert answered is not None


def test_only_the_account_of_the_controller_may_open_the_socket(path: Path) -> None:
    async def modes() -> tuple[int, int]:
        async with ControlSocket(path, Controller().handle):
            return path.stat().st_mode, path.parent.stat().st_mode  # noqa: ASYNC240 - of a file in memory

    socket_mode, folder_mode = asyncio.run(modes())

    assert stat.S_IMODE(socket_mode) == 0o600
    assert stat.S_IMODE(folder_mode) == 0o700


async def test_a_socket_that_a_killed_controller_left_behind_is_replaced(path: Path) -> None:
    path.parent.mkdir()
    os.mknod(path, stat.S_IFSOCK | 0o777)
    controller = Controller()

    async with ControlSocket(path, controller.handle), connections(path) as connect:
        client = await connect()
        assert await client.ask(STATUS) is not None


@given(st.binary(max_size=200) | st.recursive(st.none() | st.text(), st.lists).map(lambda v: json.dumps(v).encode()))
def test_any_line_is_a_command_or_refused(line: bytes) -> None:
    parsed = parse_command(line)

    assert isinstance(parsed, Start | Stop | Acknowledge | Zero | Status | Reply)
    assert not isinstance(parsed, Reply) or parsed.model_dump_json()


class NoJournal:
    def begin(self, header: object) -> None: ...
    def sample(self, row: object) -> None: ...
    def event(self, row: object) -> None: ...
    def end(self) -> None: ...
    def health(self) -> JournalHealth:
        return JournalHealth(0, 0, None)

    def refusal(self) -> str | None:
        return None


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A controller whose table is not there."""
    journal = NoJournal()
    config = ShellConfig(tmp_path / "tty", SHIPPED, lambda serial: tmp_path / f"{serial}.toml", tmp_path / "s", {})
    return Shell(config, journal, journal, None)


@pytest.fixture
async def ask_shell(shell: Shell, path: Path) -> AsyncIterator[Callable[[object], Awaitable[dict[str, Any] | None]]]:
    async with ControlSocket(path, shell.handle), connections(path) as connect:
        client = await connect()
        yield client.ask


def start(document: dict[str, Any], **changes: object) -> dict[str, object]:
    asked = {
        "do": "start",
        "id": "start-0001",
        "actor": "clinician",
        "expires_us": FAR_US,
        "prescription": document,
        "ticks": ["screening", "harness", "table_unlocked"],
        "confirmed_mn": 300_000,
    }
    return asked | changes


@pytest.mark.parametrize("late_us", [0, 1_000, 3_600_000_000])
async def test_a_command_that_comes_too_late_is_refused_by_the_clock_that_all_processes_share(
    ask_shell, document, late_us: int
) -> None:
    now_us = time.monotonic_ns() // 1000

    started = await ask_shell(start(document(), expires_us=now_us - late_us))
    acknowledged = await ask_shell(acknowledge(expires_us=now_us - late_us))

    assert "too late" in started["reason"]
    assert "too late" in acknowledged["reason"]


async def test_a_command_in_time_gets_a_reason_that_a_person_can_act_on(ask_shell, document) -> None:
    started = await ask_shell(start(document()))
    unreadable = await ask_shell(start(document(force="300"), id="start-0002"))

    assert "The table is not connected" in started["reason"]
    assert "pull.force" in unreadable["reason"]


async def test_the_patient_and_the_zero_are_asked_for_as_they_were_given(ask_shell, document) -> None:
    other = await ask_shell(start(document(), patient="someone-else"))
    nobody = await ask_shell(start(document(), patient="Jane Doe", id="start-0002"))
    zero = await ask_shell({"do": "zero", "id": "zero-00001", "actor": "technician", "expires_us": FAR_US})
    late = await ask_shell({"do": "zero", "id": "zero-00002", "actor": "technician", "expires_us": 0})

    assert "another patient" in other["reason"]
    assert "This is no command" in nobody["reason"]
    assert "the table is not connected" in zero["reason"]
    assert "too late" in late["reason"]


async def test_stop_is_done_without_a_session_and_without_a_table(ask_shell, shell) -> None:
    answered = await ask_shell(STOP)

    assert answered["outcome"] == "done"
    assert shell.state.phase is not None


async def test_status_is_answered_without_a_table_and_invents_no_force(ask_shell) -> None:
    answered = await ask_shell(STATUS)

    assert answered["outcome"] == "done"
    assert answered["data"]["force_mn"] is None
    assert answered["data"]["state"]["connected"] is False
