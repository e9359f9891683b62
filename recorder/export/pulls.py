"""The table of pulls: a row for each time at force, with the way up to it.

Read from the record alone, so that it holds for every mode of treatment: a pull is a span in which the phase was
holding, and its rise is the span before in which it was ramping. A pause, or a step to another force, begins a new row.

    rise time   from 10 to 90 % of the way from the force at the ramp's start to the target held
    overshoot   how far the mean of the channels came above the target held, until the hold ended; never below 0
    peak        the higher of the channels, from the ramp's start to the hold's end, as the limiter sees it
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recorder.dose import END_OF_TIME_US, force_of, highest_of, seconds_each

RISE_FROM: Final = 0.1
RISE_TO: Final = 0.9
COLUMNS: Final = ("seq", "t_us", "force_a_mn", "force_b_mn", "target_mn")

# Name, type, unit and meaning, in the order of the columns.
PULL_FIELDS: Final[Any] = (
    ("pull", pa.int64(), "1", "number of the pull in the session, from 1"),
    ("ramp_from_s", pa.float64(), "s", "t_s at which the ramp before it began; absent if there was none"),
    ("from_s", pa.float64(), "s", "t_s at which holding began"),
    ("to_s", pa.float64(), "s", "t_s at which holding ended"),
    ("target_n", pa.float64(), "N", "force that the loop followed: its median while holding"),
    ("mean_n", pa.float64(), "N", "mean force while holding"),
    ("sd_n", pa.float64(), "N", "standard deviation of the force while holding"),
    ("peak_n", pa.float64(), "N", "highest force of either channel, from the ramp's start"),
    ("rise_time_s", pa.float64(), "s", "from 10 to 90 % of the way to the target; absent if it was not seen"),
    ("overshoot_n", pa.float64(), "N", "how far the force came above the target"),
    ("time_at_force_s", pa.float64(), "s", "time in holding for which there is a force"),
    ("missing_s", pa.float64(), "s", "time in holding for which there is none"),
)


@dataclass(frozen=True, slots=True)
class Pull:
    """One row; PULL_FIELDS says what each value is."""

    pull: int
    ramp_from_s: float | None
    from_s: float
    to_s: float
    target_n: float | None
    mean_n: float | None
    sd_n: float | None
    peak_n: float | None
    rise_time_s: float | None
    overshoot_n: float | None
    time_at_force_s: float
    missing_s: float

    def as_row(self) -> dict[str, Any]:
        """The same by column."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class PullSpan:
    """When it was, by the device's clock; the end is not included."""

    ramp_us: int | None
    from_us: int
    to_us: int


def pull_spans(phases: Sequence[tuple[str, int]]) -> Iterator[PullSpan]:
    """Each span of holding, with where the ramp that led to it began."""
    ramp_us: int | None = None
    held_us: int | None = None
    for phase, at_us in [*phases, ("ended", END_OF_TIME_US)]:
        if held_us is not None and phase != "holding":
            yield PullSpan(ramp_us, held_us, at_us)
            held_us = ramp_us = None
        if phase == "holding" and held_us is None:
            held_us = at_us
        elif phase == "ramping":
            ramp_us = at_us if ramp_us is None else ramp_us
        elif phase != "holding":
            ramp_us = None


@dataclass(frozen=True, slots=True)
class _Columns:
    t_us: Any
    force_n: Any
    highest_n: Any
    target_n: Any
    seconds: Any

    @classmethod
    def of(cls, rows: Any, seconds: Any) -> "_Columns":
        return cls(
            rows["t_us"].to_numpy(),
            force_of(rows).to_numpy(),
            highest_of(rows).to_numpy(),
            pc.divide(pc.cast(rows["target_mn"], pa.float64()), 1000.0).to_numpy(),
            seconds.to_numpy(),
        )


