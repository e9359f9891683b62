"""The feed: what it keeps, what it sends to whom, and what it forgets."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest

from controller.messages import PhaseName
from dashboard import feed as feed_module
from dashboard.feed import Feed, TooManyViewers
from dashboard.history import History, KeptBatch
from dashboard.viewer import WAITING_MESSAGES_MAX, Viewer


async def waiting(viewer: Viewer) -> list[dict[str, Any]]:
    """Everything that waits for a viewer now, without its greeting."""
    messages = []
    while True:
        try:
            async with asyncio.timeout(0.01):
                messages.append(json.loads(await viewer.next_message()))
        except TimeoutError:
            return messages


def greeted(viewer: Viewer, kind: str) -> list[dict[str, Any]]:
    messages = [json.loads(text) for text in viewer.greeting]
    return [message for message in messages if message["kind"] == kind]


def missed_seqs(viewer: Viewer) -> list[int]:
    return [one["batch"]["first_seq"] for part in greeted(viewer, "missed") for one in part["batches"]]


def test_a_page_that_comes_back_gets_exactly_what_it_missed(feed, payloads) -> None:
    for first_seq in range(0, 320, 32):
        feed.take_batch(payloads.batch(first_seq))

    viewer = feed.attach(since=223, run="run-1")

    assert missed_seqs(viewer) == [224, 256, 288]
    assert greeted(viewer, "hello")[0]["resumed"] is True


def test_a_page_that_saw_half_a_batch_gets_that_batch_again(feed, payloads) -> None:
    feed.take_batch(payloads.batch(0))
    feed.take_batch(payloads.batch(32))

    viewer = feed.attach(since=40, run="run-1")

    assert missed_seqs(viewer) == [32]


def test_a_page_of_another_run_gets_a_new_beginning(feed, payloads) -> None:
    feed.take_batch(payloads.batch(0))
    feed.take_batch(payloads.batch(32))

    viewer = feed.attach(since=40, run="run-before")

    assert missed_seqs(viewer) == [0, 32]
    assert greeted(viewer, "hello")[0]["resumed"] is False


def test_a_page_that_opens_gets_the_two_minutes_that_it_can_draw(feed, payloads, clock) -> None:
    for first_seq in range(0, 32 * 1_500, 32):
        feed.take_batch(payloads.batch(first_seq))
        clock.pass_s(0.1)

    seqs = missed_seqs(feed.attach())

    assert 1_190 <= len(seqs) <= 1_200
    assert seqs[-1] == 32 * 1_499


def test_keeps_thirty_minutes_and_no_more() -> None:
    history = History()

    for second in range(2_000):
        history.keep(KeptBatch(second, float(second), "{}"))

    assert len(history) == 1_801
    assert history.newest == KeptBatch(1_999, 1_999.0, "{}")


def test_keeps_no_more_bytes_than_it_may() -> None:
    history = History(bytes_max=1_000)

    for number in range(100):
        history.keep(KeptBatch(number, number / 100, "x" * 90))

    assert len(history) == 11


def test_a_new_run_clears_what_the_run_before_it_said(feed, payloads, clock) -> None:
    feed.take_state(payloads.state(), retained=False)
    feed.take_batch(payloads.batch(0))
    feed.take_event(payloads.event(1))
    clock.pass_s(1.0)

    feed.take_batch(payloads.batch(0, run="run-2"))

    viewer = feed.attach()
    assert missed_seqs(viewer) == [0]
    assert greeted(viewer, "state")[0]["state"] is None
    assert greeted(viewer, "events")[0]["events"] == []


def test_a_run_that_nobody_heard_of_does_not_take_the_place_of_one_that_is_heard(feed, payloads, clock) -> None:
    feed.take_batch(payloads.batch(0))

    feed.take_batch(payloads.batch(0, run="stale"))
    feed.take_state(payloads.state(run="stale"), retained=False)
    feed.take_event(payloads.event(1, run="stale"))
    clock.pass_s(0.1)
    feed.take_batch(payloads.batch(32))

    assert feed.run == "run-1"
    assert feed.outdated == 3
    assert missed_seqs(feed.attach()) == [0, 32]


def test_a_late_word_of_a_run_that_is_over_is_ignored(feed, payloads, clock) -> None:
    feed.take_batch(payloads.batch(0))
    clock.pass_s(1.0)
    feed.take_batch(payloads.batch(0, run="run-2"))

    feed.take_batch(payloads.batch(32, run="run-1"))

    assert feed.run == "run-2"
    assert feed.outdated == 1


def test_a_device_that_restarted_begins_anew_and_the_page_is_told(feed, payloads) -> None:
    feed.take_batch(payloads.batch(3_200))

    feed.take_batch(payloads.batch(0))

    batches = greeted(feed.attach(), "missed")[0]["batches"]
    assert [(one["batch"]["first_seq"], one["restarted"]) for one in batches] == [(0, True)]


def test_a_table_whose_numbers_begin_anew_is_heard_though_its_clock_went_on(feed, payloads) -> None:
    feed.take_batch(payloads.batch(3_200))

    feed.take_batch(payloads.batch(0, t_us=[11_000_000 + 3_125 * i for i in range(32)]))

    batches = greeted(feed.attach(), "missed")[0]["batches"]
    assert [(one["batch"]["first_seq"], one["restarted"]) for one in batches] == [(0, True)]


def test_a_table_whose_clock_went_round_is_heard_when_nothing_else_comes(feed, payloads, clock) -> None:
    feed.take_batch(payloads.batch(3_200_000))
    round_us = [3_200_000 * 3_125 - 2**32 + 3_125 * i for i in range(32)]

    clock.pass_s(1.9)
    feed.take_batch(payloads.batch(0, t_us=round_us))
    before = missed_seqs(feed.attach())
    clock.pass_s(0.2)
    feed.take_batch(payloads.batch(32, t_us=[at_us + 200_000 for at_us in round_us]))

    assert before == [3_200_000]
    assert missed_seqs(feed.attach()) == [32]


def test_the_same_samples_twice_are_sent_once(feed, payloads, clock) -> None:
    feed.take_batch(payloads.batch(0))
    feed.take_batch(payloads.batch(0))
    clock.pass_s(5.0)
    feed.take_batch(payloads.batch(0))

    assert missed_seqs(feed.attach()) == [0]


def test_a_batch_that_others_overtook_is_left_out_and_takes_nothing_away(feed, payloads, clock) -> None:
    clock.pass_s(100.0)
    for first_seq in (3_200, 3_232, 3_296):
        feed.take_batch(payloads.batch(first_seq))
        clock.pass_s(0.1)

    feed.take_batch(payloads.batch(3_264))

    assert missed_seqs(feed.attach()) == [3_200, 3_232, 3_296]
    assert feed.outdated == 1


def test_after_an_outage_what_waited_is_not_taken_for_a_restart_in_whatever_order_it_comes(
    feed, payloads, clock
) -> None:
    feed.take_batch(payloads.batch(9_600))
    clock.pass_s(12.0)

    for first_seq, age_us in ((11_200, 7_000_000), (10_240, 10_000_000), (12_800, 2_000_000), (11_520, 6_000_000)):
        feed.take_batch(payloads.batch(first_seq, age_us=age_us))

    assert missed_seqs(feed.attach()) == [9_600, 11_200, 12_800]
    assert feed.outdated == 2


def test_a_state_that_another_overtook_is_left_out(feed, payloads, clock) -> None:
    earlier = payloads.state(phase=PhaseName.RAMPING)
    clock.pass_s(0.5)
    feed.take_state(payloads.state(phase=PhaseName.HOLDING), retained=False)

    feed.take_state(earlier, retained=False)

    assert feed.snapshot()["state"]["phase"] == "holding"


def test_a_state_is_believed_though_its_senders_wall_clock_was_set_back(feed, payloads, clock) -> None:
    feed.take_state(payloads.state(phase=PhaseName.RAMPING), retained=False)
    hour = timedelta(hours=1)

    set_back = payloads.state(sent=clock.wall() - hour, valid_until=clock.wall() - hour + timedelta(seconds=3))
    feed.take_state(set_back, retained=False)

    assert feed.snapshot()["state"]["phase"] == "holding"


def test_an_event_delivered_twice_happened_once(feed, payloads) -> None:
    feed.take_event(payloads.event(1))
    feed.take_event(payloads.event(1))

    assert len(greeted(feed.attach(), "events")[0]["events"]) == 1


async def test_a_batch_is_encoded_once_for_all(feed, payloads) -> None:
    feed.take_batch(payloads.batch(0))
    one, other = feed.attach(), feed.attach()

    feed.take_batch(payloads.batch(32))

    assert await one.next_message() is await other.next_message()


async def test_a_viewer_that_stalls_is_let_go_and_the_others_miss_nothing(feed, payloads) -> None:
    feed.take_batch(payloads.batch(0))
    stalled, other = feed.attach(), feed.attach()
    seen = []

    for number in range(1, WAITING_MESSAGES_MAX + 10):
        feed.take_batch(payloads.batch(32 * number))
        seen.append(json.loads(await other.next_message())["batch"]["first_seq"])

    assert stalled.stalled.is_set()
    assert not other.stalled.is_set()
    assert seen == [32 * number for number in range(1, WAITING_MESSAGES_MAX + 10)]
    assert feed.snapshot()["viewers"] == 1


def test_refuses_more_viewers_than_it_can_serve(feed, monkeypatch) -> None:
    monkeypatch.setattr(feed_module, "VIEWERS_MAX", 1)
    feed.attach()

    with pytest.raises(TooManyViewers):
        feed.attach()


async def test_a_state_past_its_time_is_taken_back(feed, payloads, clock) -> None:
    feed.take_state(payloads.state(phase=PhaseName.IDLE), retained=False)
    viewer = feed.attach()

    clock.pass_s(3.0)
    feed.tick()

    assert [(one["kind"], one.get("state")) for one in await waiting(viewer)] == [("state", None)]
    assert feed.snapshot()["state"] is None


def test_a_retained_state_of_yesterday_is_not_shown(feed, payloads, clock) -> None:
    old = payloads.state()
    clock.pass_s(86_400)

    feed.take_state(old, retained=True)

    assert feed.snapshot()["state"] is None
    assert feed.run is None


def test_a_state_that_claims_to_hold_for_ever_holds_three_seconds(feed, payloads, clock) -> None:
    feed.take_state(payloads.state(valid_until=clock.wall() + timedelta(days=1)), retained=False)

    clock.pass_s(3.0)
    feed.tick()

    assert feed.snapshot()["state"] is None


def test_another_computers_wall_clock_does_not_hide_a_state_that_just_came(feed, payloads, clock) -> None:
    hours = timedelta(hours=2)
    slow = payloads.state(sent=clock.wall() - hours, valid_until=clock.wall() - hours + timedelta(seconds=3))

    feed.take_state(slow, retained=False)

    assert feed.snapshot()["state"] is not None


def alarms(feed: Feed) -> list[str]:
    raised = feed.snapshot()["alarms"]
    assert isinstance(raised, list)
    return [alarm["id"] for alarm in raised]


def test_silence_under_load_raises_controller_stopped_after_400_ms(feed, payloads, clock) -> None:
    feed.take_state(payloads.state(phase=PhaseName.RAMPING), retained=False)
    feed.take_batch(payloads.batch(0))

    clock.pass_s(0.39)
    feed.broker_answered()
    before = alarms(feed)
    clock.pass_s(0.02)
    feed.tick()

    assert before == []
    assert alarms(feed) == ["A16"]


def test_controller_stopped_stays_when_its_last_state_has_run_out(feed, payloads, clock) -> None:
    feed.take_state(payloads.state(phase=PhaseName.RAMPING), retained=False)
    feed.take_batch(payloads.batch(0))

    clock.pass_s(10)
    feed.broker_answered()

    assert alarms(feed) == ["A16"]


def test_silence_at_rest_is_no_alarm(feed, payloads, clock) -> None:
    feed.take_state(payloads.state(phase=PhaseName.IDLE), retained=False)
    feed.take_batch(payloads.batch(0))

    clock.pass_s(1.0)
    feed.broker_answered()

    assert alarms(feed) == []


def test_a_controller_that_says_it_lost_the_table_is_not_called_stopped(feed, payloads, clock) -> None:
    feed.take_state(payloads.state(), retained=False)
    feed.take_batch(payloads.batch(0))

    clock.pass_s(0.3)
    feed.take_state(payloads.state(connected=False), retained=False)
    clock.pass_s(0.3)
    feed.broker_answered()

    assert alarms(feed) == []


def test_silence_of_a_broker_that_does_not_answer_says_nothing_of_the_controller(feed, payloads, clock) -> None:
    feed.take_state(payloads.state(), retained=False)
    feed.broker_answered()
    feed.take_batch(payloads.batch(0))

    clock.pass_s(1.0)
    feed.tick()

    assert alarms(feed) == []


def test_a_broker_that_is_gone_is_remote_view_offline_and_not_a_stopped_controller(feed, payloads, clock) -> None:
    feed.take_state(payloads.state(), retained=False)
    feed.take_batch(payloads.batch(0))

    feed.broker_is(connected=False)
    clock.pass_s(1.0)
    feed.tick()

    assert alarms(feed) == ["A34"]


def test_a_batch_held_up_on_its_way_is_known_to_be_old(feed, payloads, clock) -> None:
    feed.take_batch(payloads.batch(0))

    clock.pass_s(5.0)  # and yet it holds the next tenth of a second, and says that it is fresh
    feed.take_batch(payloads.batch(32))

    age_ms = feed.snapshot()["newest_sample_age_ms"]
    assert 4_800 <= age_ms <= 5_000


def test_a_device_whose_clock_stood_still_is_believed_again_after_ten_seconds(feed, payloads, clock) -> None:
    feed.take_batch(payloads.batch(0))
    clock.pass_s(5.0)  # in which its clock did not move

    for number in range(1, 110):
        feed.take_batch(payloads.batch(32 * number))
        clock.pass_s(0.1)

    assert feed.snapshot()["newest_sample_age_ms"] <= 110
