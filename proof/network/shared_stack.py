"""One running stack for all faults that must leave a pull as it is: the next fault meets the session that went on."""

import atexit
import functools
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

from proof.catalogue import Fault
from proof.network.untouched import LATENESS
from proof.network.viewed_stack import StackFailed, ViewedStack, broker_kinds
from proof.network.watching import Browser
from proof.scratch import scratch
from proof.verdict import Verdict
from tractable.broker.choice import BrokerKind

QUIET_WITHIN_S: Final = 20.0

Prove = Callable[[Fault, str, str, int], Iterator[Verdict]]


def undisturbed(prove: Prove) -> Prove:
    """That proof, tried once more where only lateness failed: other programs of this computer may have held it up."""

    def twice(fault: Fault, phase: str, patient: str, seed: int) -> Iterator[Verdict]:
        verdicts = list(prove(fault, phase, patient, seed))
        failed = {verdict.asked for verdict in verdicts if not verdict.held}
        yield from prove(fault, phase, patient, seed) if failed and failed <= LATENESS else verdicts

    return twice


@contextmanager
def new_stack(broker: BrokerKind | None) -> Iterator[ViewedStack]:
    """In folders that go with it; a socket's path must be short, so they are not below the folder of tests."""
    with scratch("tn-") as root:
        folder, runtime = root / "data", root / "run"
        folder.mkdir()
        runtime.mkdir(mode=0o700)
        stack = ViewedStack(folder, runtime)
        with stack.running_with(broker):
            yield stack


@contextmanager
def stack_in(phase: str) -> Iterator[tuple[ViewedStack, Browser]]:
    """The shared stack with its session in that phase, the broker reached and nothing amiss.

    Afterwards it is kept for the next one, unless something went wrong. Raises StackFailed where it cannot be brought
    there.
    """
    try:
        stack, browser = _in_phase(phase)
    except StackFailed:
        close_shared()  # it may have tripped over the fault before; what was left of that is not this fault's
        stack, browser = _in_phase(phase)
    try:
        yield stack, browser
    except BaseException:
        close_shared()
        raise


def _in_phase(phase: str) -> tuple[ViewedStack, Browser]:
    stack, browser = _shared()
    if not stack.broker_runs:
        stack.start_broker(broker_kinds()[0])
    stack.bring_to(phase)
    wait_until_heard(stack, browser)
    return stack, browser


def wait_until_heard(stack: ViewedStack, browser: Browser) -> float:
    """Returns the seconds until neither the controller nor the dashboard misses the broker."""
    return stack.wait_until("the broker", lambda: _is_heard(stack, browser), QUIET_WITHIN_S)


def _is_heard(stack: ViewedStack, browser: Browser) -> bool:
    known = browser.snapshot()
    return "A34" not in stack.alarms() and known["broker_connected"] and known["state"] is not None


_open: Final = ExitStack()


@functools.cache
def _shared() -> tuple[ViewedStack, Browser]:
    stack = _open.enter_context(new_stack(broker_kinds()[0]))
    atexit.register(close_shared)
    return stack, Browser.signed_in(stack.page_port, stack.key)


def close_shared() -> None:
    """Ends all of its processes; the next who asks for it gets a new one."""
    _shared.cache_clear()
    _open.close()
