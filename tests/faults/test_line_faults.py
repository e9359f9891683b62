"""What a lane of the line does to bytes, one fault at a time."""

import random

import pytest

from hw_sim.line import NO_FAULTS, Lane, LatentLine

WRITE = bytes(range(1, 31)) + b"\0"
MS_US = 1_000


@pytest.fixture
def lane() -> Lane:
    return Lane(random.Random("lane"))


def sent(lane: Lane, writes: int, every_us: int = 3 * MS_US) -> list[bytes]:
    """What arrives, millisecond by millisecond, of so many writes; each is numbered in its first byte."""
    arrived = []
    for now_us in range(0, writes * every_us + 50 * MS_US, MS_US):
        if now_us % every_us == 0 and now_us // every_us < writes:
            lane.put(bytes([1 + now_us // every_us % 250]) + WRITE[1:], now_us)
        if data := lane.take(now_us):
            arrived.append(data)
    return arrived


def test_disturbances_add_up_and_each_takes_only_itself_away(lane: Lane) -> None:
    calm_late = lane.disturb(extra_us=5 * MS_US)
    calm_twice = lane.disturb(duplicate=1.0)
    both = (lane.faults.extra_us, lane.faults.duplicate)

    calm_late()
    one = (lane.faults.extra_us, lane.faults.duplicate)
    calm_twice()

    assert both == (5 * MS_US, 1.0)
    assert one == (0, 1.0)
    assert lane.faults is NO_FAULTS


def test_every_second_write_loses_its_tail_at_each_place_in_turn(lane: Lane) -> None:
    lane.disturb(cut_every=2)

    lengths = [len(data) for data in sent(lane, 2 * 2 * len(WRITE), every_us=5 * MS_US)]

    assert lengths[0::2] == [len(WRITE)] * (2 * len(WRITE))
    assert set(lengths[1::2]) == set(range(1, len(WRITE)))


def test_a_write_that_is_overtaken_comes_after_the_next_one_whole(lane: Lane) -> None:
    lane.disturb(reorder=0.2)

    data = b"".join(sent(lane, 200))
    numbers = [frame[0] for frame in data.split(b"\0") if frame]

    assert numbers != sorted(numbers)
    assert all(abs(number - 1 - place) <= 1 for place, number in enumerate(numbers))


def test_a_flapping_line_is_down_as_long_as_it_is_up(lane: Lane) -> None:
    lane.disturb(flap_us=200 * MS_US)

    numbers = [frame[0] - 1 for frame in b"".join(sent(lane, 200, every_us=10 * MS_US)).split(b"\0") if frame]

    assert numbers == [place for place in range(200) if place // 20 % 2]


def test_garbage_comes_at_its_rate_also_where_nothing_is_sent(lane: Lane) -> None:
    lane.take(0)
    lane.disturb(garbage_bytes_s=10_000)

    garbage = b"".join(lane.take(now_us) for now_us in range(MS_US, 1_000 * MS_US + 1, MS_US))

    assert len(garbage) == 10_000
    assert len(set(garbage)) == 256


def test_an_endless_frame_comes_once_a_second(lane: Lane) -> None:
    lane.disturb(oversize_bytes=65_535)

    frames = b"".join(lane.take(now_us) for now_us in range(0, 3_500 * MS_US, MS_US)).split(b"\0")[:-1]

    assert [len(frame) for frame in frames] == [65_535] * 3


def test_what_waits_behind_a_blocked_line_is_bounded_and_comes_at_once(lane: Lane) -> None:
    calm = lane.disturb(blocked=True)

    held_back = sent(lane, 5_000, every_us=MS_US)
    calm()
    burst = lane.take(6_000 * MS_US)

    assert held_back == []
    assert 65_536 - len(WRITE) < len(burst) <= 65_536


def test_a_replay_says_the_last_10_seconds_again_at_their_own_pace() -> None:
    line = LatentLine(1)
    lane = line.to_host
    for now_us in range(0, 12_000_000, 100 * MS_US):
        lane.put(b"%03d" % (now_us // 100_000), now_us)
    lane.take(12_000_000)
    lane.disturb(dead=True)

    lane.replay(12_000_000)
    lane.put(b"now", 12_100_000)
    heard = [(now_us, data) for now_us in range(12_000_000, 23_000_000, MS_US) if (data := lane.take(now_us))]

    assert [data for _, data in heard] == [b"%03d" % number for number in range(19, 120)]
    assert heard[50][0] == pytest.approx(12_000_000 + 50 * 100_000, abs=3_500)


def test_what_is_on_its_way_is_lost_with_the_plug() -> None:
    line = LatentLine(1)
    line.to_device.put(WRITE, 0)

    line.unplug()

    assert line.to_device.take(100 * MS_US) == b""


def test_a_line_with_a_latency_of_its_own_is_not_made_later_while_nothing_is_wrong(lane: Lane) -> None:
    at_once = lane.through(WRITE, 0)
    calm = lane.disturb(extra_us=10 * MS_US)
    late = [lane.through(WRITE, MS_US), lane.through(b"", 9 * MS_US)]
    calm()
    then = lane.through(b"next", 10 * MS_US) + lane.through(b"", 20 * MS_US)

    assert at_once == WRITE
    assert late == [b"", b""]
    assert then == WRITE + b"next"
