"""Strides: many inputs on end, for what takes its time. Each of their steps is judged as every other is.

The table in them is a puppet that does what it is told: it arms, winds, pays out, lets go and rests, and its force
follows its cable as a spring's does. It is no model of the controller, and nothing of it is believed by the checker.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from controller.inputs import ClearTrip, Execute, Input, Output, Tick
from controller.phases import (
    AwaitingSwitchTest,
    CheckingZero,
    Holding,
    Idle,
    Paused,
    Phase,
    Ramping,
    Releasing,
    TakingUpSlack,
    Tripped,
)
from controller.state import State
from firmware_bridge.messages import Status
from proof.exploring import world
from proof.exploring.alphabet import FRESH_US, seen_again
from proof.exploring.world import SAMPLE_US, Seen
from safety.motion import Arm, Hold, PayOut, Pull, Release

SPRING_MN_PER_UM: Final = 6  # 6 N/mm
LET_GO_UM_S: Final = 8_000
FREE_UM: Final = 2_000  # of slack before a cable that hangs loose is tight
ARMED: Final = Status.ARMED | Status.DRIVE_ENABLED
LETTING_GO: Final = Status.RELEASING | Status.DRIVE_ENABLED
MOVING: Final = ARMED | LETTING_GO
SLACK_MN: Final = 15_000
BELOW_SLACK_UM: Final = 3_000  # how far on a release goes

Puppet = Callable[[Seen, tuple[Output, ...], int], Seen]
# A step of a stride: the next input, and how long after the last one it comes.
Paces = Callable[[State, tuple[Output, ...]], tuple[Input, int]]


@dataclass(frozen=True, slots=True)
class Stride:
    """`steps` at most; `phases`: from where it is worth it; it ends when the phase changes.

    It is walked once from each outline; one that is walked `once` is so long that it is walked from one state alone.
    """

    name: str
    phases: tuple[type[Phase], ...]
    steps: int
    begin: Callable[[State], Paces]
    once: bool = False


def obeyed(seen: Seen, outputs: tuple[Output, ...], passed_us: int) -> Seen:
    """What a table in order shows after it was told that."""
    status, velocity_um_s = seen.status, seen.velocity_um_s
    for output in outputs:
        if isinstance(output, ClearTrip):
            status &= ~Status.TRIPPED
        if not isinstance(output, Execute):
            continue
        match output.permit.motion:
            case Arm():
                status, velocity_um_s = status | ARMED, 0
            case Pull(speed_um_s=speed_um_s):
                velocity_um_s = speed_um_s
            case PayOut(speed_um_s=speed_um_s):
                velocity_um_s = -speed_um_s
            case Hold():
                velocity_um_s = 0
            case Release() if status & ARMED:
                status = (status & ~ARMED) | LETTING_GO
            case _:
                pass
    if not status & MOVING:
        velocity_um_s = 0
    elif status & Status.RELEASING:
        velocity_um_s = -LET_GO_UM_S
    moved_um = velocity_um_s * passed_us // 1_000_000
    force_mn = max(300, (seen.a_mn or 0) + moved_um * SPRING_MN_PER_UM)
    if status & Status.RELEASING and force_mn <= 300:
        status, velocity_um_s = status & ~LETTING_GO, 0
    return replace(
        seen,
        a_mn=force_mn,
        b_mn=force_mn,
        status=status,
        cable_um=seen.cable_um + moved_um,
        velocity_um_s=velocity_um_s,
    )


def _obeying(
    changed: Puppet = lambda seen, _outputs, _step: seen, sample_us: int = SAMPLE_US
) -> Callable[[State], Paces]:
    """Samples of a table that obeys, with that beside it (`changed` gets the number of the step)."""

    def begin(state: State) -> Paces:
        step = 0
        truth = _sound(seen_again(state))

        def pace(now: State, outputs: tuple[Output, ...]) -> tuple[Input, int]:
            nonlocal step, truth
            step += 1
            truth = obeyed(truth, outputs, sample_us)
            return world.sample(now, changed(truth, outputs, step), FRESH_US, sample_us), sample_us

        return pace

    return begin


def _sound(seen: Seen) -> Seen:
    """Both channels as the smaller one shows it, hands off the switches: from here on nothing is wrong any more."""
    force_mn = min((one for one in (seen.a_mn, seen.b_mn) if one is not None), default=300)
    status = (seen.status | Status.PATIENT_SWITCH_CONNECTED) & ~(Status.PATIENT_SWITCH_PRESSED | Status.EMERGENCY_STOP)
    return replace(seen, a_mn=force_mn, b_mn=force_mn, status=status, velocity_um_s=0)


def _silence(state: State) -> Paces:
    """Nothing comes, and the clock ticks."""
    age_us = max(0, state.age_us)

    def pace(_now: State, _outputs: tuple[Output, ...]) -> tuple[Input, int]:
        nonlocal age_us
        age_us += SAMPLE_US
        return Tick(age_us), SAMPLE_US

    return pace


def _flapping(state: State) -> Paces:
    """A sample, and then nothing for 120 ms; and again."""
    step = 0
    truth = _sound(seen_again(state))

    def pace(now: State, outputs: tuple[Output, ...]) -> tuple[Input, int]:
        nonlocal step, truth
        step += 1
        truth = obeyed(truth, outputs, SAMPLE_US)
        if step % 6:
            return Tick(FRESH_US + step % 6 * SAMPLE_US), SAMPLE_US
        return world.sample(now, truth, FRESH_US, 6 * SAMPLE_US), SAMPLE_US

    return pace


def _pressed(seen: Seen, _outputs: tuple[Output, ...], step: int) -> Seen:
    return replace(seen, status=seen.status | Status.PATIENT_SWITCH_PRESSED) if step <= 3 else seen


def _higher(by_mn: int) -> Puppet:
    return lambda seen, _outputs, _step: replace(seen, a_mn=(seen.a_mn or 0) + by_mn, b_mn=(seen.b_mn or 0) + by_mn)


def _apart(seen: Seen, _outputs: tuple[Output, ...], _step: int) -> Seen:
    return replace(seen, b_mn=(seen.b_mn or 0) + 20_000)


def _rising(seen: Seen, _outputs: tuple[Output, ...], step: int) -> Seen:
    risen_mn = min(step, 20) * 1_600  # 80 N/s for 0.4 s
    return replace(seen, a_mn=(seen.a_mn or 0) + risen_mn, b_mn=(seen.b_mn or 0) + risen_mn)


def _stuck(state: State) -> Paces:
    frozen = replace(_sound(seen_again(state)), same_code=True)
    return lambda now, _outputs: (world.sample(now, frozen, FRESH_US), SAMPLE_US)


def _gone(seen: Seen, _outputs: tuple[Output, ...], _step: int) -> Seen:
    return replace(seen, a_mn=300, b_mn=300)


DRIVING: Final = (TakingUpSlack, Ramping, Holding, Paused)
STRIDES: Final = (
    Stride("all goes well", (CheckingZero, AwaitingSwitchTest, *DRIVING, Releasing), 200, _obeying()),
    Stride("the patient presses the switch and lets go", (AwaitingSwitchTest,), 8, _obeying(_pressed)),
    Stride("held to the end", (Holding,), 640, _obeying(sample_us=100_000), once=True),
    Stride("let go, and 2 s slack", (Tripped,), 170, _obeying()),
    Stride("nothing comes", (CheckingZero, AwaitingSwitchTest, *DRIVING, Releasing, Tripped), 16, _silence),
    Stride("the line flaps", (*DRIVING, Releasing), 90, _flapping),
    Stride("20 N over the target", DRIVING, 110, _obeying(_higher(20_000))),
    Stride("force rises fast", DRIVING, 30, _obeying(_rising)),
    Stride("channels 20 N apart", (*DRIVING, Releasing), 14, _obeying(_apart)),
    Stride("one code again and again", (*DRIVING, Releasing), 28, _stuck),
    Stride("the patient has left", (Holding, Paused), 160, _obeying(_gone)),
    Stride("nothing happens", (Idle,), 10, _obeying()),
)


def from_phase(phase: Phase) -> Iterator[Stride]:
    return (stride for stride in STRIDES if isinstance(phase, stride.phases))
