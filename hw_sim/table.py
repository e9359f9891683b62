"""The simulated table: the firmware itself, on a simulated board, over the plant. Deterministic per rig and seed.

It is the table as seen from the cable's two ends: bytes on one, a patient on the other. Time passes only in `advance`.
"""

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

from firmware.table import Table
from hw_sim.board import SERIAL, Board, Calibration, Memory, Panel
from hw_sim.cooperative_patient import PRESS_US, CooperativePatient
from hw_sim.load_cell import LoadCells
from hw_sim.other_protocol import OtherProtocol
from hw_sim.plant import Plant
from hw_sim.rigs import Rig


class Firmware(Protocol):
    """What a board calls; the firmware itself is MicroPython and says nothing about types."""

    @property
    def greeted(self) -> bool: ...
    @property
    def status(self) -> int: ...
    def on_bytes(self, data: bytes) -> None: ...
    def on_millisecond(self, t_us: int) -> None: ...
    def on_conversion(
        self,
        t_us: int,
        raw_a: int | None,
        raw_b: int | None,
        cable_um: int,
        velocity_um_s: int,
        current_ma: int,
        inputs: int,
    ) -> None: ...


ChannelFault = Callable[[int], int | None]  # from the converter's code to what arrives; None: no conversion
DriveFault = Callable[[int], int]  # from the ordered velocity to the one that the drive goes for, in um/s
DriveOrder = tuple[int, bool, bool]  # velocity in um/s, drive enabled, brake on
DriveOrderFault = Callable[[int, bool, bool], DriveOrder]  # from what reaches the drive and the brake to what they do

BOOT: Final[Callable[[Board], Firmware]] = Table
MS_US: Final = 1000
U32: Final = 0xFFFF_FFFF
NEVER_MS: Final = 1 << 62
WATCHDOG_US: Final = 120_000  # of the board: longer than any pause of the firmware, shorter than a lease
CALIBRATION_IDS: Final = (439_041_101, 1_584_361_601)  # of the record that a table leaves the (simulated) works with


@dataclass(frozen=True, slots=True)
class HungFirmware:
    """Firmware that hangs: it takes nothing in, says nothing, and leaves the drive at its last order."""

    greeted: bool
    status: int

    def on_bytes(self, data: bytes) -> None: ...
    def on_millisecond(self, t_us: int) -> None: ...
    def on_conversion(self, *_sensed: int | None) -> None: ...


@dataclass(frozen=True, slots=True)
class Truth:
    """What really is, whatever the sensors say."""

    t_us: int  # since power-on, never wrapping
    force_mn: int
    cable_um: int
    velocity_um_s: int
    drive_enabled: bool
    brake_on: bool


