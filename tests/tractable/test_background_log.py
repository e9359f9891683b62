"""Who logs at a table waits for no disk."""

import logging
import threading
from collections.abc import Iterator

import pytest

from tractable.background_log import LINES_WAITING_MAX, logging_in_background

WITHIN_S = 10.0


class Hanging(logging.Handler):
    """As a disk that does not answer until it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.reached, self.goes_on = threading.Event(), threading.Event()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.reached.set()
        assert self.goes_on.wait(WITHIN_S)
        self.lines.append(record.getMessage())


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    root, handler = logging.getLogger(), Hanging()
    before, root.handlers[:] = list(root.handlers), [handler]
    yield handler
    root.handlers[:] = before


def test_who_logs_goes_on_while_the_log_hangs_and_the_lines_come_later_in_order(hanging: Hanging) -> None:
    log = logging.getLogger("tractable.test")
    with logging_in_background():
        log.warning("first")
        assert hanging.reached.wait(WITHIN_S)
        log.warning("second")
        hanging.goes_on.set()

    assert hanging.lines == ["first", "second"]


def test_more_than_the_queue_holds_is_lost_and_not_waited_for(hanging: Hanging) -> None:
    log = logging.getLogger("tractable.test")
    with logging_in_background():
        for number in range(LINES_WAITING_MAX + 100):
            log.warning("%d", number)
        hanging.goes_on.set()

    assert len(hanging.lines) in (LINES_WAITING_MAX, LINES_WAITING_MAX + 1)
    assert hanging.lines[0] == "0"
