"""Every reason of NAK, provoked on the simulated table."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from firmware import messages as m
from hw_sim.bare_host import BareHost
from hw_sim.rigs import load_rig
from hw_sim.table import CALIBRATION_IDS

LIMITS: Final = (420_000, 150_000, 5_000, 1_800)

Answer = tuple[int, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A command that is refused for `reason`; `asked` brings the table there and gives its answer."""

    reason: int
    how: str
    asked: Callable[[BareHost], Answer]


@dataclass(frozen=True, slots=True)
class RefusalRow:
    reason: int
    how: str
    answered: int | None  # the reason that was sent; None: it was accepted


def refusal_rows(seed: int) -> Iterator[RefusalRow]:
    for refusal in REFUSALS:
        kind, fields = refusal.asked(BareHost(load_rig("nominal"), seed))
        yield RefusalRow(refusal.reason, refusal.how, int(fields[1]) if kind == m.NAK else None)


def _arm(host: BareHost) -> Answer:
    return host.ask(m.ARM, *LIMITS, *CALIBRATION_IDS)


def _move(host: BareHost, velocity_um_s: int = 0) -> Answer:
    return host.ask(m.MOVE, host.samples[-1][0], velocity_um_s, 100)


def _move_unarmed(host: BareHost) -> Answer:
    return _move(host.greet())


def _arm_tripped(host: BareHost) -> Answer:
    host.arm()
    host.table.press_emergency_stop()
    host.run(5)
    host.let_go()
    return _arm(host)


def _move_late(host: BareHost) -> Answer:
    basis = host.arm().samples[-1][0]
    host.run(200)
    return host.ask(m.MOVE, basis, 0, 100)


def _disarm_loaded(host: BareHost) -> Answer:
    return host.arm().load(50_000).ask(m.DISARM)


def _arm_with_other_calibration(host: BareHost) -> Answer:
    return host.greet().ask(m.ARM, *LIMITS, CALIBRATION_IDS[0], 5)


def _arm_pressed(host: BareHost) -> Answer:
    host.greet().table.press_patient_switch(1_000)
    return _arm(host)


def _move_releasing(host: BareHost) -> Answer:
    host.arm().load(50_000).send(m.RELEASE, m.NORMAL)
    return _move(host)


def _arm_stopped(host: BareHost) -> Answer:
    host.greet().table.press_emergency_stop()
    return _arm(host)


REFUSALS: Final = (
    Refusal(m.NOT_ARMED, "MOVE while disarmed", _move_unarmed),
    Refusal(m.IS_TRIPPED, "ARM while tripped", _arm_tripped),
    Refusal(m.BASIS_TOO_OLD, "MOVE from a sample 200 ms old", _move_late),
    Refusal(m.OUT_OF_RANGE, "MOVE at 20.001 mm/s", lambda host: _move(host.arm(), 20_001)),
    Refusal(m.NOT_SLACK, "DISARM at 50 N", _disarm_loaded),
    Refusal(m.CALIBRATION_DIFFERS, "ARM with another calibration", _arm_with_other_calibration),
    Refusal(m.SWITCH_NOT_READY, "ARM while the patient presses", _arm_pressed),
    Refusal(
        m.JUMPER_OPEN,
        "WRITE_CALIBRATION without the jumper",
        lambda host: host.greet().ask(m.WRITE_CALIBRATION, 0, 0, 131_072, 7),
    ),
    Refusal(m.UNKNOWN_PROTOCOL, "HELLO in protocol 2", lambda host: host.greet().ask(m.HELLO, 2, 0)),
    Refusal(m.IS_RELEASING, "MOVE while releasing", _move_releasing),
    Refusal(m.EMERGENCY_STOP_ACTIVE, "ARM with the emergency stop in", _arm_stopped),
)
