"""Every motion that can be asked for. Off is not zero: holding still, paying out and letting go all differ."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from safety.limits import SessionLimits
from safety.units import MicrometresPerSecond


class ReleaseProfile(Enum):
    """How fast to let go; the value is the serial protocol's number, and a larger one is faster."""

    NORMAL = 0  # 20 N/s
    PROTECTIVE = 1  # 50 N/s
    EMERGENCY = 2  # 100 N/s


@dataclass(frozen=True, slots=True)
class Arm:
    """Give the session's limits to the device and let it enable the drive, holding still."""

    limits: SessionLimits
    calibration_a: int
    calibration_b: int


@dataclass(frozen=True, slots=True)
class Pull:
    """Wind in at that speed, above zero."""

    speed_um_s: MicrometresPerSecond


@dataclass(frozen=True, slots=True)
class Hold:
    """Keep the drum where it is."""


@dataclass(frozen=True, slots=True)
class PayOut:
    """Give cable at that speed, above zero."""

    speed_um_s: MicrometresPerSecond


@dataclass(frozen=True, slots=True)
class Release:
    """Let go at that profile's rate; the device does it alone."""

    profile: ReleaseProfile


@dataclass(frozen=True, slots=True)
class CutPower:
    """Drive off and brake on. The device does it only when slack."""


Motion = Arm | Pull | Hold | PayOut | Release | CutPower
MOTIONS: Final = (Arm, Pull, Hold, PayOut, Release, CutPower)
