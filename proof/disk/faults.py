"""Faults of the disk, on real processes and on real disks where this user may mount them, and of the records at rest.

Where nobody may mount, the disk fails inside the controller's process, below SQLite (`failing_disk`).
"""

import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

from controller.phases import Tripped
from dashboard.control_client import Outcome
from hw_sim.faults import Injector
from proof.bench import Bench
from proof.catalogue import Fault
from proof.disk import altered, disks, exported
from proof.disk.failing_disk import failing_disk
from proof.disk.recording import CHANGES, bench_of, cut_verdicts, kept_in, sweep_verdicts, sync_verdicts
from proof.judging import judge
from proof.processes.judging import alarm_verdicts, force_verdicts
from proof.processes.running_stack import running_stack
from proof.processes.watched_run import Run
from proof.processes.witnesses import witnesses
from proof.prover import Prover
from proof.scratch import scratch
from proof.verdict import Verdict, at_most, equal, holds
from recorder.journal import SessionJournal
from recorder.reading import open_session
from recorder.storage import session_files
from recorder.verification import verify

UP_WITHIN_S: Final = 20.0
TOLD_WITHIN_S: Final = 5.0
FAILS_FOR_S: Final = 4.0
HANGS_FOR_S: Final = 5.0
REFUSED_WITHIN_S: Final = 30.0
WRITTEN_WITHIN_S: Final = 20.0
ENDED_WITHIN_S: Final = 25.0
LITTLE_MB: Final = 150  # of the 200 that a start asks for
STEP_DELAY_MS_MAX: Final = 60.0  # a reading older than that pulls no more
COMMIT_MS_MAX: Final = 250.0
WATCHED_S: Final = 10.0
AFTER_SLACK_S: Final = 2.0
LET_GO_WITHIN_S: Final = 15.0


@contextmanager
def stack_on(folder: Path, patient: str, plant: str | None = None) -> Iterator[Run]:
    """A stack that keeps its records and its logs there; with `plant`, its controller's disk fails in that way."""
    with running_stack(folder, patient) as running:
        if plant is not None:
            running.replace_controller(
                "proof.disk.table_on_failing_disk", plant, str(_steps_file(running.stack.sim_socket))
            )
        with witnesses(running.stack.sim_socket, running.stack.address) as (truths, page):
            running.wait_until(lambda: bool(truths.rows), UP_WITHIN_S)
            yield Run(running, truths, page, patient)


def _steps_file(sim_socket: Path) -> Path:
    return sim_socket.with_name("steps")


def asked_to_start(run: Run) -> str | None:
    """None when a session began; else the reason why it did not."""
    try:
        run.session_id = run.running.start()
    except AssertionError as refused:
        return str(refused)
    return None


# The disk fails while a session goes on


def prove_full(fault: Fault, phase: str, patient: str, seed: int) -> Iterator[Verdict]:
    """ST01: not a byte is left where records and logs lie; later there is room again."""
    with tempfile.TemporaryDirectory(prefix="proof-") as name, ExitStack() as stack:
        folder, real = Path(name), disks.may_mount()
        if real:
            stack.enter_context(disks.mounted(folder))
        run = stack.enter_context(stack_on(folder, patient, None if real else "full"))
        run.reach(phase, seed)
        if real:
            disks.fill(folder)
            _onset_at_the_first_refusal(run)
            yield from _rode_through(fault, run, None, lambda: disks.enlarge(folder))
        else:
            yield from _rode_through(fault, run, _signals(run, signal.SIGUSR1), _signals(run, signal.SIGUSR2))


def _onset_at_the_first_refusal(run: Run) -> None:
    """What is there already may be written over, for some seconds: the onset is the last sample that the disk took."""
    with suppress(AssertionError):
        run.running.wait_until(lambda: run.running.status()[0].recording_failure is not None, REFUSED_WITHIN_S)
    with open_session(run.file) as session:
        last_us = (session.first_t_us or 0) + round(session.duration_s * 1e6)
    ago_ms = (run.truths.now.t_us - last_us) / 1000
    run.onset_us, run.onset_ms = last_us, time.monotonic() * 1000 - ago_ms


def _signals(run: Run, number: signal.Signals) -> Callable[[], None]:
    return lambda: run.running.signal("table", number)


