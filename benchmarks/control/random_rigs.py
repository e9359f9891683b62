"""Two hundred patients and harnesses drawn at random: 30 s of hold each, three coughs of 60 N, a ceiling of 420 N."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from benchmarks.control import hosts
from benchmarks.control.judging import Judged
from benchmarks.control.runs import STACK, Run
from benchmarks.control.scenarios import RANDOM_RIG
from benchmarks.control.tables import TABLES
from benchmarks.figures import Figure

RIGS: Final = 200
RMS_GOAL_N: Final = {"A": 1.3, "B": 0.8}
HOSTS: Final = (STACK, hosts.ZIEGLER_NICHOLS.name)


def planned(seed: int, count: int) -> Iterator[Run]:
    for table in TABLES:
        for host in HOSTS:
            for index, rig in enumerate(table.random_rigs(seed, count)):
                yield Run(table.letter, rig, RANDOM_RIG, host, seed * 1000 + index)


def figures(results: Sequence[tuple[Run, Judged | str]], seed: int) -> Iterator[Figure]:
    for table in TABLES:
        ours, fixed = (
            [judged for run, judged in results if run.table == table.letter and run.host == host] for host in HOSTS
        )
        yield from _of_table(table.letter, _held(ours), _held(fixed), len(ours), seed)


def _held(results: Sequence[Judged | str]) -> list[Judged]:
    return [judged for judged in results if isinstance(judged, Judged)]


def _of_table(letter: str, ours: list[Judged], fixed: list[Judged], count: int, seed: int) -> Iterator[Figure]:
    name = f"{letter}: {count} random rigs"
    yield Figure(f"{name}, 95th percentile RMS", _p95(ours), RMS_GOAL_N[letter], _p95(fixed), "N", seed)
    yield Figure(f"{name}, limit cycles", sum(j.cycles for j in ours), 0, sum(j.cycles for j in fixed), "", seed)
    alarms = sum(j.high_alarms > 0 or j.ended is not None for j in ours)
    yield Figure(f"{name}, false HIGH alarms", alarms, 0, None, "", seed)
    yield Figure(f"{name}, did not start", count - len(ours), 0, None, "", seed)
    largest = max((j.largest_n for j in ours), default=float("nan"))
    yield Figure(f"{name}, largest error in coughs", largest, None, max(j.largest_n for j in fixed), "N", seed)


def _p95(judged: list[Judged]) -> float:
    return float(np.nanpercentile([one.calm_rms_n for one in judged], 95))
