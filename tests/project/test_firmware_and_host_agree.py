"""The firmware stands alone, and means the same by every number as the host does. The two were written apart."""

import ast
from pathlib import Path

import pytest

from firmware import limits as firmware_limits
from firmware import messages as firmware
from firmware_bridge import messages as bridge
from safety import limits, motion

FIRMWARE_MAY_IMPORT = {"struct", "binascii", "micropython", "firmware"}
# The board itself, and the program of its encoder: what they import is a Pico's own.
BOARD = {"board_pico.py": {"machine", "time", "os", "gc", "rp2"}, "quadrature_pio.py": {"rp2"}}
# The firmware's names for what the host calls otherwise: it has no enumerations, so its names must not clash.
OTHERWISE_CALLED: dict[type, dict[str, str]] = {
    bridge.IdentityFlag: {"SIMULATED": "FLAG_SIMULATED", "SERVICE_JUMPER_CLOSED": "FLAG_SERVICE_JUMPER"},
    bridge.Status: {"PATIENT_SWITCH_CONNECTED": "SWITCH_CONNECTED", "PATIENT_SWITCH_PRESSED": "SWITCH_PRESSED"},
    bridge.NakReason: {
        "TRIPPED": "IS_TRIPPED",
        "RELEASING": "IS_RELEASING",
        "CALIBRATION_DOES_NOT_MATCH": "CALIBRATION_DIFFERS",
        "PATIENT_SWITCH_NOT_CONNECTED_OR_PRESSED": "SWITCH_NOT_READY",
        "SERVICE_JUMPER_OPEN": "JUMPER_OPEN",
        "EMERGENCY_STOP": "EMERGENCY_STOP_ACTIVE",
    },
    bridge.TripCause: {
        "CHANNEL_OUT_OF_RANGE": "CHANNEL_RANGE",
        "MOVEMENT_NOT_AS_COMMANDED": "NOT_AS_COMMANDED",
        "PATIENT_SWITCH_PRESSED": "PATIENT_PRESSED",
        "PATIENT_SWITCH_UNPLUGGED": "PATIENT_UNPLUGGED",
        "EMERGENCY_STOP": "EMERGENCY_STOPPED",
        "DRIVE_FAULT": "DRIVE_FAILED",
    },
    bridge.ReleaseProfile: {},
    bridge.MessageType: {},
}
# What never crosses the line: inputs of the board, a mask of inputs, and the release that takes the drive's power.
FIRMWARE_ONLY = {"DRIVE_FAULT", "SELF_TEST_FAILED", "INPUTS_SENT", "CUT"}


def names(enumeration: type) -> dict[str, int]:
    """The firmware's name for each member, with the host's number."""
    called = OTHERWISE_CALLED[enumeration]
    return {called.get(member.name, member.name): int(member) for member in enumeration}


@pytest.mark.parametrize("enumeration", OTHERWISE_CALLED, ids=lambda each: each.__name__)
def test_every_number_of_the_host_s_is_the_firmware_s(enumeration):
    assert {name: getattr(firmware, name, None) for name in names(enumeration)} == names(enumeration)


def test_the_firmware_has_no_number_that_the_host_does_not_know():
    numbers = {name for name, value in vars(firmware).items() if name.isupper() and isinstance(value, int)}

    known = {name for enumeration in OTHERWISE_CALLED for name in names(enumeration)}
    assert numbers - known == FIRMWARE_ONLY | {"PROTOCOL"}
    assert firmware.PROTOCOL == bridge.PROTOCOL


def test_the_three_lists_of_release_profiles_are_one():
    profiles = {profile.name: profile.value for profile in motion.ReleaseProfile}

    assert profiles == {profile.name: profile.value for profile in bridge.ReleaseProfile}
    assert profiles == {name: getattr(firmware, name) for name in profiles}
    assert len(profiles) == len(firmware_limits.RELEASE_MN_S)
    assert list(firmware_limits.RELEASE_MN_S) == sorted(firmware_limits.RELEASE_MN_S)  # a larger number is faster


def test_every_type_of_message_has_a_layout_on_the_side_that_reads_it():
    from_host = {kind.value for kind in bridge.MessageType if kind < 0x80}
    from_device = {kind.value for kind in bridge.MessageType if kind >= 0x80}

    assert set(firmware.FROM_HOST) == from_host
    assert set(firmware.FROM_DEVICE) == from_device


def test_limits_that_stand_on_both_sides_are_the_same():
    assert firmware_limits.RAW_MISSING == bridge.RAW_MISSING
    assert firmware_limits.CEILING_MN == limits.SITE_CEILING_MAX_MN
    assert firmware_limits.SLACK_MN == limits.SLACK_MN
    assert firmware_limits.PULL_UM_S == limits.PULL_MAX_UM_S
    assert firmware_limits.TAKE_UP_UM_S == limits.TAKE_UP_MAX_UM_S
    assert firmware_limits.LEASE_MS_MAX == limits.LEASE_MS_MAX
    assert firmware_limits.SESSION_S == limits.DEVICE_SESSION_S_MAX


def test_the_firmware_imports_what_a_microcontroller_has_and_itself(repository):
    files = sorted((repository / "firmware").rglob("*.py"))

    imported = {name: path.name for path in files for name in roots(path) - BOARD.get(path.name, set())}

    assert len(files) > 10
    assert {name: where for name, where in imported.items() if name not in FIRMWARE_MAY_IMPORT} == {}


def roots(path: Path) -> set[str]:
    """The packages that a module imports, wherever in it; a relative import is not one that the firmware has."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add("." * node.level or str(node.module).split(".")[0])
        elif isinstance(node, ast.Call) and getattr(node.func, "id", None) == "__import__":
            found.add("__import__")
    return found
