"""Faults of the host and of the port, on real processes: the controller dies, freezes or fails, the port goes away.

Broker, simulated table, controller and dashboard run as they do at a clinic. The patient's true force is asked of the
simulated table, the alarms are those that an open page of the dashboard is told, and the record is the recorder's file.
"""

import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from dashboard.control_client import Outcome
from hw_sim.rigs import load_rig
from hw_sim.table import Truth
from proof import host
from proof.bench import SLACK_MN, NotReached
from proof.catalogue import Fault
from proof.judging import (
    FALL_N_MAX,
    PEAK_N,
    PEAK_STIFF_N,
    RATE_N_S_MAX,
    RATE_OVER_MS,
    RELEASES,
    STIFF_N_PER_MM,
)
from proof.prover import Prover
from proof.running_stack import PSEUDONYM, RunningStack, running_stack
from proof.verdict import Verdict, at_most, equal, holds
from proof.witnesses import PageWatch, TruthWatch, witnesses
from recorder.reading import Session, open_session
from recorder.verification import verify
from tractable.exit_codes import Exit

FORCE: Final = "300 N"
FORCE_MN: Final = 300_000
IN_PHASE_WITHIN_S: Final = 60.0
RAMP_FROM_TO: Final = (0.2, 0.9)  # of the prescribed force: somewhere between, as the seed says
HOLD_FOR_S_MAX: Final = 3.0
WANTED: Final = {"RAMP": "ramping", "HOLD": "holding"}
TRIES: Final = 3
LET_GO_WITHIN_S: Final = 12.0
GOES_ON_FOR_S: Final = 4.0
ENDS_WITHIN_S: Final = 5.0
LATCH_LEFT_WITHIN_S: Final = 20.0
LOST_MS_MAX: Final = 250  # of the record, when the process dies
UNWATCHED_MS_MAX: Final = 100  # in which a release changes the force by 5 N
FOUND_AND_TOLD_S: Final = 20.0
CONFIRMED_MS_MAX: Final = 2_000  # the table says its cause once a second


@dataclass(slots=True)
class Run:
    """One stack that runs, in a session, and who watches it. The onset is when the fault was put in, or just before."""

    running: RunningStack
    truths: TruthWatch
    page: PageWatch
    patient: str
    session_id: str = ""
    onset_ms: float = 0.0  # monotonic
    onset_us: int = 0  # the table's
    told: list[tuple[float, str, str]] = field(default_factory=list)

    def reach(self, phase: str, seed: int) -> None:
        """A moment of that phase, as the seed draws it. Raises NotReached.

        A computer that is too busy for its table ends the session before: then another one is begun.
        """
        if phase in ("IDLE", "READY"):
            return
        for _ in range(TRIES):
            draw = random.Random(f"{phase} {seed}")
            self.session_id = self.running.start(FORCE, "10 min")
            if phase == "RAMP":
                from_mn = draw.uniform(*RAMP_FROM_TO) * FORCE_MN
                self._wait_in_session(lambda: self.truths.now.force_mn >= from_mn)  # noqa: B023 - waited for here
            else:
                self._wait_in_session(lambda: self.phase == "holding")
                time.sleep(draw.uniform(0, HOLD_FOR_S_MAX))
            if self.phase == WANTED[phase]:
                return
            self._leave_trip()
        raise NotReached(f"{phase} on {self.patient} with seed {seed}: the computer was too busy, {TRIES} times.")

    def _wait_in_session(self, reached: Callable[[], bool]) -> None:
        self.running.wait_until(lambda: reached() or self.phase in ("tripped", "ended"), IN_PHASE_WITHIN_S)

    def _leave_trip(self) -> None:
        root = self.root
        if root is None:
            self.running.stop()
            self.running.wait_until(lambda: self.phase == "ended", IN_PHASE_WITHIN_S)
            return
        self.running.wait_until(lambda: self.running.acknowledge(root).outcome is Outcome.DONE, IN_PHASE_WITHIN_S)
        self.running.wait_until(lambda: self.phase == "idle", IN_PHASE_WITHIN_S)

    @property
    def phase(self) -> str:
        return str(self.running.status()[0].phase)

    @property
    def root(self) -> str | None:
        """The latched cause, as the controller tells it now; None while none answers, or nothing is latched."""
        if not self.running.answers():
            return None
        return next((alarm.id for alarm in self.running.status()[0].alarms if alarm.root), None)

    def onset(self, strike: Callable[[], None]) -> None:
        self.onset_us, self.onset_ms = self.running.truly().t_us, time.monotonic() * 1000
        strike()

    def signalled(self, number: signal.Signals) -> None:
        self.onset(lambda: self.running.signal("table", number))

    def wait_until_let_go(self) -> None:
        """Slack and powerless, or long enough for the verdicts to say that it is not."""
        until_s = time.monotonic() + LET_GO_WITHIN_S
        while not is_let_go(self.truths.now) and time.monotonic() < until_s:
            time.sleep(0.1)

    def alarms(self) -> list[tuple[float, str, str]]:
        return list(self.page.alarms(self.onset_ms))

    @property
    def file(self) -> Path:
        path = self.running.stack.session_file(self.session_id)
        assert path is not None
        return path


