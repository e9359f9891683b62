"""EDF+ (continuous), with annotations: opens in EDFbrowser, in MNE and wherever EMG and polysomnography are read.

EDF knows a rate and no times, and 16 bits a value. So sample number n is at n times the mean period; a value is rounded
to the signal's step, the smallest whole number of its unit with which the session's span fits into 16 bits. The lowest
digital value (-32768) is taken by no sample: it says absent. So do the samples of a gap, and those after the last one
in the last data record; nothing is filled in. Each gap is an annotation too, and so is each event.
`<id>.edf.json` states the steps, the period and how far a sample's own time is from where it stands.
"""

import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recorder.export.model import SAMPLES, ExportedSession, Grid
from recorder.export.staging import CannotExport

FILES = ("edf", "edf.json")
ABSENT: Final = -32_768
STEPS_MAX: Final = 65_534  # from -32,767 to 32,767
FIELD_MAX: Final = 99_999_999  # what the header's 8 characters hold; below zero one digit less
FIELD_MIN: Final = -9_999_999
LABELS: Final = {
    "raw_a": "raw A",
    "raw_b": "raw B",
    "force_a_mn": "force A",
    "force_b_mn": "force B",
    "target_mn": "target",
    "cable_um": "cable",
    "velocity_um_s": "velocity",
    "current_ma": "current",
    "status": "status",
    "late": "late",
}
_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


