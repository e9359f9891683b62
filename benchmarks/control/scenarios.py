"""What happens to whom: the scenarios as data."""

from dataclasses import dataclass
from typing import Final

from controller.profile import Profile, hold, ramp, rest
from hw_sim.plant import Plant

RAMP_N_S: Final = 20.0  # as fast as the rules allow
SETTLING_S: Final = 10.0  # of hold before an upset


@dataclass(frozen=True, slots=True)
class Cough:
    at_s: float
    peak_n: float = 80.0
    duration_ms: int = 200

    def begin(self, plant: Plant) -> None:
        plant.cough(self.peak_n, self.duration_ms)


@dataclass(frozen=True, slots=True)
class Shift:
    """Positive is away from the cable."""

    at_s: float
    distance_mm: float
    duration_ms: int

    def begin(self, plant: Plant) -> None:
        plant.shift(self.distance_mm, self.duration_ms)


Upset = Cough | Shift


@dataclass(frozen=True, slots=True)
class Scenario:
    """A force that is held for so long, with upsets at those seconds of the hold."""

    name: str
    force_n: float = 300.0
    hold_s: float = 20.0
    upsets: tuple[Upset, ...] = ()

    def profile(self, from_n: float, rate_max_n_s: float) -> Profile:
        return Profile((ramp(from_n, self.force_n, rate_max_n_s), hold(self.force_n, self.hold_s)))


@dataclass(frozen=True, slots=True)
class Intermittent:
    """Pulls and rests by turns."""

    name: str
    force_n: float = 300.0
    rest_n: float = 100.0
    hold_s: float = 30.0
    rest_s: float = 10.0
    cycles: int = 3
    upsets: tuple[Upset, ...] = ()

    def profile(self, from_n: float, rate_max_n_s: float) -> Profile:
        cycle = (
            ramp(self.force_n, self.rest_n, rate_max_n_s),
            rest(self.rest_n, self.rest_s),
            ramp(self.rest_n, self.force_n, rate_max_n_s),
            hold(self.force_n, self.hold_s),
        )
        first = (ramp(from_n, self.force_n, rate_max_n_s), hold(self.force_n, self.hold_s))
        return Profile((*first, *(cycle * self.cycles)))


def coughs(peak_n: float, count: int = 3, every_s: float = 0.7) -> tuple[Cough, ...]:
    return tuple(Cough(SETTLING_S + index * every_s, peak_n) for index in range(count))


HOLD: Final = Scenario("hold", hold_s=600.0)
THREE_COUGHS: Final = Scenario("coughs", upsets=coughs(80.0))
SHIFT_AWAY_SLOW: Final = Scenario("shift away in 2 s", upsets=(Shift(SETTLING_S, 20.0, 2000),))
SHIFT_AWAY_FAST: Final = Scenario("shift away in 0.5 s", upsets=(Shift(SETTLING_S, 20.0, 500),))
SHIFT_TOWARDS: Final = Scenario("shift towards in 2 s", upsets=(Shift(SETTLING_S, -20.0, 2000),))
RANDOM_RIG: Final = Scenario(
    "random rig", hold_s=42.0, upsets=tuple(Cough(30 + 0.7 * index, 60.0) for index in range(3))
)
INTERMITTENT: Final = Intermittent("intermittent 300/100")
RAMPS: Final = tuple(Scenario(f"ramp to {force_n} N", float(force_n), 10.0) for force_n in (100, 300, 450))