class SimulatedTable:
    """`receive` what the host sends, `advance` time, `transmit` what the device has sent since.

    `t_us_start` is what the device's own u32 clock shows at power-on; near 2**32 it wraps soon. `protocol` is the
    number that its IDENTITY tells, None for the firmware's own. `cooperative` lets the patient press the switch when a
    session waits for it. Faults are put into `panel`, `plant`, `channel_faults`, `drive_fault`, `drive_order_fault`
    and, for the next power-on, `serial`, `protocol` and `memory`; `call_at` is for what happens later.
    """

    def __init__(
        self, rig: Rig, seed: int, *, cooperative: bool = False, t_us_start: int = 0, protocol: int | None = None
    ) -> None:
        self.rig = rig
        self.panel = Panel()
        self.plant = Plant(rig, seed)
        self.cells = LoadCells(rig, seed)
        self.memory = Memory(
            [
                Calibration.of(rig.cell_zero_counts_a, rig.cell_counts_per_n_a, CALIBRATION_IDS[0]),
                Calibration.of(rig.cell_zero_counts_b, rig.cell_counts_per_n_b, CALIBRATION_IDS[1]),
            ]
        )
        self.channel_faults: list[ChannelFault | None] = [None, None]
        self.drive_fault: DriveFault | None = None
        self.drive_order_fault: DriveOrderFault | None = None
        self.serial = SERIAL
        self.protocol = protocol
        self._nonces = random.Random(f"boot {seed}")
        self._t_us_start = t_us_start
        self._t_ms = 0
        self._conversions = 0
        self._next_conversion_us = self._conversion_due_us()
        self._switch_released_ms: int | None = None
        self._calls: list[tuple[int, int, Callable[[], None]]] = []  # a heap: when (ms), number, what
        self._calls_made = 0
        self._next_call_ms = NEVER_MS
        self._patient = CooperativePatient() if cooperative else None
        self._out = bytearray()
        self._power_on()

    def _power_on(self) -> None:
        self.memory.boots += 1
        self._board = Board(
            rate_hz=self.rig.rate_hz,
            memory=self.memory,
            boot_nonce=self._nonces.getrandbits(32),
            panel=self.panel,
            send=self._out.extend if self.protocol is None else OtherProtocol(self.protocol, self._out.extend).send,
            serial=self.serial,
        )
        self.firmware = BOOT(self._board)

    # The host's end

    def receive(self, data: bytes) -> None:
        """Bytes from the host, arriving now."""
        if data:
            self.firmware.on_bytes(data)

    def transmit(self) -> bytes:
        """All that the device has sent since the last call."""
        sent = bytes(self._out)
        self._out.clear()
        return sent

    # Time

    @property
    def now_us(self) -> int:
        """Since power-on, never wrapping."""
        return self._t_ms * MS_US

    def advance(self, until_us: int) -> None:
        """Lets time pass, in whole milliseconds, up to that time since power-on at the latest."""
        for t_ms in range(self._t_ms + 1, until_us // MS_US + 1):
            self._step(t_ms)

    def _step(self, t_ms: int) -> None:
        self._t_ms = t_ms
        t_us = t_ms * MS_US
        if t_ms >= self._next_call_ms:
            self._make_calls(t_ms)
        board = self._board
        velocity_um_s = board.velocity_um_s
        if velocity_um_s > 0 and self.panel.wind_in_cut:
            velocity_um_s = 0
        if self.drive_fault is not None:
            velocity_um_s = self.drive_fault(velocity_um_s)
        enabled, brake_on = board.drive_enabled, board.brake_on
        if self.drive_order_fault is not None:
            velocity_um_s, enabled, brake_on = self.drive_order_fault(velocity_um_s, enabled, brake_on)
        plant = self.plant
        plant.step(velocity_um_s, enabled, brake_on)
        self.cells.feed(plant.force_n)
        while self._next_conversion_us <= t_us:
            self._convert(t_us)
        self.firmware.on_millisecond((self._t_us_start + t_us) & U32)

    def call_at(self, t_us: int, action: Callable[[], None]) -> None:
        """Calls it as the millisecond of that time since power-on begins, or the next one where it has begun."""
        self._calls_made += 1
        heapq.heappush(self._calls, (max(t_us // MS_US, self._t_ms + 1), self._calls_made, action))
        self._next_call_ms = self._calls[0][0]

    def _make_calls(self, t_ms: int) -> None:
        while self._calls and self._calls[0][0] <= t_ms:
            heapq.heappop(self._calls)[2]()
        self._next_call_ms = self._calls[0][0] if self._calls else NEVER_MS

    def _convert(self, t_us: int) -> None:
        converted_us = self._next_conversion_us
        self._conversions += 1
        self._next_conversion_us = self._conversion_due_us()
        raw_a: int | None
        raw_b: int | None
        raw_a, raw_b = self.cells.convert(t_us - converted_us)
        fault_a, fault_b = self.channel_faults
        if fault_a is not None:
            raw_a = fault_a(raw_a)
        if fault_b is not None:
            raw_b = fault_b(raw_b)
        plant = self.plant
        self.firmware.on_conversion(
            (self._t_us_start + converted_us) & U32,
            raw_a,
            raw_b,
            plant.cable_um,
            plant.velocity_um_s,
            plant.current_ma,
            self._board.inputs(),
        )
        patient = self._patient
        if patient is not None and patient.wants_to_press(self._t_ms, self.firmware.greeted, self.firmware.status):
            self.press_patient_switch(PRESS_US)

    def _conversion_due_us(self) -> int:
        return (self._conversions + 1) * 1_000_000 // self.rig.rate_hz

    # The patient's end

    @property
    def truth(self) -> Truth:
        plant, board = self.plant, self._board
        return Truth(
            t_us=self.now_us,
            force_mn=round(plant.force_n * 1000),
            cable_um=plant.cable_um,
            velocity_um_s=plant.velocity_um_s,
            drive_enabled=board.drive_enabled,
            brake_on=board.brake_on,
        )

    def press_patient_switch(self, duration_us: int) -> None:
        """Presses it from now on for that long, at least a millisecond."""
        self.panel.patient_switch_pressed = True
        self._switch_released_ms = self._t_ms + max(1, duration_us // MS_US)
        self.call_at(self._switch_released_ms * MS_US, self._release_patient_switch)

    def _release_patient_switch(self) -> None:
        if self._t_ms == self._switch_released_ms:  # else it was pressed again meanwhile
            self.panel.patient_switch_pressed = False

    def unplug_patient_switch(self) -> None:
        self.panel.patient_switch_plugged = False

    def plug_patient_switch(self) -> None:
        self.panel.patient_switch_plugged = True

    def press_emergency_stop(self) -> None:
        """It stays in until released, as a mushroom button does."""
        self.panel.emergency_stop = True

    def release_emergency_stop(self) -> None:
        self.panel.emergency_stop = False

    def close_service_jumper(self) -> None:
        self.panel.service_jumper = True

    def open_service_jumper(self) -> None:
        self.panel.service_jumper = False

    def reset(self) -> None:
        """The electronics start anew, as after their watchdog; the drive loses its power and its place stays."""
        self._power_on()

    def hang(self) -> None:
        """The firmware hangs. The drive goes on with its last order until the board's watchdog resets it."""
        hung = HungFirmware(self.firmware.greeted, self.firmware.status)
        self.firmware = hung
        self.call_at(self.now_us + WATCHDOG_US, partial(self._bite, hung))

    def _bite(self, hung: HungFirmware) -> None:
        if self.firmware is hung:
            self.reset()

    def set_device_clock(self, t_us: int) -> None:
        """Its u32 clock shows that at this moment; only a table that is at rest takes it without harm."""
        self._t_us_start = (t_us - self.now_us) & U32