@dataclass(frozen=True, slots=True)
class Signal:
    """A column as EDF stores it: value = lowest + step * (digital + 32768), and `lowest` itself means absent."""

    column: str
    unit: str
    lowest: int
    step: int

    @property
    def highest(self) -> int:
        return self.lowest + self.step * (STEPS_MAX + 1)

    def digital(self, values: Any) -> Any:
        """The values as 16-bit numbers, rounded to the nearest step."""
        there = pc.fill_null(pc.cast(values, pa.int64()), self.lowest).to_numpy()
        return ((there - self.lowest + self.step // 2) // self.step + ABSENT).astype("<i2")


@dataclass(frozen=True, slots=True)
class Records:
    """How the file is cut: `count` data records of `samples` each, `duration` as the header spells it, in seconds."""

    count: int
    samples: int
    duration: str
    annotation_bytes: int


def write(exported: ExportedSession, folder: Path) -> None:
    """Writes the file and what is to be known about it. Raises CannotExport for values that no EDF header holds."""
    signals, grid = _signals(exported), exported.grid
    marks = _marks(exported)
    records = _records(grid, marks)
    with (folder / f"{exported.name}.edf").open("wb") as file:
        file.write(_header(exported, signals, records))
        for block in _blocks(exported, signals, records, marks):
            file.write(block)
    about = json.dumps(_about(exported, signals, records), indent=2)
    (folder / f"{exported.name}.edf.json").write_text(about + "\n", encoding="utf-8")


def _signals(exported: ExportedSession) -> list[Signal]:
    limits: dict[str, tuple[int, int]] = {}
    for batch in exported.session.batches(tuple(LABELS)):
        for name in LABELS:
            found = pc.min_max(pc.cast(batch[name], pa.int64())).as_py()
            if found["min"] is not None:
                low, high = limits.get(name, (found["min"], found["max"]))
                limits[name] = (min(low, found["min"]), max(high, found["max"]))
    return [_signal(name, *limits.get(name, (0, 0))) for name in LABELS]


def _signal(column: str, low: int, high: int) -> Signal:
    step = max(1, math.ceil((high - low) / STEPS_MAX))
    signal = Signal(column, SAMPLES.field(column).metadata[b"unit"].decode(), low - step, step)
    if signal.lowest < FIELD_MIN or signal.highest > FIELD_MAX:
        raise CannotExport(f"{column} goes from {low} to {high}, more than an EDF header holds. Choose another format.")
    return signal


def _records(grid: Grid, marks: Sequence[bytes]) -> Records:
    samples = max(1, round(1 / grid.period_s))
    count = max(1, math.ceil(grid.count / samples))
    # A record is closed when the next mark does not fit: with this room it then holds more than its share.
    room = max(map(len, marks), default=0) + math.ceil(sum(map(len, marks)) / count)
    own = len(_record_mark(count * samples * grid.period_s))
    return Records(count, samples, f"{samples * grid.period_s:.6f}"[:8], (own + room + 10) // 2 * 2)


def _header(exported: ExportedSession, signals: Sequence[Signal], records: Records) -> bytes:
    started, number = exported.session.started, len(signals) + 1
    begun = f"{started.day:02d}-{_MONTHS[started.month - 1]}-{started.year}"
    marked = "SIMULATED" if exported.simulated else "X"
    fixed = [
        ("0", 8),
        (f"{exported.patient or 'X'} X X X", 80),
        (f"Startdate {begun} X X tractable_{marked}", 80),
        (f"{started:%d.%m.%y}", 8),
        (f"{started:%H.%M.%S}", 8),
        (str(256 * (number + 1)), 8),
        ("EDF+C", 44),
        (str(records.count), 8),
        (records.duration, 8),
        (str(number), 4),
    ]
    rows: list[tuple[list[str], int]] = [
        ([*(LABELS[s.column] for s in signals), "EDF Annotations"], 16),
        ([*("" for _ in signals), ""], 80),
        ([*(s.unit for s in signals), ""], 8),
        ([*(str(s.lowest) for s in signals), "-1"], 8),
        ([*(str(s.highest) for s in signals), "1"], 8),
        ([str(ABSENT)] * number, 8),
        (["32767"] * number, 8),
        ([*(f"step {s.step} {s.unit}; {s.lowest} means absent" for s in signals), ""], 80),
        ([*(str(records.samples) for _ in signals), str(records.annotation_bytes // 2)], 8),
        ([""] * number, 32),
    ]
    texts = [*fixed, *((text, width) for column, width in rows for text in column)]
    return b"".join(text.encode("ascii", "replace").ljust(width)[:width] for text, width in texts)


def _blocks(
    exported: ExportedSession, signals: Sequence[Signal], records: Records, marks: Sequence[bytes]
) -> Iterator[bytes]:
    waiting, written = list(marks), 0
    begins_s = exported.session.started.microsecond / 1e6
    for digital in _cut(exported, signals, records):
        block = np.full((len(digital), len(signals) * records.samples * 2 + records.annotation_bytes), 0, np.uint8)
        block[:, : -records.annotation_bytes] = digital.view(np.uint8)
        for row in block:
            own = _record_mark(begins_s + written * float(records.duration))
            said = own + _fitting(waiting, records.annotation_bytes - len(own))
            row[-records.annotation_bytes :][: len(said)] = np.frombuffer(said, np.uint8)
            written += 1
        yield block.tobytes()


def _cut(exported: ExportedSession, signals: Sequence[Signal], records: Records) -> Iterator[Any]:
    """Whole data records: a row each, the signals one after another. The last one is filled up with absent."""
    waiting = np.empty((len(signals), 0), "<i2")
    for batch in exported.grid_batches():
        columns = np.stack([signal.digital(batch[signal.column]) for signal in signals])
        waiting = np.concatenate([waiting, columns], axis=1)
        whole = waiting.shape[1] // records.samples
        if whole:
            yield _rows(waiting[:, : whole * records.samples], records.samples)
            waiting = waiting[:, whole * records.samples :]
    if waiting.shape[1] or not exported.grid.count:
        rest = np.full((len(signals), records.samples), ABSENT, "<i2")
        rest[:, : waiting.shape[1]] = waiting
        yield _rows(rest, records.samples)


def _rows(columns: Any, samples: int) -> Any:
    """From (signals, all samples) to a row for each record."""
    cut = columns.reshape(len(columns), -1, samples).transpose(1, 0, 2)
    return np.ascontiguousarray(cut).reshape(cut.shape[0], -1)


def _fitting(waiting: list[bytes], room: int) -> bytes:
    said = b""
    while waiting and len(said) + len(waiting[0]) <= room:
        said += waiting.pop(0)
    return said


def _marks(exported: ExportedSession) -> list[bytes]:
    """Events, gaps and the end, in the order of their times."""
    begins_s = exported.session.started.microsecond / 1e6
    marks = [(exported.onset_s(event), 0.0, event.text) for event in exported.events()]
    for gap in exported.gaps():
        lasted_s = (gap.to_t_us - gap.from_t_us) / 1e6
        marks.append((exported.seconds(gap.from_t_us) or 0.0, lasted_s, f"gap: {gap.missing} samples missing"))
    marks.append((exported.session.duration_s, 0.0, "last sample"))
    return [_mark(begins_s + at_s, lasted_s, text) for at_s, lasted_s, text in sorted(marks)]


def _mark(at_s: float, lasted_s: float, text: str) -> bytes:
    plain = re.sub(r"[\x00-\x1f]", " ", text)
    lasted = f"\x15{lasted_s:.6f}" if lasted_s else ""
    return f"{at_s:+.6f}{lasted}\x14{plain}\x14\x00".encode("utf-8", "replace")


def _record_mark(at_s: float) -> bytes:
    return f"{at_s:+.6f}\x14\x14\x00".encode()


def _about(exported: ExportedSession, signals: Sequence[Signal], records: Records) -> dict[str, Any]:
    grid = exported.grid
    return {
        "session": exported.header,
        "first_seq": grid.first_seq,
        "samples": grid.count,
        "period_s": grid.period_s,
        "record_duration_s": float(records.duration),
        "time_off_s_max": grid.off_s_max + abs(float(records.duration) / records.samples - grid.period_s) * grid.count,
        "absent": "The lowest value of a signal: no sample has it. So are the samples of a gap, and those after the "
        "annotation 'last sample'. Each gap is an annotation with its duration.",
        "signals": {
            LABELS[s.column]: {"column": s.column, "unit": s.unit, "step": s.step, "absent": s.lowest} for s in signals
        },
    }
