"""One process that records, for `benchmarks.record` to measure where nothing else runs. Prints one number.

python -m benchmarks.recording_process paced nothing|bare|journal FOLDER    percent of a core, at 1,000 samples/s
python -m benchmarks.recording_process hour journal FOLDER                  MB grown from minute 6 to 60
"""

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from controller.journal import SampleRow, SessionHeader
from recorder.journal import SessionJournal
from recorder.session_file import sample_row

HEADER: Final = SessionHeader(
    "S", "2026-03-01T09:30:00.000000Z", {}, {}, {"serial": 1}, {"ceiling_mn": 340_000}, {}, True
)
RATE_HZ: Final = 320
PERIOD_US: Final = 3125
PACED_S: Final = 20.0
AT_ONCE: Final = 10  # samples, each 10 ms: the pace itself shall cost little
TICK_S: Final = 0.01
COMMIT_EVERY: Final = 10  # ticks: as often as the journal commits
WITHIN_S: Final = 60.0
PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")

Take = Callable[[SampleRow], None]


def sample(seq: int) -> SampleRow:
    """A row with values of the usual lengths."""
    force_mn = 300_000 + seq % 997
    code = 8_000_000 + seq % 4999
    return SampleRow(
        seq, seq * PERIOD_US, code, code + 17, force_mn, force_mn + 120, 300_000, 81_250, -12, 410, 258, False
    )


@contextmanager
def _nothing(_folder: Path) -> Iterator[Take]:
    yield lambda _row: None


@contextmanager
def _bare(folder: Path) -> Iterator[Take]:
    """The same rows, as a line of JSON each 100 ms, appended and brought to the disk."""
    folder.mkdir(parents=True)
    file = os.open(folder / "bare", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    rows: list[object] = []

    def take(row: SampleRow) -> None:
        rows.append(sample_row(row))
        if len(rows) == AT_ONCE * COMMIT_EVERY:
            os.write(file, json.dumps(rows, separators=(",", ":")).encode())
            os.fsync(file)
            rows.clear()

    yield take
    os.close(file)


@contextmanager
def _journal(folder: Path) -> Iterator[Take]:
    with SessionJournal(folder) as journal:
        journal.begin(HEADER)
        yield journal.sample
        journal.end()


def paced(how: str, folder: Path) -> float:
    """Percent of a core that this process took."""
    ways = {"nothing": _nothing, "bare": _bare, "journal": _journal}
    with ways[how](folder) as take:
        began, used = time.monotonic(), time.process_time()
        for tick in range(int(PACED_S / TICK_S)):
            for seq in range(tick * AT_ONCE, (tick + 1) * AT_ONCE):
                take(sample(seq))
            time.sleep(max(0.0, began + (tick + 1) * TICK_S - time.monotonic()))
        return 100 * (time.process_time() - used) / (time.monotonic() - began)


def hour(folder: Path) -> float:
    """MB that the process grew by while it wrote the last 54 minutes of an hour, as fast as the journal takes them."""
    with SessionJournal(folder) as journal:
        journal.begin(HEADER)
        early = 0
        for minute in range(60):
            for seq in range(minute * 60 * RATE_HZ, (minute + 1) * 60 * RATE_HZ):
                journal.sample(sample(seq))
            if not journal.wait_until_written(WITHIN_S):
                raise TimeoutError("the disk did not take a minute of samples within a minute")
            if minute == 5:
                early = _resident_bytes()
        grown = _resident_bytes() - early
        journal.end()
    return grown / 1e6


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE_BYTES


if __name__ == "__main__":
    what, how, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    with contextlib.suppress(KeyboardInterrupt):
        print(paced(how, folder) if what == "paced" else hour(folder))
