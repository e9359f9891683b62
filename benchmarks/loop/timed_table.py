"""`tractable table`, every decision and every tick of which is noted with its time, in arrays that were there before.

    python -m benchmarks.loop.timed_table OUT

The program is the one that runs at a table; two of its methods are wrapped from outside. From SIGUSR1 to SIGUSR2 each
sync of the session's file takes half a second. With SIGTERM what was noted is written to OUT.
"""

import gc
import json
import signal
import sys
import time
from array import array
from collections import deque
from pathlib import Path
from typing import Any, Final

from proof.disk.failing_disk import Call, FailingDisk, failing_disk

NOTED_MAX: Final = 1_000_000  # an hour at 320 samples a second is more than is measured
SYNC_S: Final = 0.5


class Noted:
    """`count` pairs so far: a number and a time (monotonic, ns)."""

    def __init__(self) -> None:
        self.count = 0
        self._numbers = array("q", bytes(8 * NOTED_MAX))
        self._times_ns = array("q", bytes(8 * NOTED_MAX))

    def add(self, number: int) -> None:
        if self.count < NOTED_MAX:
            self._numbers[self.count], self._times_ns[self.count] = number, time.monotonic_ns()
            self.count += 1

    def as_json(self) -> list[list[int]]:
        return [list(self._numbers[: self.count]), list(self._times_ns[: self.count])]


def wrapped(decided: Noted, ticked: Noted) -> None:
    """Before the controller is made: notes each sample once it is decided upon, and each tick."""
    from controller.conductor import Conductor
    from controller.shell import Shell

    sound_sample, sound_tick = Shell.sample, Conductor.tick

    def sample(self: Shell, arrived: Any, state: Any) -> None:
        decided.add(arrived.received.sample.seq)
        sound_sample(self, arrived, state)

    def tick(self: Conductor, now_us: int) -> bytes:
        ticked.add(0)
        return sound_tick(self, now_us)

    Shell.sample, Conductor.tick = sample, tick  # type: ignore[method-assign]


def slow(_call: Call) -> int:
    """A card that tidies up."""
    if _call.kind == "sync":
        time.sleep(SYNC_S)
    return 0


def sound(_call: Call) -> int:
    return 0


def switched_by_signals(disk: FailingDisk) -> None:
    disk.calls = deque(maxlen=0)  # type: ignore[assignment]  # what passed is not wanted, for many minutes

    def become(refuse: Any) -> None:
        disk.refuse = refuse

    signal.signal(signal.SIGUSR1, lambda *_: become(slow))
    signal.signal(signal.SIGUSR2, lambda *_: become(sound))


def main() -> None:
    out = Path(sys.argv[1])
    decided, ticked = Noted(), Noted()
    wrapped(decided, ticked)
    with failing_disk() as disk:
        switched_by_signals(disk)
        from tractable import cli

        sys.argv = ["tractable", "table"]
        try:
            cli.main()
        finally:
            found = {"decided": decided.as_json(), "ticked": ticked.as_json(), "frozen": gc.get_freeze_count()}
            out.write_text(json.dumps(found), encoding="ascii")


if __name__ == "__main__":
    main()