def _rode_through(
    fault: Fault, run: Run, strike: Callable[[], None] | None, heal: Callable[[], None], parts: int = 1
) -> Iterator[Verdict]:
    """The pull goes on, the alarm is told, and once the disk is well again every sample is on record."""
    if strike is not None:
        run.onset(strike)
    time.sleep(FAILS_FOR_S)
    yield from alarm_verdicts(fault, run)
    yield holds("the therapy goes on", run.phase in ("ramping", "holding"), run.phase)
    heal()
    yield from _recovered(run)
    yield from force_verdicts(fault, run)
    yield from _ended_whole(run, parts)


def _recovered(run: Run) -> Iterator[Verdict]:
    with suppress(AssertionError):
        run.running.wait_until(lambda: run.running.status()[0].recording_failure is None, WRITTEN_WITHIN_S)
    yield equal("what is said of the record once the disk is well", run.running.status()[0].recording_failure, None)
    yield holds("nothing latched", run.root is None, str(run.root))
    shown = [alarm.id for alarm in run.running.status()[0].alarms]
    yield holds("the alarm stays until it is acknowledged", "A37" in shown, ", ".join(shown))
    yield equal("its acknowledgement", run.running.acknowledge("A37").outcome, Outcome.DONE)


def _ended_whole(run: Run, parts: int) -> Iterator[Verdict]:
    """After a stop: each part as it should be, no sample missing between first and last, the alarm on record."""
    run.running.stop()
    with suppress(AssertionError):
        run.running.wait_until(lambda: run.phase == "ended", ENDED_WITHIN_S)
    yield equal("the phase after a stop", run.phase, "ended")
    yield equal("the end is acknowledged", run.running.acknowledge_end().outcome, Outcome.DONE)
    files = [path for path in _files_of(run) if path.is_file()]
    with suppress(AssertionError):
        run.running.wait_until(lambda: verify(_files_of(run)[-1]).state == "whole", WRITTEN_WITHIN_S)
    states = [verify(path).state for path in files]
    yield equal("its parts, to whoever verifies them", states, ["interrupted"] * (parts - 1) + ["whole"])
    kept = kept_in(files)
    yield at_most("samples missing on record", kept[-1] - kept[0] + 1 - len(kept), 0, "samples")
    told = [row for path in files for row in _events(path) if row.get("alarm") == "A37"]
    yield holds("the alarm is on record", bool(told))


def _files_of(run: Run) -> list[Path]:
    folder = run.running.stack.folder
    found = [*session_files(folder), *(folder / "sessions.pulled-out").glob("*/*.tractable")]
    mine = [path for path in found if path.name.startswith(run.session_id)]
    return sorted(mine, key=lambda path: (len(path.name), path.name))


def _events(path: Path) -> list[dict[str, object]]:
    with open_session(path) as session:
        return [event.data for event in session.events()]


def prove_write_error(fault: Fault, phase: str, patient: str, seed: int) -> Iterator[Verdict]:
    """ST03: at a table, every write fails for a while; and each call of a session in turn, written by the recorder."""
    with tempfile.TemporaryDirectory(prefix="proof-") as folder, stack_on(Path(folder), patient, "write") as run:
        run.reach(phase, seed)
        strike, heal = _signals(run, signal.SIGUSR1), _signals(run, signal.SIGUSR2)
        yield from _rode_through(fault, run, strike, heal, parts=2)
    yield from sweep_verdicts(bench_of(phase, patient, seed), CHANGES)


def prove_sync_error(fault: Fault, phase: str, patient: str, seed: int) -> Iterator[Verdict]:
    """ST04: at a table, no sync succeeds for a while, and then the disk hangs for 5 s; and each sync in turn."""
    with tempfile.TemporaryDirectory(prefix="proof-") as name, ExitStack() as stack:
        folder, real = Path(name) / "data", disks.may_freeze()
        folder.mkdir()
        if real:
            stack.enter_context(disks.freezing(folder, Path(name)))
        run = stack.enter_context(stack_on(folder, patient, "sync,nothing" if real else "sync,hang"))
        run.reach(phase, seed)
        strike, heal = _signals(run, signal.SIGUSR1), _signals(run, signal.SIGUSR2)
        run.onset(strike)
        time.sleep(FAILS_FOR_S)
        yield from alarm_verdicts(fault, run)
        heal()
        yield from _recovered(run)
        yield from _hung(run, folder if real else None)
        yield from _recovered(run)
        yield holds("the therapy goes on", run.phase in ("ramping", "holding"), run.phase)
        yield from force_verdicts(fault, run)
        yield from _ended_whole(run, parts=2)
    yield from sync_verdicts(bench_of(phase, patient, seed))


