"""Runs the cases of a plan, on all cores, and gives each run as it ends."""

import multiprocessing
import time
import traceback
from collections import defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed

from proof.catalogue import load_catalogue
from proof.plan import Case
from proof.provers import PROVERS
from proof.verdict import Run, Verdict


def run_case(case: Case) -> Run:
    """One fault, once. What goes wrong in the proof itself is a verdict that did not hold."""
    fault, began = load_catalogue()[case.fault], time.perf_counter()
    try:
        verdicts = tuple(PROVERS[case.fault](fault, case.phase, case.patient, case.seed))
    except Exception as broken:  # noqa: BLE001 - a proof that breaks has proven nothing, and the next one must run
        last = traceback.extract_tb(broken.__traceback__)[-1]
        where = f"{type(broken).__name__}: {broken} ({last.filename.rpartition('/')[2]}:{last.lineno})"
        verdicts = (Verdict("the proof itself ran", False, where),)
    return Run(case.fault, case.phase, case.patient, case.seed, verdicts, time.perf_counter() - began)


def run_all(cases: Iterable[Case], workers: int) -> Iterator[Run]:
    """In virtual time on so many processes; then what needs real ones, which wait more than they work, as many at a
    time; at last, one after the other, what loads the whole computer.
    """
    listed = list(cases)
    virtual = [case for case in listed if not PROVERS[case.fault].alone]
    real = [case for case in listed if PROVERS[case.fault].alone and not PROVERS[case.fault].sole]
    sole = [case for case in listed if PROVERS[case.fault].sole]
    yield from _spread(_sharing_a_start(virtual), workers)
    yield from _spread([[case] for case in real], workers)
    yield from map(run_case, sole)


def _spread(groups: list[list[Case]], workers: int) -> Iterator[Run]:
    if workers <= 1 or len(groups) <= 1:
        yield from (run_case(case) for group in groups for case in group)
        return
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        futures = [pool.submit(_run_group, group) for group in groups]
        for future in as_completed(futures):
            yield from future.result()


def _sharing_a_start(cases: list[Case]) -> list[list[Case]]:
    """Cases of one phase, patient and seed go on from copies of one session, so that it is reached only once."""
    groups: dict[tuple[str, str, int], list[Case]] = defaultdict(list)
    for case in cases:
        groups[case.phase, case.patient, case.seed].append(case)
    return sorted(groups.values(), key=len, reverse=True)


def _run_group(cases: list[Case]) -> list[Run]:
    return [run_case(case) for case in cases]
