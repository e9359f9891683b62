"""A place ahead of other processes, where the system allows it: samples are decided on time under load too."""

import ctypes
import logging
import os
from typing import Final

# Above every ordinary process, below the kernel's own threads. Threads made later have it too, and must: all of them
# share Python's one lock, and one that holds it while it waits for a processor would hold up the loop.
PRIORITY: Final = 20
# Linux: keep what is in memory there, now and later. Code that runs for the first time in an hour (a release) must
# not wait for a disk.
MCL_CURRENT, MCL_FUTURE = 1, 2

log = logging.getLogger(__name__)


def take_real_time_priority() -> bool:
    """Asks for SCHED_FIFO and memory that stays; tells whether both were given. Without them all works, but later."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))
    except (AttributeError, OSError) as refused:
        log.info("no real-time priority (%s); see docs/operations.md", refused)
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mlockall(MCL_CURRENT | MCL_FUTURE) != 0:
        log.info("memory may be paged out (%s); see docs/operations.md", os.strerror(ctypes.get_errno()))
        return False
    return True
