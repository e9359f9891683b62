"""From a permit to the wire: once, as what it says, and nothing beyond the absolute limits."""

import copy
from dataclasses import replace

import pytest

from firmware_bridge import execute as bridge
from firmware_bridge import messages
from firmware_bridge.execute import NotPermitted, execute
from firmware_bridge.framing import FrameDecoder, encode_frame
from firmware_bridge.link import Link
from safety.interlock import Closed
from safety.limiter import Permit, Situation, review
from safety.limits import SHIPPED, session_limits
from safety.motion import Arm, CutPower, Hold, PayOut, Pull, Release, ReleaseProfile
from safety.reading import ForceReading

AGREED = session_limits(200_000, 1_800, 40_000, SHIPPED)
ARMED = ForceReading(
    seq=65_536 + 7,
    taken_us=1_000_000,
    raw_a=1,
    raw_b=2,
    force_a_mn=0,
    force_b_mn=0,
    cable_um=0,
    velocity_um_s=0,
    current_ma=0,
    armed=True,
    drive_enabled=True,
    releasing=False,
    tripped=False,
    switch_connected=True,
    switch_pressed=False,
    emergency_stop=False,
)
PULLING = Situation(
    reading=ARMED,
    age_us=0,
    interlock=Closed(0),
    limits=AGREED,
    armed_for_us=0,
    took_up_from_um=0,
    loaded_at_um=0,
    switch_seen_us=0,
    calibration_age_days=0,
    calibration_matches=True,
    frozen=False,
)
SENT_BEFORE = 1  # HELLO
ALL_WELL = messages.Status(0)
IDENTITY = messages.Identity(
    protocol=messages.PROTOCOL,
    flags=messages.IdentityFlag.SIMULATED,
    model="TT-1",
    serial=1001,
    fw_major=0,
    fw_minor=1,
    fw_patch=0,
    boot_nonce=1,
    rate_hz=320,
    ceiling_mn=600_000,
    travel_um=200_000,
    pull_um_s=5_000,
    payout_um_s=40_000,
)
BEFORE_ARMING = replace(PULLING, reading=replace(ARMED, armed=False, drive_enabled=False))


def permit_of(motion, situation: Situation = PULLING) -> Permit:
    verdict = review(motion, situation)
    assert isinstance(verdict, Permit), verdict
    return verdict


def bent(permit: Permit, **changes: object) -> Permit:
    """What no honest code does: a permit changed behind its own back."""
    for name, value in changes.items():
        object.__setattr__(permit, name, value)
    return permit


def sampled_link(*samples_at_us: int) -> Link:
    """A link over which a table has sent samples at those times."""
    link = Link()
    link.open(nonce=1)
    link.receive(encode_frame(0, IDENTITY))
    for number, t_us in enumerate(samples_at_us, start=1):
        link.receive(encode_frame(number, sample_at(t_us)))
    return link


