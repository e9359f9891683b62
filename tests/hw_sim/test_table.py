"""The simulated table as a whole: the same seed gives the same bytes, and truth is the plant's own."""

import time
from dataclasses import FrozenInstanceError
from itertools import pairwise

import pytest

from firmware import messages as m
from firmware.codec import Decoder, Encoder
from hw_sim.line import LatentLine, LineFaults
from hw_sim.rigs import load_rig
from hw_sim.table import CALIBRATION_IDS, SimulatedTable

HELLO = bytes(Encoder(m.FROM_HOST).frame(m.HELLO, 0, (m.PROTOCOL, 1)))
ARM = bytes(Encoder(m.FROM_HOST).frame(m.ARM, 1, (350_000, 150_000, 5000, 1800, *CALIBRATION_IDS)))


def frames(data: bytes) -> tuple[list[tuple[int, tuple]], int]:
    decoder = Decoder(m.FROM_DEVICE)
    got: list[tuple[int, tuple]] = []
    decoder.feed(data, lambda kind, _counter, fields: got.append((kind, fields)))
    return got, decoder.dropped


def bytes_of_a_session(seed: int, piece_us: int) -> bytes:
    table = SimulatedTable(load_rig("nominal"), seed, cooperative=True)
    table.receive(HELLO)
    sent = b""
    for until_us in range(piece_us, 4_000_001, piece_us):
        table.advance(until_us)
        sent += table.transmit()
    return sent


def test_the_same_seed_gives_the_same_bytes_however_time_is_cut() -> None:
    assert bytes_of_a_session(3, 1000) == bytes_of_a_session(3, 1000)
    assert bytes_of_a_session(3, 1000) == bytes_of_a_session(3, 40_000)
    assert bytes_of_a_session(3, 1000) != bytes_of_a_session(4, 1000)


