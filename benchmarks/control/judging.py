"""What a run came to: the numbers that goals are set for."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.control.scenarios import Intermittent, Scenario
from benchmarks.control.trace import Series, Trace

BACK_WITHIN_N: Final = 10.0
SETTLED_SHARE: Final = 0.02
OVERSHOOT_WITHIN_S: Final = 5.0
CYCLE_BEYOND_N: Final = 5.0  # a swing to both sides by more than breathing ever leaves
CYCLE_LOOKED_AT_S: Final = 8.0
CYCLE_TURNS: Final = 4


@dataclass(frozen=True, slots=True)
class Judged:
    """In N and s. `calm` ends where the first upset begins; `back_s` counts from the end of the last one."""

    calm_rms_n: float
    calm_mean_n: float
    calm_reading_mean_n: float
    calm_p95_n: float
    whole_rms_n: float
    overshoot_n: float
    settled_s: float
    over_n: float
    under_n: float
    back_s: float
    cycles: bool
    ended: str | None
    high_alarms: int
    stiffness_n_mm: float

    @property
    def largest_n(self) -> float:
        return max(self.over_n, self.under_n)


def judge(trace: Trace, scenario: Scenario | Intermittent) -> Judged:
    upset_s, over_s = _upset_s(scenario)
    calm, upset, after = trace.error_n(0, upset_s), trace.error_n(upset_s), trace.error_n(over_s)
    settling = trace.error_n(0, OVERSHOOT_WITHIN_S)
    whole = trace.force_n - trace.target_n
    return Judged(
        calm_rms_n=_rms(calm),
        calm_mean_n=float(np.mean(calm)) if calm.size else np.nan,
        calm_reading_mean_n=float(np.mean(trace.reading_error_n(0, upset_s))) if calm.size else np.nan,
        calm_p95_n=float(np.percentile(np.abs(calm), 95)) if calm.size else np.nan,
        whole_rms_n=_rms(whole),
        overshoot_n=max(0.0, float(np.max(settling))) if settling.size else np.nan,
        settled_s=_last_beyond_s(settling, SETTLED_SHARE * scenario.force_n),
        over_n=max(0.0, float(np.max(upset))) if upset.size else 0.0,
        under_n=max(0.0, float(-np.min(upset))) if upset.size else 0.0,
        back_s=_last_beyond_s(after, BACK_WITHIN_N),
        cycles=is_cycling(whole[-round(CYCLE_LOOKED_AT_S * 1000) :]),
        ended=trace.ended,
        high_alarms=trace.high_alarms,
        stiffness_n_mm=trace.stiffness_n_mm,
    )


def is_cycling(error_n: Series) -> bool:
    """Whether the error swings to and fro beyond 5 N, at least twice each way."""
    sides = np.sign(error_n[np.abs(error_n) > CYCLE_BEYOND_N])
    return bool(np.count_nonzero(np.diff(sides)) >= CYCLE_TURNS - 1) if sides.size else False


def _upset_s(scenario: Scenario | Intermittent) -> tuple[float, float]:
    """From when to when the patient upsets the hold; its end where that never happens."""
    if not scenario.upsets:
        return scenario.hold_s, scenario.hold_s
    last = scenario.upsets[-1]
    return scenario.upsets[0].at_s, last.at_s + last.duration_ms / 1000


def _last_beyond_s(error_n: Series, beyond_n: float) -> float:
    beyond = np.nonzero(np.abs(error_n) > beyond_n)[0]
    return float(beyond[-1] + 1) / 1000 if beyond.size else 0.0


def _rms(error_n: Series) -> float:
    return float(np.sqrt(np.mean(error_n**2))) if error_n.size else float("nan")
