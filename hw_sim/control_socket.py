"""What a person could do at the simulated table, over a Unix socket: a JSON object a line, and one back.

{"do": "press_patient_switch", "for_ms": 300}   ->   {"ok": true}
{"do": "truth"}                                 ->   {"ok": true, "truth": {"t_us": ..., "force_mn": ..., ...}}
"""

import contextlib
import difflib
import json
import selectors
import socket
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from hw_sim.table import SimulatedTable

LINE_BYTES_MAX: Final = 4096
PRESS_MS: Final = 300
PRESS_MS_MAX: Final = 600_000

Answer = dict[str, Any]


def _press_patient_switch(table: SimulatedTable, request: Mapping[str, Any]) -> Answer:
    for_ms = request.get("for_ms", PRESS_MS)
    if not isinstance(for_ms, int) or isinstance(for_ms, bool) or not 1 <= for_ms <= PRESS_MS_MAX:
        raise ValueError(f"for_ms is a whole number of milliseconds from 1 to {PRESS_MS_MAX}, not {for_ms!r}.")
    table.press_patient_switch(for_ms * 1000)
    return {}


def _simple(act: Callable[[SimulatedTable], None]) -> Callable[[SimulatedTable, Mapping[str, Any]], Answer]:
    def do(table: SimulatedTable, _request: Mapping[str, Any]) -> Answer:
        act(table)
        return {}

    return do


COMMANDS: Final[Mapping[str, Callable[[SimulatedTable, Mapping[str, Any]], Answer]]] = {
    "press_patient_switch": _press_patient_switch,
    "unplug_patient_switch": _simple(SimulatedTable.unplug_patient_switch),
    "plug_patient_switch": _simple(SimulatedTable.plug_patient_switch),
    "press_emergency_stop": _simple(SimulatedTable.press_emergency_stop),
    "release_emergency_stop": _simple(SimulatedTable.release_emergency_stop),
    "close_service_jumper": _simple(SimulatedTable.close_service_jumper),
    "open_service_jumper": _simple(SimulatedTable.open_service_jumper),
    "reset": _simple(SimulatedTable.reset),
    "truth": lambda table, _request: {"truth": asdict(table.truth)},
}


def answer(table: SimulatedTable, line: bytes) -> Answer:
    """Does what one line asks; what cannot be done is answered with a sentence, never raised."""
    try:
        request = json.loads(line)
    except ValueError:
        return _refusal('Not JSON. Send one object a line, such as {"do": "truth"}.')
    if not isinstance(request, dict) or not isinstance(request.get("do"), str):
        return _refusal('Say what to do, such as {"do": "truth"}. ' + _known())
    command = COMMANDS.get(request["do"])
    if command is None:
        near = difflib.get_close_matches(request["do"], COMMANDS, n=1)
        guess = f" Did you mean {near[0]!r}?" if near else ""
        return _refusal(f"Unknown: {request['do']!r}.{guess} {_known()}")
    try:
        return {"ok": True, **command(table, request)}
    except ValueError as refused:
        return _refusal(str(refused))


def _known() -> str:
    return f"known: {', '.join(sorted(COMMANDS))}"


def _refusal(error: str) -> Answer:
    return {"ok": False, "error": error}


class ControlSocket:
    """Listens on `path`, for its owner only; served by the selector that it registers with. Close it to remove it."""

    def __init__(self, path: Path, table: SimulatedTable, selector: selectors.BaseSelector) -> None:
        self._path = path
        self._table = table
        self._selector = selector
        self._pending: dict[socket.socket, bytearray] = {}
        path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.setblocking(False)
        self._listener.bind(str(path))
        path.chmod(0o600)
        self._listener.listen()
        selector.register(self._listener, selectors.EVENT_READ, self._accept)

    def close(self) -> None:
        for connection in list(self._pending):
            self._hang_up(connection)
        self._selector.unregister(self._listener)
        self._listener.close()
        self._path.unlink(missing_ok=True)

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:  # it hung up before we came
            return
        connection.setblocking(False)
        self._pending[connection] = bytearray()
        self._selector.register(connection, selectors.EVENT_READ, lambda: self._read(connection))

    def _read(self, connection: socket.socket) -> None:
        pending = self._pending[connection]
        try:
            data = connection.recv(LINE_BYTES_MAX)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        pending += data
        while b"\n" in pending:
            line, _, rest = pending.partition(b"\n")
            pending[:] = rest
            reply = json.dumps(answer(self._table, bytes(line))) + "\n"
            with contextlib.suppress(OSError):  # who does not read its answers does without
                connection.send(reply.encode())
        if not data or len(pending) > LINE_BYTES_MAX:
            self._hang_up(connection)

    def _hang_up(self, connection: socket.socket) -> None:
        self._selector.unregister(connection)
        del self._pending[connection]
        connection.close()
