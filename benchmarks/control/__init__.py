"""How well the force is held, ramped and brought back, beside baselines of the same run and the bound.

What the table itself does runs on the whole stack (firmware, frames, line, limiter, alarms) wherever a session can run
it. The baselines and the bound are hosts without a session, and run on the fast rig: the same plant, load cells and
line delays, without firmware and frames. The tension loop runs there too, so that its ratio to the bound is of one rig.
"""

from collections.abc import Iterator
from typing import Final

from benchmarks.control import margins, random_rigs
from benchmarks.control.goals import TESTED, Goal, Tested
from benchmarks.control.judging import Judged
from benchmarks.control.runs import BASELINES, STACK, Run, judged
from benchmarks.control.tables import TABLES
from benchmarks.figures import Figure

OURS: Final = "tension loop"
BOUND: Final = "LQG that knows the plant"
QUICK_RIGS: Final = 6


def figures(seed: int, rigs: int = random_rigs.RIGS) -> Iterator[Figure]:
    """Margins, every scenario on both tables, and that many random rigs."""
    yield from margins.figures(seed)
    planned = list(_planned(seed))
    drawn = list(random_rigs.planned(seed, rigs))
    results = list(judged([run for _, run in planned] + drawn))
    known: Known = {
        (tested.name, run.table, run.host): result for (tested, run), (_, result) in zip(planned, results, strict=False)
    }
    for table in TABLES:
        for tested in TESTED:
            yield from _of_scenario(table.letter, tested, known, seed)
    yield from random_rigs.figures(results[len(planned) :], seed)


def _planned(seed: int) -> Iterator[tuple[Tested, Run]]:
    for table in TABLES:
        for tested in TESTED:
            hosts = (STACK,) * tested.on_stack + (OURS,) + BASELINES * tested.with_baselines
            for host in hosts:
                yield tested, Run(table.letter, tested.rig_on(table), tested.scenario, host, seed)


Known = dict[tuple[str, str, str], Judged | str]  # by test, table and host


def _of_scenario(letter: str, tested: Tested, known: Known, seed: int) -> Iterator[Figure]:
    for goal in tested.goals:
        bound = _value(goal, known.get((tested.name, letter, BOUND)))
        name = f"{letter}, {tested.name}, {goal.what}"
        for host in (STACK, OURS, *BASELINES):
            reached = _value(goal, known.get((tested.name, letter, host)))
            if reached is None:
                continue
            judges = host == (STACK if tested.on_stack else OURS)
            limit = goal.limits[letter] if judges else None
            yield Figure(f"{name} ({host})", reached, limit, bound, goal.unit, seed)


def _value(goal: Goal, result: Judged | str | None) -> float | None:
    if isinstance(result, str):
        return float("nan")
    return None if result is None else goal.measure(result)
