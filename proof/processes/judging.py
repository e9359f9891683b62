"""What a watched run of real processes shows after a fault, held against the fault's row."""

import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from dashboard.control_client import Outcome
from hw_sim.rigs import load_rig
from proof.catalogue import Fault
from proof.judging import FALL_N_MAX, PEAK_N, PEAK_STIFF_N, RATE_N_S_MAX, RATE_OVER_MS, RELEASES, STIFF_N_PER_MM
from proof.processes.watched_run import FORCE, Run, is_let_go
from proof.verdict import Verdict, at_most, equal, holds
from recorder.reading import Session, open_session
from recorder.verification import verify

LATCH_LEFT_WITHIN_S: Final = 20.0
LOST_MS_MAX: Final = 250  # of the record, when the process dies
UNWATCHED_MS_MAX: Final = 100  # in which a release changes the force by 5 N
FOUND_AND_TOLD_S: Final = 20.0
CONFIRMED_MS_MAX: Final = 2_000  # the table says its cause once a second


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
    refusal = _refusal_of_a_start(run)
    yield holds("a new session is refused until that is acknowledged", "A trip is latched" in refusal, refusal)
    yield holds("nothing is wound in again", run.truths.now.cable_um <= cable_um)


def _refusal_of_a_start(run: Run) -> str:
    try:
        return f"begun: {run.running.start(FORCE, '10 min')}"
    except AssertionError as refused:
        return str(refused)


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
