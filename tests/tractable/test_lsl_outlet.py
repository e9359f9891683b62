"""The LSL outlet: what a table says over MQTT arrives at an LSL inlet, each sample once and at its own time."""

import math

import pylsl
import pytest

from controller.messages import ForceBatch
from tractable.lsl_outlet import LslFeed, stream_info, timed_rows


def batch(first_seq: int, run: str = "R1") -> ForceBatch:
    return ForceBatch(
        run=run,
        session_id=None,
        first_seq=first_seq,
        t_us=[1_000_000 + (first_seq + i) * 3125 for i in range(3)],
        force_mn=[300_000, None, 299_500],
        target_mn=[None, 300_000, 300_000],
        cable_um=[20_000, 20_001, 20_002],
        age_us=10_000,
        dropped=0,
    )


def test_a_sample_has_the_time_at_which_it_was_taken() -> None:
    rows = timed_rows(batch(7), now_s=50.0)

    assert [seq for seq, _row, _at_s in rows] == [7, 8, 9]
    assert [at_s for _seq, _row, at_s in rows] == pytest.approx([49.98375, 49.986875, 49.99])
    assert rows[0][1][0] == 300
    assert math.isnan(rows[0][1][1])
    assert math.isnan(rows[1][1][0])
    assert rows[2][1][2:] == [20.002, 9]


def test_an_inlet_gets_every_sample_once_with_units() -> None:
    outlet = pylsl.StreamOutlet(stream_info(pylsl, "site", "t-lsl"))
    (found,) = pylsl.resolve_byprop("name", "tractable site t-lsl", timeout=10)
    inlet = pylsl.StreamInlet(found)
    inlet.open_stream(timeout=10)
    assert outlet.wait_for_consumers(10)
    feed = LslFeed(outlet, pylsl.local_clock)

    for each in (batch(0), batch(0), batch(3), batch(0, run="R2")):
        feed.take_batch(each)

    received = [inlet.pull_sample(timeout=10) for _ in range(9)]
    assert [row[3] for row, _at_s in received] == [0, 1, 2, 3, 4, 5, 0, 1, 2]
    assert inlet.info(10).desc().child("channels").child("channel").child_value("unit") == "N"
    inlet.close_stream()
