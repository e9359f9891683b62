"""The board that the firmware finds itself on: pins, converters' timing, memory that outlives a reset.

It stands where `firmware/` expects hardware and offers just that; what is plugged into it is in `hw_sim.table`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from firmware import messages

U32: Final = 0xFFFF_FFFF
SERIAL: Final = 1001
SPAN_SCALE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Calibration:
    """What turns a channel's counts into millinewtons: force_mN = ((raw - zero_counts) * span_q20) >> 20."""

    zero_counts: int
    span_q20: int
    id: int

    @classmethod
    def of(cls, zero_counts: int, counts_per_n: float, id_: int) -> "Calibration":
        return cls(zero_counts, round(1000 * SPAN_SCALE / counts_per_n), id_)


@dataclass(slots=True)
class Memory:
    """What a reset does not take away."""

    calibrations: list[Calibration]
    under_load: bool = False
    boots: int = 0


@dataclass(slots=True)
class Panel:
    """Everything that a person, or the world, can do to the board's inputs."""

    patient_switch_plugged: bool = True
    patient_switch_pressed: bool = False
    patient_switch_shorted: bool = False  # it looks plugged in and at rest, whatever is done to it
    emergency_stop: bool = False
    wound_in_limit: bool = False
    paid_out_limit: bool = False
    service_jumper: bool = False
    mains_good: bool = True
    drive_fault: bool = False
    self_test_failed: bool = False

    def bits(self) -> int:
        """As the firmware reads them: the patient's switch is a loop that an unplugged one leaves open."""
        shorted = self.patient_switch_shorted
        plugged = self.patient_switch_plugged or shorted
        return (
            (messages.SWITCH_CONNECTED if plugged else 0)
            | (messages.SWITCH_PRESSED if plugged and self.patient_switch_pressed and not shorted else 0)
            | (messages.EMERGENCY_STOP if self.emergency_stop else 0)
            | (messages.WOUND_IN_LIMIT if self.wound_in_limit else 0)
            | (messages.PAID_OUT_LIMIT if self.paid_out_limit else 0)
            | (messages.SERVICE_JUMPER if self.service_jumper else 0)
            | (messages.MAINS_GOOD if self.mains_good else 0)
            | (messages.DRIVE_FAULT if self.drive_fault else 0)
            | (messages.SELF_TEST_FAILED if self.self_test_failed else 0)
        )

    @property
    def wind_in_cut(self) -> bool:
        """Both stops cut the wind-in in hardware; so do the limit switch and an unplugged patient's switch."""
        opened = self.patient_switch_pressed or not self.patient_switch_plugged
        stopped = opened and not self.patient_switch_shorted
        return stopped or self.emergency_stop or self.wound_in_limit


@dataclass(slots=True)
class Board:
    """One power-on of the electronics."""

    rate_hz: int
    memory: Memory
    boot_nonce: int
    panel: Panel
    send: Callable[[memoryview], None]
    serial: int = SERIAL
    simulated: bool = True
    velocity_um_s: int = field(default=0, init=False)
    drive_enabled: bool = field(default=False, init=False)
    brake_on: bool = field(default=True, init=False)

    def inputs(self) -> int:
        return self.panel.bits()

    def set_drive(self, velocity_um_s: int, enabled: bool, brake_on: bool) -> None:
        self.velocity_um_s = velocity_um_s
        self.drive_enabled = enabled
        self.brake_on = brake_on

    def write(self, view: memoryview) -> None:
        self.send(view)

    def load_calibration(self, channel: int) -> tuple[int, int, int]:
        stored = self.memory.calibrations[channel]
        return stored.zero_counts, stored.span_q20, stored.id

    def store_calibration(self, channel: int, zero_counts: int, span_q20: int, id_: int) -> None:
        self.memory.calibrations[channel] = Calibration(zero_counts, span_q20, id_)

    def under_load(self) -> bool:
        return self.memory.under_load

    def mark_under_load(self, loaded: bool) -> None:
        self.memory.under_load = loaded
