"""Asks the controller over its local socket. An answer that does not come is unknown: never done, never failed."""

import asyncio
import secrets
import time
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from controller.commands import (
    COMMAND,
    LINE_BYTES_MAX,
    REPLY_WITHIN_S,
    Acknowledge,
    Command,
    HumanTick,
    Reply,
    Start,
    Stop,
)
from controller.pain import PainWhen

LOOK_AT_THE_TABLE = "Look at the table itself; its red release and the patient's switch always work."


class Outcome(Enum):
    """`UNREACHABLE`: not sent at all. `UNKNOWN`: sent, and it may or may not have been done."""

    DONE = "done"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a command, and the sentence to show."""

    outcome: Outcome
    sentence: str
    data: dict[str, Any] = field(default_factory=dict)


class ControlClient:
    """One connection a command, so that a stop never waits behind anything."""

    def __init__(self, path: Path, actor: str, reply_within_s: float = REPLY_WITHIN_S) -> None:
        self._path = path
        self._actor = actor
        self._reply_within_s = reply_within_s

    async def start(
        self,
        prescription: dict[str, Any],
        ticks: tuple[HumanTick, ...],
        confirmed_mn: int | None,
        command_id: str | None = None,
        *,
        patient: str | None = None,
        unattended: bool = False,
    ) -> Answer:
        return await self.ask(
            Start(
                do="start",
                id=command_id or new_command_id(),
                actor=self._actor,
                expires_us=self._expiry_us(),
                prescription=prescription,
                ticks=ticks,
                confirmed_mn=confirmed_mn,
                patient=patient,
                unattended=unattended,
            )
        )

    async def stop(self, command_id: str | None = None) -> Answer:
        return await self.ask(Stop(do="stop", id=command_id or new_command_id(), actor=self._actor))

    async def acknowledge(self, alarm: str, command_id: str | None = None) -> Answer:
        return await self.ask(
            Acknowledge(
                do="acknowledge",
                id=command_id or new_command_id(),
                actor=self._actor,
                expires_us=self._expiry_us(),
                alarm=alarm,
            )
        )

    async def pause(self, command_id: str | None = None) -> Answer:
        return await self._expiring("pause", command_id)

    async def go_on(self, command_id: str | None = None) -> Answer:
        return await self._expiring("go_on", command_id)

    async def lower(self, to_mn: int, command_id: str | None = None) -> Answer:
        return await self._expiring("lower", command_id, to_mn=to_mn)

    async def raise_to(self, to_mn: int, confirmed_mn: int, command_id: str | None = None) -> Answer:
        return await self._expiring("raise", command_id, to_mn=to_mn, confirmed_mn=confirmed_mn)

    async def pain(
        self, score: int, when: PainWhen, *, leg_symptoms: bool = False, command_id: str | None = None
    ) -> Answer:
        return await self._expiring("pain", command_id, score=score, when=when, leg_symptoms=leg_symptoms)

    async def take_over(self, command_id: str | None = None) -> Answer:
        return await self._expiring("take_over", command_id)

    async def acknowledge_end(self, command_id: str | None = None) -> Answer:
        return await self._expiring("acknowledge_end", command_id)

    async def zero(self, command_id: str | None = None) -> Answer:
        return await self._expiring("zero", command_id)

    async def _expiring(self, do: str, command_id: str | None, **fields: object) -> Answer:
        named = {"do": do, "id": command_id or new_command_id(), "actor": self._actor}
        return await self.ask(COMMAND.validate_python(named | {"expires_us": self._expiry_us()} | fields))

    async def ask(self, command: Command) -> Answer:
        try:
            async with asyncio.timeout(self._reply_within_s):
                return await self._exchange(command)
        except TimeoutError:
            return Answer(
                Outcome.UNKNOWN,
                f"No reply from the controller within {self._reply_within_s:g} s: "
                f"it is not known whether this was done. {LOOK_AT_THE_TABLE}",
            )

    async def _exchange(self, command: Command) -> Answer:
        try:
            reader, writer = await asyncio.open_unix_connection(str(self._path), limit=LINE_BYTES_MAX)
        except OSError as error:
            return Answer(
                Outcome.UNREACHABLE,
                f"The controller cannot be reached ({error.strerror or error}): this was not done. "
                f"{LOOK_AT_THE_TABLE} Then see that `tractable table` runs.",
            )
        try:
            writer.write(command.model_dump_json().encode() + b"\n")
            await writer.drain()
            return _answer_of(command.id, await reader.readline())
        except (OSError, ValueError):  # readline: a line that is too long
            return _unreadable()
        finally:
            writer.close()

    def _expiry_us(self) -> int:
        return time.monotonic_ns() // 1000 + round(self._reply_within_s * 1e6)


def new_command_id() -> str:
    return secrets.token_urlsafe(12)


def _answer_of(command_id: str, line: bytes) -> Answer:
    try:
        reply = Reply.model_validate_json(line)
    except ValidationError:
        return _unreadable()
    if reply.outcome == "refused":
        return Answer(Outcome.REFUSED, reply.reason or "The controller refused this and gave no reason.", reply.data)
    if reply.id != command_id:
        return _unreadable()
    return Answer(Outcome.DONE, reply.reason or "Done.", reply.data)


def _unreadable() -> Answer:
    return Answer(
        Outcome.UNKNOWN,
        f"The controller's reply broke off: it is not known whether this was done. {LOOK_AT_THE_TABLE}",
    )