def _hung(run: Run, real: Path | None) -> Iterator[Verdict]:
    """Whoever writes waits for 5 s: the loop does not."""
    run.running.signal("table", signal.SIGUSR1)
    if real is not None:
        disks.freeze(real)
    try:
        time.sleep(HANGS_FOR_S)
        said = run.running.status()[0].recording_failure
    finally:
        if real is not None:
            disks.thaw(real)
    run.running.signal("table", signal.SIGUSR2)
    yield holds("a disk that hangs is told", "does not answer" in str(said), str(said))
    steps = _steps_file(run.running.stack.sim_socket)
    run.running.wait_until(lambda: steps.is_file() and steps.read_text() != "", UP_WITHIN_S)
    how = "a frozen file system" if real is not None else "below SQLite"
    yield at_most(f"longest step while the disk hangs ({how})", float(steps.read_text()), STEP_DELAY_MS_MAX, "ms")


def prove_pulled_out(fault: Fault, phase: str, patient: str, seed: int) -> Iterator[Verdict]:
    """ST12: the disk of the records goes away under a session. What follows goes to where its place is now."""
    with tempfile.TemporaryDirectory(prefix="proof-") as name, ExitStack() as stack:
        sessions, card = Path(name) / "sessions", Path(name) / "sessions.pulled-out"
        sessions.mkdir()
        if disks.may_mount():  # the card itself lies where it can be looked at later
            card.mkdir()
            stack.enter_context(disks.mounted(card))
            disks.bind(card, sessions)
        run = stack.enter_context(stack_on(Path(name), patient))
        run.reach(phase, seed)
        yield from _rode_through(fault, run, lambda: disks.pull_out(sessions), lambda: None, parts=2)


# Before a session


def prove_little_space(fault: Fault, _phase: str, patient: str, _seed: int) -> Iterator[Verdict]:
    """ST02: less than 200 MB are free."""
    with tempfile.TemporaryDirectory(prefix="proof-") as name, ExitStack() as stack:
        folder, real = Path(name), disks.may_mount()
        if real:
            stack.enter_context(disks.mounted(folder, LITTLE_MB))
        run = stack.enter_context(stack_on(folder, patient, None if real else "little-space"))
        run.onset((lambda: None) if real else _signals(run, signal.SIGUSR1))
        reason = asked_to_start(run)
        time.sleep(fault.alarm_ms / 1000)
        yield holds("a start is refused, with what to do", "Free some space" in str(reason), str(reason))
        yield from alarm_verdicts(fault, run)
        yield from _nothing_moved(run)
        if real:
            disks.enlarge(folder)
            yield equal("why a start is refused once there is room", asked_to_start(run), None)


def _nothing_moved(run: Run) -> Iterator[Verdict]:
    yield at_most("wound in since", run.truths.pulled_ms(run.onset_us), 0, "ms")
    yield holds("no session goes on", run.phase in ("idle", "ended"), run.phase)
    yield holds("the refusal is on record in the log", "refused" in run.running.log())


def prove_read_only(fault: Fault, _phase: str, patient: str, _seed: int) -> Iterator[Verdict]:
    """ST11: the disk of the records becomes read-only between sessions, and later writable again."""
    with tempfile.TemporaryDirectory(prefix="proof-") as name, ExitStack() as stack:
        sessions = Path(name) / "sessions"
        sessions.mkdir()
        if disks.may_mount():
            stack.enter_context(disks.mounted(sessions))
        run = stack.enter_context(stack_on(Path(name), patient))
        run.onset(lambda: disks.set_read_only(sessions, True))
        stack.callback(disks.set_read_only, sessions, False)
        time.sleep(fault.alarm_ms / 1000)
        yield from alarm_verdicts(fault, run)
        reason = asked_to_start(run)
        yield holds("a start is refused, with what to do", "cannot be written to" in str(reason), str(reason))
        yield from _nothing_moved(run)
        disks.set_read_only(sessions, False)
        yield from _recovered(run)
        yield equal("why a start is refused once it is writable", asked_to_start(run), None)


# A power cut, and two faults at once


