"""What recording costs: the journal's share of a core, an append, memory over an hour, and asking over many sessions.

Each beside a baseline of the same run and the same disk, which is the one of the folder for temporary files (TMPDIR).
"""

import gc
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from benchmarks.figures import Figure
from benchmarks.recording_process import HEADER, sample
from recorder.block_chain import Rows
from recorder.catalogue.models import SessionSummary
from recorder.catalogue.rebuild import rebuild
from recorder.catalogue.store import catalogue
from recorder.catalogue.upgrade import upgrade
from recorder.session_file import SessionFile, meta_rows, sample_row
from recorder.session_recording import SessionRecording
from recorder.store import list_sessions

CPU_GOAL_PERCENT: Final = 5.0
MEMORY_GOAL_MB: Final = 4.0  # the allocator's own breathing; the rows of an hour would be 100 times that
APPEND_GOAL: Final = 2.0  # times a bare append: SQLite writes whole pages where the other writes bytes
QUESTION_GOAL_MS: Final = 10.0  # one answer in a page that is being made
ROWS: Final = 100  # what comes in 100 ms at 1,000 samples/s
APPENDS: Final = 300
SESSIONS: Final = 1000
PATIENTS: Final = 40
ASKED: Final = 20
NOW: Final = "2026-03-01T09:30:00.000000Z"


def figures(seed: int) -> Iterator[Figure]:
    """Measures, in about five minutes."""
    with tempfile.TemporaryDirectory(prefix="tractable-bench-") as folder:
        yield from _share_of_a_core(Path(folder) / "paced", seed)
        yield from _append(Path(folder) / "append", seed)
        yield from _memory(Path(folder) / "hour", seed)
        yield from _questions(Path(folder) / "many", seed)


def _share_of_a_core(folder: Path, seed: int) -> Iterator[Figure]:
    """What the journal adds to a process that makes 1,000 samples/s, and what a bare append and fsync adds."""
    nothing, bare, journal = (_in_a_process("paced", how, folder / how) for how in ("nothing", "bare", "journal"))
    yield Figure(
        "journal at 1,000 samples/s, of a core",
        max(0.0, journal - nothing),
        CPU_GOAL_PERCENT,
        max(0.0, bare - nothing),
        "%",
        seed,
    )


def _memory(folder: Path, seed: int) -> Iterator[Figure]:
    yield Figure(
        "memory grown from minute 6 to 60 of a session",
        _in_a_process("hour", "journal", folder),
        MEMORY_GOAL_MB,
        None,
        "MB",
        seed,
    )


def _in_a_process(*arguments: object) -> float:
    """Measured where nothing else is: the process prints one number."""
    command = [sys.executable, "-m", "benchmarks.recording_process", *map(str, arguments)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def _append(folder: Path, seed: int) -> Iterator[Figure]:
    """100 rows as a block of the session file, and as a line of JSON appended to a file with fsync, in turn."""
    folder.mkdir()
    session = SessionFile.create(folder / "session.tractable", Rows("opening", NOW, meta=meta_rows(HEADER, 1, None)))
    bare = os.open(folder / "bare", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    ours, theirs = [], []
    for number in range(APPENDS):
        rows = [sample_row(sample(number * ROWS + i)) for i in range(ROWS)]
        line = json.dumps(rows, separators=(",", ":")).encode()
        block = Rows("rows", NOW, samples=tuple(row for row in rows if row is not None))
        ours.append(_seconds(lambda block=block: session.append(block)))  # type: ignore[misc]
        theirs.append(_seconds(lambda line=line: _append_bare(bare, line)))  # type: ignore[misc]
    os.close(bare)
    session.finish()
    mean, bare_mean = statistics.mean(ours), statistics.mean(theirs)
    yield Figure(
        "append of 100 rows, in bare appends with fsync of the same rows", mean / bare_mean, APPEND_GOAL, 1.0, "x", seed
    )
    yield Figure("append of 100 rows, mean", mean * 1000, None, bare_mean * 1000, "ms", seed)
    yield Figure("append of 100 rows, longest", max(ours) * 1000, None, max(theirs) * 1000, "ms", seed)


def _append_bare(file: int, line: bytes) -> None:
    os.write(file, line)
    os.fsync(file)


def _seconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def _questions(folder: Path, seed: int) -> Iterator[Figure]:
    """A question over 1,000 sessions, put to the catalogue and, as a baseline, to the files themselves."""
    chance = random.Random(seed)  # noqa: S311 - seeded, for a benchmark
    for number in range(SESSIONS):
        _short_session(folder, number, chance)
    url, key = f"sqlite:///{folder / 'catalogue.db'}", bytes(32)
    upgrade(url, folder)
    with catalogue(url, key, folder) as kept:
        took = _seconds(lambda: rebuild(kept, folder, key))
        gc.collect()
        asked = [_seconds(lambda: _ask(kept.asking)) for _ in range(ASKED)]
        again = _seconds(lambda: rebuild(kept, folder, key))
    files = _seconds(lambda: list_sessions(folder))
    name = f"mean force and time at force of each patient, over {SESSIONS:,} sessions"
    yield Figure(name, statistics.median(asked) * 1000, QUESTION_GOAL_MS, files * 1000, "ms", seed)
    yield Figure(
        f"catalogue made from {SESSIONS:,} session files (baseline: again, with nothing new)",
        took,
        None,
        again,
        "s",
        seed,
    )


def _ask(asking: Callable[[], object]) -> None:
    query = sa.select(
        SessionSummary.patient,
        sa.func.count(),
        sa.func.avg(SessionSummary.mean_n),
        sa.func.sum(SessionSummary.time_at_force_s),
    ).group_by(SessionSummary.patient)
    with asking() as session:  # type: ignore[attr-defined]
        assert len(session.execute(query).all()) == PATIENTS


def _short_session(folder: Path, number: int, chance: random.Random) -> None:
    prescribed = {
        "pseudonym": f"P-{number % PATIENTS}",
        "mode": "static",
        "force_mn": chance.randrange(100, 300) * 1000,
    }
    header = replace(HEADER, session_id=f"S{number:05}", prescription=prescribed)
    recording = SessionRecording(folder, header)
    rows = tuple(row for row in (sample_row(sample(seq)) for seq in range(ROWS)) if row is not None)
    recording.write(Rows("closing", NOW, samples=rows))
    recording.finish()
