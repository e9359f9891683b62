"""Is the firmware under MicroPython the same as under CPython? Traces recorded here are played there, output by output.

Four million inputs: whole sessions, sessions with every fault, and tables to which anything happens.
On its own: `python -m benchmarks.conformance --traces 1000 --seed 1`.
"""

import argparse
import itertools
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Final

from benchmarks.figures import Figure, print_figures
from benchmarks.on_micropython import CannotRun, compare, measure_heap
from benchmarks.random_traces import random_trace
from benchmarks.recorded_sessions import RIGS, fault_names, faulty_session, whole_session
from firmware import messages
from hw_sim.traces import Trace

TRACES: Final = 1000
BATCH_BYTES: Final = 400_000  # MicroPython's collector slows down with what lies in its heap
FAULTY_RIGS: Final = ("nominal", "nominal_80")
SESSIONS_ONE_IN: Final = 8
TRIP_CAUSES: Final = messages.RISE_TOO_FAST
REFUSALS: Final = messages.EMERGENCY_STOP_ACTIVE


@dataclass(slots=True)
class Batches:
    """Traces on their way into files, and what was seen in them."""

    folder: Path
    files: list[Path] = field(default_factory=list)
    trips: set[int] = field(default_factory=set)
    refusals: set[int] = field(default_factory=set)
    _waiting: bytearray = field(default_factory=bytearray)

    def add(self, trace: Trace) -> None:
        self.trips |= trace.trips
        self.refusals |= trace.refusals
        self._waiting += trace.batch_bytes()
        if len(self._waiting) >= BATCH_BYTES:
            self.close()

    def close(self) -> None:
        """Writes what is waiting."""
        if self._waiting:
            self.files.append(self.folder / f"batch-{len(self.files)}")
            self.files[-1].write_bytes(self._waiting)
            self._waiting.clear()


def planned(traces: int, seed: int) -> Iterator[Callable[[], Trace]]:
    """How to record each of that many traces: an eighth are sessions by the real host, the rest is random."""
    sessions: list[Callable[[], Trace]] = [partial(whole_session, rig, seed) for rig in RIGS]
    sessions += [partial(faulty_session, fault, rig, seed) for fault in fault_names() for rig in FAULTY_RIGS]
    Random(seed).shuffle(sessions)  # noqa: S311  # which of them a short run takes
    chosen = sessions[: traces // SESSIONS_ONE_IN]
    yield from chosen
    yield from (partial(random_trace, seed, number) for number in range(traces - len(chosen)))


def record(traces: int, seed: int, folder: Path) -> Batches:
    batches = Batches(folder)
    for make in planned(traces, seed):
        batches.add(make())
    batches.close()
    return batches


def figures(seed: int) -> Iterator[Figure]:
    """Records and plays 1,000 traces, and measures the heap. Raises CannotRun."""
    yield from _figures(TRACES, seed)


def _figures(traces: int, seed: int) -> Iterator[Figure]:
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        batches = record(traces, seed, Path(folder))
        compared = compare(batches.files)
        took_s = time.perf_counter() - began
        session = Batches(Path(folder))
        session.add(whole_session("nominal", seed))
        session.close()
        heap = measure_heap(session.files[0])
    for difference in itertools.islice(compared.differences, 1):
        print(f"The first difference, under {compared.version}: {difference}", file=sys.stderr)
    print(
        f"{compared.version}, by Node; seed {seed}; {compared.traces} traces, {compared.inputs} inputs, "
        f"{compared.frames} frames, {compared.drive_commands} drive commands, {compared.other_outputs} other outputs",
        file=sys.stderr,
    )
    all_seen = traces >= TRACES  # a short run need not
    more = partial(Figure, baseline=None, seed=seed, higher_is_better=True)
    less = partial(Figure, baseline=None, seed=seed)
    yield less("MicroPython: traces that differ", len(compared.differences), 0, unit="traces")
    yield more("MicroPython: traces compared", compared.traces, traces, unit="traces")
    yield more("MicroPython: inputs played", compared.inputs, None, unit="inputs")
    yield more("MicroPython: frames compared", compared.frames, None, unit="frames")
    yield more("MicroPython: drive commands compared", compared.drive_commands, None, unit="commands")
    yield more("Trip causes among the traces", len(batches.trips), TRIP_CAUSES if all_seen else None, unit="causes")
    refusals_goal = REFUSALS if all_seen else None
    yield more("Reasons of refusal among the traces", len(batches.refusals), refusals_goal, unit="reasons")
    growth = heap.heap_bytes_last - heap.heap_bytes_first
    yield less(f"MicroPython: heap growth over {heap.conversions} conversions", growth, 0, unit="bytes")
    yield less("MicroPython: allocated by one conversion", heap.allocated_bytes_mean, None, unit="bytes")
    yield less("Recording and comparing took", took_s, None, unit="s")


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare the firmware under MicroPython with itself under CPython.")
    parser.add_argument("--traces", type=int, default=TRACES)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args()
    try:
        reached = list(_figures(wanted.traces, wanted.seed))
    except CannotRun as problem:
        print(problem, file=sys.stderr)
        return 3
    print_figures(reached, wanted.json)
    return int(reached[0].met is False)


if __name__ == "__main__":
    sys.exit(main())
