"""The firmware is the same under MicroPython as under CPython, and the comparison can fail."""

import shutil
from pathlib import Path

import pytest

from benchmarks.conformance import Batches, record
from benchmarks.on_micropython import compare, measure_heap
from benchmarks.random_traces import random_trace
from benchmarks.recorded_sessions import faulty_session, whole_session
from firmware import messages
from hw_sim.replay import Player
from hw_sim.traces import Trace

SOURCES = Path(__file__).parents[2]
TRACES = 40
SEED = 1


def played_here(batch: bytes) -> Player:
    player = Player(batch)
    while player.play(1000):
        pass
    return player


def one_batch(folder: Path, trace: Trace) -> Path:
    batches = Batches(folder)
    batches.add(trace)
    batches.close()
    return batches.files[0]


@pytest.mark.needs("node", "micropython")
def test_does_the_same_under_micropython_at_every_input_of_forty_traces(tmp_path: Path) -> None:
    batches = record(TRACES, SEED, tmp_path)

    compared = compare(batches.files)

    assert compared.differences == []
    assert compared.traces == TRACES
    assert compared.version.startswith("MicroPython v")
    assert min(compared.frames, compared.drive_commands) > 1000


@pytest.mark.needs("node", "micropython")
def test_a_limit_that_is_one_off_under_micropython_is_found_and_its_place_is_told(tmp_path: Path) -> None:
    sources = tmp_path / "sources"
    shutil.copytree(SOURCES / "firmware", sources / "firmware")
    limits = sources / "firmware" / "limits.py"
    lines = limits.read_text().splitlines()
    planted = [line.replace("25", "26") if line.startswith("STUCK_CODES") else line for line in lines]
    assert planted != lines
    limits.write_text("\n".join(planted))

    compared = compare([one_batch(tmp_path, faulty_session("A frozen", "nominal_80", SEED))], sources)

    assert len(compared.differences) == 1
    assert compared.differences[0].startswith("A frozen nominal_80, input ")
    assert "(conversion): drive command" in compared.differences[0]


@pytest.mark.needs("node", "micropython")
def test_a_thousand_conversions_of_a_hold_leave_nothing_behind_on_the_heap(tmp_path: Path) -> None:
    session = one_batch(tmp_path, whole_session("nominal_80", SEED))

    heap = measure_heap(session, after=4000, conversions=1000)

    assert heap.conversions == 1000
    assert heap.status & (messages.ARMED | messages.SLACK) == messages.ARMED
    assert heap.heap_bytes_last == heap.heap_bytes_first
    assert heap.allocated_bytes_max < 1000


def test_a_random_trace_is_the_same_again_and_played_back_without_a_difference() -> None:
    batch = random_trace(SEED, 0).batch_bytes()

    again = random_trace(SEED, 0).batch_bytes()
    player = played_here(batch)

    assert again == batch
    assert (player.traces, player.differences) == (1, [])


@pytest.mark.parametrize("at_percent", [10, 50, 99])
def test_a_trace_with_one_wrong_bit_in_a_frame_is_a_difference(at_percent: int) -> None:
    batch = bytearray(random_trace(SEED, 1).batch_bytes())
    frame_tag, sample_kind = 0x57, 0x82
    at = next(
        index
        for index in range(len(batch) * at_percent // 100, len(batch))
        if batch[index] == frame_tag and batch[index + 1] == 34 and batch[index + 3] == sample_kind
    )
    batch[at + 30] ^= 1

    player = played_here(bytes(batch))

    assert len(player.differences) == 1
    assert player.differences[0].startswith("random 1/1, input ")


def test_a_trace_that_ends_with_a_frame_too_many_is_a_difference() -> None:
    trace = random_trace(SEED, 2)
    trace.add_bytes(0x57, b"\x01\x82\x00")

    player = played_here(trace.batch_bytes())

    assert ["was recorded, and did not come" in text for text in player.differences] == [True]
