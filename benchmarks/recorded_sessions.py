"""Traces of whole sessions by the real host, on simulated tables: sound ones, and one for every fault."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from random import Random
from typing import Final

from controller import prescription
from controller.commands import HUMAN_TICKS
from controller.inputs import AcknowledgeAsked, StartAsked
from controller.phases import Ended, Tripped
from hw_sim.board import Panel
from hw_sim.table import SimulatedTable
from hw_sim.traces import Trace, recording
from tractable.virtual_stack import VirtualStack

RIGS: Final = ("nominal", "nominal_80", "soft", "stiff")
FULL_N: Final = 300
FAULT_AT_N: Final = 90
SESSION_S_MAX: Final = 200.0
AFTER_FAULT_S: Final = 6.0
MENDED_S: Final = 4.0
CLOCK_WRAPS_US: Final = (1 << 32) - 12_000_000  # while the session pulls

Fault = Callable[[SimulatedTable], None]


def whole_session(rig: str, seed: int) -> Trace:
    """A static session of a minute at 300 N, from power-on to its end."""
    with recording(f"session {rig}") as trace:
        stack = _started(rig, seed, FULL_N)
        stack.run_until(lambda stack: isinstance(stack.state.phase, Ended | Tripped), SESSION_S_MAX)
    return trace


def faulty_session(fault: str, rig: str, seed: int) -> Trace:
    """A session into which that fault comes at 90 N; then all is mended, and the alarm acknowledged."""
    with recording(f"{fault} {rig}") as trace:
        stack = _started(rig, seed, FULL_N)
        stack.run_until(lambda stack: stack.table.plant.force_n > FAULT_AT_N, SESSION_S_MAX)
        if fault == HOST_LOST:
            stack.table.advance(stack.now_us + round(AFTER_FAULT_S * 1e6))
        else:
            FAULTS[fault](stack.table)
            stack.run_for(AFTER_FAULT_S)
            _mend(stack.table)
            stack.run_for(MENDED_S)
            for entry in stack.state.board:
                stack.ask(AcknowledgeAsked("conformance", f"ack-{entry.id.value}", entry.id.value))
            stack.run_for(1)
    return trace


def fault_names() -> Iterator[str]:
    yield HOST_LOST
    yield from FAULTS


def _started(rig: str, seed: int, force_n: int) -> VirtualStack:
    stack = VirtualStack(rig, seed=seed, t_us_start=CLOCK_WRAPS_US)
    stack.run_for(1)
    document = {
        "patient": {"pseudonym": "CONFORM", "body_mass": "80 kg"},
        "pull": {"mode": "static", "force": f"{force_n} N", "time_at_force": "60 s", "ramp": "20 N/s"},
        "prescribed": {"by": "conformance"},
    }
    prescribed = prescription.parse(document)
    who = ("conformance", "conformance", "CONFORM")
    stack.ask(StartAsked(*who, prescribed, HUMAN_TICKS, prescribed.force_mn, True, 0))
    return stack


def _mend(table: SimulatedTable) -> None:
    table.channel_faults = [None, None]
    table.drive_fault = None
    well = Panel()
    for name in Panel.__slots__:
        setattr(table.panel, name, getattr(well, name))


def _channels(*of: int, give: Callable[[int], int | None]) -> Fault:
    def put_in(table: SimulatedTable) -> None:
        for channel in of:
            table.channel_faults[channel] = give

    return put_in


def _frozen(*of: int) -> Fault:
    def put_in(table: SimulatedTable) -> None:
        for channel in of:
            first: dict[str, int] = {}
            table.channel_faults[channel] = partial(first.setdefault, "code")

    return put_in


def _noisy(table: SimulatedTable) -> None:
    draw = Random("noise")  # noqa: S311
    table.channel_faults = [lambda code: code + draw.randint(-200_000, 200_000)] * 2


def _drive(goes: Callable[[int], int]) -> Fault:
    def put_in(table: SimulatedTable) -> None:
        table.drive_fault = goes

    return put_in


def _input(name: str, closed: bool = True) -> Fault:
    return lambda table: setattr(table.panel, name, closed)


def _reset_twice(table: SimulatedTable) -> None:
    table.reset()
    table.advance(table.now_us + 5_000)
    table.reset()


HOST_LOST: Final = "host lost"
FAULTS: Final[Mapping[str, Fault]] = {
    "A gives nothing": _channels(0, give=lambda _code: None),
    "B gives nothing": _channels(1, give=lambda _code: None),
    "both give nothing": _channels(0, 1, give=lambda _code: None),
    "A at its end": _channels(0, give=lambda _code: 0x7F_FFFF),
    "B below its range": _channels(1, give=lambda _code: -0x80_0000),
    "A drifts": _channels(0, give=lambda code: code * 5 // 4),
    "both too high": _channels(0, 1, give=lambda code: code * 3),
    "both far too high": _channels(0, 1, give=lambda code: code * 12),
    "both drop": _channels(0, 1, give=lambda code: code // 10),
    "A frozen": _frozen(0),
    "both frozen": _frozen(0, 1),
    "noise": _noisy,
    "drive stands still": _drive(lambda _velocity: 0),
    "drive runs away": _drive(lambda _velocity: 15_000),
    "drive runs out": _drive(lambda _velocity: -30_000),
    "drive turned round": _drive(lambda velocity: -velocity),
    "drive fault": _input("drive_fault"),
    "mains lost": _input("mains_good", False),
    "patient's switch": _input("patient_switch_pressed"),
    "patient's switch unplugged": _input("patient_switch_plugged", False),
    "emergency stop": _input("emergency_stop"),
    "wound-in limit": _input("wound_in_limit"),
    "paid-out limit": _input("paid_out_limit"),
    "service jumper": _input("service_jumper"),
    "self-test failed": _input("self_test_failed"),
    "reset": SimulatedTable.reset,
    "reset twice": _reset_twice,
}
