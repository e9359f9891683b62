"""`tractable table` on a disk that fails when the process gets SIGUSR1, and is well again with SIGUSR2.

    python -m proof.disk.table_on_failing_disk sync STEPS_FILE

With SIGUSR2 it also writes into that file how long the loop stood still at most since SIGUSR1: the longest time in ms
between two samples, or two looks at the time, that the controller took in.
"""

import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from proof.disk.failing_disk import FailingDisk, failing_disk

FREE_MB: Final = 150


def hang(disk: FailingDisk) -> None:
    _hanging.append(disk.hangs())


def little_space(_disk: FailingDisk) -> None:
    """The disk says that it has little left, for who may not mount one that has."""
    import shutil

    sound = shutil.disk_usage
    shutil.disk_usage = lambda path: sound(path)._replace(free=FREE_MB * 1_000_000)


STRIKES: Final[dict[str, Callable[[FailingDisk], None]]] = {
    "full": FailingDisk.full,
    "write": lambda disk: disk.broken("write", "open", "truncate"),
    "sync": lambda disk: disk.broken("sync"),
    "hang": hang,
    "little-space": little_space,
    "nothing": lambda _disk: None,
}
_hanging: list[threading.Event] = []


class Stood:
    """How long the loop took in nothing, at most."""

    def __init__(self) -> None:
        self.longest_s = 0.0
        self._last_s = time.monotonic()

    def forget(self) -> None:
        self.longest_s, self._last_s = 0.0, time.monotonic()

    def watch(self, *methods: str) -> None:
        """Before the controller is made."""
        from controller.conductor import Conductor

        for name in methods:
            setattr(Conductor, name, self._watched(getattr(Conductor, name)))

    def _watched(self, sound: Callable[..., bytes]) -> Callable[..., bytes]:
        def watched(*given: Any) -> bytes:
            out = sound(*given)
            now_s = time.monotonic()
            self.longest_s, self._last_s = max(self.longest_s, now_s - self._last_s), now_s
            return out

        return watched


def main() -> None:
    strikes, steps_file = sys.argv[1].split(","), Path(sys.argv[2])
    stood = Stood()
    stood.watch("received", "tick")
    with failing_disk() as disk:

        def strike(*_: Any) -> None:
            stood.forget()
            STRIKES[strikes[0]](disk)

        def heal(*_: Any) -> None:
            steps_file.write_text(f"{stood.longest_s * 1000:.1f}", encoding="ascii")
            disk.heals()
            while _hanging:
                _hanging.pop().set()
            if len(strikes) > 1:
                strikes.pop(0)

        signal.signal(signal.SIGUSR1, strike)
        signal.signal(signal.SIGUSR2, heal)
        from tractable import cli

        sys.argv = ["tractable", "table"]
        cli.main()


if __name__ == "__main__":
    main()
