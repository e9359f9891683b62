"""Faults whose place is the simulator, the line or the board: injected by name into a session in virtual time."""

import functools
from collections.abc import Iterator
from typing import Final

from controller.phases import Ended, Idle, Tripped
from hw_sim.faults import Injector
from proof.bench import Bench, bench_at
from proof.catalogue import Fault
from proof.judging import RELEASES, alarms_since_fault, judge
from proof.record import record_verdicts
from proof.verdict import Verdict, equal, holds

AFTER_ALARM_S: Final = 5.0
AFTER_SLACK_S: Final = 2.0
UNTIL_TAKEN_UP_S: Final = 20.0
# What the table trips on also while it is disarmed (causes 4, 11, 14 and 15).
LATCHED_WHILE_DISARMED: Final = frozenset({"A05", "A12", "A20", "A22"})
LET_GO_MS: Final = 10_000  # where the row asks for no time
BASES_KEPT: Final = 6
# Faults that take samples from the line, or put others on it.
ON_THE_LINE: Final = ("LK", "SE17", "CK05")
# After a reset the table is another one until it has said who it is; its samples till then are nobody's.
RESTARTS: Final = ("HO13", "HO15", "DF07")


@functools.lru_cache(maxsize=BASES_KEPT)
def _base(phase: str, patient: str, seed: int) -> Bench:
    return bench_at(phase, patient, seed)


def prove(fault: Fault, phase: str, patient: str, seed: int) -> Iterator[Verdict]:
    """Injects the fault once, in a copy of a session that is in that phase, and judges what came of it."""
    bench = _base(phase, patient, seed).copy()
    bench.fault_now()
    injector = Injector(bench.table, bench.line)
    injector.inject(fault.id)
    if phase in ("IDLE", "READY", "SERVICE"):
        yield from _before_the_pull(fault, bench)
    else:
        _run_its_course(fault, bench)
        yield from judge(fault, bench)
        until_us = bench.fault_us if fault.id in RESTARTS else None
        yield from record_verdicts(bench, line_is_whole=not fault.id.startswith(ON_THE_LINE), until_us=until_us)


def _run_its_course(fault: Fault, bench: Bench) -> None:
    """Until slack and a little more; where nothing is to be released, until the alarm was due and a little more."""
    until_ms = fault.alarm_ms + (fault.slack_ms or LET_GO_MS) + AFTER_ALARM_S * 1000
    if fault.action in RELEASES:
        bench.run_until(lambda _: _is_let_go(bench), until_ms / 1000)
        bench.run_for(AFTER_SLACK_S)
    else:
        bench.run_for(fault.alarm_ms / 1000 + AFTER_ALARM_S)


def _is_let_go(bench: Bench) -> bool:
    return bench.force_n <= 15 and not bench.table.truth.drive_enabled and isinstance(bench.state.phase, Tripped)


def _before_the_pull(fault: Fault, bench: Bench) -> Iterator[Verdict]:
    """The start must come to nothing: refused, or ended before the drive was ever powered."""
    bench.run_for(fault.alarm_ms / 1000)
    answer = bench.start()
    bench.run_to(Ended, Tripped, within_s=UNTIL_TAKEN_UP_S)
    told = [alarm for _at_ms, alarm in alarms_since_fault(bench)]
    yield holds("nothing pulled", bench.pulled_at_us == 0)
    yield holds("no session goes on", isinstance(bench.state.phase, Idle | Ended | Tripped) or not answer.done)
    if fault.alarm is not None:
        yield holds(f"{fault.alarm} is raised", fault.alarm in told, ", ".join(told) or "none")
    if fault.alarm in LATCHED_WHILE_DISARMED or bench.root is not None:
        yield equal("the cause that latched", bench.root, fault.alarm)
