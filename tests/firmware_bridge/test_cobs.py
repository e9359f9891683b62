import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge import cobs

ZEROS_AND_OTHERS = st.lists(st.sampled_from([b"\0", b"\1", b"\xff", b"\1" * 253, b"\2" * 254, b"\3" * 255])).map(
    b"".join
)


@given(st.binary(max_size=700) | ZEROS_AND_OTHERS)
def test_stuffed_bytes_hold_no_zero_and_come_back_as_they_were(data: bytes) -> None:
    encoded = cobs.encode(data)

    assert 0 not in encoded
    assert cobs.decode(encoded) == data


@pytest.mark.parametrize(
    ("data", "encoded"),
    [
        (b"", b"\1"),
        (b"\0", b"\1\1"),
        (b"\x11\x22\0\x33", b"\3\x11\x22\2\x33"),
        (b"\x11\0\0\0", b"\2\x11\1\1\1"),
    ],
)
def test_stuffs_as_the_paper_does(data: bytes, encoded: bytes) -> None:
    assert cobs.encode(data) == encoded


@pytest.mark.parametrize("encoded", [b"", b"\0", b"\2", b"\3\x11", b"\2\x11\0", b"\1\5\x11"])
def test_bytes_that_no_encoder_made_are_refused(encoded: bytes) -> None:
    assert cobs.decode(encoded) is None


@given(st.binary(max_size=300))
def test_decoding_raises_for_no_bytes(encoded: bytes) -> None:
    decoded = cobs.decode(encoded)

    assert decoded is None or len(decoded) < len(encoded)
