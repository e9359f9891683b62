"""What a person could do at the simulated table, over a Unix socket: a JSON object a line, and one back.

{"do": "press_patient_switch", "for_ms": 300}   ->   {"ok": true}
{"do": "truth"}                                 ->   {"ok": true, "truth": {"t_us": ..., "force_mn": ..., ...}}
{"do": "inject", "fault": "SE04"}               ->   {"ok": true, "fault": "SE04", "name": "stuck at its last value"}
{"do": "inject", "fault": "HU13", "on": "hold", "after_ms": 3000, "with": {"n": 40.0}}
{"do": "withdraw", "fault": "SE04"}             ->   {"ok": true}
{"do": "faults"}                                ->   {"ok": true, "phase": "hold", "faults": [{"id": "SE01", ...}, ...]}
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

from hw_sim.faults import FAULTS, Injector
from hw_sim.faults.injector import find
from hw_sim.table import SimulatedTable

LINE_BYTES_MAX: Final = 4096
PRESS_MS: Final = 300
PRESS_MS_MAX: Final = 600_000
AFTER_MS_MAX: Final = 3_600_000
INJECT_KEYS: Final = frozenset({"do", "fault", "on", "after_ms", "with"})

Answer = dict[str, Any]


def _press_patient_switch(injector: Injector, request: Mapping[str, Any]) -> Answer:
    injector.table.press_patient_switch(_milliseconds(request, "for_ms", PRESS_MS, 1, PRESS_MS_MAX) * 1000)
    return {}


def _milliseconds(request: Mapping[str, Any], key: str, default: int, low: int, high: int) -> int:
    value = request.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise ValueError(f"{key} is a whole number of milliseconds from {low} to {high}, not {value!r}.")
    return value


def _inject(injector: Injector, request: Mapping[str, Any]) -> Answer:
    unknown = sorted(set(request) - INJECT_KEYS)
    if unknown:
        raise ValueError(f"Unknown: {', '.join(unknown)}. Known: {', '.join(sorted(INJECT_KEYS))}.")
    fault = find(_fault_id(request))
    parameters = request.get("with", {})
    if not isinstance(parameters, dict):
        raise ValueError('"with" is an object of parameters, such as {"channel": "b"}.')
    after_us = _milliseconds(request, "after_ms", 0, 0, AFTER_MS_MAX) * 1000
    if "on" in request:
        injector.inject_on(fault.id, str(request["on"]), after_us, **parameters)
    elif after_us:
        injector.inject_at(fault.id, injector.table.now_us + after_us, **parameters)
    else:
        injector.inject(fault.id, **parameters)
    return {"fault": fault.id, "name": fault.name}


def _withdraw(injector: Injector, request: Mapping[str, Any]) -> Answer:
    injector.withdraw(_fault_id(request))
    return {}


def _fault_id(request: Mapping[str, Any]) -> str:
    fault_id = request.get("fault")
    if not isinstance(fault_id, str):
        raise ValueError('Say which fault, such as "fault": "SE04"; {"do": "faults"} lists them.')
    return fault_id


def _faults(injector: Injector, _request: Mapping[str, Any]) -> Answer:
    active = injector.active
    rows = [
        {
            "id": fault.id,
            "name": fault.name,
            "place": fault.place.value,
            "how": fault.how,
            "active": fault.id in active,
            "parameters": dict(active.get(fault.id, fault.parameters)),
        }
        for fault in FAULTS.values()
    ]
    return {"phase": injector.phase.value, "faults": rows}


def _simple(act: Callable[[SimulatedTable], None]) -> Callable[[Injector, Mapping[str, Any]], Answer]:
    def do(injector: Injector, _request: Mapping[str, Any]) -> Answer:
        act(injector.table)
        return {}

    return do


COMMANDS: Final[Mapping[str, Callable[[Injector, Mapping[str, Any]], Answer]]] = {
    "press_patient_switch": _press_patient_switch,
    "unplug_patient_switch": _simple(SimulatedTable.unplug_patient_switch),
    "plug_patient_switch": _simple(SimulatedTable.plug_patient_switch),
    "press_emergency_stop": _simple(SimulatedTable.press_emergency_stop),
    "release_emergency_stop": _simple(SimulatedTable.release_emergency_stop),
    "close_service_jumper": _simple(SimulatedTable.close_service_jumper),
    "open_service_jumper": _simple(SimulatedTable.open_service_jumper),
    "reset": _simple(SimulatedTable.reset),
    "truth": lambda injector, _request: {"truth": asdict(injector.table.truth)},
    "inject": _inject,
    "withdraw": _withdraw,
    "faults": _faults,
}


def answer(injector: Injector, line: bytes) -> Answer:
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
        return {"ok": True, **command(injector, request)}
    except ValueError as refused:
        return _refusal(str(refused))


def _known() -> str:
    return f"known: {', '.join(sorted(COMMANDS))}"


def _refusal(error: str) -> Answer:
    return {"ok": False, "error": error}


class ControlSocket:
    """Listens on `path`, for its owner only; served by the selector that it registers with. Close it to remove it."""

    def __init__(self, path: Path, injector: Injector, selector: selectors.BaseSelector) -> None:
        self._path = path
        self._injector = injector
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
            reply = json.dumps(answer(self._injector, bytes(line))) + "\n"
            with contextlib.suppress(OSError):  # who does not read its answers does without
                connection.send(reply.encode())
        if not data or len(pending) > LINE_BYTES_MAX:
            self._hang_up(connection)

    def _hang_up(self, connection: socket.socket) -> None:
        self._selector.unregister(connection)
        del self._pending[connection]
        connection.close()
