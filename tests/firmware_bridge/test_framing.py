from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import firmware_bridge.messages as messages
from firmware_bridge.framing import FRAME_BYTES_MAX, FrameDecoder, encode_frame
from firmware_bridge.messages import Message, Release, ReleaseProfile

FLUSH = encode_frame(77, Release(ReleaseProfile.NORMAL))


def message_of(row: dict[str, Any]) -> Message:
    """The golden row's message: WRITE_CALIBRATION is the class WriteCalibration."""
    message_class = getattr(messages, row["name"].title().replace("_", ""))
    message: Message = message_class(**row["fields"])
    return message


def dropped(decoder: FrameDecoder) -> int:
    return decoder.damaged + decoder.unknown + decoder.oversize


def fed_in_pieces(pieces: Iterable[bytes]) -> tuple[list[tuple[int, Message]], tuple[int, int, int]]:
    decoder = FrameDecoder()
    frames = [frame for piece in pieces for frame in decoder.feed(piece)]
    return frames, (decoder.damaged, decoder.unknown, decoder.oversize)


def with_one_bit_flipped(frame: bytes) -> Iterator[bytes]:
    for bit in range(8 * len(frame)):
        flipped = bytearray(frame)
        flipped[bit // 8] ^= 1 << bit % 8
        yield bytes(flipped)


def test_encodes_every_golden_frame_byte_for_byte(golden_frame: dict[str, Any]) -> None:
    assert encode_frame(golden_frame["counter"], message_of(golden_frame)).hex() == golden_frame["hex"]


def test_decodes_every_golden_frame_to_its_counter_and_fields(golden_frame: dict[str, Any]) -> None:
    decoder = FrameDecoder()

    frames = decoder.feed(bytes.fromhex(golden_frame["hex"]))

    assert frames == [(golden_frame["counter"], message_of(golden_frame))]
    assert type(frames[0][1]) is type(message_of(golden_frame))
    assert dropped(decoder) == 0


def test_drops_and_counts_what_is_no_frame_of_the_protocol(golden_dropped: dict[str, str]) -> None:
    decoder = FrameDecoder()

    frames = decoder.feed(bytes.fromhex(golden_dropped["hex"]) + FLUSH)

    assert [counter for counter, _ in frames] == [77]
    assert dropped(decoder) == 1
    assert decoder.unknown == (golden_dropped["why"] in ("unknown type", "a byte too long"))


def test_rejects_every_golden_frame_with_any_one_bit_flipped(golden_frame: dict[str, Any]) -> None:
    for flipped in with_one_bit_flipped(bytes.fromhex(golden_frame["hex"])):
        assert FrameDecoder().feed(flipped) == []


def test_rejects_every_frame_to_the_table_with_any_two_bits_flipped(golden_frame: dict[str, Any]) -> None:
    frame = bytes.fromhex(golden_frame["hex"])
    decoder = FrameDecoder()

    accepted = [
        decoder.feed(twice + b"\0")
        for once in with_one_bit_flipped(frame)
        for twice in with_one_bit_flipped(once)
        if twice != frame
    ]

    assert not any(accepted)


def test_rejects_a_frame_cut_short_at_any_byte_and_reads_the_next(golden_frame: dict[str, Any]) -> None:
    frame = bytes.fromhex(golden_frame["hex"])

    for kept in range(1, len(frame) - 1):
        decoder = FrameDecoder()
        frames = decoder.feed(frame[:kept] + b"\0" + FLUSH)
        assert [counter for counter, _ in frames] == [77]
        assert dropped(decoder) == 1


def test_a_frame_of_70_bytes_is_looked_at_and_one_of_71_is_not() -> None:
    decoder = FrameDecoder()

    decoder.feed(b"\1" * FRAME_BYTES_MAX + b"\0")
    decoder.feed(b"\1" * (FRAME_BYTES_MAX + 1) + b"\0")

    assert (decoder.damaged, decoder.unknown, decoder.oversize) == (1, 0, 1)


def test_a_line_that_never_ends_a_frame_is_held_in_bounded_memory_and_counted_once() -> None:
    decoder = FrameDecoder()

    for _ in range(1000):
        decoder.feed(b"\xff" * 1000)
        assert len(decoder._held) <= FRAME_BYTES_MAX
    frames = decoder.feed(b"\0" + FLUSH)

    assert [counter for counter, _ in frames] == [77]
    assert decoder.oversize == 1


LINE_BYTES = st.lists(
    st.binary(max_size=90) | st.sampled_from([FLUSH, b"\0", FLUSH[:-1], b"\1" * 71]), max_size=12
).map(b"".join)


@given(LINE_BYTES, st.data())
def test_however_the_bytes_are_chopped_the_same_frames_and_counts_come_out(line: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(line)))))
    pieces = [line[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(line)], strict=True)]

    assert fed_in_pieces(pieces) == fed_in_pieces([line])


@given(LINE_BYTES)
def test_after_any_bytes_the_frame_that_follows_a_frame_end_is_read(line: bytes) -> None:
    decoder = FrameDecoder()

    decoder.feed(line)
    frames = decoder.feed(b"\0" + FLUSH)

    assert frames[-1] == (77, Release(ReleaseProfile.NORMAL))


@pytest.mark.parametrize("counter", [-1, 256])
def test_a_counter_that_does_not_fit_its_byte_is_refused_by_name(counter: int) -> None:
    with pytest.raises(ValueError, match=r"^counter must be"):
        encode_frame(counter, Release(ReleaseProfile.NORMAL))
