import dataclasses
from typing import Any

import pytest

from firmware_bridge.messages import (
    Arm,
    Identity,
    IdentityFlag,
    MessageType,
    Move,
    Nak,
    NakReason,
    Release,
    Sample,
    Status,
    Trip,
    TripCause,
    decode_payload,
    encode_payload,
    force_mn,
)

SAMPLE = Sample(
    seq=1, t_us=2, raw_a=3, raw_b=4, cable_um=5, velocity_um_s=6, current_ma=7, status=Status.SLACK | Status.BRAKE_ON
)
MOVE = Move(basis=1, velocity_um_s=2, lease_ms=3)


def test_force_is_computed_as_the_device_computes_it(golden_force: dict[str, int]) -> None:
    computed = force_mn(golden_force["raw"], golden_force["zero_counts"], golden_force["span_q20"])

    assert computed == golden_force["force_mn"]


@pytest.mark.parametrize(
    ("message", "field", "lowest", "highest"),
    [
        (MOVE, "basis", 0, 0xFFFF),
        (MOVE, "velocity_um_s", -(2**31), 2**31 - 1),
        (SAMPLE, "t_us", 0, 2**32 - 1),
        (SAMPLE, "current_ma", -(2**15), 2**15 - 1),
    ],
)
def test_a_field_takes_its_whole_range_and_nothing_beyond_it(
    message: Any, field: str, lowest: int, highest: int
) -> None:
    for value in (lowest, highest):
        fitting = dataclasses.replace(message, **{field: value})
        assert decode_payload(*encode_payload(fitting)) == fitting

    for value in (lowest - 1, highest + 1):
        with pytest.raises(ValueError, match=f"^{field} must be a whole number"):
            encode_payload(dataclasses.replace(message, **{field: value}))


@pytest.mark.parametrize("value", [1.0, float("nan"), "1", None, b"1"])
def test_a_field_that_is_no_whole_number_is_refused_by_name(value: Any) -> None:
    with pytest.raises(ValueError, match=r"^velocity_um_s must be a whole number"):
        encode_payload(dataclasses.replace(MOVE, velocity_um_s=value))


def test_a_release_profile_that_the_protocol_does_not_have_is_refused_by_name() -> None:
    unknown: Any = 3

    with pytest.raises(ValueError, match=r"^profile: 3 is not a valid ReleaseProfile"):
        encode_payload(Release(unknown))


@pytest.mark.parametrize("model", ["nine char", "Käse", "TT\0", 5])
def test_a_model_that_does_not_fit_eight_ascii_characters_is_refused_by_name(model: Any, identity: Identity) -> None:
    with pytest.raises(ValueError, match=r"^model must be at most 8 ASCII characters"):
        encode_payload(dataclasses.replace(identity, model=model))


def test_enumerated_fields_arrive_as_their_enumerations() -> None:
    nak = decode_payload(MessageType.NAK, bytes((3, 0x03, 3)))
    sample = decode_payload(*encode_payload(SAMPLE))

    assert isinstance(nak, Nak)
    assert nak.reason is NakReason.BASIS_TOO_OLD
    assert nak.type is MessageType.MOVE
    assert isinstance(sample, Sample)
    assert isinstance(sample.status, Status)
    assert Status.SLACK in sample.status
    assert Status.ARMED not in sample.status


def test_identity_says_whether_the_table_is_simulated(identity: Identity) -> None:
    received = decode_payload(*encode_payload(identity))

    assert isinstance(received, Identity)
    assert IdentityFlag.SIMULATED in received.flags
    assert received.model == "TT-1"


@pytest.mark.parametrize(
    ("type_byte", "payload"),
    [
        (MessageType.NAK, bytes((3, 0x03, 12))),  # no such reason
        (MessageType.NAK, bytes((3, 0x03, 0))),
        (MessageType.ACK, bytes((3, 0x7F))),  # no such type
        (MessageType.RELEASE, bytes((3,))),
        (MessageType.CLEAR, bytes((20,))),
        (MessageType.SAMPLE, bytes(27)),
        (MessageType.SAMPLE, bytes(29)),
        (MessageType.IDENTITY, bytes((1, 0)) + b"\xff" * 8 + bytes(27)),  # a model that is not ASCII
        (0x00, b""),
        (0x7F, b""),
    ],
)
def test_what_version_1_does_not_have_is_no_message(type_byte: int, payload: bytes) -> None:
    assert decode_payload(type_byte, payload) is None


def test_every_cause_and_reason_has_words_for_a_sentence() -> None:
    assert [cause.value for cause in TripCause] == list(range(1, 20))
    assert [reason.value for reason in NakReason] == list(range(1, 12))
    assert TripCause.PATIENT_SWITCH_UNPLUGGED.spelled == "patient switch unplugged"
    assert NakReason.CALIBRATION_DOES_NOT_MATCH.spelled == "calibration does not match"


def test_messages_cannot_be_changed_after_they_were_made() -> None:
    trip = Trip(TripCause.TRAVEL, t_us=1, raw_a=2, raw_b=3, cable_um=4)

    with pytest.raises(dataclasses.FrozenInstanceError):
        trip.t_us = 5  # type: ignore[misc]

    assert not hasattr(trip, "__dict__")


def test_arm_carries_its_limits_in_the_protocols_order() -> None:
    arm = Arm(ceiling_mn=1, travel_um=2, pull_um_s=3, duration_s=4, calibration_a=5, calibration_b=6)

    _, payload = encode_payload(arm)

    assert payload.hex() == "0100000002000000" + "0300" + "0400" + "05000000" + "06000000"


@pytest.fixture
def identity(golden_frames: list[dict[str, Any]]) -> Identity:
    fields = next(frame["fields"] for frame in golden_frames if frame["name"] == "IDENTITY")
    return Identity(**fields)
