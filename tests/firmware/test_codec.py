"""The device's codec against the pinned frames, and against damage."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.codec import STUFFED_BYTES_MAX, Decoder, Encoder
from firmware.messages import FROM_DEVICE, FROM_HOST, MOVE
from firmware.reading import Channel

GOLDEN = tomllib.loads((Path(__file__).parents[1] / "golden_frames.toml").read_text())
LAYOUTS = {**FROM_HOST, **FROM_DEVICE}
NUMBERS = {
    "HELLO": 0x01,
    "ARM": 0x02,
    "MOVE": 0x03,
    "RELEASE": 0x04,
    "DISARM": 0x05,
    "CLEAR": 0x06,
    "WRITE_CALIBRATION": 0x07,
    "IDENTITY": 0x81,
    "SAMPLE": 0x82,
    "ACK": 0x83,
    "NAK": 0x84,
    "TRIP": 0x85,
    "CALIBRATION": 0x86,
}


def decoded(data: bytes) -> tuple[list[tuple[int, int, tuple]], int]:
    decoder = Decoder(LAYOUTS)
    frames: list[tuple[int, int, tuple]] = []
    decoder.feed(data, lambda kind, counter, fields: frames.append((kind, counter, fields)))
    return frames, decoder.dropped


def fields_of(row: dict) -> tuple:
    return tuple(v.encode().ljust(8, b"\0") if isinstance(v, str) else v for v in row["fields"].values())


@pytest.mark.parametrize("row", GOLDEN["frame"], ids=lambda row: f"{row['name']} {row['counter']}")
def test_encodes_and_decodes_the_pinned_bytes(row: dict) -> None:
    data = bytes.fromhex(row["hex"])

    encoded = bytes(Encoder(LAYOUTS).frame(NUMBERS[row["name"]], row["counter"], fields_of(row)))
    frames, dropped = decoded(data)

    assert encoded == data
    assert (frames, dropped) == ([(NUMBERS[row["name"]], row["counter"], fields_of(row))], 0)


@pytest.mark.parametrize("row", GOLDEN["dropped"], ids=lambda row: row["why"])
def test_drops_and_counts_the_pinned_damage(row: dict) -> None:
    assert decoded(bytes.fromhex(row["hex"])) == ([], 1)


@pytest.mark.parametrize("row", GOLDEN["force"], ids=str)
def test_turns_counts_into_force_as_pinned(row: dict) -> None:
    channel = Channel()
    channel.calibrate(row["zero_counts"], row["span_q20"], 1)

    channel.take(row["raw"])

    assert channel.force_mn == row["force_mn"]


def test_lets_no_flip_of_one_or_two_bits_of_a_move_through() -> None:
    whole = bytes(Encoder(LAYOUTS).frame(MOVE, 4, (258, 2000, 100)))
    bits = range(8 * (len(whole) - 1))

    damaged = []
    for first in bits:
        for second in range(first, len(bits)):
            frame = bytearray(whole)
            frame[first // 8] ^= 1 << first % 8
            if second != first:
                frame[second // 8] ^= 1 << second % 8
            damaged.append(bytes(frame))

    assert [data for data in damaged if decoded(data)[0]] == []


def test_finds_the_next_whole_frame_after_any_cut() -> None:
    whole = bytes(Encoder(LAYOUTS).frame(MOVE, 4, (258, 2000, 100)))

    for cut in range(1, len(whole)):
        frames, dropped = decoded(whole[:cut] + b"\0" + whole)

        assert len(frames) == (2 if cut == len(whole) - 1 else 1)
        assert dropped == (0 if cut == len(whole) - 1 else 1)


def test_forgets_what_is_too_long_and_counts_it_once() -> None:
    whole = bytes(Encoder(LAYOUTS).frame(MOVE, 4, (258, 2000, 100)))

    frames, dropped = decoded(b"\x01" * (STUFFED_BYTES_MAX * 20) + b"\0" + whole)

    assert (len(frames), dropped) == (1, 1)


@given(st.binary(max_size=600), st.integers(1, 50))
def test_any_bytes_in_any_pieces_give_the_same_frames_and_never_an_error(data: bytes, piece: int) -> None:
    whole = bytes(Encoder(LAYOUTS).frame(MOVE, 4, (258, 2000, 100)))
    stream = data + b"\0" + whole
    decoder = Decoder(LAYOUTS)
    frames: list = []

    for start in range(0, len(stream), piece):
        decoder.feed(stream[start : start + piece], lambda *frame: frames.append(frame))

    assert (frames, decoder.dropped) == decoded(stream)
    assert frames[-1] == (MOVE, 4, (258, 2000, 100))