def is_let_go(now: Truth) -> bool:
    """Slack, drive off, brake on."""
    return now.force_mn <= SLACK_MN and not now.drive_enabled and now.brake_on


@contextmanager
def stack_of(patient: str, planted: str | None = None) -> Iterator[Run]:
    """A stack of its own, with a page open; given `planted`, with that defect in its controller."""
    with tempfile.TemporaryDirectory(prefix="proof-") as folder, running_stack(Path(folder), patient) as running:
        if planted is not None:
            running.replace_controller("proof.planted_table", planted)
        with witnesses(running.stack.sim_socket, running.stack.address) as (truths, page):
            running.wait_until(lambda: bool(truths.rows), IN_PHASE_WITHIN_S)
            yield Run(running, truths, page, patient)


# What is asked of every run


def alarm_verdicts(fault: Fault, run: Run) -> Iterator[Verdict]:
    """The alarm, its priority and how soon, as an open page was told."""
    told = run.alarms()
    if fault.alarm is None:
        serious = sorted({alarm for _at_ms, alarm, priority in told if priority != "LOW"})
        yield holds("no alarm of medium or high priority", not serious, ", ".join(serious))
        return
    mine = [(at_ms, priority) for at_ms, alarm, priority in told if alarm == fault.alarm]
    yield holds(f"{fault.alarm} is raised", bool(mine), ", ".join(sorted({row[1] for row in told})) or "none")
    if mine:
        yield at_most("alarm", mine[0][0], fault.alarm_ms, "ms")
        yield equal("priority", mine[0][1], fault.priority)


def force_verdicts(fault: Fault, run: Run) -> Iterator[Verdict]:
    """What the patient felt, from the simulated table's own truth."""
    truths, since_us = run.truths, run.onset_us
    yield at_most("nobody looked", truths.unwatched_ms_max(since_us), UNWATCHED_MS_MAX, "ms")
    with open_session(run.file) as session:
        ceiling_n = int(str(session.header.limits["ceiling_mn"])) / 1000
    yield at_most("true force over the ceiling", truths.peak_n(since_us) - ceiling_n, _peak_bound_n(fault, run), "N")
    if fault.no_pull_ms is not None:
        yield at_most("last pulling motion", truths.pulled_ms(since_us), fault.no_pull_ms, "ms")
    if fault.slack_ms is not None:
        yield at_most("slack", truths.slack_ms(since_us), fault.slack_ms, "ms")
    if fault.action in RELEASES:
        yield at_most("fall within 100 ms", truths.steepest_fall_n(since_us, 100), FALL_N_MAX, "N")
        rate_n_s = truths.steepest_fall_n(since_us, RATE_OVER_MS) * 1000 / RATE_OVER_MS
        yield at_most("unloading over 500 ms", rate_n_s, RATE_N_S_MAX, "N/s")
        yield holds("let go: slack, drive off, brake on", is_let_go(truths.now))


def _peak_bound_n(fault: Fault, run: Run) -> int:
    stiff = load_rig(run.patient).series_n_per_mm > STIFF_N_PER_MM and fault.peak_over_ceiling_n == PEAK_N
    return PEAK_STIFF_N if stiff else fault.peak_over_ceiling_n


def interrupted_record_verdicts(run: Run) -> Iterator[Verdict]:
    """Of a controller that died: all up to the last commit is there, and nothing else was made of it."""
    yield equal("the record, to whoever verifies it", verify(run.file).state, "interrupted")
    with open_session(run.file) as session:
        yield at_most("samples missing before the fault", sum(gap.missing for gap in session.gaps()), 0, "samples")
        last_us = (session.first_t_us or 0) + round(session.duration_s * 1e6)
        yield at_most("lost at the end of the record", max(0, run.onset_us - last_us) / 1000, LOST_MS_MAX, "ms")


