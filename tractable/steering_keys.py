"""A session that is steered from a terminal: one key is one command, and a raise asks for another to confirm it."""

import asyncio
import os
import sys
import termios
import time
import tty
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from rich.console import Console

from controller.commands import Command, GoOn, Lower, PainScore, Pause, Raise, Reply, Stop
from controller.messages import PhaseName, State

HELP: Final = "Keys: p pause, go on · l lower 10 N · r raise 10 N · n pain now · s stop"
STEP_MN: Final = 10_000
EXPIRES_US: Final = 10_000_000
KEYS_AT_ONCE_MAX: Final = 64


def expires_us() -> int:
    """Of a command given now, by the machine's monotonic clock."""
    return time.monotonic_ns() // 1000 + EXPIRES_US


@dataclass(slots=True)
class Keys:
    """What a key means now. `raising_to_mn`: a raise waits for y; `asking_pain`: a score is waited for."""

    actor: str
    raising_to_mn: int | None = None
    asking_pain: bool = False
    said: list[str] = field(default_factory=list)

    def press(self, key: str, state: State) -> Command | None:
        """The command, when the key makes one; what there is to say to the person goes to `said`."""
        raising_to_mn, self.raising_to_mn = self.raising_to_mn, None
        asking_pain, self.asking_pain = self.asking_pain, False
        identity = {"id": f"key-{time.monotonic_ns()}", "actor": self.actor}
        expiring = identity | {"expires_us": expires_us()}
        if key == "s":
            return Stop.model_validate({"do": "stop", **identity})
        if asking_pain and key.isdigit():
            return PainScore.model_validate({"do": "pain", "score": int(key), "when": "during", **expiring})
        if raising_to_mn is not None and key == "y":
            raised = {"to_mn": raising_to_mn, "confirmed_mn": raising_to_mn}
            return Raise.model_validate({"do": "raise", **raised, **expiring})
        if key == "p":
            paused = state.phase is PhaseName.PAUSED
            return (GoOn if paused else Pause).model_validate({"do": "go_on" if paused else "pause", **expiring})
        if key == "l" and state.setpoint_mn is not None:
            return Lower.model_validate({"do": "lower", "to_mn": state.setpoint_mn - STEP_MN, **expiring})
        self._ask(key, state)
        return None

    def _ask(self, key: str, state: State) -> None:
        if key == "r" and state.setpoint_mn is not None:
            self.raising_to_mn = state.setpoint_mn + STEP_MN
            self.said.append(f"Raise to {self.raising_to_mn / 1000:g} N? y confirms.")
        elif key == "n":
            self.asking_pain = True
            self.said.append("Pain now, 0 to 9?")
        elif key.isprintable():
            self.said.append(HELP)


@contextmanager
def steered_by_keys(
    keys: Keys, handle: Callable[[Command], Awaitable[Reply]], shown: Callable[[], State], console: Console
) -> Iterator[None]:
    """While inside, keys of the terminal steer. Does nothing where the input is no terminal."""
    if not sys.stdin.isatty():
        yield
        return
    descriptor, loop = sys.stdin.fileno(), asyncio.get_running_loop()
    asked: set[asyncio.Task[None]] = set()

    async def ask(command: Command) -> None:
        reply = await handle(command)
        if reply.outcome == "refused":
            console.print(f"\nRefused: {reply.reason}", markup=False)
        elif suggestion := reply.data.get("suggestion"):
            console.print(f"\n{suggestion}", markup=False)

    def on_key() -> None:
        for key in os.read(descriptor, KEYS_AT_ONCE_MAX).decode(errors="ignore"):
            command = keys.press(key, shown())
            while keys.said:
                console.print(f"\n{keys.said.pop(0)}", markup=False)
            if command is not None:
                task = asyncio.ensure_future(ask(command))
                asked.add(task)
                task.add_done_callback(asked.discard)

    before = termios.tcgetattr(descriptor)
    tty.setcbreak(descriptor)
    loop.add_reader(descriptor, on_key)
    console.print(HELP, markup=False)
    try:
        yield
    finally:
        loop.remove_reader(descriptor)
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
