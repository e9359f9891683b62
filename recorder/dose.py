"""The delivered dose of a session: what was really pulled, for how long, and how closely to what was prescribed.

The force of a sample is the mean of both channels where both are there, else the one that is there; where neither is,
it is missing, and never zero. The two numbers that are about safety (the peak, and the time above the ceiling) take the
higher of the two channels instead, as the limiter does.

A sample stands for the time until the next one, if that is its neighbour by number. Time in a gap, and time without a
force, is counted as missing and as nothing else. "At force" is where the phase is holding.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from recorder.reading import Session

WITHIN_PART: Final = 0.05  # of the target: the band that the receipt speaks of
BAND: Final = (0.05, 0.95)
MN_PER_N: Final = 1000
US_PER_S: Final = 1_000_000
END_OF_TIME_US: Final = 2**62

_COLUMNS: Final = ("seq", "t_us", "force_a_mn", "force_b_mn", "target_mn")


@dataclass(frozen=True, slots=True)
class Dose:
    """None where there is nothing to say: no time at force, no sample with a force, no ceiling on record.

    A receipt that hides a blinded arm has None for each figure that could tell it.
    `within_share` is the share (0 to 1) of the samples at force, with a force and a target, that were within 5 %.
    `above_ceiling_samples` is 0 exactly if no sample was above; a single one may be too short to show in seconds.
    """

    session_id: str
    simulated: bool
    ended: bool
    time_at_force_s: float
    missing_at_force_s: float
    mean_n: float | None
    sd_n: float | None
    low_n: float | None
    high_n: float | None
    within_share: float | None
    ceiling_n: float | None
    above_ceiling_s: float | None
    above_ceiling_samples: int | None
    impulse_n_s: float | None
    peak_n: float | None
    gaps: int
    missing_samples: int
    last_hash: str

    def as_json(self) -> dict[str, Any]:
        """The same as JSON values."""
        return asdict(self)


def dose(session: Session) -> Dose:
    """The dose of one session file. Reads five columns of every sample (about 40 bytes each in memory)."""
    samples = session.samples(_COLUMNS).combine_chunks()
    seconds = seconds_each(samples)
    force_n, highest_n = force_of(samples), highest_of(samples)
    spans = holding_spans(session.phases())
    at_force = is_within(samples["t_us"], spans)
    force_at_force = force_n.filter(at_force)
    time_at_force_s = _total(seconds.filter(pc.and_(at_force, force_n.is_valid())))
    ceiling_n, above_s, above_samples = _above(highest_n, seconds, session.header.limits.get("ceiling_mn"))
    gaps = session.gaps()
    low, high = _band(force_at_force)
    return Dose(
        session_id=session.header.session_id,
        simulated=session.header.simulated,
        ended=session.ended_utc is not None,
        time_at_force_s=time_at_force_s,
        missing_at_force_s=max(0.0, _span_s(samples["t_us"], spans) - time_at_force_s),
        mean_n=pc.mean(force_at_force).as_py(),
        sd_n=pc.stddev(force_at_force, ddof=0).as_py(),
        low_n=low,
        high_n=high,
        within_share=_within_share(force_at_force, samples["target_mn"].filter(at_force)),
        ceiling_n=ceiling_n,
        above_ceiling_s=above_s,
        above_ceiling_samples=above_samples,
        impulse_n_s=None if _is_absent(force_n) else _total(pc.multiply(force_n, seconds)),
        peak_n=pc.max(highest_n).as_py(),
        gaps=len(gaps),
        missing_samples=sum(gap.missing for gap in gaps),
        last_hash=session.last_hash,
    )


def force_of(samples: Any) -> Any:
    """The force of each sample in N: the mean of the channels that are there, null where none is."""
    a, b = samples["force_a_mn"], samples["force_b_mn"]
    total = pc.add(pc.coalesce(a, b), pc.coalesce(b, a))
    return pc.divide(pc.cast(total, pa.float64()), 2.0 * MN_PER_N)


def highest_of(samples: Any) -> Any:
    """The higher of the channels that are there in N, null where none is."""
    highest = pc.max_element_wise(samples["force_a_mn"], samples["force_b_mn"], skip_nulls=True)
    return pc.divide(pc.cast(highest, pa.float64()), float(MN_PER_N))


def seconds_each(samples: Any) -> Any:
    """The time in seconds that each sample stands for: until its neighbour, 0 before a gap and for the last one."""
    steps = _steps(samples["seq"])
    times = pc.divide(pc.cast(_steps(samples["t_us"]), pa.float64()), float(US_PER_S))
    return pc.if_else(pc.equal(steps, 1), times, 0.0)


def _steps(values: Any) -> Any:
    """The difference from each value to the next; 0 for the last."""
    array = values.combine_chunks()
    steps = pc.subtract(array.slice(1), array.slice(0, max(len(array) - 1, 0)))
    return pa.concat_arrays([steps, pa.array([0] * min(len(array), 1), pa.int64())])


def holding_spans(phases: Sequence[tuple[str, int]]) -> list[tuple[int, int]]:
    """From when to when (device microseconds, the end not included) the phase was holding."""
    return list(_spans(phases))


def _spans(phases: Sequence[tuple[str, int]]) -> Iterator[tuple[int, int]]:
    begun_us: int | None = None
    for phase, at_us in phases:
        holding = phase == "holding"
        if holding and begun_us is None:
            begun_us = at_us
        elif not holding and begun_us is not None:
            yield begun_us, at_us
            begun_us = None
    if begun_us is not None:
        yield begun_us, END_OF_TIME_US


def is_within(t_us: Any, spans: Sequence[tuple[int, int]]) -> Any:
    """Whether each moment lies in one of the spans."""
    within = pa.chunked_array([pa.array([False] * len(t_us), pa.bool_())])
    for start, end in spans:
        within = pc.or_(within, pc.and_(pc.greater_equal(t_us, start), pc.less(t_us, end)))
    return within


def _span_s(t_us: Any, spans: Sequence[tuple[int, int]]) -> float:
    """How long the spans last, as far as there are samples."""
    limits = pc.min_max(t_us).as_py()
    if limits["min"] is None:
        return 0.0
    clipped = [(max(start, limits["min"]), min(end, limits["max"])) for start, end in spans]
    return float(sum(max(0, end - start) for start, end in clipped)) / US_PER_S


def _is_absent(forces: Any) -> bool:
    return bool(forces.null_count == len(forces))


def _total(values: Any) -> float:
    total = pc.sum(values).as_py()
    return 0.0 if total is None else float(total)


def _band(force_n: Any) -> tuple[float | None, float | None]:
    low, high = pc.quantile(force_n, list(BAND)).to_pylist()
    return low, high


def _within_share(force_n: Any, target_mn: Any) -> float | None:
    target_n = pc.divide(pc.cast(target_mn, pa.float64()), float(MN_PER_N))
    within = pc.less_equal(pc.abs(pc.subtract(force_n, target_n)), pc.multiply(target_n, WITHIN_PART))
    share = pc.mean(pc.cast(within, pa.float64())).as_py()
    return None if share is None else float(share)


def _above(highest_n: Any, seconds: Any, ceiling_mn: object) -> tuple[float | None, float | None, int | None]:
    if not isinstance(ceiling_mn, int | float):
        return None, None, None
    ceiling_n = ceiling_mn / MN_PER_N
    if _is_absent(highest_n):
        return ceiling_n, None, None
    above = pc.fill_null(pc.greater(highest_n, ceiling_n), False)
    return ceiling_n, _total(seconds.filter(above)), int(pc.sum(above).as_py() or 0)
