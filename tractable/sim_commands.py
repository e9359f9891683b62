"""`tractable sim inject`, `withdraw` and `faults`: asks a simulated table that runs, over its socket."""

import json
import socket
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table as Rows

from hw_sim.quantities import NotAQuantity, quantity
from tractable.exit_codes import Exit
from tractable.settings import Settings

ANSWER_WITHIN_S: Final = 5.0
SOCKET_NAME: Final = "sim.sock"
DEMONSTRATIONS: Final = "tractable-*"  # the folders that demonstrations keep their sockets in
PATH_BYTES_MAX: Final = 100  # the kernel takes 107

Answer = dict[str, Any]


class SimulatorError(Exception):
    """The simulator was not reached, or refused; the text says what to do."""

    def __init__(self, sentence: str, code: Exit) -> None:
        super().__init__(sentence)
        self.code = code


def inject(
    settings: Settings,
    path: Path | None,
    fault: str,
    *,
    at: str | None,
    on: str | None,
    after: str | None,
    parameters: Sequence[str],
) -> Exit:
    """Puts a fault in: at once, `at` so much from now, or so long `after` the phase `on` began."""
    try:
        request = _injection(fault, at, on, after, parameters)
        answer = _ask(settings, path, request)
    except SimulatorError as problem:
        return _refused(problem)
    moment = f"{after or '0 s'} into {on}" if on else f"in {at}" if at else "now"
    print(f"{answer['fault']} ({answer['name']}): {moment}.")
    return Exit.DONE


def withdraw(settings: Settings, path: Path | None, fault: str) -> Exit:
    """Ends a fault that is in force."""
    try:
        _ask(settings, path, {"do": "withdraw", "fault": fault})
    except SimulatorError as problem:
        return _refused(problem)
    print(f"{fault.upper()} is withdrawn.")
    return Exit.DONE


def list_faults(settings: Settings, path: Path | None, as_json: bool) -> Exit:
    """Prints all faults, and which are in force at the simulated table."""
    try:
        answer = _ask(settings, path, {"do": "faults"})
    except SimulatorError as problem:
        return _refused(problem)
    if as_json:
        print(json.dumps({"phase": answer["phase"], "faults": answer["faults"]}, indent=2))
        return Exit.DONE
    rows = Rows("id", "fault", "how", "parameters", box=None, pad_edge=False)
    for fault in answer["faults"]:
        parameters = " ".join(f"{name}={value}" for name, value in fault["parameters"].items())
        rows.add_row(
            fault["id"], fault["name"], fault["how"], parameters, style="bold red" if fault["active"] else None
        )
    Console().print(rows)
    in_force = ", ".join(fault["id"] for fault in answer["faults"] if fault["active"]) or "none"
    print(f"Phase: {answer['phase']}. In force: {in_force}.")
    return Exit.DONE


def own_socket(settings: Settings) -> Path | None:
    """Where a simulated table listens that was not told where; None where another one does, or the place is no good."""
    path = settings.runtime_folder / SOCKET_NAME
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError:
        return None
    return None if len(bytes(path)) > PATH_BYTES_MAX or _answers(path) else path


def _refused(problem: SimulatorError) -> Exit:
    print(problem, file=sys.stderr)
    return problem.code


def _injection(
    fault: str, at: str | None, on: str | None, after: str | None, parameters: Sequence[str]
) -> dict[str, object]:
    if at is not None and (on is not None or after is not None):
        raise SimulatorError(
            "--at counts from now, --after from the phase of --on: use one or the other.", Exit.WRONG_USAGE
        )
    if after is not None and on is None:
        raise SimulatorError("--after needs --on, as in --on hold --after 3s; or use --at.", Exit.WRONG_USAGE)
    request: dict[str, object] = {"do": "inject", "fault": fault}
    if on is not None:
        request["on"] = on
    if (delay := at or after) is not None:
        request["after_ms"] = _milliseconds(delay)
    if parameters:
        request["with"] = dict(_parameter(text) for text in parameters)
    return request


def _milliseconds(text: str) -> int:
    try:
        return round(quantity(text, "time") * 1000)
    except NotAQuantity as problem:
        raise SimulatorError(f"{problem}.", Exit.WRONG_USAGE) from problem


def _parameter(text: str) -> tuple[str, int | float | str]:
    name, given, value = text.partition("=")
    if not given:
        raise SimulatorError(f"{text!r} is no parameter; write it as name=value.", Exit.WRONG_USAGE)
    for kind in (int, float):
        try:
            return name, kind(value)
        except ValueError:
            pass
    return name, value


def _ask(settings: Settings, path: Path | None, request: dict[str, object]) -> Answer:
    answer = _exchange(path or _running(settings), request)
    if not answer.get("ok"):
        raise SimulatorError(str(answer.get("error")), Exit.REFUSED)
    return answer


def _running(settings: Settings) -> Path:
    """The one simulated table that runs: this account's own, else the one of a demonstration."""
    own = settings.runtime_folder / SOCKET_NAME
    if _answers(own):
        return own
    places = Path(tempfile.gettempdir()).glob(f"{DEMONSTRATIONS}/{SOCKET_NAME}")
    found = [place for place in sorted(places) if _answers(place)]
    if len(found) > 1:
        names = ", ".join(map(str, found))
        raise SimulatorError(f"Several simulated tables run: {names}. Say which with --socket.", Exit.WRONG_USAGE)
    if not found:
        raise SimulatorError(
            f"No simulated table runs: none listens on {own}, and no demonstration does. "
            "Start one with `tractable sim` or `tractable demo`, or name its socket with --socket.",
            Exit.NOT_CONNECTED,
        )
    return found[0]


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(ANSWER_WITHIN_S)
        try:
            connection.connect(str(path))
        except OSError:
            return False
    return True


def _exchange(path: Path, request: dict[str, object]) -> Answer:
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(ANSWER_WITHIN_S)
            connection.connect(str(path))
            connection.sendall(json.dumps(request).encode() + b"\n")
            line = connection.makefile().readline()
    except OSError as problem:
        raise SimulatorError(
            f"The simulated table on {path} does not answer: {problem}. Is `tractable sim` running?", Exit.NOT_CONNECTED
        ) from problem
    if not line:
        raise SimulatorError(f"The simulated table on {path} hung up.", Exit.NOT_CONNECTED)
    answer: Answer = json.loads(line)
    return answer
