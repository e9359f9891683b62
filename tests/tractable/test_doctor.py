"""`tractable doctor`: what is in order, what is not and what to do, for people and for programs."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def port() -> Iterator[Path]:
    """A serial port that is there."""
    table_end, computer_end = os.openpty()
    yield Path(os.ttyname(computer_end))
    os.close(table_end)
    os.close(computer_end)


def checks(said) -> dict[str, dict]:
    return {check["name"]: check for check in json.loads(said.out)["checks"]}


def failed(said) -> set[str]:
    """What is not in order, but for the timer: that is not, where the computer is busy with other tests."""
    return {name for name, check in checks(said).items() if check["ok"] is False} - {"timer"}


def timer_is_late(said) -> bool:
    return checks(said)["timer"]["ok"] is False


def test_where_all_is_in_order_the_exit_code_is_0(tractable, port):
    said = tractable("doctor", "--json", "--port", port)

    assert failed(said) == set()
    assert said.code == (1 if timer_is_late(said) else 0)
    assert set(checks(said)) == {"port", "broker", "disk", "clock", "timer", "calibration", "limits", "key"}


@pytest.mark.parametrize(("name", "advice"), [("nowhere", "plug in the table"), ("data", "is not a serial port")])
def test_only_a_missing_port_is_exit_3(tractable, account, name, advice):
    said = tractable("doctor", "--json", "--port", account / name)

    assert failed(said) == {"port"}
    assert said.code == (1 if timer_is_late(said) else 3)
    assert advice in checks(said)["port"]["finding"]


def test_a_folder_that_cannot_hold_records_is_exit_1(tractable, port, settings_file, account):
    (account / "taken").write_text("a file, and no folder")
    settings_file(f'data_folder = "{account}/taken"')

    said = tractable("doctor", "--json", "--port", port)

    assert said.code == 1
    assert failed(said) == {"disk"}
    assert f"{account}/taken" in checks(said)["disk"]["finding"]


def test_a_broker_that_does_not_answer_is_exit_1_and_said_not_to_matter_for_therapy(tractable, port, settings_file):
    settings_file('broker_url = "mqtt://127.0.0.1:9"')

    said = tractable("doctor", "--json", "--port", port)

    assert said.code == 1
    assert "127.0.0.1:9" in checks(said)["broker"]["finding"]
    assert "Therapy works without it" in checks(said)["broker"]["finding"]


def test_people_see_the_same_with_paths_as_they_are(tractable, account):
    said = tractable("doctor", "--port", account / "a[/b]:smile:")

    assert said.code in (1, 3)
    assert f"{account}/a[/b]:smile: is not there" in said.out
    assert "NOT OK" in said.out
    assert "site_ceiling" in said.out
