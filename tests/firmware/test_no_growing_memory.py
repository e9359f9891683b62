"""The loop keeps what it has: nothing is built anew in it but what is named here, and nothing stays behind."""

import ast
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import firmware
from firmware import messages as m
from firmware.codec import Encoder
from firmware.table import Table
from hw_sim.board import Board, Calibration, Memory, Panel

OWN_CODE = Path(firmware.__file__).parent
ROOTS = {"turn", "on_bytes", "on_millisecond", "on_conversion"}
# Named like something in the loop, and called before it begins only.
BEFORE_THE_LOOP = {"board_pico.py:Converter.start", "board_pico.py:Board.start"}
DISPLAYS = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp, ast.GeneratorExp, ast.JoinedStr)
# What may yet be built in the loop, and why.
ALLOWED: dict[str, str] = {}

PERIOD_US = 12_500
HELD_MN = 100_000
WELL = m.SWITCH_CONNECTED | m.MAINS_GOOD


def functions() -> Iterator[tuple[str, str, ast.FunctionDef]]:
    """(file:Class.name, name, definition) of every function of the firmware but its constructors."""
    for path in sorted(OWN_CODE.glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            inner = node.body if isinstance(node, ast.ClassDef) else [node]
            prefix = f"{node.name}." if isinstance(node, ast.ClassDef) else ""
            for each in inner:
                if isinstance(each, ast.FunctionDef) and each.name != "__init__":
                    yield f"{path.name}:{prefix}{each.name}", each.name, each


def reachable() -> dict[str, ast.FunctionDef]:
    """Whatever has a name that is used in what is reachable already: rather too much than too little."""
    known = [each for each in functions() if each[0] not in BEFORE_THE_LOOP]
    handlers = {name for place, name, _ in known if place.startswith("table.py:Table.")}
    names, found = ROOTS | handlers, {}
    while True:
        new = {place: node for place, name, node in known if name in names and place not in found}
        if not new:
            return found
        found |= new
        used = [node for definition in new.values() for node in ast.walk(definition)]
        names = names | {node.attr for node in used if isinstance(node, ast.Attribute)}
        names = names | {node.id for node in used if isinstance(node, ast.Name)}


def is_forbidden(node: ast.AST) -> bool:
    if isinstance(node, ast.List) and not isinstance(node.ctx, ast.Load):
        return False
    is_float = isinstance(node, ast.Constant) and isinstance(node.value, float)
    return isinstance(node, (*DISPLAYS, ast.Div)) or is_float


def test_nothing_that_the_loop_reaches_builds_lists_tables_or_floats() -> None:
    found = {place for place, node in reachable().items() if any(is_forbidden(each) for each in ast.walk(node))}

    assert found == set(ALLOWED)


def test_the_search_reaches_all_parts_of_the_loop() -> None:
    places = set(reachable())

    assert {
        "main.py:turn",
        "board_pico.py:Converter.take",
        "transmitter.py:Transmitter.send",
        "codec.py:stuff",
        "history.py:History._close_bucket",
        "release.py:Release._blind_step",
        "table.py:Table._write_calibration",
        "calibration_store.py:CalibrationStore.store",
    } <= places


class Session:
    """The table alone, in an armed hold, fed with conversions and moves of the host."""

    def __init__(self) -> None:
        calibrations = [Calibration(0, 1 << 20, id_) for id_ in (11, 22)]  # a count is a millinewton
        self.sent = 0
        self.table = Table(Board(80, Memory(calibrations), 7, Panel(), self._send))
        self._host = Encoder(m.FROM_HOST)
        self._counter = 0
        self._conversions = 0
        self.convert(10)
        self.say(m.HELLO, m.PROTOCOL, 7)
        self.say(m.ARM, 420_000, 150_000, 5_000, 3_600, 11, 22)

    def _send(self, view: memoryview) -> None:
        self.sent += len(view)

    def say(self, kind: int, *fields: int) -> None:
        self.table.on_bytes(bytes(self._host.frame(kind, self._counter, fields)))
        self._counter = (self._counter + 1) & 0xFF

    def convert(self, count: int) -> None:
        """Force rises by 50 N/s, as of a patient who leans, and then stays; noise keeps the channels alive."""
        for _ in range(count):
            self._conversions += 1
            t_us = self._conversions * PERIOD_US
            force_mn = max(0, min(HELD_MN, (self._conversions - 20) * 600)) + self._conversions % 7
            self.table.on_conversion(t_us & 0xFFFF_FFFF, force_mn, force_mn + 1, 0, 0, 900, WELL)
            self.table.on_millisecond(t_us + 1_000 & 0xFFFF_FFFF)
            if self._conversions > 10:
                self.say(m.MOVE, self._conversions - 1 & 0xFFFF, 0, 250)


def test_ten_thousand_conversions_leave_no_memory_behind() -> None:
    session = Session()
    session.convert(1_000)

    tracemalloc.start()
    session.convert(100)
    before = tracemalloc.get_traced_memory()[0]
    session.convert(10_000)
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()

    assert session.table.status & (m.ARMED | m.TRIPPED | m.SLACK) == m.ARMED
    assert after - before < 2_000  # integers of another size, and not a byte a conversion
