"""Steering over the real control socket: sent twice it is done once, and what came too late is refused on record."""

import asyncio
import json
import time
from pathlib import Path

import pytest

from controller.commands import COMMAND, Command, Reply
from controller.control_socket import ControlSocket, parse_command


def line(**fields: object) -> bytes:
    expires_us = time.monotonic_ns() // 1000 + 2_000_000
    return json.dumps({"id": "press-00001", "actor": "clinician", "expires_us": expires_us} | fields).encode() + b"\n"


async def test_a_command_sent_twice_is_carried_out_once(tmp_path: Path) -> None:
    done: list[Command] = []

    async def handle(command: Command) -> Reply:
        done.append(command)
        return Reply(id=command.id, outcome="done", data={"times": len(done)})

    async with ControlSocket(tmp_path / "control.sock", handle):
        reader, writer = await asyncio.open_unix_connection(str(tmp_path / "control.sock"))
        raised = line(do="raise", to_mn=220_000, confirmed_mn=220_000)
        writer.write(raised + raised)
        replies = [json.loads(await reader.readline()) for _ in range(2)]
        writer.close()

    assert len(done) == 1
    assert replies[0] == replies[1]


@pytest.mark.parametrize(
    "fields",
    [
        {"do": "raise", "to_mn": 220_000},
        {"do": "raise", "to_mn": 220.5, "confirmed_mn": 220.5},
        {"do": "lower", "to_mn": "much"},
        {"do": "lower", "to_mn": float("nan")},
        {"do": "pain", "score": 11, "when": "during"},
        {"do": "pain", "score": 3, "when": "then"},
        {"do": "pause", "for_s": 3},
        {"do": "take_over", "actor": ""},
        {"do": "go_on", "expires_us": None},
    ],
)
def test_bad_input_is_no_command(fields: dict) -> None:
    reply = parse_command(line(**fields))

    assert isinstance(reply, Reply)
    assert reply.outcome == "refused"
    assert "This is no command" in reply.reason


@pytest.mark.parametrize("do", ["pause", "go_on", "take_over", "acknowledge_end"])
def test_what_has_no_fields_of_its_own_still_needs_an_id_an_actor_and_an_expiry(do: str) -> None:
    assert COMMAND.validate_json(line(do=do)).do == do
    for missing in ("id", "actor", "expires_us"):
        fields = json.loads(line(do=do))
        del fields[missing]

        assert isinstance(parse_command(json.dumps(fields).encode()), Reply)
