"""One session, written again and again by the recorder on a disk that fails at every place in turn, or loses its power.

The rows are those of a session on the bench. They are offered as the journal's thread does: the same block until the
disk takes it. What counts is the block that `write` has taken: whatever happens then, it must be there.
"""

import functools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from proof.bench import Bench, bench_at
from proof.disk.failing_disk import FailingDisk, Kind, failing_disk
from proof.disk.power_cut import Disk, every_cut, written_into
from proof.scratch import scratch
from proof.verdict import Verdict, at_most, holds
from recorder.block_chain import Rows
from recorder.reading import open_session
from recorder.record_check import finding
from recorder.session_file import event_row, sample_row
from recorder.session_format import NotASession
from recorder.session_recording import CannotRecord, SessionRecording
from recorder.storage import session_files

BLOCK_ROWS: Final = 32  # a tenth of a second
BLOCKS: Final = 24  # for a sweep, which writes the session once a call
LONG_BLOCKS: Final = 70  # enough for the write-ahead log to be brought into the file once
OFFERED_MAX: Final = 20
NOW: Final = "2026-01-01T00:00:00.000000Z"
CHANGES: Final[tuple[Kind, ...]] = ("open", "write", "truncate", "delete")


@functools.lru_cache(maxsize=4)
def bench_of(phase: str, patient: str, seed: int) -> Bench:
    return bench_at(phase, patient, seed)


@dataclass(slots=True)
class Written:
    """What became of one session. `taken`: after how many calls how many samples were certain."""

    offered: list[int]  # the samples' numbers
    taken: list[tuple[int, int]] = field(default_factory=list)
    told: int = 0  # how often the disk's refusal was told
    given_up: bool = False

    def certain_after(self, calls: int) -> int:
        return max((samples for at, samples in self.taken if at <= calls), default=0)


def blocks_of(bench: Bench, number: int) -> list[Rows]:
    """The newest rows of that session in so many blocks, its events in the first, and a closing block behind them."""
    samples = [row for row in map(sample_row, bench.memory.samples[-number * BLOCK_ROWS :]) if row is not None]
    events = tuple(row for row in map(event_row, bench.memory.events) if row is not None)
    parts = [tuple(samples[at : at + BLOCK_ROWS]) for at in range(0, len(samples), BLOCK_ROWS)]
    rows = [Rows("rows", NOW, (), part, events if number == 0 else ()) for number, part in enumerate(parts)]
    return [*rows, Rows("closing", NOW)]


def write_session(root: Path, bench: Bench, blocks: Sequence[Rows], disk: FailingDisk) -> Written:
    """Offers each block until it is taken. `given_up` when the disk never took one."""
    recording = SessionRecording(root, bench.memory.headers[0])
    written = Written([int(str(row[0])) for block in blocks for row in block.samples])
    samples = 0
    for block in blocks:
        if not _offered(recording, block, written):
            written.given_up = True
            break
        samples += len(block.samples)
        written.taken.append((len(disk.calls), samples))
    else:
        recording.finish()
    recording.abandon()
    return written


def _offered(recording: SessionRecording, block: Rows, written: Written) -> bool:
    for _ in range(OFFERED_MAX):
        try:
            recording.write(block)
        except CannotRecord:
            written.told += 1
        else:
            return True
    return False


def kept_in(files: Sequence[Path]) -> list[int]:
    """The samples' numbers in all parts of a session: each part up to the hash that the next one goes on from."""
    kept: list[int] = []
    for path in sorted(files, key=_part):
        with open_session(path) as session:
            numbers = session.samples(["seq"])["seq"].to_pylist()
        if numbers:
            kept = [number for number in kept if number < numbers[0]] + numbers
    return kept


def _part(path: Path) -> int:
    return int(path.stem.partition(".part")[2] or 1)


@dataclass(slots=True)
class Tally:
    """Of a sweep: how often, and what went wrong, each by the number of the call."""

    runs: int = 0
    struck: int = 0
    missing: list[int] = field(default_factory=list)
    not_whole: list[int] = field(default_factory=list)
    given_up: list[int] = field(default_factory=list)
    silent: list[int] = field(default_factory=list)


def sweep(bench: Bench, kinds: tuple[Kind, ...], times: int) -> Tally:
    """Fails the nth call of those kinds, and the `times - 1` behind it, for every n until the session has no nth."""
    blocks, tally = blocks_of(bench, BLOCKS), Tally()
    nth = 1
    while _struck(bench, blocks, tally, nth, kinds, times):
        nth += 1
    return tally


def _struck(bench: Bench, blocks: Sequence[Rows], tally: Tally, nth: int, kinds: tuple[Kind, ...], times: int) -> bool:
    with scratch() as root:
        with failing_disk() as disk:
            disk.fails_at(nth, *kinds, times=times)
            written = write_session(root, bench, blocks, disk)
            struck, told = bool(disk.refused), written.told
            disk.heals()
        tally.runs += 1
        tally.struck += struck
        files = session_files(root)
        if written.given_up:
            tally.given_up.append(nth)
        elif kept_in(_begun(files)) != written.offered:
            tally.missing.append(nth)
        if any(finding(path) is not None for path in files):
            tally.not_whole.append(nth)
        if struck and not told and not _harmless(disk):
            tally.silent.append(nth)
    return struck