def sample_at(t_us: int) -> messages.Sample:
    """As the table numbers them: 320 a second, and number 7 at one second."""
    seq = (7 + (t_us - ARMED.taken_us) * IDENTITY.rate_hz // 1_000_000) % 65_536
    return messages.Sample(seq, t_us, raw_a=1, raw_b=2, cable_um=0, velocity_um_s=0, current_ma=0, status=ALL_WELL)


@pytest.fixture
def link() -> Link:
    """One whose newest sample is the one that the permits below were given for."""
    return sampled_link(ARMED.taken_us)


@pytest.mark.parametrize(
    ("motion", "situation", "message"),
    [
        (Pull(20_000), PULLING, messages.Move(basis=7, velocity_um_s=20_000, lease_ms=200)),
        (PayOut(40_000), PULLING, messages.Move(basis=7, velocity_um_s=-40_000, lease_ms=200)),
        (Hold(), PULLING, messages.Move(basis=7, velocity_um_s=0, lease_ms=200)),
        (Release(ReleaseProfile.EMERGENCY), PULLING, messages.Release(messages.ReleaseProfile(2))),
        (CutPower(), PULLING, messages.Disarm()),
        (
            Arm(AGREED, 8, 9),
            BEFORE_ARMING,
            messages.Arm(
                ceiling_mn=250_000,
                travel_um=150_000,
                pull_um_s=5_000,
                duration_s=1_800,
                calibration_a=8,
                calibration_b=9,
            ),
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_permit_becomes_the_frame_that_it_stands_for(link, motion, situation, message) -> None:
    frame = execute(permit_of(motion, situation), link)

    assert list(FrameDecoder().feed(frame)) == [(SENT_BEFORE, message)]


def test_a_permit_is_good_for_one_frame(link) -> None:
    permit = permit_of(Pull(1))
    execute(permit, link)

    with pytest.raises(NotPermitted, match="used before"):
        execute(permit, link)

    assert link.statistics.sent == SENT_BEFORE + 1


@pytest.mark.parametrize(("newest_us", "sent"), [(1_500_000, True), (1_503_125, False)])
def test_a_permit_that_was_kept_for_more_than_half_a_second_pulls_nothing(newest_us, sent) -> None:
    link, permit = sampled_link(ARMED.taken_us, newest_us), permit_of(Pull(1))

    if sent:
        assert execute(permit, link)
        return
    with pytest.raises(NotPermitted, match="too old"):
        execute(permit, link)

    assert link.statistics.sent == SENT_BEFORE


def test_a_permit_from_before_the_table_was_reset_pulls_nothing(link) -> None:
    permit = permit_of(Pull(1))
    link.open(nonce=2)
    link.receive(encode_frame(0, replace(IDENTITY, boot_nonce=2)))

    with pytest.raises(NotPermitted, match="too old"):
        execute(permit, link)


@pytest.mark.parametrize("motion", [Release(ReleaseProfile.NORMAL), PayOut(1)], ids=repr)
def test_letting_go_is_never_too_late(motion) -> None:
    assert execute(permit_of(motion), sampled_link(ARMED.taken_us, ARMED.taken_us + 20_000_000))
    assert execute(permit_of(motion), Link())


class LikeAPermit:
    motion = Pull(1)
    basis_seq = 0
    lease_ms = 200

    def spend(self) -> bool:
        return True


class SubclassedPermit(Permit):
    def spend(self) -> bool:
        return True


@pytest.mark.parametrize(
    "forged",
    [None, LikeAPermit(), object.__new__(Permit), object.__new__(SubclassedPermit), Pull(1), Permit],
    ids=["none", "look-alike", "hollow", "subclass", "a motion", "the class"],
)
def test_what_the_gate_did_not_make_is_not_sent(link, forged) -> None:
    with pytest.raises(NotPermitted, match="forged"):
        execute(forged, link)

    assert link.statistics.sent == SENT_BEFORE


def test_a_permit_cannot_be_changed_or_copied_into_another(link) -> None:
    permit = permit_of(Hold())

    with pytest.raises(AttributeError):
        permit.motion = Pull(20_000)
    with pytest.raises(AttributeError):
        copy.copy(permit)

    [(_counter, message)] = FrameDecoder().feed(execute(permit, link))
    assert message.velocity_um_s == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"motion": Pull(20_001)},
        {"motion": PayOut(40_001)},
        {"motion": Pull(2**31)},
        {"motion": Pull(0.5)},
        {"lease_ms": 0},
        {"lease_ms": 251},
        {"motion": Arm(replace(AGREED, ceiling_mn=600_001), 1, 2)},
        {"motion": Arm(replace(AGREED, ceiling_mn=0), 1, 2)},
        {"motion": Arm(replace(AGREED, pull_um_s=5_001), 1, 2)},
        {"motion": Arm(replace(AGREED, travel_um=150_001), 1, 2)},
        {"motion": Arm(replace(AGREED, travel_um=0), 1, 2)},
        {"motion": Arm(replace(AGREED, duration_us=3_601_000_000), 1, 2)},
        {"motion": Arm(replace(AGREED, duration_us=999_999), 1, 2)},
    ],
    ids=str,
)
def test_beyond_the_absolute_limits_nothing_is_sent_or_counted_though_the_gate_were_broken(link, changes) -> None:
    permit = bent(permit_of(Hold()), **changes)

    with pytest.raises(NotPermitted, match="absolute"):
        execute(permit, link)
    with pytest.raises(NotPermitted, match="used before"):
        execute(permit, link)

    assert link.statistics.sent == SENT_BEFORE


@pytest.mark.parametrize(
    "changes",
    [
        {"motion": Pull(20_000)},
        {"motion": PayOut(40_000)},
        {"lease_ms": 1},
        {"lease_ms": 250},
        {"motion": Arm(replace(AGREED, ceiling_mn=600_000, duration_us=3_600_000_000), 1, 2)},
    ],
    ids=str,
)
def test_at_the_absolute_limits_it_is_sent(link, changes) -> None:
    assert execute(bent(permit_of(Hold()), **changes), link)


@pytest.mark.parametrize(
    "encoder",
    [
        lambda counter, message: encode_frame(counter, replace(message, velocity_um_s=message.velocity_um_s + 1)),
        lambda counter, message: encode_frame((counter + 1) % 256, message),
        lambda counter, message: encode_frame(counter, message) * 2,
        lambda counter, message: encode_frame(counter, message)[:-1],
        lambda counter, message: encode_frame(counter, messages.Release(messages.ReleaseProfile(0))),
        lambda counter, message: b"",
    ],
    ids=["another speed", "another number", "twice", "cut short", "another message", "nothing"],
)
def test_an_encoder_that_says_something_else_is_caught_before_the_wire(link, monkeypatch, encoder) -> None:
    monkeypatch.setattr("firmware_bridge.link.encode_frame", encoder)

    with pytest.raises(NotPermitted, match="encoder"):
        execute(permit_of(Pull(100)), link)


def test_the_basis_is_the_number_of_the_sample_as_the_wire_counts(link) -> None:
    wrapped = replace(PULLING, reading=replace(ARMED, seq=3 * 65_536 + 65_535))

    message = bridge.command_of(permit_of(Pull(1), wrapped), link)

    assert message.basis == 65_535
