"""What goes wrong with the electronics, and what they are set up with wrongly."""

from dataclasses import replace
from functools import partial
from typing import Final

from hw_sim.board import Calibration
from hw_sim.faults.fault import Fault, FaultError, Place, Site, Undo
from hw_sim.table import SimulatedTable

CLONE_SERIAL: Final = 6_666
U32_PERIOD_US: Final = 1 << 32
LBF_N: Final = 4.448


def _reset(site: Site) -> None:
    site.table.reset()


def _hang(site: Site) -> None:
    site.table.hang()


def _clock_near_its_wrap(site: Site, wraps_in_ms: int) -> None:
    site.table.set_device_clock(U32_PERIOD_US - wraps_in_ms * 1000)
    site.table.reset()


def _span(site: Site, factor: float) -> Undo:
    """The table holds another scale than it was calibrated with."""
    table = site.table
    before = list(table.memory.calibrations)
    table.memory.calibrations[:] = [replace(one, span_q20=round(one.span_q20 * factor)) for one in before]
    table.reset()
    return partial(_put_back, table, before)


def _put_back(table: SimulatedTable, calibrations: list[Calibration]) -> None:
    table.memory.calibrations[:] = calibrations
    table.reset()


def _restart_as(table: SimulatedTable, name: str, value: int | None) -> None:
    setattr(table, name, value)
    table.reset()


def _clone(site: Site, serial: int) -> Undo:
    before = site.table.serial
    _restart_as(site.table, "serial", serial)
    return partial(_restart_as, site.table, "serial", before)


def _other_protocol(site: Site, protocol: int) -> Undo:
    if not 0 <= protocol <= 255:
        raise FaultError(f"A protocol's number is from 0 to 255, not {protocol}.")
    before = site.table.protocol
    _restart_as(site.table, "protocol", protocol)
    return partial(_restart_as, site.table, "protocol", before)


class ResetLoop:
    """Resets the electronics again and again, the first time after one period, until it is ended."""

    def __init__(self, site: Site, every_ms: int) -> None:
        self._site = site
        self._every_us = max(1, every_ms) * 1000
        self._ended = False
        site.after_us(self._every_us, self._again)

    def _again(self) -> None:
        if self._ended:
            return
        self._site.table.reset()
        self._site.after_us(self._every_us, self._again)

    def end(self) -> None:
        self._ended = True


FAULTS: Final = (
    Fault("HO13", "watchdog reset", Place.MCU, "the electronics start anew", _reset),
    Fault(
        "HO15", "firmware hangs", Place.MCU, "the drive keeps its last order until the watchdog resets the board", _hang
    ),
    Fault(
        "CK07",
        "clock wraps",
        Place.MCU,
        "the device's clock is near 2**32 at power-on",
        _clock_near_its_wrap,
        {"wraps_in_ms": 30_000},
        at_power_on=True,
    ),
    Fault(
        "SE11",
        "scale is half",
        Place.CONFIG,
        "the table's calibration reads half the force",
        _span,
        {"factor": 0.5},
        at_power_on=True,
    ),
    Fault(
        "SE13",
        "scale is in pounds",
        Place.CONFIG,
        "the table's calibration reads pounds for newtons",
        _span,
        {"factor": 1 / LBF_N},
        at_power_on=True,
    ),
    Fault(
        "SX13",
        "another table on the port",
        Place.MCU,
        "IDENTITY tells another serial number",
        _clone,
        {"serial": CLONE_SERIAL},
        at_power_on=True,
    ),
    Fault(
        "LK19",
        "another protocol",
        Place.MCU,
        "IDENTITY tells another protocol",
        _other_protocol,
        {"protocol": 0},
        at_power_on=True,
    ),
)
