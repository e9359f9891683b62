"""One step that was taken, with all that the rules may ask of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from controller.inputs import (
    Execute,
    Input,
    Output,
)
from controller.phases import (
    Holding,
    Paused,
    Ramping,
    Releasing,
    TakingUpSlack,
)
from controller.state import State
from proof.exploring.history import History
from proof.exploring.plain import Plain
from safety.limiter import Permit
from safety.motion import Motion

DRIVING: Final = (TakingUpSlack, Ramping, Holding, Paused)
ENERGISED: Final = (*DRIVING, Releasing)


@dataclass(frozen=True, slots=True)
class Transition:
    """One step. `seen`: its sample in plain numbers, when it had one. `history` is from before, `since` from after."""

    before: State
    given: Input
    now_us: int
    after: State
    outputs: tuple[Output, ...]
    history: History
    since: History
    seen: Plain | None
    permits: tuple[Permit, ...]

    @property
    def motions(self) -> tuple[Motion, ...]:
        return tuple(permit.motion for permit in self.permits)


Rule = Callable[[Transition], Iterator[str]]


def permits_in(outputs: tuple[Output, ...]) -> tuple[Permit, ...]:
    return tuple(output.permit for output in outputs if isinstance(output, Execute))
