"""What goes wrong with drive, brake, cable, power and the switches that cut the wind-in."""

from collections.abc import Callable
from functools import partial
from typing import Final

from hw_sim.board import Panel
from hw_sim.faults.fault import Fault, Parameter, Place, Site, Undo, all_of
from hw_sim.table import DriveOrder

Order = Callable[[int, bool, bool], DriveOrder]  # velocity (um/s), drive enabled, brake on; what becomes of them


def _order(becomes: Callable[[Site], Order]) -> Callable[[Site], Undo]:
    return lambda site: site.drive.add(becomes(site))


def _input(name: str, *, faulty: bool) -> Callable[..., Undo]:
    return lambda site: set_input(site.table.panel, name, faulty)


def set_input(panel: Panel, name: str, faulty: bool) -> Undo:
    """Sets that input of the panel to its faulty state; undone, it is in the other one."""
    setattr(panel, name, faulty)
    return partial(setattr, panel, name, not faulty)


def _run_away(site: Site) -> Order:
    fastest_um_s = site.table.rig.mechanical_max_um_s
    return lambda _velocity, enabled, brake_on: (fastest_um_s, enabled, brake_on)


def _stuck_stop(_site: Site) -> Order:
    return lambda velocity, enabled, brake_on: (max(0, velocity), enabled, brake_on)


def _inverted(_site: Site) -> Order:
    return lambda velocity, enabled, brake_on: (-velocity, enabled, brake_on)


def _brake_fails(site: Site, um_s: int) -> Undo:
    """Where the brake should hold, the drum drifts; while the drive works, against it. A cut drive bleeds as ever."""

    def order(velocity: int, enabled: bool, brake_on: bool) -> DriveOrder:
        if enabled:
            return velocity - um_s, True, False
        return (-um_s, True, False) if brake_on else (0, False, False)

    return site.drive.add(order)


def _freewheel(_velocity: int, _enabled: bool, _brake_on: bool) -> DriveOrder:
    return 0, False, False


def _without_power(_velocity: int, _enabled: bool, brake_on: bool) -> DriveOrder:
    return 0, False, brake_on


def _too_hot(site: Site) -> Undo:
    told = set_input(site.table.panel, "drive_fault", True)
    moved = site.drive.add(_freewheel)
    return all_of(told, moved)


def mains_lost(site: Site) -> Undo:
    """The drive has no power; the electronics live on, on their battery."""
    told = set_input(site.table.panel, "mains_good", False)
    moved = site.drive.add(_without_power)
    return all_of(told, moved)


def _snap(site: Site) -> None:
    site.table.plant.snap()


def _snag(site: Site, n_per_mm: float, lasting_ms: int) -> None:
    site.table.plant.snag(n_per_mm, max(1, lasting_ms))


def _slip(site: Site, mm: float, lasting_ms: int) -> None:
    site.table.plant.slip(mm, max(1, lasting_ms))


class _Chatter:
    """The switch opens and closes, `hz` times a second, until it is calmed."""

    def __init__(self, site: Site, hz: int) -> None:
        self._site = site
        self._half_us = 500_000 // max(1, hz)
        self._calm = False
        self._toggle()

    def _toggle(self) -> None:
        if self._calm:
            return
        panel = self._site.table.panel
        panel.patient_switch_pressed = not panel.patient_switch_pressed
        self._site.after_us(self._half_us, self._toggle)

    def calm(self) -> None:
        self._calm = True
        self._site.table.panel.patient_switch_pressed = False


def _chatter(site: Site, hz: int) -> Undo:
    return _Chatter(site, hz).calm


def _fault(
    id_: str, name: str, place: Place, how: str, begin: Callable[..., Undo | None], **parameters: Parameter
) -> Fault:
    return Fault(id_, name, place, how, begin, parameters)


PLANT, GPIO, PSU = Place.PLANT, Place.GPIO, Place.PSU
FAULTS: Final = (
    _fault("AC01", "runaway", PLANT, "the drive pulls as fast as its gear lets it", _order(_run_away), for_ms=0),
    _fault("AC02", "drive will not pay out", PLANT, "every order to pay out is a stop", _order(_stuck_stop), for_ms=0),
    _fault("AC03", "direction inverted", PLANT, "the order times -1", _order(_inverted), for_ms=0),
    _fault("AC05", "cable snaps", PLANT, "the force goes within 5 ms", _snap),
    _fault(
        "AC06",
        "cable catches, then springs free",
        PLANT,
        "so stiff, for so long",
        _snag,
        n_per_mm=1000.0,
        lasting_ms=300,
    ),
    _fault("AC07", "harness slips", PLANT, "60 mm of cable come free in 200 ms", _slip, mm=60.0, lasting_ms=200),
    _fault("AC10", "limit switch closes", GPIO, "the wound-in limit", _input("wound_in_limit", faulty=True), for_ms=0),
    _fault("AC11", "brake does not hold", PLANT, "the drum drifts out at 2 mm/s", _brake_fails, um_s=2_000, for_ms=0),
    _fault(
        "AC12",
        "drive too hot",
        PLANT,
        "the drive says so, lets go of its motor, and it turns freely",
        _too_hot,
        for_ms=0,
    ),
    _fault("AC14", "supply dips", PSU, "mains not good for 300 ms", _input("mains_good", faulty=False), for_ms=300),
    _fault("AC15", "mains lost", PSU, "the drive has no power, the electronics have", mains_lost, for_ms=0),
    _fault(
        "AC16", "emergency stop pressed", GPIO, "both contacts open", _input("emergency_stop", faulty=True), for_ms=0
    ),
    _fault(
        "AC19",
        "patient's switch pressed",
        GPIO,
        "its contact opens",
        _input("patient_switch_pressed", faulty=True),
        for_ms=0,
    ),
    _fault(
        "AC20",
        "patient's switch unplugged",
        GPIO,
        "its loop is open",
        _input("patient_switch_plugged", faulty=False),
        for_ms=0,
    ),
    _fault("AC22", "patient's switch chatters", GPIO, "it opens and closes at 50 Hz", _chatter, hz=50, for_ms=0),
    _fault(
        "SLIP", "harness slips a little", PLANT, "10 mm of cable come free in 200 ms", _slip, mm=10.0, lasting_ms=200
    ),
)