def prove_power_cut(_fault: Fault, phase: str, patient: str, seed: int) -> Iterator[Verdict]:
    """ST06: behind every call of a session; and how long a sample waits until it is certain, at the table's rate."""
    bench = bench_of(phase, patient, seed)
    yield from cut_verdicts(bench, seed)
    yield at_most("longest that a sample waits for its commit", _commit_ms(bench), COMMIT_MS_MAX, "ms")


def _commit_ms(bench: Bench) -> float:
    """From handing over to the sync that makes it certain, in real time."""
    header, rows = bench.memory.headers[0], bench.memory.samples
    rate_hz = bench.rig.rate_hz
    with scratch() as folder, failing_disk() as disk:
        synced: list[float] = []
        disk.synced = lambda path: synced.append(time.monotonic()) if path.name.endswith("-wal") else None
        handed: list[float] = []
        with SessionJournal(folder) as journal:
            journal.begin(header)
            journal.wait_until_written(WRITTEN_WITHIN_S)
            began = time.monotonic()
            for number, row in enumerate(rows[: round(WATCHED_S * rate_hz)]):
                time.sleep(max(0.0, began + number / rate_hz - time.monotonic()))
                handed.append(time.monotonic())
                journal.sample(row)
    return 1000 * max(min(at for at in synced if at >= since) - since for since in handed)


def prove_full_and_trip(fault: Fault, phase: str, patient: str, seed: int) -> Iterator[Verdict]:
    """DF04: the disk is full when somebody leans on the cable. On the bench; the record by the real recorder."""
    bench = bench_of(phase, patient, seed).copy()
    with scratch() as folder, failing_disk() as disk:
        with SessionJournal(folder) as journal:
            _hand_over(bench, journal)
            journal.wait_until_written(WRITTEN_WITHIN_S)
            before = len(bench.memory.samples), len(bench.memory.events)
            disk.full()
            bench.fault_now()
            Injector(bench.table, bench.line).inject(fault.id)
            bench.run_until(lambda _: isinstance(bench.state.phase, Tripped), LET_GO_WITHIN_S)
            bench.run_to_slack(LET_GO_WITHIN_S)
            bench.run_for(AFTER_SLACK_S)
            yield from judge(fault, bench)
            for sample in bench.memory.samples[before[0] :]:
                journal.sample(sample)
            for event in bench.memory.events[before[1] :]:
                journal.event(event)
            yield holds("what is kept in memory is told", _told_full(journal), str(journal.health().failure))
            disk.heals()
            journal.end()
            yield holds("written once there is room", journal.wait_until_written(WRITTEN_WITHIN_S))
        yield from _trip_on_record(fault, bench, folder)


def _hand_over(bench: Bench, journal: SessionJournal) -> None:
    journal.begin(bench.memory.headers[0])
    for sample in bench.memory.samples:
        journal.sample(sample)
    for event in bench.memory.events:
        journal.event(event)


def _told_full(journal: SessionJournal) -> bool:
    until_s = time.monotonic() + TOLD_WITHIN_S
    while journal.health().failure is None and time.monotonic() < until_s:
        time.sleep(0.01)
    return "is full" in str(journal.health().failure)


def _trip_on_record(fault: Fault, bench: Bench, folder: Path) -> Iterator[Verdict]:
    files = session_files(folder)
    yield equal("its parts, to whoever verifies them", [verify(path).state for path in files], ["whole"])
    wanted = [row.seq for row in bench.memory.samples]
    yield at_most("samples missing on record", len(set(wanted) - set(kept_in(files))), 0, "samples")
    alarms = [row.get("alarm") for path in files for row in _events(path)]
    yield holds(
        "the trip and its cause are on record", fault.alarm in alarms, ", ".join(filter(None, map(str, alarms)))
    )


PROVERS: Final = {
    "ST01": Prover(prove_full, alone=True),
    "ST02": Prover(prove_little_space, alone=True),
    "ST03": Prover(prove_write_error, alone=True),
    "ST04": Prover(prove_sync_error, alone=True),
    "ST06": Prover(prove_power_cut, alone=True),
    "ST11": Prover(prove_read_only, alone=True),
    "ST12": Prover(prove_pulled_out, alone=True),
    "DF04": Prover(prove_full_and_trip),
    **altered.PROVERS,
    **exported.PROVERS,
}
