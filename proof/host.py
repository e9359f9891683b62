"""Faults of the host in virtual time: it freezes or sleeps, clocks jump or wrap, its gate breaks or is gone round."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Final

from controller import prescription, treatment
from controller.inputs import Execute
from controller.phases import Ended, Holding, Idle, Ramping
from firmware_bridge.messages import Move
from proof.bench import Bench, NotReached, bench_at, document
from proof.catalogue import Fault
from proof.judging import RELEASES, judge
from proof.prover import Prover
from proof.record import record_verdicts
from proof.verdict import Verdict, at_most, equal, holds
from safety import limiter, limits
from safety.alarms import CATALOGUE, AlarmId
from safety.limiter import Permit
from safety.motion import Pull
from tractable.virtual_stack import EPOCH, calibration_of

CALM_S: Final = 5.0
LET_GO_S: Final = 12.0
AFTER_SLACK_S: Final = 1.0
BLOCKED_S: Final = 0.4
SUSPENDED_S: Final = 30.0
T_US_WRAP: Final = 1 << 32
UNTIL_WRAP_US: Final = 500_000
NEVER_SET: Final = datetime(1970, 1, 1, tzinfo=UTC)
CLOCK_SET_BY: Final = {"CK01": timedelta(hours=1), "CK02": timedelta(hours=-1)}
EXTRA_S: Final = 15  # of a session's time at the table, in place of 15 minutes that nobody would wait for
BASES_KEPT: Final = 4


@functools.lru_cache(maxsize=BASES_KEPT)
def _base(phase: str, patient: str, seed: int) -> Bench:
    return bench_at(phase, patient, seed)


def _at(phase: str, patient: str, seed: int) -> Bench:
    bench = _base(phase, patient, seed).copy()
    bench.fault_now()
    return bench


@contextmanager
def _planted(owner: Any, **changes: Any) -> Iterator[None]:
    """The owner's attributes are those, until the end of the block."""
    sound = {name: getattr(owner, name) for name in changes}
    try:
        for name, value in changes.items():
            setattr(owner, name, value)
        yield
    finally:
        for name, value in sound.items():
            setattr(owner, name, value)


def _run_its_course(fault: Fault, bench: Bench) -> None:
    if fault.action in RELEASES:
        bench.run_to_slack(LET_GO_S)
        bench.run_for(AFTER_SLACK_S)
    else:
        bench.run_for(CALM_S)


def _judged(fault: Fault, bench: Bench, *, line_is_whole: bool = True) -> Iterator[Verdict]:
    yield from judge(fault, bench)
    yield from record_verdicts(bench, line_is_whole=line_is_whole)


# It freezes


def prove_blocked(fault: Fault, phase: str, patient: str, seed: int) -> Iterator[Verdict]:
    """HO03: the event loop is blocked; what arrives meanwhile waits."""
    yield from _frozen(fault, _at(phase, patient, seed), BLOCKED_S, line_is_whole=True)


def prove_suspended(fault: Fault, phase: str, patient: str, seed: int) -> Iterator[Verdict]:
    """CK05: the computer sleeps. The controller's clock (CLOCK_BOOTTIME) counts on, as time does for the bench.

    Nobody can tell of it before it wakes: the alarm's time counts from there.
    """
    asleep_ms = SUSPENDED_S * 1000
    from_onset = replace(fault, alarm_ms=fault.alarm_ms + round(asleep_ms))
    for verdict in _frozen(from_onset, _at(phase, patient, seed), SUSPENDED_S, line_is_whole=False):
        if verdict.asked == "alarm" and isinstance(verdict.reached, float):
            yield at_most("alarm", verdict.reached - asleep_ms, fault.alarm_ms, "ms")
        else:
            yield verdict


def _frozen(fault: Fault, bench: Bench, seconds: float, *, line_is_whole: bool) -> Iterator[Verdict]:
    bench.host_frozen = True
    bench.run_for(seconds)
    bench.host_frozen = False
    woke_us = bench.now_us
    _run_its_course(fault, bench)
    pulls = [at_us for at_us, message in bench.written.heard if at_us >= woke_us and _is_pull(message)]
    yield at_most("pulls ordered once it goes on", len(pulls), 0, "orders")
    yield from _judged(fault, bench, line_is_whole=line_is_whole)


def _is_pull(message: object) -> bool:
    return isinstance(message, Move) and message.velocity_um_s > 0


# Its wall clock


