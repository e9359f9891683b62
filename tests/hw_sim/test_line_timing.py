"""How late bytes come through the simulated line: as it usually is, and with a serial chip's slow timer."""

from itertools import pairwise

import pytest

from hw_sim.line import TIMINGS, LatentLine, LineTiming

BYTE_EVERY_US = 1_000


def delays_us(timing: LineTiming, to_host: bool, seed: int = 1) -> list[int]:
    """Of 2,000 writes a millisecond apart: how late each arrives, looked at every 0.1 ms."""
    line = LatentLine(seed, timing)
    lane = line.to_host if to_host else line.to_device
    sent_us, delays, now_us = [], [], 0
    while len(delays) < 2_000:
        if now_us % BYTE_EVERY_US == 0:
            lane.put(b"x", now_us)
            sent_us.append(now_us)
        delays += [now_us - sent_us[len(delays) + i] for i in range(len(lane.take(now_us)))]
        now_us += 100
    return delays


@pytest.mark.parametrize(
    ("name", "to_host", "low_us", "high_us"),
    [
        ("direct", True, 1_000, 3_100),
        ("direct", False, 1_000, 3_100),
        ("usual", True, 1_000, 5_100),
        ("degraded", True, 1_000, 29_100),
        ("degraded", False, 1_000, 3_100),
    ],
)
def test_bytes_are_as_late_as_the_line_is_known_for(name: str, to_host: bool, low_us: int, high_us: int) -> None:
    delays = delays_us(TIMINGS[name], to_host)

    assert low_us <= min(delays)
    assert high_us * 0.8 < max(delays) <= high_us


def test_a_serial_chips_timer_passes_bytes_on_in_lumps() -> None:
    line = LatentLine(1, LineTiming(chip_timer_us=16_000))
    arrivals = []

    for now_us in range(0, 200_000, 1_000):
        line.to_host.put(b"x", now_us)
        arrivals += [now_us] if line.to_host.take(now_us) else []

    assert {after - before for before, after in pairwise(arrivals)} == {16_000}


def test_the_same_seed_gives_the_same_delays_and_another_seed_others() -> None:
    degraded = TIMINGS["degraded"]

    assert delays_us(degraded, True) == delays_us(degraded, True)
    assert delays_us(degraded, True) != delays_us(degraded, True, seed=2)
