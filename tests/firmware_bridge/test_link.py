import dataclasses
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.framing import FrameDecoder, encode_frame
from firmware_bridge.link import (
    SILENCE_US_MAX,
    DeviceRestarted,
    Link,
    LinkEvent,
    ProtocolMismatch,
    ReceivedSample,
    SampleNumbering,
)
from firmware_bridge.messages import (
    PROTOCOL,
    Ack,
    Calibration,
    DeviceMessage,
    Hello,
    Identity,
    IdentityFlag,
    MessageType,
    Move,
    Nak,
    NakReason,
    Release,
    ReleaseProfile,
    Sample,
    Status,
    Trip,
    TripCause,
)

PERIOD_US = 3125
IDENTITY = Identity(
    protocol=PROTOCOL,
    flags=IdentityFlag.SIMULATED,
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
CALIBRATIONS = {channel: Calibration(channel, zero_counts=0, span_q20=131_072, id=7) for channel in (0, 1)}


class Table:
    """The far end of the line, no more than its numbering: what it sends, as the bytes of whole frames."""

    def __init__(self, first_seq: int = 0, first_t_us: int = 0) -> None:
        self.counter = 0
        self.samples_made = 0
        self.first_seq = first_seq
        self.first_t_us = first_t_us

    def answer_hello(self, identity: Identity = IDENTITY) -> bytes:
        self.counter = 0
        answers: list[DeviceMessage] = [identity, *CALIBRATIONS.values()]
        return b"".join(self.frame(message) for message in answers)

    def frame(self, message: DeviceMessage) -> bytes:
        frame = encode_frame(self.counter, message)
        self.counter = (self.counter + 1) % 256
        return frame

    def sample(self) -> bytes:
        seq = (self.first_seq + self.samples_made) % 2**16
        t_us = (self.first_t_us + self.samples_made * PERIOD_US) % 2**32
        self.samples_made += 1
        return self.frame(Sample(seq, t_us, 1, 2, 3, 4, 5, Status(0)))

    def stays_silent_for(self, samples: int) -> None:
        self.samples_made += samples
        self.counter = (self.counter + samples) % 256


def opened(table: Table) -> Link:
    link = Link()
    link.open(nonce=1)
    link.receive(table.answer_hello())
    return link


def seqs(events: list[LinkEvent]) -> list[int]:
    return [event.seq for event in events if isinstance(event, ReceivedSample)]


def test_the_handshake_is_done_when_identity_and_both_calibrations_are_in() -> None:
    link, table = Link(), Table()

    assert FrameDecoder().feed(link.open(nonce=5)) == [(0, Hello(PROTOCOL, nonce=5))]
    answers: list[DeviceMessage] = [IDENTITY, CALIBRATIONS[0], CALIBRATIONS[1]]
    for message in answers:
        assert not link.ready
        assert link.receive(table.frame(message)) == [message]

    assert link.ready
    assert link.identity == IDENTITY
    assert link.calibrations == CALIBRATIONS


def test_frames_to_the_table_count_up_by_one_and_wrap() -> None:
    link = Link()
    link.open(nonce=1)

    counters = [FrameDecoder().feed(link.send(Release(ReleaseProfile.NORMAL)))[0][0] for _ in range(256)]

    assert counters == [*range(1, 256), 0]
    assert link.sent_counter == 0


def test_a_message_that_does_not_fit_the_wire_uses_up_no_counter() -> None:
    link = Link()
    link.open(nonce=1)

    with pytest.raises(ValueError, match=r"^lease_ms"):
        link.send(Move(basis=0, velocity_um_s=0, lease_ms=70_000))

    assert link.sent_counter == 0


def test_what_comes_before_the_first_identity_is_dropped_and_counted() -> None:
    link, table = Link(), Table()
    link.open(nonce=1)

    events = link.receive(table.sample() + table.frame(Trip(TripCause.TRAVEL, 1, 2, 3, 4)))

    assert events == []
    assert link.statistics.unidentified == 2


def test_samples_count_on_where_the_wires_numbers_wrap() -> None:
    table = Table(first_seq=65_534, first_t_us=2**32 - 2 * PERIOD_US)
    link = opened(table)

    events = link.receive(b"".join(table.sample() for _ in range(4)))

    samples = [event for event in events if isinstance(event, ReceivedSample)]
    assert [sample.seq for sample in samples] == [65_534, 65_535, 65_536, 65_537]
    assert [sample.t_us - 2**32 for sample in samples] == [-2 * PERIOD_US, -PERIOD_US, 0, PERIOD_US]
    assert [sample.sample.seq for sample in samples] == [65_534, 65_535, 0, 1]


def test_every_frame_sent_twice_is_handed_on_once() -> None:
    table = Table()
    link = opened(table)
    trip = Trip(TripCause.TRAVEL, t_us=1, raw_a=2, raw_b=3, cable_um=4)

    events = [link.receive(2 * frame) for frame in (table.sample(), table.frame(trip), table.sample())]

    assert [len(each) for each in events] == [1, 1, 1]
    assert link.statistics.duplicated == 3
    assert link.statistics.late == 0


def test_a_gap_is_counted_in_frames_and_in_samples_and_told_with_the_next_sample() -> None:
    table = Table()
    link = opened(table)
    link.receive(table.sample())

    for _ in range(3):
        table.sample()
    (received,) = link.receive(table.sample())

    assert isinstance(received, ReceivedSample)
    assert (received.seq, received.lost_before) == (4, 3)
    assert (link.statistics.missing, link.statistics.samples_lost) == (3, 3)


@pytest.mark.parametrize("silent_for", [127, 128, 200, 254, 300, 1_000])
def test_samples_go_on_at_once_after_a_gap_of_any_length_below_the_silence_limit(silent_for: int) -> None:
    table = Table()
    link = opened(table)
    link.receive(table.sample())

    table.stays_silent_for(silent_for)
    events = link.receive(table.sample() + table.sample())

    assert seqs(events)[-1] == silent_for + 2


def recorded(table: Table, samples: int) -> list[bytes]:
    return [table.sample() for _ in range(samples)]


@pytest.mark.parametrize(
    "then_s",
    [0, 3, 60, 103, 110, 150, 205, 3_600, 4_100, 4_255, 4_265, 4_275, 4_283],
    ids=lambda seconds: f"{seconds} s later",
)
def test_no_sample_of_a_recording_is_taken_for_a_new_one(then_s: int) -> None:
    table = Table()
    link = opened(table)
    recording = recorded(table, 3_200)
    link.receive(b"".join(recording))
    for _ in range(then_s):
        table.stays_silent_for(319)
        link.receive(table.sample())
    live = link.receive(table.sample())

    replayed = [event for frame in recording for event in link.receive(frame)]

    assert seqs(live) == [3_200 + then_s * 320]
    assert seqs(replayed) == []
    assert link.statistics.late + link.statistics.duplicated >= 3_200


@pytest.mark.parametrize("rate_hz", [80, 100, 320, 1_000])
def test_at_no_rate_do_the_numbers_of_an_hour_ago_wrap_into_the_near_future(rate_hz: int) -> None:
    numbering = SampleNumbering()
    now_s = 80 * 60
    assert numbering.number(numbered(now_s * rate_hz, rate_hz), rate_hz)

    taken = [
        ago_s for ago_s in range(1, now_s) if numbering.number(numbered((now_s - ago_s) * rate_hz, rate_hz), rate_hz)
    ]

    assert taken == []


def numbered(sample_number: int, rate_hz: int) -> Sample:
    return Sample(sample_number % 2**16, sample_number * 1_000_000 // rate_hz % 2**32, 1, 2, 3, 4, 5, Status(0))


@pytest.mark.parametrize("rate_hz", [290, 320, 350])
def test_a_gap_is_bridged_though_the_converters_clock_is_off(rate_hz: int) -> None:
    numbering = SampleNumbering()
    numbering.number(numbered(0, rate_hz), 320)

    received = numbering.number(numbered(25 * rate_hz, rate_hz), 320)

    assert received is not None
    assert received.lost_before == 25 * rate_hz - 1


@pytest.mark.parametrize(("ahead", "taken"), [(32_767, True), (32_768, False)])
def test_a_sample_is_ahead_by_at_most_half_the_range_of_its_number(ahead: int, taken: bool) -> None:
    numbering = SampleNumbering()
    numbering.number(Sample(0, 0, 1, 2, 3, 4, 5, Status(0)), rate_hz=1_100)

    received = numbering.number(Sample(ahead, SILENCE_US_MAX, 1, 2, 3, 4, 5, Status(0)), rate_hz=1_100)

    assert (received is not None) is taken


def test_a_recording_does_not_keep_the_live_samples_between_its_frames_out() -> None:
    table = Table()
    link = opened(table)
    recording = recorded(table, 300)
    link.receive(b"".join(recording))

    live = [seqs(link.receive(old + table.sample())) for old in recording]

    missed = [number for number, taken in enumerate(live) if taken != [300 + number]]
    assert missed == []


def test_a_sample_that_was_overtaken_is_dropped_and_counted_as_late() -> None:
    table = Table()
    link = opened(table)
    first, second, third = recorded(table, 3)

    events = link.receive(first + third + second)

    assert seqs(events) == [0, 2]
    assert link.statistics.late == 1


def test_a_sample_whose_seq_is_ahead_but_whose_time_is_not_is_dropped() -> None:
    table = Table()
    link = opened(table)
    link.receive(table.sample() + table.sample())

    events = link.receive(table.frame(Sample(2, PERIOD_US, 1, 2, 3, 4, 5, Status(0))))

    assert events == []
    assert link.statistics.late == 1


@pytest.mark.parametrize(("beyond_us", "taken"), [(0, True), (1, False)])
def test_a_sample_from_beyond_the_silence_limit_is_not_believed_without_a_new_hello(
    beyond_us: int, taken: bool
) -> None:
    table = Table()
    link = opened(table)
    link.receive(table.sample())

    events = link.receive(table.frame(Sample(9_600, SILENCE_US_MAX + beyond_us, 1, 2, 3, 4, 5, Status(0))))

    assert bool(events) is taken
    assert link.statistics.late == (not taken)


@pytest.mark.parametrize("silent_s", [31, 110, 205, 3_000])
def test_after_a_long_silence_a_new_hello_lets_the_samples_go_on_ahead_of_the_last(silent_s: int) -> None:
    table = Table()
    link = opened(table)
    link.receive(table.sample())
    table.stays_silent_for(silent_s * 320)
    assert link.receive(table.sample()) == []

    link.open(nonce=2)
    link.receive(table.answer_hello())
    events = link.receive(table.sample() + table.sample())

    (first, second) = [event for event in events if isinstance(event, ReceivedSample)]
    assert first.t_us == (silent_s * 320 + 2) * PERIOD_US
    assert second.seq == first.seq + 1
    assert first.seq % 2**16 == first.sample.seq


def test_asking_again_in_a_running_session_loses_and_repeats_no_sample() -> None:
    table = Table()
    link = opened(table)
    before = link.receive(table.sample() + table.sample())

    link.open(nonce=2)
    still_coming = link.receive(table.sample())
    not_ready = link.ready
    after = link.receive(table.answer_hello() + table.sample())

    assert seqs(before + still_coming + after) == [0, 1, 2, 3]
    assert not not_ready
    assert link.ready


def test_an_old_sample_right_after_a_new_hello_is_still_old() -> None:
    table = Table()
    link = opened(table)
    old = table.sample()
    link.receive(old + table.sample())

    link.open(nonce=2)
    link.receive(table.answer_hello())

    assert link.receive(old) == []
    assert seqs(link.receive(table.sample())) == [2]


def test_a_restart_of_the_table_is_told_and_its_samples_count_on() -> None:
    table = Table(first_seq=500, first_t_us=9_000_000)
    link = opened(table)
    link.receive(table.sample())
    reborn = dataclasses.replace(IDENTITY, boot_nonce=2)

    restarted_table = Table()
    link.open(nonce=2)
    events = link.receive(restarted_table.frame(reborn) + restarted_table.sample())

    assert events[:2] == [DeviceRestarted(before=IDENTITY, now=reborn), reborn]
    assert seqs(events) == [501]
    assert link.calibrations == {}
    assert not link.ready


@pytest.mark.parametrize("clock_us", [400_000, 9_000_000 + 400_000])
def test_a_reset_is_a_gap_as_long_as_it_took_whether_or_not_the_clock_ran_on(clock_us: int) -> None:
    table = Table(first_seq=60_000, first_t_us=9_000_000)
    link = opened(table)
    link.receive(table.sample())
    restarted_table = Table(first_seq=3, first_t_us=clock_us)
    link.open(nonce=2)
    reborn = restarted_table.answer_hello(dataclasses.replace(IDENTITY, boot_nonce=2))

    assert link.receive(reborn)[-1] == CALIBRATIONS[1]
    assert link.newest_us is None  # no permit from before the reset is fresh
    received = [event for _ in range(3) for event in link.receive(restarted_table.sample())]

    lost = 400_000 * IDENTITY.rate_hz // 1_000_000
    numbered = [(event.seq, event.t_us) for event in received if isinstance(event, ReceivedSample)]
    assert numbered == [(60_000 + lost + i, 9_400_000 + i * PERIOD_US) for i in range(3)]
    assert [link.seq_on_wire(seq) for seq, _t_us in numbered] == [3, 4, 5]


def test_a_table_of_another_protocol_version_is_refused_in_a_plain_sentence() -> None:
    link, table = Link(), Table()
    link.open(nonce=1)

    (event,) = link.receive(table.frame(dataclasses.replace(IDENTITY, protocol=2)))

    assert event == ProtocolMismatch(host_protocol=1, device_protocol=2)
    assert event == link.mismatch
    assert event.sentence.startswith("The table speaks protocol 2, this program speaks protocol 1. Install")
    assert link.identity is None
    assert not link.ready


def test_a_table_that_refuses_our_protocol_is_told_in_the_same_way() -> None:
    link, table = Link(), Table()
    link.open(nonce=1)

    events = link.receive(table.frame(Nak(0, MessageType.HELLO, NakReason.UNKNOWN_PROTOCOL)))

    assert events == [ProtocolMismatch(host_protocol=1, device_protocol=None)]
    assert not link.ready


def test_a_table_that_changed_its_protocol_while_in_use_is_not_listened_to_any_more() -> None:
    table = Table()
    link = opened(table)
    link.receive(table.sample())
    link.open(nonce=2)

    table.counter = 0
    link.receive(table.frame(dataclasses.replace(IDENTITY, protocol=2)))
    events = link.receive(table.sample())

    assert events == []
    assert link.statistics.unidentified == 1


def test_an_identity_that_was_not_asked_for_changes_nothing() -> None:
    table = Table()
    link = opened(table)

    table.counter = 0
    events = link.receive(table.frame(dataclasses.replace(IDENTITY, boot_nonce=9, ceiling_mn=1)))

    assert events == []
    assert link.identity == IDENTITY
    assert link.statistics.unexpected == 1


def test_an_identity_that_is_not_the_first_frame_after_hello_is_no_answer_to_it() -> None:
    link, table = Link(), Table()
    link.open(nonce=1)

    table.counter = 5
    events = link.receive(table.frame(IDENTITY))

    assert events == []
    assert link.statistics.unexpected == 1


def test_our_own_frames_come_back_on_an_echoing_line_and_are_dropped() -> None:
    table = Table()
    link = opened(table)

    events = link.receive(link.send(Move(basis=0, velocity_um_s=1_000, lease_ms=200)))

    assert events == []
    assert link.statistics.unexpected == 1


def test_an_acknowledgement_names_the_frame_that_it_is_for() -> None:
    table = Table()
    link = opened(table)
    link.send(Release(ReleaseProfile.NORMAL))

    (ack,) = link.receive(table.frame(Ack(link.sent_counter, MessageType.RELEASE)))

    assert ack == Ack(counter=1, type=MessageType.RELEASE)


def test_an_old_acknowledgement_is_not_taken_for_a_new_one() -> None:
    table = Table()
    link = opened(table)
    ack = table.frame(Ack(1, MessageType.ARM))
    link.receive(ack + table.sample())

    assert link.receive(ack) == []
    assert link.statistics.duplicated == 1


def test_statistics_are_a_snapshot() -> None:
    table = Table()
    link = opened(table)
    before = link.statistics

    link.receive(table.sample() + b"\5noise\0")

    assert (before.received, before.damaged) == (3, 0)
    assert (link.statistics.received, link.statistics.damaged) == (4, 1)


def pieces(line: bytes, sizes: list[int]) -> Iterator[bytes]:
    at = 0
    for size in sizes:
        yield line[at : at + size]
        at += size
    yield line[at:]


@given(st.lists(st.integers(0, 40)), st.integers(0, 65_535), st.integers(0, 2**32 - 1))
def test_a_line_that_chops_at_will_changes_nothing(sizes: list[int], first_seq: int, first_t_us: int) -> None:
    table = Table(first_seq, first_t_us)
    link = opened(table)
    line = b"".join(recorded(table, 20))

    events = [event for piece in pieces(line, sizes) for event in link.receive(piece)]

    assert seqs(events) == list(range(first_seq, first_seq + 20))


@given(st.data())
def test_whatever_a_line_drops_repeats_and_reorders_the_samples_only_ever_go_forward(data: st.DataObject) -> None:
    table = Table(first_seq=65_500, first_t_us=2**32 - 40 * PERIOD_US)
    link = opened(table)
    frames = recorded(table, 80)

    delivered = data.draw(st.lists(st.sampled_from(frames), max_size=120))
    events = [event for frame in delivered for event in link.receive(frame)]

    samples: list[Any] = events
    assert all(earlier.seq < later.seq for earlier, later in pairwise(samples))
    assert all(earlier.t_us < later.t_us for earlier, later in pairwise(samples))
    assert all(later.seq - earlier.seq == later.lost_before + 1 for earlier, later in pairwise(samples))


@given(st.binary(max_size=400))
def test_no_bytes_at_all_make_the_link_raise(noise: bytes) -> None:
    table = Table()
    link = opened(table)

    link.receive(noise)
    events = link.receive(b"\0" + table.sample())

    assert seqs(events) == [0]