def _harmless(disk: FailingDisk) -> bool:
    """Only what brings the log into the file was refused, which is done again with the next block, or at the end."""
    return all(not call.path.name.endswith("-wal") or call.kind in ("truncate", "delete") for call in disk.refused)


def _begun(files: Sequence[Path]) -> list[Path]:
    return [path for path in files if path.stat().st_size or path.with_name(path.name + "-wal").exists()]


def sweep_verdicts(bench: Bench, kinds: tuple[Kind, ...]) -> Iterator[Verdict]:
    """Each call in turn fails once, and in another sweep four times in a row: then the file is given up."""
    for times in (1, 4):
        tally = sweep(bench, kinds, times)
        how = f"{' or '.join(kinds)}, {times} in a row"
        yield holds(f"each one failed in turn: {how}", tally.struck > BLOCKS, f"{tally.struck} calls")
        yield at_most(f"sessions that lost a row: {how}", len(tally.missing), 0, str(tally.missing[:5] or ""))
        yield at_most(f"sessions given up: {how}", len(tally.given_up), 0, str(tally.given_up[:5] or ""))
        yield at_most(f"records that read as altered: {how}", len(tally.not_whole), 0, str(tally.not_whole[:5] or ""))
        yield at_most(f"refusals that were not told: {how}", len(tally.silent), 0, str(tally.silent[:5] or ""))


def sync_verdicts(bench: Bench) -> Iterator[Verdict]:
    """Each sync in turn fails, once and three times in a row; then the power is cut behind each block that was taken.

    The system has forgotten what the sync that failed was to bring to the disk: a second try says yes.
    """
    blocks = blocks_of(bench, BLOCKS)
    for times in (1, 3):
        cuts, lost, nth, struck = 0, list[str](), 0, True
        while struck:
            nth += 1
            with scratch() as root, scratch() as after:
                with failing_disk() as disk:
                    disk.fails_at(nth, "sync", times=times)
                    written = write_session(root, bench, blocks, disk)
                struck = bool(disk.refused)
                for certain, files in _behind_each_block(root, after, disk, written) if struck else ():
                    cuts += 1
                    if _missing_of(written.offered[:certain], files):
                        lost.append(f"sync {nth}, {certain} samples")
        how = f"{times} in a row"
        yield holds(f"each sync failed in turn: {how}", nth > BLOCKS, f"{nth - 1} syncs, {cuts} cuts")
        yield at_most(f"cuts that lost a row because of a sync tried again: {how}", len(lost), 0, "; ".join(lost[:3]))


def _behind_each_block(
    root: Path, after: Path, disk: FailingDisk, written: Written
) -> Iterator[tuple[int, list[Path]]]:
    """How many samples were certain, and what a power cut would have left just then."""
    rebuilt, done = Disk(session_files(root)), 0
    for calls, certain in written.taken:
        for call in disk.calls[done:calls]:
            rebuilt.goes_through(call)
        done = calls
        yield certain, written_into(after, rebuilt.after_a_cut("all lost", random.Random(calls)))


def _missing_of(offered: Sequence[int], files: Sequence[Path]) -> bool:
    kept: set[int] = set()
    for path in files:
        if path.suffix == ".tractable":
            try:
                with open_session(path) as session:
                    kept.update(session.samples(["seq"])["seq"].to_pylist())
            except NotASession:
                continue
    return not kept >= set(offered)


def cut_verdicts(bench: Bench, seed: int) -> Iterator[Verdict]:
    """The power goes behind every call of a session, three times: each time another part of what was not certain."""
    blocks = blocks_of(bench, LONG_BLOCKS)
    with scratch() as root, scratch() as after:
        with failing_disk() as disk:
            written = write_session(root, bench, blocks, disk)
        cuts, lost, holes, altered = 0, list[str](), list[str](), list[str]()
        for number, fate, contents in every_cut(disk.calls, session_files(root), seed):
            cuts += 1
            [path] = [path for path in written_into(after, contents) if path.suffix == ".tractable"]
            told, kept = finding(path), _kept_or_none(path)
            if told is not None:
                altered.append(f"call {number}, {fate}: {told}")
            if len(kept) < written.certain_after(number):
                lost.append(f"call {number}, {fate}")
            if kept != written.offered[: len(kept)]:
                holes.append(f"call {number}, {fate}")
        calls = len(disk.calls)
    yield holds("the power was cut behind every call", cuts > calls > LONG_BLOCKS, f"{cuts} cuts, {calls} calls")
    yield at_most("cuts that lost a row that was certain", len(lost), 0, "; ".join(lost[:3]))
    yield at_most("cuts after which the record is not a beginning without holes", len(holes), 0, "; ".join(holes[:3]))
    yield at_most("cuts after which the record reads as altered", len(altered), 0, "; ".join(altered[:3]))


def _kept_or_none(path: Path) -> list[int]:
    try:
        with open_session(path) as session:
            kept: list[int] = session.samples(["seq"])["seq"].to_pylist()
    except NotASession:
        return []
    return kept
