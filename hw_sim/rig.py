"""A rig: what a simulated table, its sensor and its patient are made of; each number with the range it may have."""

import math
from dataclasses import dataclass, field, fields
from typing import Any, Final


class RigError(ValueError):
    """A rig that cannot be used; the text names where, the key and what to do."""


STANDARD_GRAVITY_M_S2: Final = 9.80665
TABLE: Final = "table"
PATIENT: Final = "patient"


def _of_table(low: float, high: float) -> Any:
    return field(metadata={"part": TABLE, "range": (low, high)})


def _of_patient(low: float, high: float) -> Any:
    return field(metadata={"part": PATIENT, "range": (low, high)})


@dataclass(frozen=True, slots=True)
class Rig:
    """One table with one patient. `presets/` says what each number stands on.

    The ranges are what can be simulated and thought of, wider than any real table or person.
    """

    name: str

    rate_hz: int = _of_table(1, 1_000)
    cell_zero_counts_a: int = _of_table(-4_000_000, 4_000_000)
    cell_zero_counts_b: int = _of_table(-4_000_000, 4_000_000)
    cell_counts_per_n_a: float = _of_table(1, 1_000_000)
    cell_counts_per_n_b: float = _of_table(1, 1_000_000)
    cell_noise_n: float = _of_table(0, 100)
    cell_linearity_n: float = _of_table(0, 100)
    cell_hysteresis_n: float = _of_table(0, 100)
    cell_creep_fraction: float = _of_table(0, 1)
    cell_drift_n_per_h: float = _of_table(0, 100_000)
    cell_spikes_per_conversion: float = _of_table(0, 1)
    cell_spike_n: float = _of_table(0, 10_000)

    mechanical_max_um_s: int = _of_table(100, 1_000_000)
    acceleration_max_mm_s2: float = _of_table(1, 100_000)
    motor_lag_ms: float = _of_table(0.001, 10_000)
    step_um: float = _of_table(0.001, 1_000)
    lost_motion_mm: float = _of_table(0, 100)
    backlash_mm: float = _of_table(0, 100)
    backlash_shuts_at_n: float = _of_table(0.001, 1_000)
    bleed_max_mm_s: float = _of_table(0, 1_000)
    bleed_mm_s_per_n: float = _of_table(0, 1_000)
    bleed_breakaway_n: float = _of_table(0, 10_000)
    idle_current_ma: float = _of_table(0, 100_000)
    current_ma_per_n: float = _of_table(0, 1_000)
    stall_current_ma: float = _of_table(1, 100_000)
    stall_n: float = _of_table(1, 100_000)

    slack_mm: float = _of_patient(0, 2_000)
    harness_n_per_mm: float = _of_patient(0.1, 1_000)
    harness_toe_mm: float = _of_patient(0.001, 100)
    harness_damping_n_s_per_m: float = _of_patient(0, 10_000)

    body_mass_kg: float = _of_patient(20, 300)
    hip_mass_kg: float = _of_patient(5, 200)
    body_n_per_mm: float = _of_patient(0.1, 1_000)
    body_damping_n_s_per_m: float = _of_patient(0, 10_000)
    creep_fast_fraction: float = _of_patient(0, 0.5)
    creep_fast_s: float = _of_patient(0.1, 1_000_000)
    creep_slow_fraction: float = _of_patient(0, 0.5)
    creep_slow_s: float = _of_patient(0.1, 1_000_000)

    coulomb_n: float = _of_table(0, 10_000)
    breakaway_n: float = _of_table(0, 10_000)
    coulomb_of_body_weight: float = _of_table(0, 1)
    breakaway_of_body_weight: float = _of_table(0, 1)
    stribeck_mm_s: float = _of_table(0.001, 1_000)
    bristle_n_per_mm: float = _of_table(0.1, 100_000)
    bristle_damping_n_s_per_m: float = _of_table(0, 1_000_000)

    breathing_mm: float = _of_patient(0, 50)
    breathing_hz: float = _of_patient(0.01, 50)
    breathing_variation: float = _of_patient(0, 0.9)

    coughs_per_min: float = _of_patient(0, 60)
    cough_n: float = _of_patient(0, 1_000)
    shifts_per_min: float = _of_patient(0, 60)
    shift_mm: float = _of_patient(0, 500)

    def __post_init__(self) -> None:
        for key, (low, high) in RANGES.items():
            value = getattr(self, key)
            if not low <= value <= high:  # not a number fails this too
                raise RigError(f"{self.name}: {out_of_range(key, value)}")

    @property
    def series_n_per_mm(self) -> float:
        """What the cable feels at once: harness and body one after the other."""
        return 1.0 / (1.0 / self.harness_n_per_mm + 1.0 / self.body_n_per_mm)

    @property
    def sliding_n(self) -> float:
        """Friction under the hip once it slides: the table's own, and what the patient's weight adds."""
        return self.coulomb_n + self.coulomb_of_body_weight * self.body_mass_kg * STANDARD_GRAVITY_M_S2

    @property
    def sticking_n(self) -> float:
        """What it takes to make it slide."""
        return self.breakaway_n + self.breakaway_of_body_weight * self.body_mass_kg * STANDARD_GRAVITY_M_S2


TYPES: Final[dict[str, type]] = {one.name: one.type for one in fields(Rig) if one.name != "name"}  # type: ignore[misc]
PARTS: Final[dict[str, str]] = {one.name: one.metadata["part"] for one in fields(Rig) if one.name != "name"}
RANGES: Final[dict[str, tuple[float, float]]] = {
    one.name: one.metadata["range"] for one in fields(Rig) if one.name != "name"
}


def out_of_range(key: str, value: float) -> str:
    """The sentence about a number that is beyond its range."""
    low, high = RANGES[key]
    if not math.isfinite(value):
        return f"{key} = {value} is not a finite number."
    return f"{key} = {value:g} is out of range; give {low:g} to {high:g}."