def prove_clock_set(fault: Fault, phase: str, patient: str, seed: int) -> Iterator[Verdict]:
    """CK01, CK02: it is set by an hour."""
    yield from _clock_jumps(fault, _at(phase, patient, seed), CLOCK_SET_BY[fault.id])


def prove_clock_never_set(fault: Fault, phase: str, patient: str, seed: int) -> Iterator[Verdict]:
    """CK03: it shows 1970, from the start; in the ramp, where no session could have begun with it, it falls back."""
    if phase == "RAMP":
        bench = _at(phase, patient, seed)
        yield from _clock_jumps(fault, bench, NEVER_SET - EPOCH - timedelta(microseconds=bench.now_us))
        return
    bench = Bench(patient, seed=seed)
    bench.wall_clock_ahead = NEVER_SET - EPOCH
    told_ms = _until_told(bench, fault)
    yield from _told_verdicts(fault, told_ms)
    bench.run_for(1)
    age_days = calibration_of(bench.rig).age_days(bench._utc_now().date())
    answer = bench.start(calibration_age_days=age_days)
    bench.run_for(1)
    yield holds("a start is refused: how old the calibration is cannot be told", not answer.done, answer.reason)
    yield holds("nothing pulled", bench.pulled_at_us == 0)
    yield holds("nothing latched", isinstance(bench.state.phase, Idle | Ended) and bench.root is None)


def _clock_jumps(fault: Fault, bench: Bench, by: timedelta) -> Iterator[Verdict]:
    """Held against the same session without the jump, to the millinewton."""
    twin = bench.copy()
    bench.wall_clock_ahead += by
    told_ms = _until_told(bench, fault)
    bench.run_until(lambda _: bench.now_us - bench.fault_us >= CALM_S * 1e6, CALM_S)
    twin.run_until(lambda _: twin.now_us >= bench.now_us, CALM_S * 2)
    yield from _told_verdicts(fault, told_ms)
    yield holds("the therapy goes on", isinstance(bench.state.phase, Ramping | Holding))
    yield holds("nothing latched", bench.root is None, str(bench.root))
    yield holds("true force is that of a session without the jump", bench.forces_mn == twin.forces_mn)
    yield holds("time is counted as without the jump", _counted(bench) == _counted(twin))
    over_n = bench.peak_since_fault_n - bench.ceiling_n
    yield at_most("true force over the ceiling", over_n, fault.peak_over_ceiling_n, "N")
    yield from _both_clocks_verdicts(bench)
    yield from record_verdicts(bench, line_is_whole=True)


def _counted(bench: Bench) -> tuple[object, ...]:
    course = bench.state.course
    return () if course is None else (course.clock, course.armed_us, course.remaining_us)


def _until_told(bench: Bench, fault: Fault) -> float | None:
    """By the bench's own time: the wall clock that dates events is what jumped."""
    told = bench.run_until(lambda _: fault.alarm in bench.alarms, fault.alarm_ms / 1000 + 1)
    return (bench.now_us - bench.fault_us) / 1000 if told else None


def _told_verdicts(fault: Fault, told_ms: float | None) -> Iterator[Verdict]:
    yield holds(f"{fault.alarm} is raised", told_ms is not None)
    if told_ms is not None:
        yield at_most("alarm", told_ms, fault.alarm_ms, "ms")
    yield equal("priority", CATALOGUE[AlarmId(str(fault.alarm))].priority.value, fault.priority)


def _both_clocks_verdicts(bench: Bench) -> Iterator[Verdict]:
    events = bench.memory.events
    jumps = [row for row in events if row.data.get("alarm") == "A40" and "over" not in row.data]
    both = [row for row in jumps if row.t_us is not None and row.time_utc]
    yield equal("jumps on record, with both clocks", len(both), 1)
    times_us = [row.t_us for row in events if row.t_us is not None]
    numbers = [row.number for row in events]
    yield holds("events stand in the order of the device's clock", times_us == sorted(times_us))
    yield holds("and of their numbers", numbers == sorted(numbers))


# The device's clock, and the session's


