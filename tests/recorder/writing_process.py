"""A process that writes a session as a table does, for tests that kill it or take its disk away.

Says on its standard output what it handed over and when, how many rows were said to be on the disk then, and how long
the disk took over one commit at most: one line "<seq> <monotonic ns> <rows> <ms>" a sample.
    writing_process.py FOLDER paced            320 samples a second, until it is killed
    writing_process.py FOLDER limited BYTES    files may not grow past BYTES for a while; then they may again
"""

import resource
import sys
import threading
import time
from pathlib import Path

from controller.journal import SampleRow, SessionHeader
from recorder.journal import SessionJournal

RATE_HZ = 320
WITHIN_S = 20.0
HEADER = SessionHeader("S", "2025-03-01T09:30:00Z", {}, {}, {}, {"ceiling_mn": 340_000}, {}, True)


def sample(seq: int) -> SampleRow:
    return SampleRow(seq, seq * 3125, seq, seq, 1000, 1000, 1000, 0, 0, 0, 0, False)


def write_at_the_tables_rate(journal: SessionJournal) -> None:
    never, began = threading.Event(), time.monotonic()
    journal.begin(HEADER)
    seq, slowest_s = 0, 0.0
    while True:
        journal.sample(sample(seq))
        seq += 1
        since = journal._writing_since
        slowest_s = max(slowest_s, 0.0 if since is None else time.monotonic() - since)
        written = max(0, seq - journal.health().waiting_rows)
        sys.stdout.write(f"{seq - 1} {time.monotonic_ns()} {written} {slowest_s * 1000:.0f}\n")
        sys.stdout.flush()
        never.wait(max(0.0, began + seq / RATE_HZ - time.monotonic()))


def write_against_a_limit(journal: SessionJournal, limit_bytes: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    journal.begin(HEADER)
    assert journal.wait_until_written(WITHIN_S)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, hard))
    for seq in range(20_000):
        journal.sample(sample(seq))
    while (health := journal.health()).failure is None:
        journal.wait_until_written(0.01)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    journal.end()
    assert journal.wait_until_written(WITHIN_S)
    print(health.failure, health.waiting_rows > 0, health.dropped_rows, journal.health(), sep="\n")


if __name__ == "__main__":
    with SessionJournal(Path(sys.argv[1])) as journal:
        match sys.argv[2:]:
            case ["paced"]:
                write_at_the_tables_rate(journal)
            case ["limited", limit]:
                write_against_a_limit(journal, int(limit))
