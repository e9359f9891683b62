"""Asking the controller over a real Unix socket: done, refused, unreachable, unknown."""

import time

import pytest

from dashboard.config import DashboardConfig
from dashboard.control_client import ControlClient, Outcome


@pytest.fixture
def client(config: DashboardConfig) -> ControlClient:
    return ControlClient(config.control_socket, "clinician", config.reply_within_s)


async def test_a_stop_carries_no_session_and_is_reported_done(client, controller) -> None:
    answer = await client.stop()

    assert answer.outcome is Outcome.DONE
    assert answer.sentence == "Letting go at 20 N/s."
    assert controller.asked[0]["do"] == "stop"
    assert set(controller.asked[0]) == {"do", "id", "actor"}


async def test_a_start_expires_when_its_answer_is_no_longer_awaited(client, controller) -> None:
    before_us = time.monotonic_ns() // 1000

    await client.start({"patient": {}}, ("harness",), 300_000)

    asked = controller.asked[0]
    assert before_us + 200_000 <= asked["expires_us"] <= time.monotonic_ns() // 1000 + 200_000
    assert asked["confirmed_mn"] == 300_000


async def test_no_reply_in_time_is_unknown_and_sends_people_to_the_table(client, controller) -> None:
    controller.silent = True

    answer = await client.stop()

    assert answer.outcome is Outcome.UNKNOWN
    assert "Look at the table" in answer.sentence


@pytest.mark.parametrize("line", [b"\n", b"not json\n", b'{"id":"another-one","outcome":"done"}\n', b"x" * 70_000])
async def test_a_reply_that_cannot_be_read_is_unknown(client, controller, line: bytes) -> None:
    controller.raw_reply = line

    answer = await client.stop()

    assert answer.outcome is Outcome.UNKNOWN


async def test_a_refusal_is_passed_on_in_the_controllers_words(client, controller) -> None:
    controller.reply = {"outcome": "refused", "reason": "Slacken the cable and run the zero check first."}

    answer = await client.acknowledge("A10")

    assert answer.outcome is Outcome.REFUSED
    assert answer.sentence == "Slacken the cable and run the zero check first."


async def test_a_controller_that_is_not_there_was_not_asked(client) -> None:
    answer = await client.stop()

    assert answer.outcome is Outcome.UNREACHABLE
    assert "not done" in answer.sentence
