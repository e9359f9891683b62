"""Nothing is lost: what the table really sent, held against the session file that was written of it."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from firmware_bridge.messages import RAW_MISSING, Sample
from proof.bench import Bench
from proof.scratch import scratch
from proof.verdict import Verdict, at_most, holds
from recorder.journal import SessionJournal
from recorder.reading import open_session
from recorder.verification import verify

SEQ_WRAP = 1 << 16
T_US_WRAP = 1 << 32
UNDER_WAY_US = 10_000  # no undamaged line takes longer

Key = tuple[int, int, int, int, int]  # seq, t_us, both raw codes, cable: as they were on the wire


def record_verdicts(bench: Bench, *, line_is_whole: bool, until_us: int | None = None) -> Iterator[Verdict]:
    """Writes the bench's session with the real recorder, reads it back, and looks for what is missing or made up.

    `line_is_whole`: the fault is not on the line, so that no sample may be missing at all. `until_us`: the table was
    reset then; what it sent later is not asked for, and its numbers are counted on in the record.
    """
    if not bench.memory.headers or not bench.memory.samples:
        return
    with scratch() as folder:
        path = written(bench, folder)
        yield holds("the record is whole and unaltered", verify(path).state == "whole")
        yield holds("its numbers and times never run backwards", _counts_on(path))
        kept = _kept(path)
    arrived, sent = _during(bench.arrived.heard, kept, bench, until_us), {_key(s) for s in bench.sent.samples()}
    yield at_most("samples that arrived and are not on record", len(arrived - kept), 0, "samples")
    made_up = kept - sent if until_us is None else _unnumbered(kept) - _unnumbered(sent)
    yield at_most("samples on record that nobody sent", len(made_up), 0, "samples")
    if line_is_whole:
        lost = _during(bench.sent.heard, kept, bench, until_us) - kept
        yield at_most("samples sent and not on record", len(lost - _under_way(bench)), 0, "samples")


def written(bench: Bench, folder: Path) -> Path:
    with SessionJournal(folder) as journal:
        journal.begin(bench.memory.headers[0])
        for sample in bench.memory.samples:
            journal.sample(sample)
        for event in bench.memory.events:
            journal.event(event)
        journal.end()
    [path] = folder.rglob("*.tractable")
    return path


def _counts_on(path: Path) -> bool:
    with open_session(path) as session:
        columns = session.samples(["seq", "t_us"]).to_pydict().values()
    return all(before < after for column in columns for before, after in pairwise(column))


def _unnumbered(keys: set[Key]) -> set[tuple[int, ...]]:
    return {key[1:] for key in keys}


def _kept(path: Path) -> set[Key]:
    with open_session(path) as session:
        columns = session.samples(["seq", "t_us", "raw_a", "raw_b", "cable_um"]).to_pydict()
    return {
        (seq % SEQ_WRAP, t_us % T_US_WRAP, _raw(a), _raw(b), cable_um)
        for seq, t_us, a, b, cable_um in zip(*columns.values(), strict=True)
    }


def _raw(code: int | None) -> int:
    return RAW_MISSING if code is None else code


def _key(sample: Sample) -> Key:
    return sample.seq, sample.t_us, sample.raw_a, sample.raw_b, sample.cable_um


def _during(heard: Sequence[tuple[int, object]], kept: set[Key], bench: Bench, until_us: int | None) -> set[Key]:
    """The samples from the first one on record to the last one; to the end, while the record is still open."""
    until_us = bench.now_us if until_us is None else until_us
    keys = [_key(message) for at_us, message in heard if isinstance(message, Sample) and at_us <= until_us]
    on_record = [index for index, key in enumerate(keys) if key in kept]
    if not on_record:
        return set()
    end = len(keys) if bench.state.course is not None else on_record[-1] + 1
    return set(keys[on_record[0] : end])


def _under_way(bench: Bench) -> set[Key]:
    """What the table sent in the last milliseconds has not had the time to arrive."""
    recent_us = bench.now_us - UNDER_WAY_US
    return {_key(m) for at_us, m in bench.sent.heard if at_us > recent_us and isinstance(m, Sample)}
