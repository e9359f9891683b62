"""And if it strikes at any other moment? Sessions of every mode, steered and coughed in, with one fault in each.

`python -m proof.unruly_sessions --sessions 1000`: the catalogue proves its faults in the ramp and in the hold; here one
strikes in a pause, in a rest, between two pulls, as force is lowered or let go. What is asked: the step never raises,
true force stays within the fault's own bound over the ceiling, and what has tripped lets go. Session n of a seed is
always the same one.
"""

import random
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from controller import prescription
from controller.inputs import GoOnAsked, LowerAsked, PauseAsked, RaiseAsked, StopAsked
from controller.phases import Ended, Tripped, name
from hw_sim.faults import FAULTS, Injector
from hw_sim.rigs import load_rig
from proof.bench import Bench, document
from proof.catalogue import Fault, load_catalogue
from proof.judging import peak_bound_n
from proof.many_sessions import main
from proof.quiet_sessions import patient_near
from safety.interlock import Tripped as Latched

TABLES: Final = ("nominal", "nominal_80", "soft", "stiff")
FORCES_N: Final = (80, 300)
RAISED_N_MAX: Final = 40
STRIKES_S: Final = (12.0, 90.0)  # after the start: from the take-up to the last of the pulls
BETWEEN_S: Final = (0.5, 8.0)
COUGH_N_MAX: Final = 60.0
STOPS: Final = 0.1  # of the times that a stop comes to mind
WATCHED_S: Final = 20.0  # after a fault, if nothing trips
LET_GO_WITHIN_S: Final = 15.0
SLACK_N: Final = 15.0
# A load that hangs there whatever the drum does, as a technician's masses do: nothing lets go of that.
HANGS_BY_ITSELF: Final = frozenset({"SE14"})
# Slow ones take a minute to be seen, by their rows; they are proven there.
TOO_SLOW_MS: Final = 10_000
MODES: Final[Mapping[str, Callable[[float], dict[str, Any]]]] = {
    "static": lambda _n: {},
    "intermittent": lambda n: {"hold": "10 s", "rest_force": f"{n / 3:.0f} N", "rest": "10 s"},
    "cyclic": lambda n: {"low_force": f"{n / 3:.0f} N", "period": f"{20 + n / 4:.0f} s"},
    "progressive": lambda n: {"start_force": f"{n / 2:.0f} N", "steps": 3},
    "regressive": lambda n: {"end_force": f"{n / 2:.0f} N", "steps": 3},
    "logarithmic": lambda _n: {"rise": "40 s"},
}


@dataclass(frozen=True, slots=True)
class Unruly:
    """One session: what struck, in which phase, and what came of it. `wrong` has a sentence for each thing that did."""

    number: int
    seed: int
    table: str
    mode: str
    force_n: int
    fault: str
    struck_in: str
    over_ceiling_n: float
    root: str | None
    wrong: tuple[str, ...]

    @property
    def held(self) -> bool:
        return not self.wrong


def strikes() -> list[Fault]:
    """The faults that can be put in while a session runs, and are found soon."""
    return [
        fault
        for fault in load_catalogue().values()
        if fault.id in FAULTS
        and fault.id not in HANGS_BY_ITSELF
        and not FAULTS[fault.id].at_power_on
        and {"RAMP", "HOLD"} & set(fault.phases)
        and fault.alarm_ms <= TOO_SLOW_MS
    ]


def session(number: int, seed: int) -> Unruly:
    """Runs that session, in virtual time."""
    draw = random.Random(f"unruly {seed} {number}")
    table, mode, force_n = draw.choice(TABLES), draw.choice(tuple(MODES)), draw.randint(*FORCES_N)
    bench = Bench(patient_near(load_rig(table), draw), seed=draw.randrange(1 << 30))
    injector = Injector(bench.table, bench.line, seed=draw.randrange(1 << 30))
    bench.run_for(1)
    begun = bench.start(prescription.parse(_document(mode, force_n)))
    assert begun.done, f"session {number} of seed {seed}: {begun.reason}"
    fault = draw.choice(strikes())
    _steer(bench, injector, draw, force_n)
    struck_in = name(bench.state.phase).value
    bench.fault_now()
    injector.inject(fault.id)
    wrong = list(_what_came(bench, fault))
    over_n = bench.peak_since_fault_n - bench.ceiling_n
    return Unruly(number, seed, table, mode, force_n, fault.id, struck_in, round(over_n, 1), bench.root, tuple(wrong))


def _document(mode: str, force_n: int) -> dict[str, Any]:
    pull = {"raise_up_to": f"{min(force_n + RAISED_N_MAX, FORCES_N[1])} N", **MODES[mode](force_n)}
    written = document(f"{force_n} N", "60 s", mass="110 kg")
    written["pull"] |= {"mode": mode, "ramp": "15 N/s", **pull}
    return written


def _steer(bench: Bench, injector: Injector, draw: random.Random, force_n: int) -> None:
    """A patient who coughs and a clinician who cannot leave it alone, until the moment at which the fault strikes."""
    until_us = bench.now_us + round(draw.uniform(*STRIKES_S) * 1e6)
    while bench.now_us < until_us and not isinstance(bench.state.phase, Ended | Tripped):
        left_s = (until_us - bench.now_us) / 1e6
        bench.run_for(min(left_s, draw.uniform(*BETWEEN_S)))
        _do_something(bench, injector, draw, force_n)


def _do_something(bench: Bench, injector: Injector, draw: random.Random, force_n: int) -> None:
    said = ("clinician", f"said-{bench.now_us:012}")
    to_mn = draw.randint(50, force_n + RAISED_N_MAX) * 1000
    match draw.randrange(12):
        case 0 | 1:
            bench.ask(PauseAsked(*said))
        case 2 | 3 | 4:
            bench.ask(GoOnAsked(*said))
        case 5:
            bench.ask(LowerAsked(*said, to_mn))
        case 6:
            bench.ask(RaiseAsked(*said, to_mn, to_mn))
        case 7 | 8:
            injector.inject("HU13", n=draw.uniform(0, COUGH_N_MAX), lasting_ms=draw.randint(150, 400))
        case 9 if draw.random() < STOPS:
            bench.ask(StopAsked(*said))
        case _:
            pass


def _what_came(bench: Bench, fault: Fault) -> Iterator[str]:
    bench.run_until(lambda _: isinstance(bench.state.interlock, Latched), WATCHED_S)
    tripped = isinstance(bench.state.interlock, Latched)
    if tripped and not bench.run_until(lambda _: bench.force_n <= SLACK_N, LET_GO_WITHIN_S):
        yield f"{bench.force_n:.0f} N are still there {LET_GO_WITHIN_S:.0f} s after {bench.root} latched"
    if bench.memory.headers:
        over_n, bound_n = bench.peak_since_fault_n - bench.ceiling_n, peak_bound_n(fault, bench)
        if over_n > bound_n:
            yield f"true force {over_n:.1f} N over the ceiling, {bound_n} N allowed"


if __name__ == "__main__":
    sys.exit(main(session, "Strikes at any moment of a session; exit 4 when a bound is passed.", "passed a bound"))
