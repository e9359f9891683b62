"""What the command's exit code says."""

from enum import IntEnum


class Exit(IntEnum):
    DONE = 0
    REFUSED = 1
    WRONG_USAGE = 2
    NOT_CONNECTED = 3
    STOPPED_BY_SAFETY = 4
