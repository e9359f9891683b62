"""Exports of an hour, beside what writes the same table by itself; and one question asked of 1,000 sessions.

The baselines are pyarrow's and DuckDB's own writers, on the very arrays that are exported, which they get ready in
memory: they read no record, prove nothing of it and leave nobody's name out.
"""

import gc
import math
import multiprocessing
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq

from benchmarks.figures import Figure
from controller.journal import EventRow, SampleRow, SessionHeader
from recorder.block_chain import Rows
from recorder.dose import force_of
from recorder.export import FORMATS, export
from recorder.export.model import SAMPLES, ExportedSession
from recorder.export.parquet import layout
from recorder.reading import open_session
from recorder.session_file import event_row, sample_row
from recorder.session_recording import SessionRecording

RATES_HZ: Final = (100, 320)
HOUR_S: Final = 3600
GOAL_RATIO: Final = 1.5
TAKES: Final = 5  # the quickest counts: what else the computer does only adds
SESSIONS: Final = 1000
SESSION_S: Final = 20
SESSION_HZ: Final = 80
MEMORY_GOAL: Final = 1.1  # of an hour, against a quarter of one
STARTED: Final = "2026-03-01T09:30:00.000000Z"


class NotMeasured(RuntimeError):
    """DuckDB, which the baselines are made with, is not installed: it comes with the extra `dev`."""


def figures(seed: int) -> Iterator[Figure]:
    """Each export of each hour, the memory it takes, and the question."""
    with tempfile.TemporaryDirectory(prefix="bench-export-") as folder:
        root = Path(folder)
        for rate_hz in RATES_HZ:
            path = recorded(root / f"{rate_hz}", f"H{rate_hz}", rate_hz, HOUR_S, seed)
            yield from _hour(root, path, rate_hz, seed)
        yield from _memory(root, seed)
        yield from _question(root, seed)


def recorded(root: Path, name: str, rate_hz: int, seconds: int, seed: int) -> Path:
    """The file of a session that holds 300 N, breathing and noise on it, every thousandth sample missing."""
    header = SessionHeader(
        name, STARTED, {"mode": "static", "force_mn": 300_000}, {}, {"rate_hz": rate_hz}, {}, {}, simulated=True
    )
    recording = SessionRecording(root, header)
    recording.begin(STARTED)
    draw = random.Random(f"{seed} {name}")  # noqa: S311
    held = event_row(EventRow(1, 0, STARTED, "phase", "controller", "Held", {"phase": "holding"}))
    for start in range(0, rate_hz * seconds, 3200):
        end = min(start + 3200, rate_hz * seconds)
        samples = tuple(sample_row(_sample(seq, rate_hz, draw)) for seq in range(start, end) if seq % 1000 != 999)
        recording.write(Rows("rows", STARTED, (), samples, (held,) if start == 0 else ()))  # type: ignore[arg-type]
    recording.write(Rows("closing", STARTED))
    path = recording.path
    recording.finish()
    recording.abandon()
    assert path is not None
    return path


def _sample(seq: int, rate_hz: int, draw: random.Random) -> SampleRow:
    force_mn = 300_000 + round(3000 * math.sin(seq / rate_hz * 1.6)) + draw.randint(-150, 150)
    return SampleRow(
        seq=seq,
        t_us=5_000_000 + seq * 1_000_000 // rate_hz,
        raw_a=8 * force_mn + draw.randint(-50, 50),
        raw_b=8 * force_mn + draw.randint(-50, 50),
        force_a_mn=force_mn,
        force_b_mn=force_mn + draw.randint(-50, 50),
        target_mn=300_000,
        cable_um=20_000 + round(100 * math.sin(seq / rate_hz)),
        velocity_um_s=draw.randint(-500, 500),
        current_ma=400 + draw.randint(-9, 9),
        status=0x0102,
        late=False,
        host_us=9_000_000_000 + seq * 1_000_000 // rate_hz + draw.randint(0, 400),
        age_us=1500 + draw.randint(0, 400),
        asked_um_s=draw.randint(-500, 500),
    )


