"""Child processes: started again when one dies, reported when one fails, and never left behind, not even by kill -9."""

import os
import queue
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tractable.supervision import ChildFailed, ChildPlan, Supervisor

WITHIN_S = 20.0
PARENT = """
import sys
from pathlib import Path
from tractable.supervision import ChildPlan, Supervisor

link = Path(sys.argv[1])
supervisor = Supervisor()
supervisor.start(ChildPlan("sim", ("sim", "--link", str(link)), {}, link.with_name("sim.log")))
supervisor.wait_until("The table", link.is_symlink, 20)
print(supervisor.pid("sim"), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def plan(account, tmp_path) -> Callable[..., ChildPlan]:
    """A simulated table as a child; its link appears once it serves."""

    def plan(*arguments: str, name: str = "sim") -> ChildPlan:
        words = arguments or ("sim", "--link", str(tmp_path / "table"))
        return ChildPlan(name, words, {}, tmp_path / "logs" / f"{name}.log")

    return plan


@pytest.fixture
def link(tmp_path) -> Path:
    return tmp_path / "table"


@pytest.fixture
def supervise() -> Iterator[Callable[..., Supervisor]]:
    begun: list[Supervisor] = []

    def supervise(*told: Callable[[str], None]) -> Supervisor:
        begun.append(Supervisor(*told))
        return begun[-1]

    yield supervise
    for supervisor in begun:
        supervisor.close()


@contextmanager
def watched(pid: int) -> Iterator[Callable[[], bool]]:
    """Tells whether that process ends in time, also of one that is nobody's child any more. It is gone afterwards."""
    descriptor = os.pidfd_open(pid)
    try:
        yield lambda: bool(select.select([descriptor], [], [], WITHIN_S)[0])
    finally:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        os.close(descriptor)


def test_a_child_that_dies_is_started_again_and_that_is_told(supervise, plan, link):
    told: queue.Queue[str] = queue.Queue()
    supervisor = supervise(told.put)
    supervisor.start(plan())
    supervisor.wait_until("The table", link.is_symlink, WITHIN_S)
    supervisor.keep_running()
    first, port = supervisor.pid("sim"), link.readlink()

    with watched(first) as ended:
        os.kill(first, signal.SIGKILL)
        assert ended()

    assert told.get(timeout=WITHIN_S) == "sim"
    assert supervisor.pid("sim") != first
    supervisor.wait_until("The table", lambda: link.is_symlink() and link.exists(), WITHIN_S)
    assert told.empty()
    assert port.parent == Path("/dev/pts")


def test_closing_ends_every_child_and_none_is_started_again(supervise, plan, link):
    told: queue.Queue[str] = queue.Queue()
    supervisor = supervise(told.put)
    supervisor.start(plan())
    supervisor.wait_until("The table", link.is_symlink, WITHIN_S)
    supervisor.keep_running()

    with watched(supervisor.pid("sim")) as ended:
        supervisor.close()
        assert ended()

    assert told.empty()
    assert not link.is_symlink()  # it was asked to stop, and tidied up


def test_a_child_that_was_frozen_is_ended_all_the_same(supervise, plan, link, monkeypatch):
    monkeypatch.setattr("tractable.supervision.STOP_WITHIN_S", 0.2)
    supervisor = supervise()
    supervisor.start(plan())
    supervisor.wait_until("The table", link.is_symlink, WITHIN_S)
    os.kill(supervisor.pid("sim"), signal.SIGSTOP)

    with watched(supervisor.pid("sim")) as ended:
        supervisor.close()
        assert ended()


def test_children_die_with_a_parent_that_was_killed(account, link):
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, link], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with parent:
        child = int(parent.stdout.readline())

        with watched(child) as ended:
            parent.kill()
            assert ended()

    assert not link.is_symlink()


def test_a_child_that_fails_at_its_start_is_reported_with_its_last_words(supervise, plan):
    supervisor = supervise()
    supervisor.start(plan("sim", "--rig", "nomnal"))

    with pytest.raises(ChildFailed, match=r"sim ended with 1: .*no such rig; did you mean 'nominal'"):
        supervisor.wait_until("The table", lambda: False, WITHIN_S)


def test_a_child_that_is_started_but_not_ready_in_time_is_reported_with_where_the_logs_are(supervise, plan, tmp_path):
    supervisor = supervise()
    supervisor.start(plan())

    with pytest.raises(ChildFailed, match=f"The table was not ready within 0 s. The logs: {tmp_path}/logs"):
        supervisor.wait_until("The table", lambda: False, 0)


def test_the_words_of_an_earlier_run_are_not_taken_for_a_child_s_last(supervise, plan, tmp_path):
    log = tmp_path / "logs" / "sim.log"
    log.parent.mkdir()
    log.write_text("words of yesterday\n")
    supervisor = supervise()
    supervisor.start(plan())
    os.kill(supervisor.pid("sim"), signal.SIGKILL)  # before it can say anything

    with pytest.raises(ChildFailed, match="sim ended with -9: it said nothing"):
        supervisor.wait_until("The table", lambda: False, WITHIN_S)
    assert log.read_text() == "words of yesterday\n"  # the log goes on
