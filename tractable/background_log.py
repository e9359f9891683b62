"""The log is written by a thread of its own: a disk that hangs, or a full pipe, must not hold up a table."""

import logging
import logging.handlers
import queue
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

LINES_WAITING_MAX: Final = 10_000


class _Behind(logging.handlers.QueueHandler):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Ten thousand lines wait already: this one is lost, and nobody waits for it."""


class _Listener(logging.handlers.QueueListener):
    def __init__(self, waiting: queue.Queue[logging.LogRecord | None], *handlers: logging.Handler) -> None:
        super().__init__(waiting, *handlers)
        self._waiting = waiting

    def enqueue_sentinel(self) -> None:
        """The end comes behind all that waits, however much that is."""
        self._waiting.put(None)


@contextmanager
def logging_in_background() -> Iterator[None]:
    """Until the end of the block; then what waits is written."""
    root = logging.getLogger()
    sound = list(root.handlers)
    waiting: queue.Queue[logging.LogRecord | None] = queue.Queue(LINES_WAITING_MAX)
    listener = _Listener(waiting, *sound)
    root.handlers[:] = [_Behind(waiting)]
    listener.start()
    try:
        yield
    finally:
        root.handlers[:] = sound
        listener.stop()
