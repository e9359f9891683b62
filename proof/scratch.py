"""Folders that go when they are done with, in memory where there is room for them.

What is proven of anything but a disk must not wait for one: a disk that hangs for 1.5 s raises its own alarm (A37), and
that would be all that is proven. A session needs as much room as one at a table does.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from recorder.storage import NEEDED_BYTES

MEMORY: Final = Path("/dev/shm")  # noqa: S108 - folders below it are this process's own
ROOM_BYTES: Final = 5 * NEEDED_BYTES  # of two stacks at a time, with their logs


@contextmanager
def scratch(prefix: str = "proof-") -> Iterator[Path]:
    """An empty folder for a `with` block."""
    roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= ROOM_BYTES
    with tempfile.TemporaryDirectory(prefix=prefix, dir=MEMORY if roomy else None) as folder:
        yield Path(folder)
