"""`tractable session run` that does not come to a pull: why is on stderr, and the exit code tells which kind it was."""

import fcntl
import os
import tty
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from firmware_bridge.framing import FrameDecoder, encode_frame
from firmware_bridge.messages import PROTOCOL, Hello, Identity, IdentityFlag

BROKEN = {
    "too much for the site": (("100 N", "301 N"), "more than this site allows"),
    "more than half the body weight": (('"80 kg"', '"40 kg"'), ("100 N", "200 N"), "more than half of the body weight"),
    "no unit": (("100 N", "100"), "pull.force"),
    "not a number": (("100 N", "nan N"), "pull.force"),
    "no such mode": (('"static"', '"jerking"'), "pull.mode: use one of static, intermittent"),
    "a misspelt field": (("time_at_force", "time_at_froce"), "there is no such field"),
    "a name for a pseudonym": (("K7-2F41", "Jane Doe"), "never a name"),
    "nobody prescribed it": (('by = "clinician"', ""), "prescribed.by: is missing"),
    "not TOML": (("[pull]", "[pull"), "is not TOML"),
}


@dataclass(frozen=True)
class Port:
    """A port as the table's end and the computer's path sees it."""

    table_end: int
    path: Path


@pytest.fixture
def port() -> Iterator[Port]:
    """A serial port with something on it; the test says what that answers."""
    table_end, computer_end = os.openpty()
    tty.setraw(computer_end)
    os.set_blocking(table_end, False)
    try:
        yield Port(table_end, Path(os.ttyname(computer_end)))
    finally:
        os.close(table_end)
        os.close(computer_end)


def heard(port: Port) -> bytes:
    try:
        return os.read(port.table_end, 4096)
    except BlockingIOError:
        return b""


@pytest.mark.parametrize("wrong", BROKEN)
def test_a_broken_prescription_is_refused_with_the_reason_before_the_port_is_touched(tractable, prescribe, port, wrong):
    *changes, reason = BROKEN[wrong]

    said = tractable("session", "run", prescribe(*changes), "--yes", "--port", port.path)

    assert said.code == 1
    assert said.err.startswith("Prescription refused:\n- ")
    assert reason in said.err
    assert heard(port) == b""  # a controller that opens a port says HELLO at once


def test_every_reason_against_a_prescription_is_given(tractable, prescribe, port):
    file = prescribe(("100 N", "400 N"), ('"80 kg"', '"30 kg"'), ('"60 s"', '"5 s"'), ("20 N/s", "25 N/s"))

    said = tractable("session", "run", file, "--yes", "--port", port.path)

    reasons = [line for line in said.err.splitlines() if line.startswith("- ")]
    assert len(reasons) == 4
    assert said.code == 1
    assert heard(port) == b""


def test_the_site_s_own_cap_holds(tractable, prescribe, settings_file, port):
    settings_file('setpoint_cap = "90 N"')

    said = tractable("session", "run", prescribe(), "--yes", "--port", port.path)

    assert said.code == 1
    assert "more than this site allows, 90 N" in said.err


@pytest.mark.parametrize(("name", "said_of_it"), [("none.toml", "No such file"), (".", "Is a directory")])
def test_a_prescription_that_cannot_be_read_is_named(tractable, name, said_of_it):
    said = tractable("session", "run", name, "--yes")

    assert said.code == 1
    assert f"{name} cannot be read: {said_of_it}" in said.err


def test_a_prescription_that_is_not_text_is_refused(tractable, account):
    (account / "scan.toml").write_bytes(b"\xff\xfe\x00")

    said = tractable("session", "run", "scan.toml", "--yes")

    assert said.code == 1
    assert "scan.toml is not TOML" in said.err


def test_a_prescription_may_be_json_and_must_then_be_an_object(tractable, account):
    (account / "list.json").write_text("[1, 2]")

    said = tractable("session", "run", "list.json", "--yes")

    assert said.code == 1
    assert "holds no prescription" in said.err


def test_without_a_person_at_the_keyboard_nothing_is_started(tractable, prescribe, port):
    said = tractable("session", "run", prescribe(), "--port", port.path)

    assert said.code == 1
    assert "Nobody answered the start list" in said.err
    assert "--yes" in said.err
    assert heard(port) == b""


@pytest.mark.parametrize("command", ["session run", "table"])
def test_nothing_on_the_port_is_one_sentence_and_exit_3(tractable, prescribe, account, command):
    file = [prescribe(), "--yes"] if command == "session run" else []

    said = tractable(*command.split(), *file, "--port", account / "ttyACM0")

    assert said.code == 3
    assert said.err == (
        f"There is no table at {account}/ttyACM0. Plug in its cable and switch the table on, or name another port.\n"
    )
    assert said.out == ""


@pytest.mark.parametrize("command", ["session run", "table"])
def test_a_port_that_another_program_drives_is_exit_3(tractable, prescribe, port, command):
    file = [prescribe(), "--yes"] if command == "session run" else []
    other = os.open(port.path, os.O_RDWR | os.O_NOCTTY)
    fcntl.flock(other, fcntl.LOCK_EX)

    said = tractable(*command.split(), *file, "--port", port.path)

    os.close(other)
    assert said.code == 3
    assert said.err == (
        f"{port.path} is in use by another program. Close that program first: only one may drive a table.\n"
    )
    assert heard(port) == b""


def test_a_file_in_place_of_a_port_is_exit_3(tractable, prescribe):
    said = tractable("session", "run", prescribe(), "--yes", "--port", "prescription.toml")

    assert said.code == 3
    assert "prescription.toml is not a serial port" in said.err


def test_a_table_of_another_protocol_is_exit_3(type_in, prescribe, port):
    decoder, greeted = FrameDecoder(), []
    other = Identity(PROTOCOL + 1, IdentityFlag(0), "TT-2", 7, 2, 0, 0, 1, 320, 600_000, 200_000, 5_000, 40_000)

    def answer(data: bytes) -> bytes:
        greeted.extend(message for _counter, message in decoder.feed(data))
        return encode_frame(0, other)

    said = type_in("session", "run", prescribe(), "--yes", "--port", port.path).said_to(port.table_end, answer)

    assert said.code == 3
    assert len(said.err.splitlines()) == 1
    assert f"protocol {PROTOCOL + 1}" in said.err
    assert all(isinstance(message, Hello) for message in greeted)


@pytest.mark.parametrize("noise", [b"", b"\r\nOK\r\n\x00\xff" * 8], ids=["silence", "noise"])
def test_something_else_on_the_port_is_exit_3_and_is_sent_nothing_but_greetings(type_in, prescribe, port, noise):
    decoder, sent = FrameDecoder(), []

    def answer(data: bytes) -> bytes:
        sent.extend(message for _counter, message in decoder.feed(data))
        return noise

    said = type_in("session", "run", prescribe(), "--yes", "--port", port.path).said_to(port.table_end, answer)

    assert said.code == 3
    assert len(said.err.splitlines()) == 1
    assert "does not answer as a traction table" in said.err
    assert sent
    assert all(isinstance(message, Hello) for message in sent)