def _hour(root: Path, path: Path, rate_hz: int, seed: int) -> Iterator[Figure]:
    with open_session(path) as session:
        table = pa.Table.from_batches(list(ExportedSession(session, "x").sample_batches()), SAMPLES)
    by_itself = {
        "parquet": _quickest(lambda: pq.write_table(table, root / "by-pyarrow.parquet", compression="zstd")),
        "csv": _quickest(lambda: _by_duckdb(table, root / "by-duckdb.csv", "FORMAT csv")),
    }
    split = _quickest(lambda: pq.write_table(table, root / "by-pyarrow.parquet", **layout(SAMPLES)))
    zstd = _quickest(lambda: _by_duckdb(table, root / "by-duckdb.parquet", "FORMAT parquet, COMPRESSION zstd"))
    by_arrow = _quickest(lambda: arrow_csv.write_csv(_plain(table), root / "by-pyarrow.csv"))
    for name in FORMATS:
        seconds = _quickest(partial(_export, path, root / "out", name), TAKES if name in by_itself else 1)
        baseline = by_itself.get(name)
        goal = None if baseline is None else GOAL_RATIO * baseline
        beside = {"parquet": "pyarrow writing", "csv": "DuckDB's COPY"}.get(name)
        told = f"{rate_hz} Hz: an hour to {name}" + (f" (beside {beside})" if beside else "")
        yield Figure(told, seconds, goal, baseline, "s", seed)
    yield Figure(
        f"{rate_hz} Hz: baseline, DuckDB's COPY to Parquet with zstd", zstd, None, by_itself["parquet"], "s", seed
    )
    yield Figure(f"{rate_hz} Hz: baseline, pyarrow in our layout", split, None, by_itself["parquet"], "s", seed)
    yield Figure(f"{rate_hz} Hz: baseline, pyarrow to CSV", by_arrow, None, by_itself["csv"], "s", seed)


def _plain(table: Any) -> Any:
    """Without a time zone, which pyarrow would want a database for."""
    place = table.schema.get_field_index("time_utc")
    return table.set_column(place, "time_utc", table["time_utc"].cast(pa.int64()).cast(pa.timestamp("us")))


def _export(path: Path, folder: Path, name: str) -> None:
    with open_session(path) as session:
        export(session, folder, [name], overwrite=True)


def _by_duckdb(table: Any, path: Path, options: str) -> None:
    _Connected().execute(f"COPY (SELECT * FROM samples) TO '{path}' ({options})", table)  # noqa: S608 - our own path


class _Connected:
    """DuckDB, which only those who develop have."""

    def __init__(self) -> None:
        try:
            import duckdb
        except ImportError as missing:
            raise NotMeasured(NotMeasured.__doc__) from missing
        self._connection = duckdb.connect()

    def execute(self, sql: str, samples: Any = None) -> list[Any]:
        if samples is not None:
            self._connection.register("samples", samples)
        rows: list[Any] = self._connection.execute(sql).fetchall()
        return rows


def _quickest(work: Callable[[], Any], takes: int = TAKES) -> float:
    taken = []
    for _ in range(takes):
        gc.collect()
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return min(taken)


def _memory(root: Path, seed: int) -> Iterator[Figure]:
    """The most memory that a process takes which exports to all formats, against one that exports a quarter."""
    peaks = []
    for seconds in (HOUR_S // 4, HOUR_S):
        path = recorded(root / f"m{seconds}", f"M{seconds}", RATES_HZ[-1], seconds, seed)
        peaks.append(_peak_mb(path, root / f"memory{seconds}"))
    yield Figure(
        "memory of all exports of an hour, of that of a quarter", peaks[1] / peaks[0], MEMORY_GOAL, 1.0, "1", seed
    )
    yield Figure("memory of all exports of an hour", peaks[1], None, peaks[0], "MB", seed)


def _peak_mb(path: Path, folder: Path) -> float:
    context = multiprocessing.get_context("spawn")
    told = context.SimpleQueue()
    worker = context.Process(target=_export_all, args=(path, folder, told))
    worker.start()
    peak: float = told.get()
    worker.join()
    return peak


def _export_all(path: Path, folder: Path, told: Any) -> None:
    with open_session(path) as session:
        export(session, folder, list(FORMATS))
    # Not getrusage: its peak is handed down from the process that started this one.
    (peak,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    told.put(int(peak.split()[1]) / 1024)


def _question(root: Path, seed: int) -> Iterator[Figure]:
    """The mean force of each of 1,000 sessions."""
    first = recorded(root / "many", "Q", SESSION_HZ, SESSION_S, seed)
    with open_session(first) as session:
        written = export(session, root / "parquet", ["parquet"])
    (samples,) = (path for path in written if path.name.endswith(".samples.parquet"))
    for number in range(SESSIONS):
        first.with_stem(f"Q{number}").write_bytes(first.read_bytes())
        samples.with_name(f"Q{number}.asked.parquet").write_bytes(samples.read_bytes())
    sql = "SELECT filename, avg(force_n) FROM read_parquet('{}', filename = true) GROUP BY ALL"
    duck = _Connected()
    by_duckdb = _quickest(lambda: duck.execute(sql.format(samples.parent / "*.asked.parquet")))
    files = [first.with_stem(f"Q{number}") for number in range(SESSIONS)]
    by_reading = _quickest(lambda: [_mean_n(path) for path in files])
    yield Figure(
        f"mean force of {SESSIONS} sessions, from the records by open_session", by_reading, None, by_duckdb, "s", seed
    )
    yield Figure(
        f"mean force of {SESSIONS} sessions, by DuckDB from exported Parquet", by_duckdb, None, None, "s", seed
    )


def _mean_n(path: Path) -> float | None:
    with open_session(path) as session:
        mean: float | None = pc.mean(force_of(session.samples(("force_a_mn", "force_b_mn")))).as_py()
    return mean
