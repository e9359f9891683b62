"""Faults of the host and of the port, on real processes: the controller dies, freezes or fails, the port goes away.

Broker, simulated table, controller and dashboard run as they do at a clinic. The patient's true force is asked of the
simulated table, the alarms are those that an open page of the dashboard is told, and the record is the recorder's file.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from proof import host
from proof.catalogue import Fault
from proof.processes.judging import (
    FOUND_AND_TOLD_S,
    alarm_verdicts,
    ended_record_verdicts,
    force_verdicts,
    interrupted_record_verdicts,
    left_verdicts,
    next_controller_verdicts,
)
from proof.processes.running_stack import PSEUDONYM
from proof.processes.watched_run import FORCE_MN, LET_GO_WITHIN_S, Run, stack_of
from proof.prover import Prover
from proof.verdict import Verdict, at_most, equal, holds
from recorder.reading import open_session
from tractable.exit_codes import Exit

GOES_ON_FOR_S: Final = 4.0
ENDS_WITHIN_S: Final = 5.0
FORCE_N: Final = FORCE_MN / 1000
OFF_N_MAX: Final = 5


def prove_kill(fault: Fault, phase: str, patient: str, seed: int) -> Iterator[Verdict]:
    """HO01: kill -9 at a moment that the seed draws."""
    with stack_of(patient) as run:
        run.reach(phase, seed)
        run.signalled(signal.SIGKILL)
        yield from _dead_controller_verdicts(fault, run)


def _dead_controller_verdicts(fault: Fault, run: Run) -> Iterator[Verdict]:
    run.wait_until_let_go()
    yield from alarm_verdicts(fault, run)
    yield from force_verdicts(fault, run)
    yield from interrupted_record_verdicts(run)
    yield from next_controller_verdicts(run)


def prove_stop(fault: Fault, phase: str, patient: str, seed: int) -> Iterator[Verdict]:
    """HO02: SIGSTOP, and SIGCONT a second later."""
    with stack_of(patient) as run:
        run.reach(phase, seed)
        run.signalled(signal.SIGSTOP)
        time.sleep(1)
        run.running.signal("table", signal.SIGCONT)
        run.wait_until_let_go()
        yield from alarm_verdicts(fault, run)
        yield from force_verdicts(fault, run)
        yield from left_verdicts(run, "A16")
        yield from ended_record_verdicts(run, line_is_whole=False)


def prove_memory(fault: Fault, phase: str, patient: str, seed: int) -> Iterator[Verdict]:
    """HO06: the process may take no more memory (RLIMIT_AS), and wants more.

    A control group's limit would have the kernel kill it, which is HO01; with this one it lives on to see it fail.
    """
    yield from _prove_failing("exhaust-memory", "MemoryError", fault, phase, patient, seed)


def prove_exception(fault: Fault, phase: str, patient: str, seed: int) -> Iterator[Verdict]:
    """HO07: in the hold where bytes arrive (the loop would log it and go on), in the ramp where time is looked at."""
    plant = "raise-in-callback" if phase == "HOLD" else "raise-in-task"
    yield from _prove_failing(plant, "RuntimeError", fault, phase, patient, seed)


def _prove_failing(plant: str, error: str, fault: Fault, phase: str, patient: str, seed: int) -> Iterator[Verdict]:
    with stack_of(patient, plant) as run:
        run.reach(phase, seed)
        run.signalled(signal.SIGUSR1)
        yield _ends(run)
        log = run.running.log()
        yield holds("the log holds the traceback", "Traceback" in log and error in log)
        yield holds("and nothing of the patient", PSEUDONYM not in log)
        yield from _dead_controller_verdicts(fault, run)


def _ends(run: Run) -> Verdict:
    """Whether the process ended. One that lives on without a controller is killed, so that another can come."""
    try:
        code: int | None = run.running.supervisor.wait_for_end("table", ENDS_WITHIN_S)
    except subprocess.TimeoutExpired:
        code = None
        run.running.signal("table", signal.SIGKILL)
        run.running.supervisor.wait_for_end("table", ENDS_WITHIN_S)
    return holds("the process ends, and not as if all were well", code not in (None, 0), str(code))


def prove_power_loss(fault: Fault, phase: str, patient: str, seed: int) -> Iterator[Verdict]:
    """HO17: all processes of the host die at once. The table is alone; who comes after tells of it."""
    with stack_of(patient) as run:
        run.reach(phase, seed)
        run.onset(run.running.kill_host)
        run.wait_until_let_go()
        yield from force_verdicts(fault, run)
        yield from interrupted_record_verdicts(run)
        yield from next_controller_verdicts(run, told="alarm")


def prove_second_controller(fault: Fault, phase: str, patient: str, seed: int) -> Iterator[Verdict]:
    """HO19: another controller is started at the same table."""
    with stack_of(patient) as run:
        run.reach(phase, seed)
        yield from _refused_beside(fault, run, [sys.executable, "-m", "tractable", "table"], Exit.NOT_CONNECTED)


OPENS_THE_PORT: Final = """
import asyncio, sys
from firmware_bridge.serial_port import PortUnavailable, open_port

async def open_it():
    open_port(sys.argv[1], on_bytes=print, on_lost=print)

try:
    asyncio.run(open_it())
except PortUnavailable as refused:
    sys.exit(refused.reason)
