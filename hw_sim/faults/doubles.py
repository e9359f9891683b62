"""Two things at once."""

from typing import Final

from hw_sim.faults.actuator import mains_lost, set_input
from hw_sim.faults.board import ResetLoop
from hw_sim.faults.fault import Fault, Place, Site, Undo, all_of
from hw_sim.faults.people import lean
from hw_sim.faults.sensor import dead, stuck

OVER_FORCE: Final = {"n": 60.0, "lasting_ms": 2_000}  # over a ceiling 50 N above the pull


def _dead_and_stuck(site: Site) -> Undo:
    return all_of(dead(site, "b"), stuck(site, "a"))


def _switch_shorted_and_over_force(site: Site, n: float, lasting_ms: int) -> Undo:
    undo = set_input(site.table.panel, "patient_switch_shorted", True)
    lean(site, n, lasting_ms)
    return undo


def _mains_lost_and_resets(site: Site, every_ms: int) -> Undo:
    power_back = mains_lost(site)
    loop = ResetLoop(site, every_ms)
    return all_of(loop.end, power_back)


FAULTS: Final = (
    Fault(
        "DF02",
        "one channel dead, the other stuck",
        Place.ADC,
        "B gives nothing, A the same code",
        _dead_and_stuck,
        {"for_ms": 0},
    ),
    Fault(
        "DF03",
        "patient's switch shorted, and too much force",
        Place.GPIO,
        "a press is not seen; someone leans on the cable",
        _switch_shorted_and_over_force,
        OVER_FORCE,
    ),
    Fault(
        "DF04",
        "too much force",
        Place.PLANT,
        "someone leans on the cable (the full disk is the host's half)",
        lean,
        OVER_FORCE,
    ),
    Fault(
        "DF07",
        "mains lost, and resets",
        Place.PSU,
        "the drive has no power, and the electronics start anew twice a second",
        _mains_lost_and_resets,
        {"every_ms": 500, "for_ms": 0},
    ),
)
