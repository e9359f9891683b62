"""`tractable table` with a defect planted in it, which shows itself when the process gets SIGUSR1.

    python -m proof.processes.planted_table raise-in-callback

The product knows nothing of it: the defect is put in from outside, before the controller is imported.
"""

import datetime as datetimes
import resource
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

Strike = Callable[[], None]
SENTENCE: Final = "a defect that was planted"
LEAK_BYTES: Final = 1 << 24


def raise_in_callback() -> Strike:
    """The next bytes from the table meet an exception that nobody expected."""
    return _before("received", _fail).set


def raise_in_task() -> Strike:
    """The next look at the time does."""
    return _before("tick", _fail).set


def raise_and_go_on() -> Strike:
    """The same, in a program that takes no notice: for the proof of the proof."""
    from controller.shell import Shell

    Shell._break = lambda _self, _broken: None  # type: ignore[method-assign, assignment]
    return raise_in_callback()


def _fail() -> None:
    raise RuntimeError(SENTENCE)


def _before(method: str, do: Callable[[], None]) -> threading.Event:
    """Once the event is set, that is done first whenever the conductor's method is called."""
    from controller.conductor import Conductor

    struck, sound = threading.Event(), getattr(Conductor, method)

    def planted(self: Conductor, *given: Any) -> bytes:
        if struck.is_set():
            do()
        out: bytes = sound(self, *given)
        return out

    setattr(Conductor, method, planted)
    return struck


def exhaust_memory() -> Strike:
    """A leak in the controller meets its limit: the process gets no more memory than it has, and wants more."""
    kept: list[bytes] = []

    def strike() -> None:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        taken = pages * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (taken, taken))
        struck.set()

    struck = _before("received", lambda: kept.append(bytes(LEAK_BYTES)))
    return strike


def clock_ahead() -> Strike:
    """Its wall clock is set an hour ahead."""
    return _set_clock(datetimes.timedelta(hours=1))


def clock_back() -> Strike:
    """Its wall clock is set an hour back."""
    return _set_clock(datetimes.timedelta(hours=-1))


def _set_clock(by: datetimes.timedelta) -> Strike:
    """What asks for the date and time gets another; who asks the monotonic clock gets the true one."""
    struck, sound = threading.Event(), datetimes.datetime

    class Datetime(sound):  # type: ignore[misc, valid-type]
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return sound.now(tz) + (by if struck.is_set() else datetimes.timedelta(0))

    datetimes.datetime = Datetime  # type: ignore[misc]
    return struck.set


PLANTS: Final = {
    "raise-in-callback": raise_in_callback,
    "raise-in-task": raise_in_task,
    "raise-and-go-on": raise_and_go_on,
    "exhaust-memory": exhaust_memory,
    "clock-ahead": clock_ahead,
    "clock-back": clock_back,
}


def main() -> None:
    strike = PLANTS[sys.argv[1]]()
    signal.signal(signal.SIGUSR1, lambda *_: strike())
    from tractable import cli

    sys.argv = ["tractable", "table"]
    cli.main()


if __name__ == "__main__":
    main()
