"""The phases of a session, as types: what is known in each is in it, and nothing else can be asked of it."""

from dataclasses import dataclass

from controller.messages import PhaseName
from controller.profile import Segment
from controller.take_up import TakeUp
from controller.tension import Gains, Loop
from safety.motion import ReleaseProfile


@dataclass(frozen=True)
class Idle:
    """Nothing asked for."""


@dataclass(frozen=True)
class CheckingZero:
    """Slack, drive off: are both channels at the calibration's zero, and quiet? Sums in mN and mN squared."""

    started_us: int | None = None  # device time of the first sample; None before it
    count: int = 0
    sum_a: int = 0
    sum_b: int = 0
    square_a: int = 0
    square_b: int = 0


@dataclass(frozen=True)
class AwaitingSwitchTest:
    """The patient presses the switch and lets it go, so that it is seen to work."""

    since_us: int
    pressed: bool = False


@dataclass(frozen=True)
class TakingUpSlack:
    """Winding in to the preload. `since_us` is None until the table says that it is armed."""

    asked_us: int
    since_us: int | None = None
    memory: TakeUp = TakeUp()


@dataclass(frozen=True)
class Ramping:
    """On the way along segment number `step` of the profile."""

    since_us: int
    segment: Segment
    gains: Gains
    loop: Loop = Loop()
    step: int = 0


@dataclass(frozen=True)
class Holding:
    """At force. It ends once the session's clock, which counts only that, shows `until_at_force_us`."""

    since_us: int
    target_n: float
    gains: Gains
    loop: Loop
    until_at_force_us: int
    step: int = 1


@dataclass(frozen=True)
class Resting:
    """At a low force between pulls."""

    since_us: int
    segment: Segment
    gains: Gains
    loop: Loop
    step: int


@dataclass(frozen=True)
class Paused:
    """At a low force until somebody says to go on, or it lasts too long. `segment` leads there; nothing winds in.

    `step` is where the profile goes on; `began_us` counts, `since_us` is when the way down began.
    """

    since_us: int
    segment: Segment
    gains: Gains
    loop: Loop
    step: int
    began_us: int


@dataclass(frozen=True)
class Releasing:
    """Letting go; the table does it by itself. `because` is a sentence for people.

    `table_tripped_us`: since when the table's samples show a trip; None while they show none.
    """

    since_us: int
    profile: ReleaseProfile
    because: str
    table_tripped_us: int | None = None


@dataclass(frozen=True)
class Ended:
    """Slack and disarmed. `refused`: a check before the pull was not passed."""

    because: str
    refused: bool


@dataclass(frozen=True)
class Tripped:
    """Stopped by safety; the interlock holds the cause."""

    since_us: int
    profile: ReleaseProfile


# Those in which the loop follows the profile.
Following = Ramping | Holding | Resting
Phase = (
    Idle
    | CheckingZero
    | AwaitingSwitchTest
    | TakingUpSlack
    | Ramping
    | Holding
    | Resting
    | Paused
    | Releasing
    | Ended
    | Tripped
)

NAMES: dict[type[Phase], PhaseName] = {
    Idle: PhaseName.IDLE,
    CheckingZero: PhaseName.CHECKING_ZERO,
    AwaitingSwitchTest: PhaseName.AWAITING_SWITCH_TEST,
    TakingUpSlack: PhaseName.TAKING_UP_SLACK,
    Ramping: PhaseName.RAMPING,
    Holding: PhaseName.HOLDING,
    Resting: PhaseName.RESTING,
    Paused: PhaseName.PAUSED,
    Releasing: PhaseName.RELEASING,
    Ended: PhaseName.ENDED,
    Tripped: PhaseName.TRIPPED,
}


def name(phase: Phase) -> PhaseName:
    return NAMES[type(phase)]
