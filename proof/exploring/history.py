"""What the checker itself remembers of a way through the states: kept from inputs and outputs alone, never from State.

The rules that need a past (two seconds slack, a switch that was pressed, a release that was said) are judged by this
memory, so that a step that forgets or makes up its own is found out.
"""

from dataclasses import dataclass, replace
from typing import Final

from controller.inputs import (
    AcknowledgeAsked,
    Answer,
    Began,
    Execute,
    Input,
    Output,
    Over,
    SampleArrived,
    StartAsked,
    StopAsked,
    TableFound,
    TableLost,
    TableSaid,
)
from controller.phases import Releasing, Tripped
from controller.state import State
from firmware_bridge.messages import MessageType, Nak, NakReason
from proof.exploring.plain import Plain, plain
from safety.motion import Arm, Release

LOOKED_AT_LEAST_US: Final = 250_000


@dataclass(frozen=True, slots=True)
class History:
    """Host times in us, but for `resting_since_t_us`, which is the table's. `cause`: what tripped first."""

    session: bool = False
    resting_since_t_us: int | None = None  # in this session: slack, drive off, both channels there
    zero_passed: bool = False  # slack and at rest for a second, in this session
    switch_pressed: bool = False  # after that
    switch_tested: bool = False  # and let go
    arm_asked: bool = False
    ended: bool = False  # the session was stopped, tripped, cut off: nothing may pull for it any more
    cause: str | None = None
    quiet_since_us: int | None = None
    quiet_seen_us: int | None = None
    acknowledged: bool = False
    released_us: int | None = None
    profile: int = -1  # the fastest that was asked for since the trip or release began
    move_refused_us: int | None = None
    last_t_us: int = 0
    over_samples: int = 0
    far_samples: int = 0
    wild_samples: int = 0

    @property
    def may_pull(self) -> bool:
        return self.session and self.zero_passed and self.switch_tested and self.arm_asked and not self.ended


NOTHING_PAST: Final = History()


def remembered(
    before: History, given: Input, now_us: int, state: State, outputs: tuple[Output, ...]
) -> tuple[History, Plain | None]:
    """What is remembered after that step; and the sample in plain numbers, when it was one."""
    changes: dict[str, object] = {}
    seen = None
    match given:
        case SampleArrived():
            seen = plain(given, state.calibration)
            _look(before, seen, now_us, changes)
        case StopAsked():
            changes["ended"] = True
        case TableLost():
            changes |= {"ended": True}
        case TableFound(restarted=True):
            changes |= {"ended": True}
        case AcknowledgeAsked(alarm=alarm) if alarm == before.cause:
            changes["acknowledged"] = any(isinstance(output, Answer) and output.done for output in outputs)
        case TableSaid(message=Nak(type=MessageType.MOVE, reason=NakReason.NOT_ARMED | NakReason.OUT_OF_RANGE)):
            changes["move_refused_us"] = now_us
        case StartAsked() if any(isinstance(output, Began) for output in outputs):
            kept = History(released_us=before.released_us, cause=before.cause)
            return replace(kept, session=True), None
        case _:
            pass
    _note_outputs(before, state, outputs, now_us, changes)
    return (replace(before, **changes) if changes else before), seen  # type: ignore[arg-type]


def _look(before: History, seen: Plain, now_us: int, changes: dict[str, object]) -> None:
    if before.session and not before.zero_passed:
        rested = seen.is_slack and not seen.drives
        since = before.resting_since_t_us if before.resting_since_t_us is not None else seen.t_us
        changes["resting_since_t_us"] = since if rested else None
        changes["zero_passed"] = rested and seen.t_us - since >= 1_000_000
    elif before.zero_passed and not before.switch_tested:
        changes["switch_pressed"] = before.switch_pressed or (seen.pressed and seen.connected)
        changes["switch_tested"] = before.switch_pressed and seen.connected and not seen.pressed
    in_a_row = seen.t_us >= before.last_t_us  # a clock that went back is another one
    changes["last_t_us"] = seen.t_us
    changes["over_samples"] = before.over_samples * in_a_row + 1 if seen.is_over else 0
    changes["far_samples"] = before.far_samples * in_a_row + 1 if seen.is_far_apart else 0
    changes["wild_samples"] = before.wild_samples * in_a_row + 1 if seen.is_out_of_range else 0
    if before.cause is not None:
        quiet = seen.is_quiet
        known = before.quiet_seen_us is not None and now_us - before.quiet_seen_us <= LOOKED_AT_LEAST_US
        if not quiet:
            changes |= {"quiet_since_us": None, "acknowledged": False}
        elif before.quiet_since_us is None or not known:
            changes["quiet_since_us"] = now_us
        changes["quiet_seen_us"] = now_us


def _note_outputs(
    before: History, state: State, outputs: tuple[Output, ...], now_us: int, changes: dict[str, object]
) -> None:
    for output in outputs:
        match output:
            case Execute(permit=permit):
                if type(permit.motion) is Release:
                    changes["released_us"] = now_us
                    changes["profile"] = max(before.profile, permit.motion.profile.value)
                elif type(permit.motion) is Arm:
                    changes["arm_asked"] = True
            case Over():
                changes |= {"session": False, "ended": True}
            case _:
                pass
    tripped = isinstance(state.phase, Tripped)
    if tripped and before.cause is None:
        cause = next((entry.id.value for entry in state.board if entry.root), "none")
        changes |= {"cause": cause, "ended": True, "quiet_since_us": None, "acknowledged": False}
    elif not tripped and before.cause is not None:
        changes |= {"cause": None, "profile": -1}
    if isinstance(state.phase, Releasing):
        changes["ended"] = True
