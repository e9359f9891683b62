"""The plot of a session as plain numbers: force and target over time, thinned so that no peak is lost.

Force is drawn as the band between the lowest and the highest reading of each narrow slice of time. Where samples or
readings are missing the band ends and begins anew: a gap is shown as a gap, and never bridged.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from controller.journal import EventRow
from recorder.dose import force_of
from recorder.reading import Session
from recorder.report.happenings import movement_kind

SLICES: Final = 600  # narrower than a printed line's width
MARKS_MAX: Final = 40
GAPS_MAX: Final = 200
STEPS: Final = (1, 2, 5, 10)
MN_PER_N: Final = 1000.0
US_PER_S: Final = 1e6
_COLUMNS: Final = ("seq", "t_us", "force_a_mn", "force_b_mn", "target_mn")

Floats = npt.NDArray[np.float64]
Run = list[tuple[float, float, float]]  # second, lowest N, highest N


@dataclass(frozen=True, slots=True)
class Mark:
    """An alarm (its id) or a movement (without a name) at a moment, in seconds from the first sample."""

    at_s: float
    name: str


@dataclass(frozen=True, slots=True)
class Plot:
    """Seconds from the first sample, and newtons. Each run is without a gap; `gaps` are from when to when."""

    end_s: float
    top_n: float
    ticks_s: list[float]
    ticks_n: list[float]
    force: list[Run]
    target: list[Run]
    gaps: list[tuple[float, float]]
    ceiling_n: float | None
    alarms: list[Mark]
    movements: list[Mark]

    def as_json(self) -> dict[str, Any]:
        """The same as JSON values."""
        return asdict(self)


def plot(session: Session) -> Plot | None:
    """The plot of a session file; None if it has fewer than two samples."""
    samples = session.samples(_COLUMNS).combine_chunks()
    if len(samples) < 2:
        return None
    t_us, seq = _floats(samples["t_us"]), _floats(samples["seq"])
    at_s = (t_us - t_us[0]) / US_PER_S
    force_n, target_n = _floats(force_of(samples)), _floats(samples["target_mn"]) / MN_PER_N
    ceiling_mn = session.header.limits.get("ceiling_mn")
    ceiling_n = ceiling_mn / MN_PER_N if isinstance(ceiling_mn, int | float) else None
    end_s = float(at_s[-1]) or 1.0
    highest = [ceiling_n or 0.0, *(float(np.nanmax(one)) for one in (force_n, target_n) if np.isfinite(one).any())]
    ticks_n = ticks(max(highest) * 1.04 or 1.0, 5)
    return Plot(
        end_s=end_s,
        top_n=max(max(highest) * 1.06, 1.0),
        ticks_s=ticks(end_s / 60, 8, scale=60.0) if end_s >= 120 else ticks(end_s, 8),
        ticks_n=ticks_n,
        force=list(runs(seq, at_s, force_n, end_s)),
        target=list(runs(seq, at_s, target_n, end_s)),
        gaps=list(_gaps(seq, at_s, force_n))[:GAPS_MAX],
        ceiling_n=ceiling_n,
        alarms=_marks(session.events(), float(t_us[0]), movement=False),
        movements=_marks(session.events(), float(t_us[0]), movement=True),
    )


def _floats(column: Any) -> Floats:
    """As an array of floats, nan where there is nothing."""
    values: Floats = pc.cast(column, "float64").to_numpy(zero_copy_only=False)
    return values


def ticks(end: float, count: int, scale: float = 1.0) -> list[float]:
    """Round numbers from 0 to the end, about so many; `scale` turns them into the axis's unit."""
    power = 10.0 ** math.floor(math.log10(end / count))
    step = next(power * part for part in STEPS if power * part * count >= end * 0.999)
    return [round(i * step * scale, 6) for i in range(int(end / step) + 1)]


def runs(seq: Floats, at_s: Floats, value: Floats, end_s: float) -> Iterator[Run]:
    """Every stretch in which neighbours follow each other and have a value, thinned to slices of time."""
    here = np.isfinite(value)
    begins = here & ~np.concatenate(([False], here[:-1] & (np.diff(seq) == 1)))
    ends = here & ~np.concatenate(((np.diff(seq) == 1) & here[1:], [False]))
    for first, last in zip(np.flatnonzero(begins), np.flatnonzero(ends), strict=True):
        yield _thinned(at_s[first : last + 1], value[first : last + 1], end_s)


def _thinned(at_s: Floats, value: Floats, end_s: float) -> Run:
    slices = np.floor(at_s / end_s * SLICES)
    starts = np.flatnonzero(np.concatenate(([True], np.diff(slices) > 0)))
    lowest, highest = np.minimum.reduceat(value, starts), np.maximum.reduceat(value, starts)
    run = [
        (round(float(at), 4), round(float(low), 2), round(float(high), 2))
        for at, low, high in zip(at_s[starts], lowest, highest, strict=True)
    ]
    return [*run, (round(float(at_s[-1]), 4), round(float(value[-1]), 2), round(float(value[-1]), 2))]


def _gaps(seq: Floats, at_s: Floats, force_n: Floats) -> Iterator[tuple[float, float]]:
    """From the last reading before to the first one after."""
    there = np.flatnonzero(np.isfinite(force_n))
    for before, after in itertools.pairwise(there):
        if seq[after] - seq[before] > 1:
            yield round(float(at_s[before]), 4), round(float(at_s[after]), 4)


def _marks(events: Sequence[EventRow], first_t_us: float, *, movement: bool) -> list[Mark]:
    marks = []
    for event in events:
        name = "" if movement else str(event.data.get("alarm", ""))
        is_alarm = event.kind == "alarm" and event.data.get("over") is not True
        if event.t_us is not None and (movement_kind(event) is not None if movement else is_alarm):
            marks.append(Mark(max(0.0, (event.t_us - first_t_us) / US_PER_S), name))
    return marks[:MARKS_MAX]
