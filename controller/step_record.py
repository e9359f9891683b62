"""What a record must hold, beside the samples, so that its steps can be taken again: every other input that mattered.

The first event of a step carries it under `step`: which input it was, all that was in it, and the times that the step
knew. The step that begins a session also carries what was known before it. Everything is JSON values; `input_of` and
`state_before` make of them what they were. A patient's pseudonym is only in the header, and is put back from there.

Steps that put nothing on record (a tick that found nothing, a sample) carry nothing: samples have their own rows.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final, get_args, get_type_hints

from pydantic import TypeAdapter

from controller.inputs import Input, Output, Record, StartAsked
from controller.state import State
from safety.limits import SiteLimits

STEP: Final = "step"
# What a new session goes on with, of all that a state is: a start is accepted only from rest, and begins the rest anew.
KEPT_BY_A_START: Final = (
    "site",
    "calibration",
    "table",
    "reading",
    "age_us",
    "board",
    "released_at_us",
    "cleared_at_us",
    "move_refused_at_us",
    "stepped_at_us",
    "open_end",
)
# Not on record before it was kept; a start closes it, so that a record without it is read as one where none was open.
MAY_BE_ABSENT: Final = frozenset({"open_end"})
# In the header of the record, or not to be on record twice.
FROM_THE_HEADER: Final = frozenset({"prescription", "session_id", "patient"})
INPUTS: Final[Mapping[str, type]] = {one.__name__: one for one in get_args(Input)}


def with_step(outputs: tuple[Output, ...], before: State, given: Input, now_us: int) -> tuple[Output, ...]:
    """The outputs, the first event of which carries the step; as they are where there is no event."""
    for index, output in enumerate(outputs):
        if isinstance(output, Record):
            data = {**output.data, STEP: _described(before, given, now_us)}
            marked = Record(output.kind, output.actor, output.text, data)
            return (*outputs[:index], marked, *outputs[index + 1 :])
    return outputs


def _described(before: State, given: Input, now_us: int) -> dict[str, object]:
    """`since_us` tells how long before it the step before was taken: a controller that stood still shows by it."""
    fields: dict[str, Any] = _adapter(type(given).__name__).dump_python(given, mode="json")
    kept = {name: value for name, value in fields.items() if name not in FROM_THE_HEADER}
    step: dict[str, object] = {"input": type(given).__name__, "host_us": now_us, "given": kept}
    if before.stepped_at_us is not None:
        step["since_us"] = now_us - before.stepped_at_us
    if isinstance(given, StartAsked):
        step["patient_read"] = given.patient is not None
        step["before"] = {
            name: adapter.dump_python(getattr(before, name), mode="json") for name, adapter in _state_adapters().items()
        }
    return step


def input_of(step: Mapping[str, Any], prescription: Mapping[str, Any], session_id: str) -> Input:
    """The input as it was. Raises KeyError or ValueError where the step is not one that this version writes."""
    given = dict(step["given"])
    if step["input"] == StartAsked.__name__:
        given |= {"prescription": prescription, "session_id": session_id}
        given["patient"] = prescription["pseudonym"] if step["patient_read"] else None
    made: Input = _adapter(step["input"]).validate_python(given)
    return made


def state_before(step: Mapping[str, Any], site: SiteLimits | None = None) -> State:
    """The state before the step that began the session, with its own limits of the site or with others."""
    before = step["before"]
    fields = {
        name: adapter.validate_python(before[name])
        for name, adapter in _state_adapters().items()
        if name in before or name not in MAY_BE_ABSENT
    }
    return State(**(fields if site is None else fields | {"site": site}))


@cache
def _adapter(name: str) -> TypeAdapter[Any]:
    return TypeAdapter(INPUTS[name])


@cache
def _state_adapters() -> Mapping[str, TypeAdapter[Any]]:
    hints = get_type_hints(State)
    return {name: TypeAdapter(hints[name]) for name in KEPT_BY_A_START}
