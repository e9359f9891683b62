"""The whole stack in virtual time: what a seed gives, it gives again, and time passes only when it is told to."""

import pytest

from controller import prescription
from controller.commands import HUMAN_TICKS
from controller.inputs import StartAsked
from controller.phases import Ramping
from tractable.virtual_stack import VirtualStack


@pytest.fixture
def session_of(prescribe):
    """A session until shortly after the ramp began, given to the patient of that seed."""
    prescribed = prescription.parse_toml(prescribe().read_text())

    def give(seed: int) -> VirtualStack:
        stack = VirtualStack(seed=seed)
        stack.run_for(1)
        start = StartAsked("clinician", "start-0001", "S1", prescribed, HUMAN_TICKS, prescribed.force_mn, False, 30)
        stack.to_table.put(stack.conductor.take(start, stack.now_us), stack.now_us)
        assert stack.run_until(lambda stack: isinstance(stack.state.phase, Ramping), 40)
        stack.run_for(0.5)
        return stack

    return give


def test_the_same_seed_gives_the_same_session_and_another_seed_another(session_of):
    once, again, other = session_of(1).memory, session_of(1).memory, session_of(2).memory

    assert len(once.samples) > 1000
    assert once.samples == again.samples
    assert once.events == again.events
    assert once.headers == again.headers
    assert other.samples != once.samples


def test_no_time_passes_by_itself():
    stack = VirtualStack()
    stack.run_for(1)
    heard = stack.heard.samples

    assert stack.now_us == 1_000_000
    assert 300 <= heard <= 330  # 320 a second, but for the handshake
    stack.run_for(0)
    assert (stack.now_us, stack.heard.samples) == (1_000_000, heard)


def test_running_until_something_tells_whether_it_came():
    stack = VirtualStack()

    assert stack.run_until(lambda stack: stack.state.table is not None, 1)
    assert stack.now_us < 100_000
    assert not stack.run_until(lambda _: False, 0.01)


def test_the_table_is_known_to_be_simulated():
    stack = VirtualStack()
    stack.run_for(0.5)

    assert stack.state.table is not None
    assert stack.state.table.identity.flags.SIMULATED in stack.state.table.identity.flags