@dataclass(slots=True)
class _Tally:
    """What is known of one pull so far."""

    span: PullSpan
    count: int = 0
    mean: float = 0.0
    squares: float = 0.0
    peak: float = -math.inf
    highest: float = -math.inf
    seconds: float = 0.0
    rise: list[tuple[Any, Any]] = field(default_factory=list)
    targets: dict[float, int] = field(default_factory=dict)

    def take(self, columns: _Columns) -> None:
        start_us = self.span.from_us if self.span.ramp_us is None else self.span.ramp_us
        first, held, end = np.searchsorted(columns.t_us, (start_us, self.span.from_us, self.span.to_us))
        if first == end:
            return
        self.peak = max(self.peak, _highest(columns.highest_n[first:end]))
        self.highest = max(self.highest, _highest(columns.force_n[held:end]))
        if first < held:
            self.rise.append((columns.t_us[first:held], columns.force_n[first:held]))
        if held < end:
            self._hold(columns.force_n[held:end], columns.target_n[held:end], columns.seconds[held:end])

    def _hold(self, force_n: Any, target_n: Any, seconds: Any) -> None:
        there = ~np.isnan(force_n)
        self.seconds += float(seconds[there].sum())
        for target, times in zip(*np.unique(target_n[~np.isnan(target_n)], return_counts=True), strict=True):
            self.targets[float(target)] = self.targets.get(float(target), 0) + int(times)
        self._add(force_n[there])

    def _add(self, force_n: Any) -> None:
        """Chan's way of adding a batch's mean and squares to those so far."""
        if not len(force_n):
            return
        mean, count = float(force_n.mean()), len(force_n)
        apart, total = mean - self.mean, self.count + count
        self.squares += float(((force_n - mean) ** 2).sum()) + apart**2 * self.count * count / total
        self.mean += apart * count / total
        self.count = total

    def pull(self, number: int, first_us: int, last_us: int) -> Pull:
        ramp_us, to_us = self.span.ramp_us, min(self.span.to_us, last_us)
        target = _median(self.targets)
        over = None if target is None or self.highest == -math.inf else max(0.0, self.highest - target)
        held_s = max(0, to_us - self.span.from_us) / 1e6
        return Pull(
            pull=number,
            ramp_from_s=None if ramp_us is None else (ramp_us - first_us) / 1e6,
            from_s=(self.span.from_us - first_us) / 1e6,
            to_s=(to_us - first_us) / 1e6,
            target_n=target,
            mean_n=self.mean if self.count else None,
            sd_n=math.sqrt(self.squares / self.count) if self.count else None,
            peak_n=None if self.peak == -math.inf else self.peak,
            rise_time_s=None if target is None else _rise_time_s(self.rise, target),
            overshoot_n=over,
            time_at_force_s=self.seconds,
            missing_s=max(0.0, held_s - self.seconds),
        )


class Pulls:
    """The pulls of a session's phases, whose sample batches it is given one after another, each of them once."""

    def __init__(self, phases: Sequence[tuple[str, int]]) -> None:
        self._tallies = [_Tally(span) for span in pull_spans(phases)]
        self._waiting: Any = None
        self._first_us: int | None = None
        self._last_us = 0

    def take(self, batch: Any) -> None:
        """A batch's last row waits for the next batch, which says for how long it stands."""
        if not self._tallies or not len(batch):
            return
        rows = pa.Table.from_batches([batch.select(COLUMNS)])
        rows = rows if self._waiting is None else pa.concat_tables([self._waiting, rows])
        self._first_us = rows["t_us"][0].as_py() if self._first_us is None else self._first_us
        self._last_us = rows["t_us"][-1].as_py()
        known = len(rows) - 1
        self._tally(_Columns.of(rows.slice(0, known), seconds_each(rows).slice(0, known)))
        self._waiting = rows.slice(known)

    def rows(self) -> list[Pull]:
        """A row for each pull, in their order; no batch may follow."""
        if self._waiting is not None:
            self._tally(_Columns.of(self._waiting, pa.array([0.0])))
            self._waiting = None
        first_us = self._first_us
        if first_us is None:
            return []
        return [tally.pull(number, first_us, self._last_us) for number, tally in enumerate(self._tallies, 1)]

    def _tally(self, columns: _Columns) -> None:
        for tally in self._tallies:
            tally.take(columns)


def _highest(values: Any) -> float:
    there = values[~np.isnan(values)]
    return float(there.max()) if len(there) else -math.inf


def _median(counted: dict[float, int]) -> float | None:
    half = sum(counted.values()) / 2
    below = 0
    for value in sorted(counted):
        below += counted[value]
        if below >= half:
            return value
    return None


def _rise_time_s(parts: Sequence[tuple[Any, Any]], target_n: float) -> float | None:
    if not parts:
        return None
    t_us, force_n = (np.concatenate(column) for column in zip(*parts, strict=True))
    there = ~np.isnan(force_n)
    t_us, force_n = t_us[there], force_n[there]
    if not len(force_n) or target_n <= force_n[0]:
        return None  # a step down has no rise
    way_n = target_n - force_n[0]
    begun = np.flatnonzero(force_n >= force_n[0] + RISE_FROM * way_n)
    there_at = np.flatnonzero(force_n >= force_n[0] + RISE_TO * way_n)
    if not len(begun) or not len(there_at):
        return None
    return float(t_us[there_at[0]] - t_us[begun[0]]) / 1e6
