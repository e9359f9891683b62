"""The real processes on one computer, all running, nothing started yet."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from proof.processes.running_stack import RunningStack, running_stack


@pytest.fixture
def running(tmp_path: Path) -> Iterator[RunningStack]:
    with running_stack(tmp_path) as stack:
        yield stack
