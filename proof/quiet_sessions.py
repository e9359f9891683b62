"""Does it cry wolf? Many sessions of ordinary patients, who breathe and cough, and nothing is wrong: no HIGH alarm.

`python -m proof.quiet_sessions --sessions 1000`: patients and harnesses within 30 % of nominal, 60 s at 100 to 300 N,
coughs of up to 60 N every few seconds, both tables. Session n of a seed is always the same one.
"""

import random
import sys
from dataclasses import dataclass, replace
from typing import Any, Final

from controller import prescription
from controller.phases import Ended, Tripped
from hw_sim.faults import Injector
from hw_sim.rigs import Rig, load_rig
from proof.bench import Bench, document
from proof.many_sessions import main
from safety.alarms import CATALOGUE, AlarmId, Priority

TABLES: Final = ("nominal", "nominal_80")
WITHIN: Final = 0.3
VARIED: Final = (
    "harness_n_per_mm",
    "harness_toe_mm",
    "harness_damping_n_s_per_m",
    "body_n_per_mm",
    "body_damping_n_s_per_m",
    "hip_mass_kg",
    "breathing_mm",
    "breathing_hz",
)
FORCES_N: Final = (100, 300)
COUGH_EVERY_S: Final = (3.0, 10.0)
COUGH_N_MAX: Final = 60.0
TIME_AT_FORCE_S: Final = 60
WITHIN_S: Final = 240.0


@dataclass(frozen=True, slots=True)
class Quiet:
    """One session: on which table, at which force, and what was raised in it. `completed`: it came to its own end."""

    number: int
    seed: int
    table: str
    force_n: int
    completed: bool
    high_alarms: tuple[str, ...]
    other_alarms: tuple[str, ...]

    @property
    def held(self) -> bool:
        return self.completed and not self.high_alarms


def session(number: int, seed: int) -> Quiet:
    """Runs that session, in virtual time."""
    draw = random.Random(f"quiet {seed} {number}")
    table, force_n = draw.choice(TABLES), draw.randint(*FORCES_N)
    bench = Bench(patient_near(load_rig(table), draw), seed=draw.randrange(1 << 30))
    injector = Injector(bench.table, bench.line)
    bench.run_for(1)
    bench.start(prescription.parse(document(f"{force_n} N", f"{TIME_AT_FORCE_S} s", mass="100 kg")))
    until_us = bench.now_us + round(WITHIN_S * 1e6)
    while bench.now_us < until_us and not isinstance(bench.state.phase, Ended | Tripped):
        bench.run_until(lambda _: isinstance(bench.state.phase, Ended | Tripped), draw.uniform(*COUGH_EVERY_S))
        injector.inject("HU13", n=draw.uniform(0, COUGH_N_MAX), lasting_ms=draw.randint(150, 400))
    told = tuple(dict.fromkeys(bench.alarms_told))
    high = tuple(alarm for alarm in told if CATALOGUE[AlarmId(alarm)].priority is Priority.HIGH)
    others = tuple(alarm for alarm in told if alarm not in high)
    return Quiet(number, seed, table, force_n, isinstance(bench.state.phase, Ended), high, others)


def patient_near(rig: Rig, draw: random.Random) -> Rig:
    """That rig with another patient and harness, each quantity within 30 %."""
    changes: dict[str, Any] = {name: getattr(rig, name) * draw.uniform(1 - WITHIN, 1 + WITHIN) for name in VARIED}
    return replace(rig, **changes)


if __name__ == "__main__":
    sys.exit(
        main(
            session,
            "Counts HIGH alarms in quiet sessions; exit 4 when there is one.",
            "with a HIGH alarm or not completed",
        )
    )