def ended_record_verdicts(run: Run, *, line_is_whole: bool) -> Iterator[Verdict]:
    """Of a session that came to its end: whole, and what is missing is missing, with true times on both sides."""
    yield equal("the record, to whoever verifies it", verify(run.file).state, "whole")
    with open_session(run.file) as session:
        if line_is_whole:
            yield at_most("samples missing on record", sum(gap.missing for gap in session.gaps()), 0, "samples")
        yield at_most("sample numbers and times apart", _apart_ms(session, load_rig(run.patient).rate_hz), 10, "ms")


def _apart_ms(session: Session, rate_hz: int) -> float:
    """How far the samples' times are from what their numbers say: a gap that was closed up would show."""
    table = session.samples(["seq", "t_us"])
    seqs, times_us = table["seq"].to_pylist(), table["t_us"].to_pylist()
    offsets = [t_us - seq * 1e6 / rate_hz for seq, t_us in zip(seqs, times_us, strict=True)]
    return float(max(offsets) - min(offsets)) / 1000


def next_controller_verdicts(run: Run, told: str = "from its first answer to that") -> Iterator[Verdict]:
    """Who comes after finds the table latched, says why, and pulls nothing."""
    cable_um = run.truths.now.cable_um
    run.running.start_controller()
    began_s = time.monotonic()
    with suppress(AssertionError):
        run.running.wait_until(lambda: run.root is not None, FOUND_AND_TOLD_S)
    yield equal("the cause that latched, as the next controller says", run.root, "A16")
    yield at_most(told, (time.monotonic() - began_s) * 1000, CONFIRMED_MS_MAX, "ms")
    refused = _start_is_refused(run)
    yield holds("a new session is refused until that is acknowledged", refused)
    yield holds("nothing is wound in again", run.truths.now.cable_um <= cable_um)


def _start_is_refused(run: Run) -> bool:
    try:
        run.running.start(FORCE, "10 min")
    except AssertionError:
        return True
    return False


def left_verdicts(run: Run, alarm: str) -> Iterator[Verdict]:
    """The controller that lives holds the latch, and it is left by acknowledging that cause and no sooner."""
    yield equal("the cause that latched", run.root, alarm)
    yield equal("the phase until it is acknowledged", run.phase, "tripped")

    def acknowledged() -> bool:
        return run.running.acknowledge(alarm).outcome is Outcome.DONE

    with suppress(AssertionError):
        run.running.wait_until(acknowledged, LATCH_LEFT_WITHIN_S)
        run.running.wait_until(lambda: run.phase == "idle", LATCH_LEFT_WITHIN_S)
    yield equal("the phase after that", run.phase, "idle")


# The faults


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
    environment = run.running.stack.environment
    second = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)
    for path in opened or []:
        with open(path, "rb", buffering=0):  # noqa: PTH123 - as any program would
            pass
    time.sleep(GOES_ON_FOR_S)
    yield equal("exit code of the second", second.returncode, int(code))
    yield holds("a sentence says why", "in use by another program" in second.stderr, second.stderr[-200:].strip())
    yield from alarm_verdicts(fault, run)
    yield equal("the phase", run.phase, phase if phase != "ramping" else run.phase)
    yield holds("nothing latched", run.root is None, str(run.root))
    if run.session_id:
        yield from _untouched_verdicts(fault, run)


def _untouched_verdicts(fault: Fault, run: Run) -> Iterator[Verdict]:
    yield holds("the therapy goes on", run.phase in ("ramping", "holding"), run.phase)
    yield from force_verdicts(fault, run)
    run.running.stop()
    with suppress(AssertionError):
        run.running.wait_until(lambda: run.phase == "ended", LET_GO_WITHIN_S + 10)
    yield equal("the phase after a stop", run.phase, "ended")
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
        yield at_most("time at force, counted apart from time passed", abs(counted_s - passed_s), 1.5, "s")
        yield from _untouched_verdicts(fault, run)
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
    "HO06": Prover(prove_memory, alone=True),
    "HO07": Prover(prove_exception, alone=True),
    "HO17": Prover(prove_power_loss, alone=True),
    "HO19": Prover(prove_second_controller, alone=True),
    "LK01": Prover(prove_unplugged, alone=True),
    "LK02": Prover(prove_unplugged, alone=True),
    "LK18": Prover(prove_second_opener, alone=True),
}
