"""Any process may die: the pull outlives the viewers, and the table lets go by itself when the controller does not."""

import signal
from typing import Any

import pytest

from recorder.reading import open_session
from recorder.verification import verify

pytestmark = pytest.mark.timeout(180)

SLACK_WITHIN_S = 7.5


def test_a_pull_is_unharmed_when_broker_and_dashboard_are_killed(running: Any) -> None:
    session_id = running.hold("100 N")

    running.signal("broker", signal.SIGKILL)
    running.signal("dashboard", signal.SIGKILL)
    before = running.status()[0].at_force_s
    running.wait_until(lambda: running.status()[0].at_force_s >= before + 6, 15)

    state, force_mn = running.status()
    assert state.phase == "holding"
    assert force_mn is not None
    assert abs(force_mn - 100_000) < 2_000
    running.wait_until(lambda: "A34" in {alarm.id for alarm in running.status()[0].alarms}, 10)
    running.stop()
    running.wait_until(lambda: running.status()[0].phase == "ended", 20)
    with open_session(running.stack.session_file(session_id)) as session:
        assert session.gaps() == []
        assert {event.data.get("alarm") for event in session.events() if event.kind == "alarm"} <= {"A34", "A14", "A03"}


def test_the_table_lets_go_by_itself_when_the_controller_is_killed(running: Any) -> None:
    session_id = running.hold("200 N")

    running.signal("table", signal.SIGKILL)
    took_s = running.wait_until_slack(SLACK_WITHIN_S)

    path = running.stack.session_file(session_id)
    found = verify(path)
    assert found.state == "interrupted", found.finding
    with open_session(path) as session:
        assert session.sample_count > 1_000
        assert session.gaps() == []
    print(f"slack {took_s:.1f} s after kill -9")


def test_a_controller_that_was_frozen_pulls_no_more_when_it_goes_on(running: Any) -> None:
    session_id = running.hold("200 N")

    running.signal("table", signal.SIGSTOP)
    took_s = running.wait_until_slack(SLACK_WITHIN_S)
    cable_um = running.truth()["cable_um"]
    running.signal("table", signal.SIGCONT)

    running.wait_until(lambda: running.status()[0].phase == "tripped", 5)
    state, _ = running.status()
    assert [alarm.id for alarm in state.alarms if alarm.root] == ["A16"]
    assert running.truth()["cable_um"] <= cable_um  # paid out, and nothing wound in again
    running.wait_until(lambda: running.acknowledge("A16").outcome.value == "done", 15)
    running.wait_until(lambda: running.status()[0].phase == "idle", 10)
    assert verify(running.stack.session_file(session_id)).state in ("whole", "interrupted")
    print(f"slack {took_s:.1f} s after SIGSTOP")


def test_the_next_controller_confirms_that_the_one_before_stopped_under_load(running: Any) -> None:
    running.hold("100 N")
    running.supervisor.keep_running()

    running.signal("table", signal.SIGKILL)

    running.wait_until(lambda: _root_alarm(running) == "A16", 20)
    assert running.truth()["force_mn"] <= 15_000 or running.wait_until_slack(SLACK_WITHIN_S)


def _root_alarm(running: Any) -> str | None:
    try:
        state, _ = running.status()
    except AssertionError:
        return None  # it is not up again yet
    return next((alarm.id for alarm in state.alarms if alarm.root), None)
