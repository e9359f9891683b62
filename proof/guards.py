"""Each guard alone: `python -m proof.guards` takes one of the two away and measures how far true force goes.

Without the host's guard its limiter permits everything and its plausibility finds nothing; without the device's guard
the firmware's limiter finds no cause for a trip. What is left is measured for every fault that may raise the force, on
a nominal and on the stiffest patient. The project counts on the device alone; what the host can do by itself is told.
"""

import argparse
import functools
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Final

from controller import following, state, treatment
from firmware.limiter import Limiter
from hw_sim.faults import FAULTS, Injector
from proof.bench import Bench, bench_at
from safety import limiter, plausibility
from safety.limiter import Permit, Situation
from safety.motion import Motion, Pull
from safety.units import MicrometresPerSecond

RUN_S: Final = 6.0
RIGS: Final = ("nominal", "stiff")
PHASES: Final = ("RAMP", "HOLD")
JUDGES: Final = ("judge_armed", "judge_releasing", "judge_disarmed", "judge_inputs", "judge_drive")
# People or masses that hang on the cable make the force themselves.
LEANING: Final = frozenset(("HU16", "DF03", "DF04", "SE14"))
MAY_RAISE_FORCE: Final = tuple(
    sorted(one.id for one in FAULTS.values() if not one.at_power_on and one.id not in LEANING)
)
# Both channels lie alike: one guard alone, the host's, can tell, by the cable that goes in and changes nothing.
ONLY_THE_HOST_SEES: Final = frozenset(("SE22",))
# The drive does not do what the table tells it: nothing that the host says reaches the motor.
BEYOND_THE_HOST: Final = frozenset(("AC01", "AC03"))
MAD: Final = "MAD"  # a host that asks for the fastest pull that the table takes, always, and never lets go
FASTEST_UM_S: Final = MicrometresPerSecond(5_000)


@dataclass(frozen=True, slots=True)
class Peak:
    """How far true force went over the ceiling (below zero: it stayed under it), and what tripped first."""

    fault: str
    rig: str
    phase: str
    over_ceiling_n: float
    root: str | None


@contextmanager
def _instead(*changes: tuple[object, str, object]) -> Iterator[None]:
    before = [(place, name, getattr(place, name)) for place, name, _instead in changes]
    for place, name, instead in changes:
        setattr(place, name, instead)
    try:
        yield
    finally:
        for place, name, was in before:
            setattr(place, name, was)


@contextmanager
def device_alone() -> Iterator[None]:
    """The host permits everything, and finds nothing wrong with any reading."""
    watch, waited = plausibility.watch, plausibility.waited
    with _instead(
        (state, "review", _everything),
        (plausibility, "watch", lambda *given: (watch(*given)[0], ())),
        (plausibility, "waited", lambda *given: (waited(*given)[0], ())),
    ):
        yield


def _everything(motion: Motion, situation: Situation) -> Permit:
    return limiter._permit(motion, situation)


@contextmanager
def host_alone() -> Iterator[None]:
    """The device finds no cause for a trip. A lease that ends still stops its drive, and RELEASE still lets go."""
    with _instead(*((Limiter, judge, lambda *_: 0) for judge in JUDGES)):
        yield


@contextmanager
def _mad_host() -> Iterator[None]:
    with _instead(
        (following, "_motion", lambda *_: Pull(FASTEST_UM_S)),
        (treatment, "let_go_again", lambda *_: None),
        (state, "let_go", lambda *_: None),
    ):
        yield


def peaks(
    guard: Callable[[], Any], faults: Sequence[str], rigs: Sequence[str] = RIGS, phases: Sequence[str] = PHASES
) -> Iterator[Peak]:
    """Each fault once on each rig and in each phase, with that guard alone."""
    for rig in rigs:
        for phase in phases:
            base = _base(phase, rig)
            for fault in faults:
                with guard():
                    yield _peak(base.copy(), fault, rig, phase)


@functools.lru_cache(maxsize=len(RIGS) * len(PHASES))
def _base(phase: str, rig: str) -> Bench:
    """Reached with both guards in place, and once."""
    return bench_at(phase, rig)


def _peak(bench: Bench, fault: str, rig: str, phase: str) -> Peak:
    bench.fault_now()
    if fault == MAD:
        with _mad_host():
            bench.run_for(RUN_S)
    else:
        Injector(bench.table, bench.line).inject(fault)
        bench.run_for(RUN_S)
    return Peak(fault, rig, phase, round(bench.peak_since_fault_n - bench.ceiling_n, 1), bench.root)


def main() -> None:
    """Prints a line for each fault, the worst first; measures and does not judge."""
    parser = argparse.ArgumentParser(prog="python -m proof.guards", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("guard", choices=("device", "host"), help="the one that is left")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    asked = parser.parse_args()
    guard, faults = (
        (device_alone, (*MAY_RAISE_FORCE, MAD)) if asked.guard == "device" else (host_alone, MAY_RAISE_FORCE)
    )
    measured = sorted(peaks(guard, faults), key=lambda peak: -peak.over_ceiling_n)
    if asked.json:
        json.dump([asdict(peak) for peak in measured], sys.stdout)
        return
    for peak in measured:
        name = FAULTS[peak.fault].name if peak.fault in FAULTS else "the host pulls as fast as it can"
        told = f"{peak.over_ceiling_n:8.1f} N over the ceiling"
        print(f"{told}  {peak.fault:6} {name:38} {peak.phase:5} {peak.rig:8} {peak.root or 'no trip on the host'}")


if __name__ == "__main__":
    main()
