"""How the board is wired to its pins and registers, on a stand-in for the Pico's `machine`. No Pico is used here."""

import binascii
import importlib
import importlib.util
import struct
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import pytest

import hw_sim  # noqa: F401  # lets the firmware import MicroPython's own module
from benchmarks import firmware as firmware_loop
from firmware import calibration_store
from firmware import messages as m
from firmware.codec import Decoder, Encoder
from firmware.main import turn
from firmware.table import Table

PERIOD_US = 12_500
WELL = m.SWITCH_CONNECTED | m.MAINS_GOOD
SCRATCH_2 = 0x4005_8014
ZERO_A, SPAN, ID_A, ID_B = 8_000, 131_072, 11, 22


@pytest.fixture(scope="module")
def fake() -> ModuleType:
    """The stand-ins, from the file beside this one."""
    spec = importlib.util.spec_from_file_location("fake_pico", Path(__file__).with_name("fake_pico.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def pico(fake: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator:
    """A Pico with an empty flash."""
    pico = fake.Pico()
    half = fake.CLOCK_TURN // 2

    def passed(later: int, earlier: int) -> int:
        return (later - earlier + half) % fake.CLOCK_TURN - half

    monkeypatch.setitem(sys.modules, "machine", fake.machine_of(pico))
    monkeypatch.setitem(sys.modules, "rp2", fake.rp2_of(pico))
    monkeypatch.setattr(time, "ticks_us", lambda: pico.ticks, raising=False)
    monkeypatch.setattr(time, "ticks_diff", passed, raising=False)
    monkeypatch.setattr(time, "ticks_add", lambda ticks, us: (ticks + us) % fake.CLOCK_TURN, raising=False)
    monkeypatch.setattr(time, "sleep_ms", lambda ms: pico.pass_us(ms * 1000), raising=False)
    monkeypatch.chdir(tmp_path)
    yield pico
    for name in ("firmware.board_pico", "firmware.quadrature_pio"):
        sys.modules.pop(name, None)


@pytest.fixture
def board_module(pico) -> ModuleType:
    return importlib.import_module("firmware.board_pico")


@pytest.fixture
def calibrated(tmp_path: Path) -> None:
    slot = calibration_store.encode(1, (ZERO_A, SPAN, ID_A), (0, SPAN, ID_B))
    (tmp_path / "calibration.0").write_bytes(slot)


class Running:
    """A board with its table, turned by hand."""

    def __init__(self, pico, board_module: ModuleType) -> None:
        self.pico = pico
        self.board = board_module.Board()
        self.table = Table(self.board)
        self.board.start()
        self.frames: list[tuple[int, tuple]] = []
        self._decoder = Decoder(m.FROM_DEVICE)
        self._encoder = Encoder(m.FROM_HOST)
        self._counter = 0

    def run(self, ms: int) -> None:
        for _ in range(ms * 2):
            self.pico.pass_us(500)
            turn(self.board, self.table)
        self._decoder.feed(bytes(self.pico.sent), lambda kind, counter, fields: self.frames.append((kind, fields)))
        self.pico.sent.clear()

    def send(self, kind: int, *fields: int) -> None:
        self.pico.arriving += self._encoder.frame(kind, self._counter, fields)
        self._counter += 1

    def of(self, kind: int) -> list[tuple]:
        return [fields for found, fields in self.frames if found == kind]


@pytest.fixture
def running(pico, calibrated, board_module) -> Running:
    return Running(pico, board_module)


def test_both_converters_are_set_up_and_calibrated_before_anything_is_sent(pico, board_module) -> None:
    board_module.Board()

    for converter in pico.converters.values():
        assert converter.written[:2] == [(0, 0x01), (0, 0x02)]
        assert converter.written[2:] == [(0, 0x96), (1, 0x2F), (0x15, 0x30), (0x1C, 0x80), (2, 0x30), (2, 0x34)]


@pytest.mark.parametrize(
    "breaks",
    [
        lambda pico: setattr(pico.converters[0], "answers", False),
        lambda pico: setattr(pico.converters[1], "answers", False),
        lambda pico: setattr(pico.converters[1], "calibrates", False),
        lambda pico: Path("calibration.0").write_bytes(b"not a calibration"),
    ],
    ids=["A is silent", "B is silent", "B does not calibrate", "calibration is damaged"],
)
def test_what_is_wrong_at_power_on_fails_the_self_test_and_trips(pico, calibrated, board_module, breaks) -> None:
    breaks(pico)

    running = Running(pico, board_module)
    running.run(50)

    assert running.board.inputs() & m.SELF_TEST_FAILED
    assert running.of(m.SAMPLE)[-1][7] & m.TRIPPED


def test_a_drive_that_is_enabled_though_nobody_asked_fails_the_self_test(pico, board_module, monkeypatch) -> None:
    monkeypatch.setattr(board_module.Drive, "is_enabled", lambda drive: True)

    assert board_module.Board().inputs() & m.SELF_TEST_FAILED


def test_a_new_board_passes_its_self_test_and_has_no_calibration(pico, board_module) -> None:
    board = board_module.Board()

    assert not board.inputs() & m.SELF_TEST_FAILED
    assert board.load_calibration(0) == (0, 0, 0)


@pytest.mark.parametrize(
    ("pin", "level", "bit"),
    [
        (12, 1, m.EMERGENCY_STOP),
        (13, 1, m.WOUND_IN_LIMIT),
        (14, 1, m.PAID_OUT_LIMIT),
        (15, 0, m.SERVICE_JUMPER),
        (19, 0, m.MAINS_GOOD),
        (20, 1, m.DRIVE_FAULT),
    ],
)
def test_every_input_is_read_from_its_pin(pico, board_module, pin: int, level: int, bit: int) -> None:
    board = board_module.Board()

    assert board.inputs() == WELL
    pico.levels = pico.levels & ~(1 << pin) | level << pin

    assert board.inputs() == WELL ^ bit


def test_a_wire_that_breaks_reads_as_the_worse_state(pico, board_module) -> None:
    board_module.Board()
    pin = sys.modules["machine"].Pin

    pulled_up = {number for number, pull in pin.pulls.items() if pull == pin.PULL_UP}
    pulled_down = {number for number, pull in pin.pulls.items() if pull == pin.PULL_DOWN}

    assert pulled_up >= {12, 13, 14, 18, 20}  # stops, limits, enabled, drive fault: high is bad
    assert pulled_down == {16, 17, 19}  # converters ready, mains: low is bad


def test_the_patients_switch_is_read_from_its_loop(pico, board_module) -> None:
    board = board_module.Board()

    pico.analog[26] = 43_353
    pressed = board.inputs()
    pico.analog[26] = 65_535
    unplugged = board.inputs()

    assert pressed == WELL | m.SWITCH_PRESSED
    assert unplugged == m.MAINS_GOOD


def test_samples_come_once_a_period_with_codes_position_and_current(running: Running) -> None:
    for converter, code in zip(running.pico.converters.values(), (ZERO_A + 80, -300), strict=True):
        converter.registers[0x12:0x15] = struct.pack(">i", code)[1:]
    running.pico.analog[27] = 32_768
    running.pico.count = -400

    running.run(1_000)

    samples = running.of(m.SAMPLE)
    assert 79 <= len(samples) <= 80
    assert samples[-1][2:5] == (ZERO_A + 80, -300, -1_000)
    assert samples[-1][6] == 5_000
    assert {(after[1] - before[1]) for before, after in pairwise(samples)} == {PERIOD_US}


def test_a_converter_that_is_not_ready_or_does_not_answer_gives_nothing(running: Running) -> None:
    running.run(20)
    running.pico.levels &= ~(1 << 16)
    running.pico.converters[1].answers = False

    running.run(20)

    assert (running.board.raw_a, running.board.raw_b) == (None, None)
    running.run(20)
    assert running.of(m.TRIP)[0][0] == m.CHANNEL_RANGE


def test_a_period_that_was_slept_through_is_not_made_up_for(running: Running) -> None:
    running.run(100)
    before = len(running.of(m.SAMPLE))

    running.pico.pass_us(40_000)
    running.run(1)

    assert len(running.of(m.SAMPLE)) - before == 1


def test_the_drive_is_ramped_by_milliseconds_and_stops_pulsing_without_power(running: Running) -> None:
    running.board.set_drive(5_000, True, False)
    running.run(1)
    soon_hz, winding_in = running.pico.pulses_hz, running.pico.level(7)
    running.run(20)
    full_hz = running.pico.pulses_hz
    running.board.set_drive(-5_000, True, False)
    running.run(40)
    paying_out = (running.pico.pulses_hz, running.pico.level(7))

    running.board.set_drive(0, False, True)

    assert (soon_hz, full_hz) == (64, 800)
    assert (winding_in, paying_out) == (1, (800, 0))
    assert running.pico.pulses_hz == 0
    assert (running.pico.level(8), running.pico.level(9)) == (0, 0)


def test_the_watchdog_is_fed_once_a_conversion_and_only_where_milliseconds_were_looked_at(running: Running) -> None:
    running.run(1_000)
    fed = running.pico.watchdog.count("fed")

    running.board.conversion_done()
    running.board.conversion_done()

    assert running.pico.watchdog[0] == "50 ms"
    assert 79 <= fed <= 80
    assert running.pico.watchdog.count("fed") <= fed + 1


def test_a_host_is_answered_and_a_calibration_outlives_the_board(running: Running, pico, board_module) -> None:
    pico.levels &= ~(1 << 15)  # the service jumper is closed
    running.run(50)

    running.send(m.HELLO, m.PROTOCOL, 7)
    running.send(m.WRITE_CALIBRATION, 1, -5, 130_000, 77)
    running.run(50)

    assert (running.of(m.IDENTITY)[0][1], running.of(m.IDENTITY)[0][8]) == (m.FLAG_SERVICE_JUMPER, 80)
    assert running.of(m.ACK)[-1][1] == m.WRITE_CALIBRATION
    assert pico.watchdog.index("2000 ms") < len(pico.watchdog) - 1 - pico.watchdog[::-1].index("50 ms")
    again = board_module.Board()
    assert (again.load_calibration(0), again.load_calibration(1)) == ((ZERO_A, SPAN, ID_A), (-5, 130_000, 77))


def test_the_mark_of_a_load_is_in_the_watchdogs_scratch_register(running: Running, pico, board_module) -> None:
    assert not running.board.under_load()

    running.board.mark_under_load(True)
    marked = board_module.Board().under_load()
    running.board.mark_under_load(False)

    assert marked
    assert pico.written[SCRATCH_2] == 0


def test_the_serial_number_is_the_chips(running: Running) -> None:
    assert running.board.serial == binascii.crc32(b"\xe6\x60\x58\x38\x83\x12\x34\x56")


def test_device_time_turns_over_at_32_bits(running: Running) -> None:
    running.board.t_us = 2**32 - 700

    running.run(1)

    assert running.board.t_us == 300


@pytest.mark.parametrize("first", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_the_encoders_program_counts_both_ways_and_loses_nothing_where_the_drum_trembles(fake, pico, first) -> None:
    cycle = [(0, 0), (1, 0), (1, 1), (0, 1)]  # forwards
    program = importlib.import_module("firmware.quadrature_pio").quadrature
    counter = fake.CountingMachine(*program, x=0x2000_0000)
    at = cycle.index(first)

    def turn_by(quarters: int) -> int:
        nonlocal at
        before = counter.x
        for _ in range(abs(quarters)):
            at += 1 if quarters > 0 else -1
            counter.settle(*cycle[at % 4])
        return counter.x - before

    counter.settle(*first)

    assert turn_by(400) == 200
    assert turn_by(-1_200) == -600
    assert sum(turn_by(quarters) for quarters in (1, -1, 1, -1, 2, -2, 3, -3)) == 0


def test_a_turn_of_the_loop_takes_no_more_bytecodes_than_its_time_is_reckoned_with(running: Running) -> None:
    """Here the board's own: what the table does is counted in its sessions."""
    counts = set()

    for _ in range(200):
        running.pico.pass_us(500)
        counts.add(firmware_loop.bytecodes_of(turn, running.board, Idle(), where=firmware_loop.OWN_CODE))

    most = max(counts)
    assert most <= firmware_loop.BOARD_CONVERSION_BYTECODES + firmware_loop.BOARD_MILLISECOND_BYTECODES
    assert most > 400  # there was a conversion


class Idle:
    """A table that does nothing."""

    def on_millisecond(self, t_us: int) -> None:
        pass

    def on_conversion(self, *values: object) -> None:
        pass
