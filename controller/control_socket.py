"""The local control socket: JSON lines in, JSON lines out, for processes of this machine that may open the file.

A line that is no command is refused with a sentence and changes nothing. A command sent again under its id gets its
first answer again, but for stop, which is carried out each time. Nothing here decides; `handle` does, in the event
loop, so that stop waits behind nothing.
"""

import asyncio
import json
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from pathlib import Path

from pydantic import ValidationError

from controller.commands import COMMAND, LINE_BYTES_MAX, Command, Reply, Status, Stop

CONNECTIONS_MAX = 32
REPLIES_KEPT = 256
# Only the account that runs the controller may ask anything of it.
SOCKET_MODE = 0o600

Handle = Callable[[Command], Awaitable[Reply]]
log = logging.getLogger(__name__)


class ControlSocket:
    """Serves until closed: `async with ControlSocket(path, handle): ...`."""

    def __init__(self, path: Path, handle: Handle) -> None:
        self._path = path
        self._handle = handle
        self._answered: OrderedDict[str, asyncio.Future[Reply]] = OrderedDict()
        self._clients: dict[asyncio.Task[None], None] = {}  # the oldest first
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> "ControlSocket":
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._on_client, str(self._path), limit=LINE_BYTES_MAX)
        self._path.chmod(SOCKET_MODE)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for client in self._clients:
            client.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)
        await self._server.wait_closed()
        self._path.unlink(missing_ok=True)

    async def _on_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if len(self._clients) >= CONNECTIONS_MAX:  # the oldest makes room, so that a stop always gets through
            oldest = next(iter(self._clients))
            del self._clients[oldest]
            oldest.cancel()
        self._clients[task] = None
        try:
            await self._converse(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass  # whoever asked has gone, or this process is closing
        finally:
            self._clients.pop(task, None)
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                line = await reader.readline()
            except ValueError:  # longer than the limit: where it ends is not known, so the conversation does
                await self._say(writer, refused(None, f"A line is at most {LINE_BYTES_MAX} bytes."))
                return
            if not line:
                return
            await self._say(writer, await self._answer(line))

    async def _say(self, writer: asyncio.StreamWriter, reply: Reply) -> None:
        writer.write(reply.model_dump_json().encode() + b"\n")
        await writer.drain()

    async def _answer(self, line: bytes) -> Reply:
        command = parse_command(line)
        if isinstance(command, Reply):
            log.warning("refused on the control socket: %s", command.reason)
            return command
        if isinstance(command, Status | Stop):  # stop takes effect every time, whatever its id was used for
            return await self._handle(command)
        known = self._answered.get(command.id)
        if known is None:
            known = asyncio.ensure_future(self._handle(command))
            self._answered[command.id] = known
            while len(self._answered) > REPLIES_KEPT:
                self._answered.popitem(last=False)
        return await asyncio.shield(known)


def parse_command(line: bytes) -> Command | Reply:
    """The command on that line, or the refusal to send back."""
    try:
        given = json.loads(line)
        json.dumps(given, ensure_ascii=False).encode()  # half a surrogate pair can be written in JSON, and nowhere else
    except (ValueError, RecursionError):
        return refused(None, "This line is not JSON.")
    name = given.get("id") if isinstance(given, dict) and isinstance(given.get("id"), str) else None
    try:
        return COMMAND.validate_python(given)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return refused(name, f"This is no command: {where + ': ' if where else ''}{first['msg']}.")


def refused(command_id: str | None, reason: str) -> Reply:
    return Reply(id=command_id, outcome="refused", reason=reason)
