"""Somebody at the controls of a bench: JSON lines to the real control socket, and the real shell behind it.

Only time is the bench's: table, line and session go on in virtual time between one command and the next.
"""

import asyncio
import functools
import itertools
import json
import tempfile
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from controller.calibration import Calibration, dump_calibration
from controller.commands import HUMAN_TICKS
from controller.control_socket import ControlSocket
from controller.evolution import evolved
from controller.inputs import Input
from controller.shell import Shell, ShellConfig
from hw_sim.board import SERIAL
from proof.bench import Bench, bench_at
from tractable.virtual_stack import calibration_of

Reply = dict[str, Any]
Command = dict[str, Any]

ANSWERED_WITHIN_S: Final = 5.0
FAR_US: Final = 1 << 62
INTRODUCED_S: Final = 0.6  # the table has said who it is, and its cable was watched for half a second
CALIBRATED_DAYS_AGO: Final = 30
BASES_KEPT: Final = 6
_numbers = itertools.count(1)


@functools.lru_cache(maxsize=BASES_KEPT)
def _base(phase: str, patient: str, seed: int) -> Bench:
    return bench_at(phase, patient, seed)


def bench_in(phase: str, patient: str, seed: int) -> Bench:
    """A bench of its own in that phase; it is reached only once."""
    return _base(phase, patient, seed).copy()


class _Room:
    """A disk with room for a session."""

    def refusal(self) -> str | None:
        return None


class _BenchShell(Shell):
    """What the shell hands to its conductor goes to the bench's, in the bench's time."""

    def __init__(self, bench: Bench, folder: Path) -> None:
        files = {"port": folder / "tty", "control_socket": folder / "control.sock"}
        config = ShellConfig(
            site=bench.state.site, calibration_file=lambda serial: folder / f"{serial}.toml", versions={}, **files
        )
        super().__init__(config, bench.memory, _Room(), None)
        self.conductor = bench.conductor
        self._bench = bench

    def _take(self, given: Input) -> None:
        answers = self._bench.heard.answers
        before = len(answers)
        self._bench.tell(given)
        for answer in answers[before:]:
            self.answer(answer)


class Desk:
    """`with Desk(bench) as desk: desk.ask(start())`. The computer's calibration record is a file, a month old."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench

    def __enter__(self) -> "Desk":
        self._folder = tempfile.TemporaryDirectory()
        self._runner = asyncio.Runner()
        path = Path(self._folder.name)
        shell = _BenchShell(self.bench, path)
        self._socket = ControlSocket(path / "control.sock", shell.handle)
        self._runner.run(self._socket.__aenter__())
        self.bench.conductor._record_of = shell._calibration_record
        if self.bench.state.course is None:
            self.record(calibrated_on(calibration_of(self.bench.rig), CALIBRATED_DAYS_AGO))
        else:  # a session is on: the record that it began with is the one that lies here now
            self._date_the_record()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._runner.run(self._socket.__aexit__())
        self._runner.close()
        self._folder.cleanup()

    def record(self, calibration: Calibration) -> None:
        """Puts that record of the bench's table on the computer, and asks the table anew who it is."""
        bench = self.bench
        (Path(self._folder.name) / f"{SERIAL}.toml").write_text(dump_calibration(calibration), encoding="utf-8")
        bench.to_table.put(bench.conductor.connected(bench.now_us), bench.now_us)
        bench.run_for(INTRODUCED_S)

    def _date_the_record(self) -> None:
        state = self.bench.state
        assert state.calibration is not None
        dated = calibrated_on(state.calibration, CALIBRATED_DAYS_AGO)
        self.bench.conductor.state = evolved(state, calibration=dated)

    def ask(self, command: Command) -> Reply:
        return self.ask_together(command)[0]

    def ask_together(self, *commands: Command) -> list[Reply]:
        """Each over a connection of its own, at the same moment."""
        return self._runner.run(self._exchange_all(commands))

    async def _exchange_all(self, commands: tuple[Command, ...]) -> list[Reply]:
        async with asyncio.timeout(ANSWERED_WITHIN_S):
            return await asyncio.gather(*(self._exchange(command) for command in commands))

    async def _exchange(self, command: Command) -> Reply:
        reader, writer = await asyncio.open_unix_connection(str(Path(self._folder.name) / "control.sock"))
        writer.write(json.dumps(command).encode() + b"\n")
        reply: Reply = json.loads(await reader.readline())
        writer.close()
        await writer.wait_closed()
        return reply


def calibrated_on(calibration: Calibration, days_ago: int) -> Calibration:
    """The same, made so many days before today: the shell goes by the calendar."""
    return replace(calibration, calibrated_on=date.today() - timedelta(days=days_ago))  # noqa: DTZ011


def command(do: str, **fields: Any) -> Command:
    """A line for the socket, under an id of its own."""
    return {"do": do, "id": f"{do}-{next(_numbers):08}", "actor": "clinician", "expires_us": FAR_US, **fields}


def start(document: dict[str, Any], **changes: Any) -> Command:
    """A start with everything that a person gives before one."""
    return command("start", **{"prescription": document, "ticks": list(HUMAN_TICKS), **changes})
