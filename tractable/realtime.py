"""A place ahead of other processes, where the system allows it: samples are decided on time under load too."""

import logging
import os
from typing import Final

# Above every ordinary process, below the kernel's own threads. Threads made later have it too, and must: all of them
# share Python's one lock, and one that holds it while it waits for a processor would hold up the loop.
PRIORITY: Final = 20

log = logging.getLogger(__name__)


def take_real_time_priority() -> bool:
    """Asks for SCHED_FIFO; tells whether it was given. Without it everything works, later under load."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))
    except (AttributeError, OSError) as refused:
        log.info("no real-time priority (%s); see docs/operations.md", refused)
        return False
    return True