@pytest.mark.parametrize(("rig", "rate_hz"), [("nominal", 320), ("nominal_80", 80)])
def test_samples_come_at_the_rigs_rate_numbered_and_evenly(rig: str, rate_hz: int) -> None:
    table = SimulatedTable(load_rig(rig), 1)

    table.advance(10_000_000)
    samples = [fields for kind, fields in frames(table.transmit())[0] if kind == m.SAMPLE]

    assert [fields[0] for fields in samples] == list(range(10 * rate_hz))
    assert {after[1] - before[1] for before, after in pairwise(samples)} == {1_000_000 // rate_hz}


def test_the_devices_clock_wraps_and_time_goes_on() -> None:
    table = SimulatedTable(load_rig("nominal"), 1, t_us_start=2**32 - 1_000_000)

    table.advance(2_000_000)
    samples = [fields for kind, fields in frames(table.transmit())[0] if kind == m.SAMPLE]

    assert samples[-1][1] < 1_000_001 < samples[0][1]
    assert table.truth.t_us == 2_000_000


def test_power_on_is_disarmed_slack_braked_and_simulated() -> None:
    table = SimulatedTable(load_rig("nominal"), 1)

    table.advance(100_000)
    status = frames(table.transmit())[0][-1][1][7]

    assert status == m.SWITCH_CONNECTED | m.SLACK | m.BRAKE_ON | m.SIMULATED | m.MAINS_GOOD


def test_truth_cannot_be_written() -> None:
    truth = SimulatedTable(load_rig("nominal"), 1).truth

    with pytest.raises(FrozenInstanceError):
        truth.force_mn = 0  # type: ignore[misc]


def test_a_cooperative_patient_presses_after_hello_and_again_and_never_while_armed() -> None:
    table = SimulatedTable(load_rig("nominal"), 1, cooperative=True)
    table.advance(3_000_000)
    table.receive(HELLO)
    pressed: list[int] = []

    for until_ms in range(3000, 12_000, 10):
        if until_ms == 10_000:
            table.receive(ARM)
        table.advance(until_ms * 1000)
        if table.panel.patient_switch_pressed:
            pressed.append(until_ms)

    armed = frames(table.transmit())[0][-1][1][7] & m.ARMED
    starts = [ms for ms in pressed if ms - 10 not in pressed]
    assert starts == pytest.approx([4500, 9500], abs=20)
    assert len(pressed) == pytest.approx(60, abs=4)
    assert armed


def test_an_unarmed_reset_gives_a_new_boot_nonce_and_the_same_calibration() -> None:
    table = SimulatedTable(load_rig("nominal"), 1)
    table.receive(HELLO)
    table.advance(10_000)
    before = [fields for kind, fields in frames(table.transmit())[0] if kind != m.SAMPLE]

    table.reset()
    table.receive(HELLO)
    table.advance(20_000)
    after = [fields for kind, fields in frames(table.transmit())[0] if kind != m.SAMPLE]

    assert before[0][7] != after[0][7]
    assert before[1:3] == after[1:3]


def test_the_stops_cut_the_wind_in_in_hardware_before_the_firmware_has_seen_them() -> None:
    table = SimulatedTable(load_rig("nominal_80"), 1)
    table.receive(HELLO)
    table.advance(100_000)
    table.receive(ARM)
    table.transmit()
    table.advance(113_000)  # the next conversion comes 12 ms later
    basis = frames(table.transmit())[0][-1][1][0]
    table.receive(bytes(Encoder(m.FROM_HOST).frame(m.MOVE, 2, (basis, 20_000, 250))))

    table.press_emergency_stop()
    table.advance(124_000)

    assert table.truth.cable_um == 0


def test_runs_far_faster_than_real_time() -> None:
    table = SimulatedTable(load_rig("nominal"), 1)
    started_s = time.process_time()

    table.advance(5_000_000)

    assert 5.0 / (time.process_time() - started_s) > 30  # 110 alone on a quiet machine


def test_a_line_delivers_in_order_between_one_and_three_milliseconds_later() -> None:
    line = LatentLine(1).to_host
    arrived: list[tuple[int, bytes]] = []

    for now_us in range(0, 100_000, 100):
        if now_us % 1000 == 0:
            line.put(bytes([now_us // 1000]), now_us)
        if data := line.take(now_us):
            arrived += [(now_us, data[i : i + 1]) for i in range(len(data))]

    assert [data[0] for _, data in arrived] == list(range(len(arrived)))
    assert all(1000 <= at_us - data[0] * 1000 <= 3200 for at_us, data in arrived)


@pytest.mark.parametrize(
    ("faults", "whole", "dropped"),
    [
        (LineFaults(), 200, 0),
        (LineFaults(drop=1.0), 0, 0),
        (LineFaults(dead=True), 0, 0),
        (LineFaults(duplicate=1.0), 400, 0),
        (LineFaults(chop=1.0), 200, 0),
    ],
    ids=["none", "drop", "dead", "duplicate", "chop"],
)
def test_a_lines_faults_do_what_they_say(faults: LineFaults, whole: int, dropped: int) -> None:
    line = LatentLine(1).to_device
    line.faults = faults
    decoder = Decoder(m.FROM_HOST)
    got: list[int] = []

    for now_us in range(200):
        line.put(HELLO, now_us)
    decoder.feed(line.take(1_000_000), lambda kind, _counter, _fields: got.append(kind))

    assert (len(got), decoder.dropped) == (whole, dropped)


def test_a_flipped_bit_never_becomes_another_frame() -> None:
    line = LatentLine(1).to_device
    line.faults = LineFaults(flip=1.0)
    decoder = Decoder(m.FROM_HOST)
    got: list[tuple] = []

    for now_us in range(500):
        line.put(b"\0" + HELLO, now_us)
    decoder.feed(line.take(1_000_000), lambda *frame: got.append(frame))

    # A bit of the leading 0x00 may be the one that flips: then what follows it is damaged, or the frame is whole.
    assert all(frame == (m.HELLO, 0, (m.PROTOCOL, 1)) for frame in got)
    assert decoder.dropped >= 300
