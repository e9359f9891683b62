"""Was the pull left as it was? Judged by the patient's true force, by the controller's alarms and by the record."""

import time
from collections.abc import Iterator
from typing import Final

from proof.catalogue import Fault
from proof.network.viewed_stack import FORCE_N, RAMP, ViewedStack
from proof.network.watching import Watch
from proof.verdict import Verdict, at_most, equal, holds
from recorder.reading import open_session
from safety.alarms import CATALOGUE, AlarmId, Priority

PHASE_NAME: Final = {"RAMP": "ramping", "HOLD": "holding"}
OFF_TARGET_N_MAX: Final = 5.0
RECORDED_WITHIN_S: Final = 5.0
RAMP_N_S: Final = float(RAMP["RAMP"].split()[0])
RAMP_BEHIND: Final = 0.25  # a ramp begins and ends gently: at least a quarter as fast as prescribed
BREATHING_N: Final = 0.5
TICK_S: Final = 0.05
NO_ALARM: Final = "the controller raises no alarm of medium or high priority"
NONE_LATE: Final = "samples too late to be acted on"
# What fails where other programs hold the computer up for a moment, whatever the fault.
LATENESS: Final = frozenset({NO_ALARM, NONE_LATE})


def untouched(fault: Fault, phase: str, stack: ViewedStack, watch: Watch) -> Iterator[Verdict]:
    """Of a pull that must go on: force, phase, alarms and every sample in the record. Of no pull: none began."""
    if phase not in PHASE_NAME:
        yield from nothing_began(watch)
        return
    forces_n = [force_n for _at_s, force_n in watch.forces_n]
    yield at_most("true force over the ceiling", max(forces_n) - watch.ceiling_n, fault.peak_over_ceiling_n, "N")
    yield equal("phase", ", ".join(watch.phases), PHASE_NAME[phase])
    yield holds("the therapy goes on", stack.phase == PHASE_NAME[phase], stack.phase)
    if phase == "HOLD":
        yield at_most("true force off its target", max(abs(n - FORCE_N) for n in forces_n), OFF_TARGET_N_MAX, "N")
    else:
        yield from _goes_on_rising(watch)
    yield from _alarms(fault, watch)
    yield from whole_record(stack, watch)


def nothing_began(watch: Watch) -> Iterator[Verdict]:
    moved_n = max(force_n for _at_s, force_n in watch.forces_n)
    yield at_most("nothing pulled: true force", moved_n, 15.0, "N")
    resting = all(look.phase in ("idle", "ended") for look in watch.looks)
    yield holds("no session began", resting, ", ".join(watch.phases))


def _goes_on_rising(watch: Watch) -> Iterator[Verdict]:
    (from_s, from_n), (to_s, to_n) = watch.forces_n[0], watch.forces_n[-1]
    wanted_n = round(RAMP_N_S * (to_s - from_s) * RAMP_BEHIND - BREATHING_N, 2)
    yield Verdict("true force goes on rising, by", to_n - from_n >= wanted_n, round(to_n - from_n, 2), wanted_n, "N")


def _alarms(fault: Fault, watch: Watch) -> Iterator[Verdict]:
    """None but the row's own, and none that is more than a word of low priority."""
    others = sorted(watch.alarms_told - {fault.alarm})
    serious = [alarm for alarm in others if CATALOGUE[AlarmId(alarm)].priority is not Priority.LOW]
    yield holds(NO_ALARM, not serious, ", ".join(others))


def whole_record(stack: ViewedStack, watch: Watch) -> Iterator[Verdict]:
    """Every sample of that time is on record, and none came too late to be acted on."""
    from_us, to_us = watch.t_us[0], watch.t_us[-1]
    rows = _rows(stack, str(watch.session_id), to_us)
    seen = [(seq, late) for seq, t_us, late in rows if from_us <= t_us <= to_us]
    seqs = [seq for seq, _late in seen]
    yield holds("that time is on record", len(seqs) > 0, f"{len(seqs)} samples")
    if seqs:
        yield at_most("samples that are not on record", seqs[-1] - seqs[0] + 1 - len(seqs), 0, "samples")
        yield at_most(NONE_LATE, sum(late for _seq, late in seen), 0, "samples")


def _rows(stack: ViewedStack, session_id: str, to_us: int) -> list[tuple[int, int, bool]]:
    """Number, device time and lateness of every sample, once the record has come as far as that."""
    until = time.monotonic() + RECORDED_WITHIN_S
    while True:
        path = stack.session_file(session_id)
        if path is not None:
            with open_session(path) as session:
                columns = session.samples(["seq", "t_us", "late"]).to_pydict()
            rows = list(zip(columns["seq"], columns["t_us"], columns["late"], strict=True))
            if (rows and rows[-1][1] >= to_us) or time.monotonic() > until:
                return rows
        elif time.monotonic() > until:
            return []
        time.sleep(TICK_S)


def alarm_told(fault: Fault, watch: Watch) -> Iterator[Verdict]:
    """By the controller, in time and with its priority; and, for a broker that is gone, by the dashboard itself."""
    assert fault.alarm is not None
    told_ms, shown_ms = watch.told_ms(fault.alarm), watch.shown_ms(fault.alarm)
    yield holds(f"{fault.alarm} is raised", told_ms is not None, ", ".join(sorted(watch.alarms_told)) or "none")
    if told_ms is not None:
        yield at_most("alarm", told_ms, fault.alarm_ms, "ms")
    yield equal("priority", CATALOGUE[AlarmId(fault.alarm)].priority.value, fault.priority)
    yield holds(f"the dashboard raises {fault.alarm} too", shown_ms is not None)
    if shown_ms is not None:
        yield at_most("alarm on the dashboard", shown_ms, fault.alarm_ms, "ms")
