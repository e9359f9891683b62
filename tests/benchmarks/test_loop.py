"""How the loop is measured: each sample with its decision and its move, an echo beside it, and the line untouched."""

import math
import os
import select
import threading
import time
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.loop import DECISION_MS_MAX, RIGS, _figures
from benchmarks.loop.latencies import Latencies, between, quantile, seen
from benchmarks.loop.line_watch import ECHOED, FROM_HOST, FROM_TABLE, PROBE, LineWatch, Note, notes
from benchmarks.loop.measured import CONDITIONS, Measured, measure
from benchmarks.loop.steady import growth_blocks
from firmware_bridge.framing import encode_frame
from firmware_bridge.messages import Move, Sample, Status, Trip, TripCause

MS = 1_000_000
WITHIN_S = 10.0


def sample(seq: int) -> bytes:
    return encode_frame(seq % 256, Sample(seq, seq * 3125, 1, 1, 0, 0, 0, Status(0)))


def move(basis: int) -> bytes:
    return encode_frame(basis % 256, Move(basis, 100, 200))


def test_each_time_is_taken_from_the_sample_to_its_own_decision_and_move() -> None:
    line = [
        Note(FROM_TABLE, 10 * MS, sample(1) + sample(2)),
        Note(FROM_HOST, 14 * MS, move(2)),
        Note(ECHOED, 15 * MS, (2 * MS).to_bytes(8, "little")),
    ]
    run = seen(line, [[1, 2], [11 * MS, 13 * MS]], [20 * MS, 40 * MS, 63 * MS])

    found = between(run, 0, 100 * MS)

    assert found.to_decision_ms == [1.0, 3.0]
    assert found.to_wire_ms == [1.0]
    assert found.echo_ms == [2.0]
    assert found.tick_late_ms == [0.0, 3.0]


def test_a_frame_that_comes_in_two_pieces_counts_from_its_end() -> None:
    whole = sample(7)
    line = [Note(FROM_TABLE, 1 * MS, whole[:10]), Note(FROM_TABLE, 3 * MS, whole[10:])]

    found = between(seen(line, [[7], [4 * MS]], []), 0, 10 * MS)

    assert found.to_decision_ms == [1.0]


def test_only_what_falls_into_the_time_of_a_condition_is_its_own() -> None:
    line = [Note(FROM_TABLE, at * MS, sample(at)) for at in range(10)]
    run = seen(line, [list(range(10)), [at * MS + MS // 2 for at in range(10)]], [])

    assert len(between(run, 2 * MS, 5 * MS).to_decision_ms) == 3


def test_sample_numbers_that_come_round_again_are_matched_with_the_newest() -> None:
    line = [Note(FROM_TABLE, 1 * MS, sample(5)), Note(FROM_TABLE, 900 * MS, sample(5))]
    run = seen(line, [[5, 5], [2 * MS, 904 * MS]], [])

    assert between(run, 0, 1000 * MS).to_decision_ms == [1.0, 4.0]


def test_a_lease_that_ended_is_counted() -> None:
    tripped = encode_frame(0, Trip(TripCause.LEASE_ENDED, 5, 0, 0, 0))

    assert seen([Note(FROM_TABLE, 1, tripped)], [[], []], []).leases_lost == 1


@pytest.mark.parametrize(("part", "value"), [(0.5, 50.0), (0.99, 99.0), (0.999, 100.0), (1.0, 100.0)])
def test_a_quantile_is_a_value_that_was_there(part: float, value: float) -> None:
    assert quantile([float(number) for number in range(100, 0, -1)], part) == value


def test_of_nothing_the_quantile_meets_no_goal() -> None:
    assert quantile([], 0.99) == math.inf


@pytest.fixture
def line(tmp_path: Path) -> Iterator[tuple[LineWatch, int, int]]:
    """A watch that runs, the table's end of it and the host's; an echo answers beside."""
    table, table_port = os.openpty()
    tty.setraw(table)
    tty.setraw(table_port)
    watch = LineWatch(Path(os.ttyname(table_port)), tmp_path / "host", tmp_path / "echo")
    host = os.open(tmp_path / "host", os.O_RDWR | os.O_NOCTTY)
    echo = os.open(tmp_path / "echo", os.O_RDWR | os.O_NOCTTY)
    threads = [
        threading.Thread(target=watch.run),
        threading.Thread(target=lambda: os.write(echo, os.read(echo, len(PROBE)))),
    ]
    for thread in threads:
        thread.start()
    yield watch, table, host
    watch.stopped = True
    for thread in threads:
        thread.join(WITHIN_S)
    watch.close()
    for end in (table, table_port, host, echo):
        os.close(end)


def test_bytes_pass_both_ways_as_they_are_and_an_echo_is_asked_behind_them(
    line: tuple[LineWatch, int, int], tmp_path: Path
) -> None:
    watch, table, host = line
    out = tmp_path / "notes"

    os.write(table, sample(1))
    at_host = os.read(host, 100)
    os.write(host, move(1))
    at_table = os.read(table, 100)
    until_s = time.monotonic() + WITHIN_S
    while watch.answered == 0 and time.monotonic() < until_s:
        select.select([], [], [], 0.01)
    watch.write(out)

    assert at_host == sample(1)
    assert at_table == move(1)
    assert [(note.way, note.data) for note in notes(out) if note.way != ECHOED] == [
        (FROM_TABLE, sample(1)),
        (FROM_HOST, move(1)),
    ]
    (echoed,) = (note for note in notes(out) if note.way == ECHOED)
    assert 0 < int.from_bytes(echoed.data, "little") < WITHIN_S * 1e9


def test_the_goal_is_three_times_the_echo_and_never_more_than_5_ms(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Latencies([4.0], [0.1], [0.0], [9.0])
    quick = Latencies([4.0], [0.1], [0.0], [1.0])
    by_condition = {name: quick if name == "alone" else slow for name in CONDITIONS}
    monkeypatch.setattr("benchmarks.loop.measure", lambda *_: Measured(by_condition, len(CONDITIONS), 0, 80_000))
    monkeypatch.setattr("benchmarks.loop.growth_blocks", lambda *_: 0.0)

    found = {figure.name: figure for figure in _figures(1, 1.0, 1.0)}

    alone, busy = (found[f"320/s, {name}: sample to decision, p99"] for name in ("alone", "a busy processor"))
    assert (alone.goal, alone.met) == (3.0, False)
    assert (busy.goal, busy.met) == (DECISION_MS_MAX, True)
    assert found["80/s: leases lost"].met
    assert found["80/s: objects frozen after the start"].met


def test_a_session_in_virtual_time_does_not_need_ever_more_memory() -> None:
    assert growth_blocks(1, 60.0) < 100


@pytest.mark.realtime
def test_the_real_processes_are_measured_under_every_condition() -> None:
    measured = measure(RIGS["320/s"], 1.0)

    assert set(measured.latencies) == set(CONDITIONS)
    assert all(len(found.to_decision_ms) > 200 for found in measured.latencies.values())
    assert all(found.to_wire_ms and found.tick_late_ms and found.echo_ms for found in measured.latencies.values())
    assert measured.leases_lost == 0
    assert measured.frozen > 0
