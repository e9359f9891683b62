"""The catalogue is the table that was decided, word by word, and every trip of the device has its alarm."""

import tomllib
from pathlib import Path

from firmware_bridge.messages import TripCause
from safety.alarms import ALARM_OF_TRIP_CAUSE, CATALOGUE, AlarmId

DECIDED = tomllib.loads((Path(__file__).parent / "alarms.toml").read_text(encoding="utf-8"))


def test_the_catalogue_is_what_was_decided() -> None:
    catalogue = {
        alarm.id.value: {"priority": alarm.priority.value, "latches": alarm.latches, "shown": alarm.shown}
        for alarm in CATALOGUE.values()
    }

    assert catalogue == DECIDED["alarms"]


def test_every_alarm_is_there_once_and_says_what_to_do() -> None:
    assert list(CATALOGUE) == list(AlarmId)
    assert all(identity is alarm.id for identity, alarm in CATALOGUE.items())
    assert all(alarm.what_to_do.endswith((".", "!")) for alarm in CATALOGUE.values())


def test_every_high_alarm_latches() -> None:
    assert all(alarm.latches for alarm in CATALOGUE.values() if alarm.priority.value == "HIGH")


def test_every_trip_cause_of_the_device_has_its_alarm() -> None:
    mapped = {str(cause): alarm.value for cause, alarm in ALARM_OF_TRIP_CAUSE.items()}

    assert mapped == DECIDED["causes"]
    assert sorted(ALARM_OF_TRIP_CAUSE) == sorted(int(cause) for cause in TripCause) == list(range(1, 20))
