"""What a bench shows after a fault, held against the fault's row: the truth of the plant, never the reading."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from controller.phases import Holding, Ramping, Releasing, TakingUpSlack
from proof.bench import Bench
from proof.catalogue import Fault
from proof.verdict import Verdict, at_most, equal, holds
from safety.alarms import CATALOGUE, AlarmId, Priority
from safety.interlock import Tripped
from safety.limits import over_ceiling_margin
from safety.units import Millinewtons
from tractable.virtual_stack import EPOCH

RELEASES: Final = ("REL_N", "REL_P", "REL_E", "CUT")
STIFF_N_PER_MM: Final = 10.0  # from here on a patient counts as stiff, who may see more over the ceiling
PEAK_STIFF_N: Final = 35
PEAK_N: Final = 20
SLOW_HZ: Final = 80
SWITCH_SLACK_MS: Final = 4000
SWITCH_SLACK_SLOW_MS: Final = 6000
SLACK_N: Final = 15.0
FALL_N_MAX: Final = 15.0  # within 100 ms, in a controlled release
RATE_N_S_MAX: Final = 100.0  # of any release profile
RATE_OVER_MS: Final = 500
# Force that comes or goes by other hands than the drive's: nobody controls how it falls.
NOT_THE_DRIVES_FORCE: Final = frozenset({"AC05", "AC06", "AC07", "HU15", "HU16", "DF03", "DF04"})

# The loop may be quicker than any limit: where force stayed within the target's margins, there was nothing to trip on.
MAY_BE_HELD: Final = frozenset({"AC06"})


def judge(fault: Fault, bench: Bench) -> Iterator[Verdict]:
    """Every question that the row asks of a fault in a session."""
    if fault.id in MAY_BE_HELD and not isinstance(bench.state.interlock, Tripped):
        yield from _held(bench)
        return
    yield from _alarm_verdicts(fault, bench)
    yield from _force_verdicts(fault, bench)
    yield from _state_verdicts(fault, bench)


def _held(bench: Bench) -> Iterator[Verdict]:
    target_n = max(row.target_mn or 0 for row in bench.memory.samples) / 1000
    margin_n = over_ceiling_margin(Millinewtons(round(target_n * 1000))) / 1000
    yield at_most("nothing tripped: true force over the target", bench.peak_since_fault_n - target_n, margin_n, "N")
    serious = [alarm for _at_ms, alarm in alarms_since_fault(bench) if _rank(alarm) == 0]
    yield holds("no alarm of high priority", not serious, ", ".join(serious))
    under_way = isinstance(bench.state.phase, Ramping | Holding)
    yield holds("the therapy goes on", under_way, type(bench.state.phase).__name__)


def alarms_since_fault(bench: Bench) -> list[tuple[float, str]]:
    """When, in ms since the fault, and which; in the order in which they were told."""
    onset = EPOCH + timedelta(microseconds=bench.fault_us)
    return [
        ((event.time - onset) / timedelta(milliseconds=1), event.text.split()[0])
        for event in bench.heard.events
        if event.time >= onset and event.kind == "alarm" and not event.text.endswith(" is over")
    ]


def _alarm_verdicts(fault: Fault, bench: Bench) -> Iterator[Verdict]:
    told = alarms_since_fault(bench)
    if fault.alarm is None:
        serious = [alarm for _at_ms, alarm in told if CATALOGUE[AlarmId(alarm)].priority is not Priority.LOW]
        yield holds("no alarm of medium or high priority", not serious, ", ".join(serious))
        return
    wanted = (fault.alarm, fault.or_alarm)
    at_ms = next((at_ms for at_ms, alarm in told if alarm in wanted), None)
    yield holds(f"{fault.alarm} is raised", at_ms is not None, ", ".join(alarm for _at_ms, alarm in told) or "none")
    if at_ms is not None:
        yield at_most("alarm", at_ms, fault.alarm_ms, "ms")
    yield equal("priority", CATALOGUE[AlarmId(fault.alarm)].priority.value, fault.priority)
    yield holds(f"{fault.alarm} comes first", *_comes_first(fault, bench, told))


def _comes_first(fault: Fault, bench: Bench, told: list[tuple[float, str]]) -> tuple[bool, str]:
    """Of a trip: it is the root cause. Else: nothing of a higher priority is told."""
    if fault.latched:
        return bench.root in (fault.root or fault.alarm, fault.or_alarm), str(bench.root)
    higher = [alarm for _at_ms, alarm in told if _rank(alarm) < _rank(str(fault.alarm))]
    return not higher, ", ".join(higher) or str(fault.alarm)


def _rank(alarm: str) -> int:
    return [Priority.HIGH, Priority.MEDIUM, Priority.LOW].index(CATALOGUE[AlarmId(alarm)].priority)


def _force_verdicts(fault: Fault, bench: Bench) -> Iterator[Verdict]:
    if bench.memory.headers:
        over_n = bench.peak_since_fault_n - bench.ceiling_n
        yield at_most("true force over the ceiling", over_n, peak_bound_n(fault, bench), "N")
    if fault.no_pull_ms is not None:
        yield at_most("last pulling motion", bench.pulled_ms_after_fault, fault.no_pull_ms, "ms")
    if fault.slack_ms is not None:
        yield at_most("slack", bench.slack_ms_after_fault, slack_bound_ms(fault, bench), "ms")
    if fault.action in RELEASES and fault.id not in NOT_THE_DRIVES_FORCE:
        yield at_most("fall within 100 ms", bench.steepest_fall_n(), FALL_N_MAX, "N")
    if fault.action in RELEASES and fault.action != "CUT" and fault.id not in NOT_THE_DRIVES_FORCE:
        rate_n_s = bench.steepest_fall_n(RATE_OVER_MS) * 1000 / RATE_OVER_MS
        yield at_most("unloading over 500 ms", rate_n_s, RATE_N_S_MAX, "N/s")


def peak_bound_n(fault: Fault, bench: Bench) -> int:
    """20 N on most patients is 35 N on the stiffest: the same drive, a stiffer spring."""
    stiff = bench.rig.series_n_per_mm > STIFF_N_PER_MM and fault.peak_over_ceiling_n == PEAK_N
    return PEAK_STIFF_N if stiff else fault.peak_over_ceiling_n


def slack_bound_ms(fault: Fault, bench: Bench) -> int:
    assert fault.slack_ms is not None
    slow = bench.rig.rate_hz <= SLOW_HZ and fault.slack_ms == SWITCH_SLACK_MS
    return SWITCH_SLACK_SLOW_MS if slow else fault.slack_ms


def _state_verdicts(fault: Fault, bench: Bench) -> Iterator[Verdict]:
    latched = isinstance(bench.state.interlock, Tripped)
    yield equal("latched", latched, fault.latched)
    if fault.action == "CUT":
        yield holds("the drive has no power", not bench.table.truth.drive_enabled)
    elif fault.action in RELEASES:
        let_go = not bench.table.truth.drive_enabled and bench.force_n <= SLACK_N
        yield holds("let go: slack, drive off, brake on", let_go and bench.table.truth.brake_on)
    elif fault.action == "CONTINUE":
        under_way = isinstance(bench.state.phase, TakingUpSlack | Ramping | Holding | Releasing)
        yield holds("the therapy goes on", under_way, type(bench.state.phase).__name__)
