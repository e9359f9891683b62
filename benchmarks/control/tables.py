"""The two tables that are measured, and the patients."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from controller.tension import SpeedLimits, Timing, timing
from hw_sim.rigs import Rig, load_rig, random_rig

PATIENTS: Final = ("soft", "middling", "stiff")
PULL_MAX_MM_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class TableKind:
    """A rig's table part by its preset's name, with its goals' letter."""

    letter: str
    preset: str

    def rig(self, patient: str = "middling") -> Rig:
        return load_rig(f"{self.preset}+{patient}")

    def random_rigs(self, seed: int, count: int) -> Iterator[Rig]:
        """Other patients and harnesses on this table; a seed's rigs are no other seed's."""
        base = self.rig()
        for index in range(count):
            yield random_rig(base, seed * 100_000 + index)


TABLES: Final = (TableKind("A", "modest"), TableKind("B", "reference"))


def timing_of(rig: Rig) -> Timing:
    return timing(rig.rate_hz)


def speeds_of(rig: Rig) -> SpeedLimits:
    return SpeedLimits(PULL_MAX_MM_S, min(40_000, rig.mechanical_max_um_s) / 1000)
