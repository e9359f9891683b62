"""The proof of what people get wrong can fail: a guard that is taken away is missed by the fault that it is for."""

from collections.abc import Callable, Iterator

import pytest

from controller import control_socket, session, shell, starting, state, zeroing
from controller.control_socket import ControlSocket
from firmware import codec
from firmware.table import Table
from hw_sim.board import SERIAL
from proof.people import desk
from proof.plan import Case
from proof.running import run_case
from safety import interlock, limits

Plant = Callable[[pytest.MonkeyPatch], None]


@pytest.fixture(autouse=True, scope="module")
def _benches_of_this_module_only() -> Iterator[None]:
    desk._base.cache_clear()
    yield
    desk._base.cache_clear()


def no_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting.prescription_rules, "refusals", lambda _prescription, _site: [])


def nothing_contradicts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "_contradictions", lambda _asked: iter(()))


def refused_in_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "note_alarm", lambda *_: None)


def refused_off_the_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "Record", lambda _kind, actor, _text, data: session.Record("note", actor, "", data))


def every_press_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    async def answer(self: ControlSocket, line: bytes) -> control_socket.Reply:
        command = control_socket.parse_command(line)
        assert not isinstance(command, control_socket.Reply)
        return await self._handle(command)

    monkeypatch.setattr(ControlSocket, "_answer", answer)


def nobody_holds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "_objections_of_the_table", lambda _state: iter(()))


def loaded_is_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interlock, "_is_quiet", lambda _tripped: True)


def any_zero_is_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zeroing, "_not_at_zero", lambda _reading, _watch: None)


def a_tare_that_shifts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zeroing, "_refusal", lambda _state: None)


def any_calibration_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (state, starting, session):
        monkeypatch.setattr(module, "calibration_matches", lambda _state: True)


def no_calibration_is_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CALIBRATION_DAYS_MAX", 3_650)


def any_table_is_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    load = shell.Shell._calibration_record
    monkeypatch.setattr(shell.Shell, "_calibration_record", lambda self, _serial: load(self, SERIAL))


def written_at_any_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table that was switched on before knows its own handlers: this takes a new one."""
    desk._base.cache_clear()

    def write(self: Table, channel: int, *calibration: int) -> int:
        self._board.store_calibration(channel, *calibration)
        return 0

    monkeypatch.setattr(Table, "_write_calibration", write)


def no_checksum(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the device: a frame of the right length is taken for whole."""

    def is_good(self: codec.Decoder, end: int) -> bool:
        buffer = self._buffer
        if end < 7 or not codec.unstuff(buffer, end) or buffer[1] not in self._layouts:
            return False
        return bool(end == 7 + self._layouts[buffer[1]][1])

    monkeypatch.setattr(codec.Decoder, "_is_good", is_good)


@pytest.mark.parametrize(
    ("plant", "fault", "phase", "asked"),
    [
        (no_rules, "HU01", "IDLE", "it is refused"),
        (no_rules, "HU03", "IDLE", "it is refused"),
        (no_rules, "HU20", "IDLE", "no session began"),
        (nothing_contradicts, "HU02", "IDLE", "it is refused"),
        (nothing_contradicts, "HU05", "IDLE", "it is refused"),
        (refused_in_silence, "HU03", "IDLE", "A30 is raised"),
        (refused_off_the_record, "HU03", "IDLE", "the refusal is on record"),
        (every_press_counts, "HU06", "READY", "every press is answered alike"),
        (nobody_holds_it, "HU06", "READY", "sessions"),
        (nobody_holds_it, "HU07", "READY", "starts that are done"),
        (nobody_holds_it, "HU07", "HOLD", "it is refused"),
        (loaded_is_quiet, "HU11", "HOLD", "it is refused"),
        (any_zero_is_good, "SE14", "READY", "it is refused"),
        (any_zero_is_good, "SE15", "IDLE", "looked at and good"),
        (a_tare_that_shifts, "SE14", "HOLD", "A27 is raised"),
        (any_calibration_fits, "SE11", "READY", "it is refused"),
        (any_calibration_fits, "SE13", "READY", "A29 is raised"),
        (any_calibration_fits, "HU18", "SERVICE", "it is refused"),
        (no_calibration_is_too_old, "HU19", "READY", "A28 is raised"),
        (any_table_is_ours, "SX13", "IDLE", "it is refused"),
        (no_checksum, "LK17", "HOLD", "answers"),
        (written_at_any_time, "HU17", "SERVICE", "to a calibration while it holds a patient"),
    ],
)
def test_a_guard_that_is_gone_is_missed(
    monkeypatch: pytest.MonkeyPatch, plant: Plant, fault: str, phase: str, asked: str
) -> None:
    desk.bench_in(phase, "nominal", 1)
    plant(monkeypatch)

    run = run_case(Case(fault, phase, "nominal", 1))

    assert asked in [verdict.asked for verdict in run.failed]
