"""The alarm catalogue: every alarm a person can see, in one place, as data.

Priorities, latching and texts follow IEC 60601-1-8's scheme. The documentation is made from this table.
"""

from dataclasses import dataclass
from enum import Enum


class Priority(Enum):
    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"


class AlarmId(Enum):
    A01 = "A01"
    A02 = "A02"
    A03 = "A03"
    A04 = "A04"
    A05 = "A05"
    A06 = "A06"
    A07 = "A07"
    A08 = "A08"
    A09 = "A09"
    A10 = "A10"
    A11 = "A11"
    A12 = "A12"
    A13 = "A13"
    A14 = "A14"
    A15 = "A15"
    A16 = "A16"
    A18 = "A18"
    A20 = "A20"
    A21 = "A21"
    A22 = "A22"
    A24 = "A24"
    A25 = "A25"
    A26 = "A26"
    A27 = "A27"
    A28 = "A28"
    A29 = "A29"
    A30 = "A30"
    A34 = "A34"
    A35 = "A35"
    A36 = "A36"
    A37 = "A37"
    A38 = "A38"
    A40 = "A40"
    A41 = "A41"
    A42 = "A42"
    A45 = "A45"
    A46 = "A46"


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm: what is shown, and the first thing to do about it."""

    id: AlarmId
    priority: Priority
    latches: bool
    shown: str
    what_to_do: str


_HIGH, _MEDIUM, _LOW = Priority.HIGH, Priority.MEDIUM, Priority.LOW

_ROWS: tuple[Alarm, ...] = (
    Alarm(AlarmId.A01, _HIGH, True, "FORCE TOO HIGH - RELEASING", "Stay with the patient until the cable is slack."),
    Alarm(
        AlarmId.A02,
        _HIGH,
        True,
        "FORCE ABOVE PRESCRIPTION - RELEASING",
        "Stay with the patient until the cable is slack; ask whether they moved.",
    ),
    Alarm(AlarmId.A03, _LOW, False, "Force moved briefly", "Nothing: the pull goes on."),
    Alarm(
        AlarmId.A04,
        _HIGH,
        True,
        "DRIVE RUNNING BY ITSELF - POWER CUT",
        "Pull the red release if the cable is not slack, and call a technician.",
    ),
    Alarm(
        AlarmId.A05,
        _HIGH,
        True,
        "FORCE SENSOR FAILED - RELEASING BLIND",
        "Watch the cable until it hangs loose, and call a technician.",
    ),
    Alarm(
        AlarmId.A06,
        _HIGH,
        True,
        "FORCE READING FROZEN - RELEASING",
        "Watch the cable until it hangs loose, and call a technician.",
    ),
    Alarm(
        AlarmId.A07,
        _HIGH,
        True,
        "TWO FORCE READINGS DIFFER - RELEASING",
        "Watch the cable until it hangs loose, and call a technician.",
    ),
    Alarm(AlarmId.A08, _HIGH, True, "CABLE OR HARNESS LET GO", "Check the patient, then the cable and the harness."),
    Alarm(
        AlarmId.A09,
        _MEDIUM,
        True,
        "TOO MUCH TRAVEL - RELEASING",
        "Check that the harness has not slipped; shorten the cable before the next session.",
    ),
    Alarm(AlarmId.A10, _HIGH, True, "PATIENT PRESSED STOP - RELEASING FAST", "Ask the patient how they feel."),
    Alarm(
        AlarmId.A11,
        _HIGH,
        True,
        "PATIENT STOP NOT WORKING",
        "Plug in the patient's switch. Nothing pulls without it.",
    ),
    Alarm(
        AlarmId.A12,
        _HIGH,
        True,
        "EMERGENCY STOP",
        "Turn the emergency stop to let it spring back, once the reason is gone.",
    ),
    Alarm(
        AlarmId.A13,
        _HIGH,
        True,
        "CONTACT WITH TABLE LOST - TABLE IS RELEASING ITSELF",
        "Stay with the patient until the cable is slack; check the cable to the table.",
    ),
    Alarm(AlarmId.A14, _MEDIUM, False, "Table data late - pull paused", "If it stays, stop and check the cable."),
    Alarm(AlarmId.A15, _LOW, False, "Noise on the line", "Nothing now; have the cable checked after the session."),
    Alarm(
        AlarmId.A16,
        _HIGH,
        True,
        "CONTROLLER STOPPED - TABLE IS RELEASING ITSELF",
        "Stay with the patient until the cable is slack; the computer's log says why.",
    ),
    Alarm(
        AlarmId.A18,
        _HIGH,
        True,
        "TABLE ELECTRONICS RESTARTED",
        "Pull the red release if the cable is not slack, and call a technician.",
    ),
    Alarm(AlarmId.A20, _HIGH, True, "DRIVE FAULT - RELEASING", "Stay with the patient, and call a technician."),
    Alarm(AlarmId.A21, _HIGH, True, "STILL UNDER LOAD - PULL THE RED RELEASE", "Pull the red quick-release now."),
    Alarm(
        AlarmId.A22,
        _HIGH,
        True,
        "POWER LOST - CABLE IS LETTING GO SLOWLY",
        "Stay with the patient; pull the red release to be quicker.",
    ),
    Alarm(AlarmId.A24, _HIGH, True, "TIME OVER - RELEASING", "Stay with the patient until the cable is slack."),
    Alarm(AlarmId.A25, _LOW, False, "Session ends in 1 minute", "Be with the patient at the end."),
    Alarm(
        AlarmId.A26,
        _MEDIUM,
        True,
        "Patient not in the harness? - released",
        "Check the harness, then begin a new session.",
    ),
    Alarm(
        AlarmId.A27,
        _MEDIUM,
        False,
        "Zero refused: cable loaded or moving",
        "Slacken the cable, let it hang still, and try again.",
    ),
    Alarm(AlarmId.A28, _MEDIUM, False, "Calibration expired - start blocked", "Have the table calibrated."),
    Alarm(
        AlarmId.A29,
        _HIGH,
        True,
        "CALIBRATION DOES NOT FIT - TABLE LOCKED",
        "Call a technician: the table and the computer hold different calibrations.",
    ),
    Alarm(AlarmId.A30, _MEDIUM, False, "Prescription refused", "Correct what the refusal names."),
    Alarm(AlarmId.A34, _LOW, False, "Remote view offline - therapy not affected", "Nothing at the table."),
    Alarm(AlarmId.A35, _MEDIUM, False, "NO LIVE DATA (value removed)", "Look at the table itself, not at this screen."),
    Alarm(AlarmId.A36, _MEDIUM, False, "Not enough space - start blocked", "Free 200 MB where sessions are stored."),
    Alarm(
        AlarmId.A37,
        _MEDIUM,
        True,
        "RECORDING FAILED - keeping in memory",
        "Finish the session; free space or reconnect the disk before the computer is switched off.",
    ),
    Alarm(AlarmId.A38, _MEDIUM, True, "RECORDS MAY BE ALTERED", "Keep the file as it is and tell the administrator."),
    Alarm(AlarmId.A40, _LOW, False, "Clock changed", "Nothing: the session runs on the table's own clock."),
    Alarm(
        AlarmId.A41,
        _MEDIUM,
        True,
        "Cable moves but force does not - released",
        "Check that the harness is hooked in and does not slip.",
    ),
    Alarm(
        AlarmId.A42,
        _MEDIUM,
        True,
        "Table and computer do not match - locked",
        "Call a technician: versions or limits differ, or a second program wants the table.",
    ),
    Alarm(
        AlarmId.A45,
        _HIGH,
        True,
        "SOFTWARE FAULT CAUGHT - RELEASING",
        "Stay with the patient until the cable is slack; do not use the table until it was looked at.",
    ),
    Alarm(AlarmId.A46, _LOW, False, "Force signal noisy", "Nothing now; have the load cell's cable checked."),
)

CATALOGUE: dict[AlarmId, Alarm] = {alarm.id: alarm for alarm in _ROWS}

# The device's trip causes (the serial protocol's numbers) and the alarm that each one raises. Cause 3, a lease
# that ended, is A13 here; where the host itself had stalled or restarted, whoever knows that raises A16.
ALARM_OF_TRIP_CAUSE: dict[int, AlarmId] = {
    1: AlarmId.A01,
    2: AlarmId.A01,
    3: AlarmId.A13,
    4: AlarmId.A05,
    5: AlarmId.A06,
    6: AlarmId.A07,
    7: AlarmId.A04,
    8: AlarmId.A09,
    9: AlarmId.A10,
    10: AlarmId.A11,
    11: AlarmId.A12,
    12: AlarmId.A24,
    13: AlarmId.A08,
    14: AlarmId.A20,
    15: AlarmId.A22,
    16: AlarmId.A18,
    17: AlarmId.A21,
    18: AlarmId.A42,
    19: AlarmId.A01,
}
