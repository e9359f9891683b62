"""Bytes from the broker: only whole payloads pass."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.received import PAYLOAD_BYTES_MAX, NotAPayload, payload_of


def test_a_batch_as_it_was_sent_passes_unchanged(payloads) -> None:
    batch = payloads.batch(7)

    assert payload_of("force", batch.model_dump_json().encode()) == batch


@pytest.mark.parametrize(
    "change",
    [
        {"force_mn": [1]},
        {"t_us": [], "force_mn": [], "target_mn": [], "cable_um": []},
        {"force_mn": ["NaN"] * 32},
        {"force_mn": ["300000"] * 32},
        {"force_mn": [True] * 32},
        {"force_mn": [2**60] * 32},
        {"t_us": list(range(32, 0, -1))},
        {"first_seq": -1},
        {"age_us": -1},
        {"extra": 1},
        {"run": None},
    ],
)
def test_a_batch_that_is_not_whole_is_refused(payloads, change: dict[str, Any]) -> None:
    document = {**payloads.batch(0).model_dump(mode="json"), **change}

    with pytest.raises(NotAPayload):
        payload_of("force", json.dumps(document).encode())


def test_a_payload_larger_than_any_honest_one_is_not_even_read(payloads) -> None:
    padded = payloads.batch(0).model_dump_json().encode().ljust(PAYLOAD_BYTES_MAX["force"] + 1)

    with pytest.raises(NotAPayload, match="bytes"):
        payload_of("force", padded)


def test_a_state_whose_time_has_no_zone_is_refused(payloads) -> None:
    document = {**payloads.state().model_dump(mode="json"), "valid_until": "2025-01-01T10:00:00"}

    with pytest.raises(NotAPayload, match="zone"):
        payload_of("state", json.dumps(document).encode())


@given(st.sampled_from(["presence", "state", "force", "event", "else"]), st.binary(max_size=200))
def test_no_bytes_do_more_than_be_refused(leaf: str, data: bytes) -> None:
    with pytest.raises(NotAPayload):
        payload_of(leaf, data)
