"""Who orders the drum's speed: the table's own loop, and those that it is compared with."""

from collections.abc import Callable
from dataclasses import dataclass
from math import pi
from typing import Final, Protocol

from controller.tension import Loop, SpeedLimits, Timing, gains, tension_step
from hw_sim.drive import Drive
from hw_sim.plant import Plant
from hw_sim.rigs import Rig

NOMINAL_N_MM: Final = 20 / 3
GRAVITY_MM_S2: Final = 9806.65
NUDGE_EVERY_S: Final = 0.1
NUDGE_BEYOND_N: Final = 0.3
NUDGE_SHARE: Final = 0.5
PULLEY_FRICTION: Final = 0.02  # of the tension, ball bearing and a bending cable (assumed)


@dataclass(frozen=True, slots=True)
class Rigged:
    """What a host may know when it is made. Only the bound looks at `rig`."""

    rig: Rig
    loop_n_mm: float
    timing: Timing
    speeds: SpeedLimits

    def limited(self, speed_mm_s: float) -> float:
        return min(self.speeds.pull_mm_s, max(-self.speeds.payout_mm_s, speed_mm_s))


class Host(Protocol):
    def step(self, target_n: float, rate_n_s: float, force_n: float, period_s: float, plant: Plant) -> float:
        """The drum's speed in mm/s."""
        ...


@dataclass(frozen=True, slots=True)
class HostMaker:
    """A kind of host by its name, and the plant that it works on."""

    name: str
    make: Callable[[Rigged], Host]
    plant: Callable[[Rig, int], Plant] = Plant

    def __call__(self, rigged: Rigged) -> Host:
        return self.make(rigged)


class TensionLoop:
    """The table's own: what a session calls, called the same."""

    def __init__(self, rigged: Rigged) -> None:
        self._gains = gains(rigged.loop_n_mm, rigged.timing.delay_s)
        self._speeds, self._loop = rigged.speeds, Loop()

    def step(self, target_n: float, rate_n_s: float, force_n: float, period_s: float, _plant: Plant) -> float:
        self._loop, speed_mm_s = tension_step(
            self._loop, self._gains, target_n, rate_n_s, force_n, period_s, self._speeds
        )
        return speed_mm_s


class ZieglerNichols:
    """PI tuned once, by the ultimate gain of the nominal patient on this table, the integral never held back."""

    def __init__(self, rigged: Rigged) -> None:
        ultimate_rad_s = pi / (2 * rigged.timing.delay_s)
        self._proportional = 0.45 * ultimate_rad_s / NOMINAL_N_MM
        self._integral_s = 2 * pi / ultimate_rad_s / 1.2
        self._rigged, self._integral_mm_s = rigged, 0.0

    def step(self, target_n: float, rate_n_s: float, force_n: float, period_s: float, _plant: Plant) -> float:
        error_n = target_n - force_n
        self._integral_mm_s += self._proportional * error_n * period_s / self._integral_s
        return self._rigged.limited(self._proportional * error_n + self._integral_mm_s + rate_n_s / NOMINAL_N_MM)


class Nudging:
    """Like open string tensioners: ten times a second, by half of what the error is worth, or not at all."""

    def __init__(self, rigged: Rigged) -> None:
        self._rigged, self._left_s, self._speed_mm_s = rigged, 0.0, 0.0

    def step(self, target_n: float, _rate_n_s: float, force_n: float, period_s: float, _plant: Plant) -> float:
        self._left_s -= period_s
        if self._left_s <= 0:
            self._left_s = NUDGE_EVERY_S
            error_n = target_n - force_n
            worth_mm_s = NUDGE_SHARE * error_n / self._rigged.loop_n_mm / NUDGE_EVERY_S
            self._speed_mm_s = worth_mm_s if abs(error_n) > NUDGE_BEYOND_N else 0.0
        return self._rigged.limited(self._speed_mm_s)


class ThenLocked:
    """The tension loop as far as the first target, then a drum that is locked."""

    def __init__(self, rigged: Rigged) -> None:
        self._loop, self._reached = TensionLoop(rigged), False

    def step(self, target_n: float, rate_n_s: float, force_n: float, period_s: float, plant: Plant) -> float:
        self._reached |= rate_n_s == 0.0 and force_n >= target_n - 0.5
        return 0.0 if self._reached else self._loop.step(target_n, rate_n_s, force_n, period_s, plant)


class WeightOnPulley(Drive):
    """In the drum's place: a drum while it is ordered, and once `hung_n` is set a weight over a pulley."""

    hung_n: float | None = None

    def advance_ms(self, command_um_s: int, enabled: bool, brake_on: bool, tension_n: float) -> None:
        if self.hung_n is None:
            super().advance_ms(command_um_s, enabled, brake_on, tension_n)
            return
        mass_t = self.hung_n / GRAVITY_MM_S2  # N s2/mm
        excess_n = self.hung_n - tension_n
        friction_n = PULLEY_FRICTION * self.hung_n
        speed = self.cable_mm_s + excess_n / mass_t * 0.001
        slowed = friction_n / mass_t * 0.001
        self.cable_mm_s = speed - slowed if speed > slowed else speed + slowed if speed < -slowed else 0.0
        self.cable_mm += self.cable_mm_s * 0.001


class WeightPlant(Plant):
    def __init__(self, rig: Rig, seed: int) -> None:
        super().__init__(rig, seed)
        self._drive: WeightOnPulley = WeightOnPulley(rig)

    def hang(self, force_n: float) -> None:
        if self._drive.hung_n is None:
            self._drive.hung_n = force_n


class ThenWeight:
    """The tension loop as far as the first target, then a dead weight over a pulley."""

    def __init__(self, rigged: Rigged) -> None:
        self._loop = TensionLoop(rigged)

    def step(self, target_n: float, rate_n_s: float, force_n: float, period_s: float, plant: Plant) -> float:
        if rate_n_s == 0.0 and force_n >= target_n - 0.5 and isinstance(plant, WeightPlant):
            plant.hang(target_n)
        return self._loop.step(target_n, rate_n_s, force_n, period_s, plant)


OURS: Final = HostMaker("tension loop", TensionLoop)
ZIEGLER_NICHOLS: Final = HostMaker("fixed Ziegler-Nichols PI", ZieglerNichols)
NUDGING: Final = HostMaker("nudging", Nudging)
LOCKED: Final = HostMaker("drum locked", ThenLocked)
DEAD_WEIGHT: Final = HostMaker("dead weight", ThenWeight, WeightPlant)
