"""A patient who does what the staff would ask for: press the switch once in a while before the pull, never during it.

So a session can begin with nobody at the simulated table.
"""

from dataclasses import dataclass
from typing import Final

from firmware import messages

FIRST_PRESS_MS: Final = 1500  # after the host's first HELLO
AGAIN_MS: Final = 5000
PRESS_US: Final = 300_000

RESTING_MASK: Final = messages.ARMED | messages.RELEASING | messages.TRIPPED | messages.DRIVE_ENABLED | messages.SLACK


@dataclass(slots=True)
class CooperativePatient:
    _next_press_ms: int | None = None

    def wants_to_press(self, now_ms: int, greeted: bool, status: int) -> bool:
        """Asked at every sample, with the status that it carries."""
        if self._next_press_ms is None:
            if greeted:
                self._next_press_ms = now_ms + FIRST_PRESS_MS
            return False
        if now_ms < self._next_press_ms or status & RESTING_MASK != messages.SLACK:
            return False
        self._next_press_ms = now_ms + AGAIN_MS
        return True
