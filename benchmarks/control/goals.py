"""Which run is held to which goal: the table of what the loop must reach, as data."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from benchmarks.control import scenarios as sc
from benchmarks.control.judging import Judged
from benchmarks.control.scenarios import Intermittent, Scenario
from benchmarks.control.tables import TableKind
from hw_sim.rigs import Rig

Measure = Callable[[Judged], float]


@dataclass(frozen=True, slots=True)
class Goal:
    """`limits` in `unit` by table's letter; None where there is nothing to reach."""

    what: str
    measure: Measure
    unit: str
    limits: dict[str, float | None]


@dataclass(frozen=True, slots=True)
class Tested:
    """One scenario on one patient, with its goals. `on_stack`: whether a session can run it on the whole stack.

    `breathing`: without, the patient holds the breath throughout, which shows what of an error is the breath's.
    """

    scenario: Scenario | Intermittent
    patient: str
    goals: tuple[Goal, ...]
    on_stack: bool = True
    with_baselines: bool = True
    breathing: bool = True

    @property
    def name(self) -> str:
        return f"{self.patient}{'' if self.breathing else ', breath held'}: {self.scenario.name}"

    def rig_on(self, table: TableKind) -> Rig:
        rig = table.rig(self.patient)
        return rig if self.breathing else replace(rig, breathing_mm=0.0)


def both(limit: float) -> dict[str, float | None]:
    return {"A": limit, "B": limit}


def each(a: float | None, b: float | None) -> dict[str, float | None]:
    return {"A": a, "B": b}


def tripped(judged: Judged) -> float:
    """1 where safety let go by its rules (force too high, or rising too fast)."""
    return float(judged.ended is not None)


HOLDS: Final = (
    Goal("RMS error", lambda j: j.calm_rms_n, "N", each(0.6, 0.4)),
    Goal("mean error", lambda j: abs(j.calm_mean_n), "N", both(0.1)),
    Goal("mean error of the reading", lambda j: abs(j.calm_reading_mean_n), "N", both(0.1)),
    Goal("95 % of abs error", lambda j: j.calm_p95_n, "N", each(1.0, 0.7)),
)
COUGHS: Final = (
    Goal("largest error", lambda j: j.largest_n, "N", both(30)),
    Goal("within 10 N after the last", lambda j: j.back_s, "s", both(0.3)),
)
SLOW_AWAY: Final = (Goal("peak", lambda j: j.over_n, "N", each(10, 5)),)
FAST_AWAY: Final = (
    Goal("peak", lambda j: j.over_n, "N", each(88, 50)),
    Goal("within 10 N after it ends", lambda j: j.back_s, "s", each(None, 0.2)),
    Goal("trips by rule", tripped, "", each(None, 0)),
)
FAST_AWAY_STIFF: Final = (
    Goal("trips by rule", tripped, "", both(1)),
    Goal("limit cycle", lambda j: float(j.cycles), "", both(0)),
)
TOWARDS: Final = (
    Goal("within 10 N after it ends", lambda j: j.back_s, "s", both(4.2)),
    Goal("overshoot", lambda j: j.over_n, "N", both(12)),
)
ALTERNATING: Final = (Goal("RMS against the profile", lambda j: j.whole_rms_n, "N", each(1.5, 0.6)),)


def ramped(force_n: float) -> tuple[Goal, ...]:
    """2 N and 1 %: whichever is less."""
    return (
        Goal("overshoot", lambda j: j.overshoot_n, "N", both(min(2.0, 0.01 * force_n))),
        Goal("within 2 % after the ramp", lambda j: j.settled_s, "s", both(0.5)),
    )


TESTED: Final = (
    Tested(sc.HOLD, "middling", HOLDS),
    *(
        Tested(ramp, patient, ramped(ramp.force_n), with_baselines=patient == "middling")
        for ramp in sc.RAMPS
        for patient in ("soft", "middling", "stiff")
    ),
    *(Tested(ramp, "stiff", ramped(ramp.force_n), with_baselines=False, breathing=False) for ramp in sc.RAMPS),
    Tested(sc.THREE_COUGHS, "middling", COUGHS),
    Tested(sc.SHIFT_AWAY_SLOW, "middling", SLOW_AWAY),
    Tested(sc.SHIFT_AWAY_FAST, "middling", FAST_AWAY),
    Tested(sc.SHIFT_AWAY_FAST, "stiff", FAST_AWAY_STIFF, with_baselines=False),
    Tested(sc.SHIFT_TOWARDS, "middling", TOWARDS),
    Tested(sc.INTERMITTENT, "middling", ALTERNATING, on_stack=False),
)
