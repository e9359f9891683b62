"""Starts a process beside the one at the table: of ordinary scheduling and the lowest priority, its output in a pipe.

The table's process does not share Python's one lock with it, and whatever befalls it takes nothing else with it.
"""

import os
from collections.abc import Sequence
from typing import Final

NICEST: Final = ("nice", "-n", "19")


def begin(arguments: Sequence[str], writing: int, *, errors_too: bool = False) -> int:
    """Starts it, with its standard output going to that descriptor, and returns its process id. Raises OSError."""
    outputs = (1, 2) if errors_too else (1,)
    return os.posix_spawnp(
        NICEST[0],
        [*NICEST, *arguments],
        os.environ,
        file_actions=[(os.POSIX_SPAWN_DUP2, writing, output) for output in outputs],
        scheduler=(os.SCHED_OTHER, os.sched_param(0)),  # not this process's real-time priority
    )