"""


def prove_second_opener(fault: Fault, phase: str, patient: str, seed: int) -> Iterator[Verdict]:
    """LK18: another program opens the port, first as ours do, then with no regard for any lock, and closes it again."""
    with stack_of(patient) as run:
        run.reach(phase, seed)
        port = run.running.stack.environment["TRACTABLE_PORT"]
        yield from _refused_beside(fault, run, [sys.executable, "-c", OPENS_THE_PORT, port], Exit.REFUSED, [port])


def _refused_beside(
    fault: Fault, run: Run, command: list[str], code: int, opened: list[str] | None = None
) -> Iterator[Verdict]:
    """The second is refused with a sentence, and the first one's session goes on as if nobody had come."""
    phase = run.phase
    run.onset(lambda: None)
    environment = {**os.environ, **run.running.stack.environment}
    second = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)
    for path in opened or []:
        with open(path, "rb", buffering=0):  # noqa: PTH123 - as any program would
            pass
    time.sleep(GOES_ON_FOR_S)
    yield equal("exit code of the second", second.returncode, int(code))
    yield holds("a sentence says why", "in use by another program" in second.stderr, second.stderr[-200:].strip())
    yield from alarm_verdicts(fault, run)
    yield holds(
        "the first goes on as it was", run.phase in ("ramping", "holding") if run.session_id else run.phase == phase
    )
    yield holds("nothing latched", run.root is None, str(run.root))
    if run.session_id:
        yield from _untouched_verdicts(fault, run, held=phase == "holding")


def _untouched_verdicts(fault: Fault, run: Run, *, held: bool) -> Iterator[Verdict]:
    yield from force_verdicts(fault, run)
    if held:
        highest_n, lowest_n = run.truths.peak_n(run.onset_us), run.truths.lowest_n(run.onset_us)
        yield at_most("true force off the prescribed", max(highest_n - FORCE_N, FORCE_N - lowest_n), OFF_N_MAX, "N")
    run.running.stop()
    with suppress(AssertionError):
        run.running.wait_until(lambda: run.phase == "ended", LET_GO_WITHIN_S + 10)
    yield equal("the phase after a stop", run.phase, "ended")
    run.running.acknowledge_end()
    yield from ended_record_verdicts(run, line_is_whole=True)


def prove_unplugged(fault: Fault, phase: str, patient: str, seed: int) -> Iterator[Verdict]:
    """LK01, LK02: the port is gone, for good or for 200 ms; then it is there again under another name."""
    with stack_of(patient) as run:
        run.reach(phase, seed)
        run.onset(lambda: run.running.inject(fault.id))
        run.wait_until_let_go()
        yield from alarm_verdicts(fault, run)
        yield from force_verdicts(fault, run)
        cable_um = run.truths.now.cable_um
        if fault.id == "LK01":
            run.running.withdraw(fault.id)
        with suppress(AssertionError):
            run.running.wait_until(lambda: run.running.status()[0].connected, FOUND_AND_TOLD_S)
        yield holds("the table is found again", run.running.status()[0].connected)
        yield from left_verdicts(run, "A13")
        yield holds("nothing is wound in again", run.truths.now.cable_um <= cable_um)
        yield from ended_record_verdicts(run, line_is_whole=False)


def prove_clock_set(fault: Fault, phase: str, patient: str, seed: int) -> Iterator[Verdict]:
    """CK01, CK02: the wall clock is set by an hour; in the hold that of a process, in the ramp that of a bench."""
    if phase == "RAMP":
        yield from host.prove_clock_set(fault, phase, patient, seed)
        return
    with stack_of(patient, "clock-ahead" if fault.id == "CK01" else "clock-back") as run:
        run.reach(phase, seed)
        at_force_s = run.running.status()[0].at_force_s or 0
        run.signalled(signal.SIGUSR1)
        time.sleep(GOES_ON_FOR_S)
        counted_s = (run.running.status()[0].at_force_s or 0) - at_force_s
        passed_s = time.monotonic() - run.onset_ms / 1000
        yield from alarm_verdicts(fault, run)
        yield equal("the phase", run.phase, "holding")
        yield at_most("time at force, counted apart from time passed", abs(counted_s - passed_s), 1.5, "s")
        yield from _untouched_verdicts(fault, run, held=True)
        yield from _both_clocks_verdicts(run)


def _both_clocks_verdicts(run: Run) -> Iterator[Verdict]:
    """Events stand in the order in which they happened, each with the device's time beside the wall clock's."""
    with open_session(run.file) as session:
        events = session.events()
        yield holds("A40 is on record", any(row.data.get("alarm") == "A40" for row in events))
        times_us = [row.t_us for row in events if row.t_us is not None]
        yield holds("the device's time of no event goes back", times_us == sorted(times_us) and len(times_us) > 1)
        watched_s = (run.truths.now.t_us - run.truths.rows[0].t_us) / 1e6
        yield holds("the session's duration is of the device", 0 < session.duration_s < watched_s)


PROVERS: Final = {
    "CK01": Prover(prove_clock_set, alone=True),
    "CK02": Prover(prove_clock_set, alone=True),
    "HO01": Prover(prove_kill, alone=True),
    "HO02": Prover(prove_stop, alone=True),
    "HO06": Prover(prove_memory, alone=True, sole=True),
    "HO07": Prover(prove_exception, alone=True),
    "HO17": Prover(prove_power_loss, alone=True),
    "HO19": Prover(prove_second_controller, alone=True, sole=True),
    "LK01": Prover(prove_unplugged, alone=True),
    "LK02": Prover(prove_unplugged, alone=True),
    "LK18": Prover(prove_second_opener, alone=True, sole=True),
}