def prove_device_clock_wraps(fault: Fault, phase: str, patient: str, seed: int) -> Iterator[Verdict]:
    """CK07: its 32 bits are used up half a second into the phase. When that is, a session before it has shown."""
    there_us = _base(phase, patient, seed).now_us
    bench = bench_at(phase, patient, seed, t_us_start=T_US_WRAP - there_us - UNTIL_WRAP_US)
    bench.fault_now()
    before_us = bench.sent.samples()[-1].t_us
    _run_its_course(fault, bench)
    after_us = bench.sent.samples()[-1].t_us
    yield holds("the device's clock wrapped", before_us > T_US_WRAP - 2 * UNTIL_WRAP_US > CALM_S * 1e6 > after_us)
    rows = bench.memory.samples
    steps_us = [after.t_us - before.t_us for before, after in pairwise(rows)]
    period_us = 1e6 / bench.rig.rate_hz
    off_us = max(abs(step_us - period_us) for step_us in steps_us)
    yield at_most("a sample's time off the period", off_us, 1, "us")
    yield at_most("samples that are marked late", sum(row.late for row in rows), 0, "samples")
    yield from _judged(fault, bench)


def prove_timer_dies(fault: Fault, phase: str, patient: str, seed: int) -> Iterator[Verdict]:
    """CK08: from that phase on the controller counts no time at force, so that it would hold for ever.

    The table ends it, by the time that it was armed for: here 15 s more than the profile, not 15 minutes. The alarm
    and the rest count from when that time is over.
    """
    with _planted(limits, ARM_EXTRA_S=EXTRA_S):
        bench = Bench(patient, seed=seed)
        bench.run_for(1)
        bench.start(prescription.parse(document("300 N", "60 s")))
    bench.run_until(lambda _: isinstance(bench.state.phase, Ramping) and bench.force_n > 180, 60)
    if phase == "HOLD":
        bench.run_to(Holding)
        bench.run_for(2)
    with _planted(treatment, counted=lambda clock, *_: clock):
        course = bench.state.course
        if course is None or course.armed_us is None:
            raise NotReached(f"{phase}: {bench.state.phase}")
        over_us = course.armed_us + course.limits.duration_us
        bench.run_until(lambda _: bench.now_us >= over_us, 180)
        ended = type(bench.state.phase).__name__
        yield holds("nobody else ended it before", isinstance(bench.state.phase, Holding), ended)
        bench.fault_now()
        _run_its_course(fault, bench)
    cause = bench.state.device_trip
    yield equal("what the table tripped on", None if cause is None else int(cause), 12)
    yield from _judged(fault, bench)


# Its gate


def prove_rule_raises(fault: Fault, phase: str, patient: str, seed: int) -> Iterator[Verdict]:
    """HO08: a rule of the gate raises, whatever is asked of it."""
    bench = _at(phase, patient, seed)

    def broken(_situation: object) -> bool:
        raise ZeroDivisionError

    rules = (("H00 broken", AlarmId.A45, broken, ""), *limiter.PULL_RULES)
    with _planted(limiter, PULL_RULES=rules, HOLD_RULES=rules, payout_limit_um_s=broken):
        _run_its_course(fault, bench)
    vetoes = [row for row in bench.memory.events if row.kind == "verdict" and "ZeroDivisionError" in row.text]
    yield holds("the veto is on record", bool(vetoes))
    yield from _judged(fault, bench)


def prove_forged_permit(fault: Fault, phase: str, patient: str, seed: int) -> Iterator[Verdict]:
    """HO09: somebody hands over a permit for a pull that the gate never made."""
    bench = _at(phase, patient, seed)
    forged = object.__new__(Permit)
    written = len(bench.written.heard)
    bench._write(bench.conductor._carry_out(Execute(_filled(forged)), bench.now_us))
    pulls = [message for _at_us, message in bench.written.heard[written:] if _is_pull(message)]
    yield at_most("pulls written for it", len(pulls), 0, "orders")
    _run_its_course(fault, bench)
    attempts = [row for row in bench.memory.events if row.kind == "verdict" and "forged" in row.text]
    yield holds("the attempt is on record", bool(attempts))
    yield from _judged(fault, bench)


def _filled(forged: Permit) -> Permit:
    """As one who has read the code would fill it; but that the gate made it, it cannot have."""
    guessed = {"motion": Pull(limits.PULL_MAX_UM_S), "basis_seq": 0, "lease_ms": 200, "_unspent": False}
    for name, value in guessed.items():
        object.__setattr__(forged, name, value)
    return forged


PROVERS: Final = {
    "HO03": Prover(prove_blocked),
    "HO08": Prover(prove_rule_raises),
    "HO09": Prover(prove_forged_permit),
    "CK03": Prover(prove_clock_never_set),
    "CK05": Prover(prove_suspended),
    "CK07": Prover(prove_device_clock_wraps),
    "CK08": Prover(prove_timer_dies),
}
