"""Does a long session need ever more memory? The whole stack in virtual time, its record and telemetry thrown away."""

import gc
import sys
from typing import Final

from controller import prescription
from controller.commands import HUMAN_TICKS
from controller.inputs import Answer, SampleArrived, StartAsked
from controller.journal import EventRow, JournalHealth, SampleRow, SessionHeader
from controller.messages import Event
from controller.phases import Ended, Holding
from controller.state import State
from tractable.virtual_stack import VirtualStack

SESSION_S_MAX: Final = 1_800.0
FIRST_S: Final = 30.0
REACHED_WITHIN_S: Final = 120.0


class NotHeld(RuntimeError):
    """The session did not reach its hold, so that there is nothing to measure."""


class Nowhere:
    """A journal and an audience that keep nothing."""

    def begin(self, header: SessionHeader) -> None: ...

    def sample(self, *_row: SampleRow | SampleArrived | State) -> None: ...

    def event(self, event: EventRow | Event) -> None: ...

    def answer(self, answer: Answer) -> None: ...

    def end(self) -> None: ...

    def health(self) -> JournalHealth:
        return JournalHealth(0, 0, None)


def growth_blocks(seed: int, lasting_s: float) -> float:
    """Blocks of memory that Python holds at the end, less those after the first half minute at force."""
    nowhere = Nowhere()
    stack = VirtualStack("nominal", seed=seed, journal=nowhere, audience=nowhere)
    stack.run_for(1)
    before: int | None = None
    left_s = lasting_s
    while left_s > 0:
        _hold(stack)
        stack.run_for(FIRST_S)
        before = _blocks() if before is None else before
        session_s = min(left_s, SESSION_S_MAX) - FIRST_S
        stack.run_for(max(0.0, session_s - 1.0))
        left_s -= SESSION_S_MAX
        after = _blocks()
        if left_s > 0 and not stack.run_until(lambda s: isinstance(s.state.phase, Ended), REACHED_WITHIN_S):
            raise NotHeld("The session did not end.")
    return float(after - (before or 0))


def _hold(stack: VirtualStack) -> None:
    document = {
        "patient": {"pseudonym": "B-1", "body_mass": "80 kg"},
        "pull": {"mode": "static", "force": "100 N", "time_at_force": "30 min", "ramp": "20 N/s"},
        "prescribed": {"by": "bench"},
    }
    asked = prescription.parse(document)
    stack.ask(
        StartAsked("bench", "bench-0001", "B1", asked, HUMAN_TICKS, None, unattended=True, calibration_age_days=0)
    )
    if not stack.run_until(lambda s: isinstance(s.state.phase, Holding), REACHED_WITHIN_S):
        raise NotHeld("The session did not reach its hold.")


def _blocks() -> int:
    gc.collect()
    return sys.getallocatedblocks()
