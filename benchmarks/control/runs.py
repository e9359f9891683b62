"""Many runs on two processes: what to run, as data, and what each was judged to be."""

import multiprocessing
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.control import hosts
from benchmarks.control.bound import BOUND
from benchmarks.control.fast_rig import FastRig
from benchmarks.control.judging import Judged, judge
from benchmarks.control.scenarios import Intermittent, Scenario
from benchmarks.control.trace import Trace
from benchmarks.control.whole_stack import NotStarted, run_on_stack
from hw_sim.rigs import Rig

PROCESSES: Final = 2
NICENESS: Final = 19
STACK: Final = "whole stack"
HOSTS: Final = {
    maker.name: maker
    for maker in (hosts.OURS, hosts.LOCKED, hosts.DEAD_WEIGHT, hosts.ZIEGLER_NICHOLS, hosts.NUDGING, BOUND)
}
BASELINES: Final = tuple(name for name in HOSTS if name != hosts.OURS.name)


@dataclass(frozen=True, slots=True)
class Run:
    """`host` is a name of `HOSTS` on the fast rig, or `STACK`."""

    table: str
    rig: Rig
    scenario: Scenario | Intermittent
    host: str
    seed: int

    def trace(self) -> Trace:
        if self.host == STACK:
            assert isinstance(self.scenario, Scenario)
            return run_on_stack(self.rig, self.scenario, self.seed)
        return FastRig(self.rig, self.seed, self.scenario, HOSTS[self.host]).run()


def judged(runs: Sequence[Run]) -> Iterator[tuple[Run, Judged | str]]:
    """Each with what it came to, or why it did not start, in their order; progress goes to stderr."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(PROCESSES, initializer=os.nice, initargs=(NICENESS,)) as pool:
        for done, (run, result) in enumerate(zip(runs, pool.imap(_judge, runs), strict=True), start=1):
            if sys.stderr.isatty() or done % 50 == 0 or done == len(runs):
                print(f"\r{done} of {len(runs)} runs", end="\n" if done == len(runs) else "", file=sys.stderr)
            yield run, result


def _judge(run: Run) -> Judged | str:
    try:
        return judge(run.trace(), run.scenario)
    except NotStarted as why:
        return str(why)
