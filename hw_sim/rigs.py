"""Rigs: what a simulated table, its sensor and its patient are made of, read from the presets beside this file.

A preset is TOML, one key a field of `Rig`; `based_on` names the preset that gives what it leaves out.
"""

import difflib
import math
import random
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

PRESETS: Final = Path(__file__).parent / "presets"

MAY_BE_ZERO: Final = frozenset(
    {
        "cell_noise_n",
        "cell_linearity_n",
        "cell_creep_fraction",
        "cell_drift_n_per_h",
        "cell_spikes_per_conversion",
        "cell_spike_n",
        "lost_motion_mm",
        "backlash_mm",
        "bleed_max_mm_s",
        "bleed_mm_s_per_n",
        "bleed_breakaway_n",
        "idle_current_ma",
        "current_ma_per_n",
        "slack_mm",
        "harness_damping_n_s_per_m",
        "body_damping_n_s_per_m",
        "creep_fast_fraction",
        "creep_slow_fraction",
        "coulomb_n",
        "breakaway_n",
        "bristle_damping_n_s_per_m",
        "breathing_mm",
        "breathing_variation",
    }
)
MAY_BE_NEGATIVE: Final = frozenset({"cell_zero_counts_a", "cell_zero_counts_b"})

# How far patients and harnesses differ (assumed): a random rig is drawn evenly on a logarithmic scale.
SPREADS: Final[Mapping[str, tuple[float, float]]] = {
    "harness_n_per_mm": (5.0, 20.0),
    "body_n_per_mm": (10.0, 40.0),
    "hip_mass_kg": (22.0, 65.0),
}


class RigError(ValueError):
    """A preset that cannot be used; the text names the file, the key and what to do."""


@dataclass(frozen=True, slots=True)
class Rig:
    """One table with one patient. `presets/nominal.toml` says what each number stands on."""

    name: str

    rate_hz: int
    cell_zero_counts_a: int
    cell_zero_counts_b: int
    cell_counts_per_n_a: float
    cell_counts_per_n_b: float
    cell_noise_n: float
    cell_linearity_n: float
    cell_creep_fraction: float
    cell_drift_n_per_h: float
    cell_spikes_per_conversion: float
    cell_spike_n: float

    mechanical_max_um_s: int
    acceleration_max_mm_s2: float
    motor_lag_ms: float
    step_um: float
    lost_motion_mm: float
    backlash_mm: float
    backlash_shuts_at_n: float
    bleed_max_mm_s: float
    bleed_mm_s_per_n: float
    bleed_breakaway_n: float
    idle_current_ma: float
    current_ma_per_n: float
    stall_current_ma: float

    slack_mm: float
    harness_n_per_mm: float
    harness_toe_mm: float
    harness_damping_n_s_per_m: float

    body_mass_kg: float
    hip_mass_kg: float
    body_n_per_mm: float
    body_damping_n_s_per_m: float
    creep_fast_fraction: float
    creep_fast_s: float
    creep_slow_fraction: float
    creep_slow_s: float

    coulomb_n: float
    breakaway_n: float
    stribeck_mm_s: float
    bristle_n_per_mm: float
    bristle_damping_n_s_per_m: float

    breathing_mm: float
    breathing_hz: float
    breathing_variation: float

    def __post_init__(self) -> None:
        for field in fields(self):
            if field.name != "name":
                _check_range(self.name, field.name, getattr(self, field.name))

    @property
    def series_n_per_mm(self) -> float:
        """What the cable feels at once: harness and body one after the other."""
        return 1.0 / (1.0 / self.harness_n_per_mm + 1.0 / self.body_n_per_mm)


def load_rig(name: str, presets: Path = PRESETS) -> Rig:
    """The rig of that preset. Raises RigError where the preset is unknown or says something that a rig has not."""
    values = _read(name, presets, chain=())
    missing = [field.name for field in fields(Rig) if field.name != "name" and field.name not in values]
    if missing:
        raise RigError(f"{presets / name}.toml: {', '.join(missing)} missing; give a value or name a rig in based_on.")
    return Rig(name=name, **values)


def rig_names(presets: Path = PRESETS) -> list[str]:
    return sorted(path.stem for path in presets.glob("*.toml"))


def random_rig(base: Rig, seed: int) -> Rig:
    """`base` with another patient and harness, drawn from `SPREADS`; the same seed gives the same rig."""
    draw = random.Random(seed)
    drawn: dict[str, Any] = {
        key: math.exp(draw.uniform(math.log(low), math.log(high))) for key, (low, high) in SPREADS.items()
    }
    return replace(base, name=f"{base.name}#{seed}", **drawn)


def _read(name: str, presets: Path, chain: tuple[str, ...]) -> dict[str, Any]:
    path = presets / f"{name}.toml"
    if name in chain:
        raise RigError(f"{path}: based_on goes round in a circle ({' -> '.join((*chain, name))}); break it.")
    if not path.is_file():
        raise RigError(f"{path}: no such rig{_nearest(name, rig_names(presets))}.")
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise RigError(f"{path}: not TOML ({error}); correct that line.") from error
    base = values.pop("based_on", None)
    own = {key: _typed(path, key, value) for key, value in values.items()}
    return own if base is None else _read(str(base), presets, (*chain, name)) | own


def _typed(path: Path, key: str, value: object) -> float:
    types = {field.name: field.type for field in fields(Rig) if field.name != "name"}
    if key not in types:
        raise RigError(f"{path}: unknown key {key!r}{_nearest(key, list(types))}.")
    wants_integer = types[key] is int
    if isinstance(value, bool) or not isinstance(value, int if wants_integer else (int, float)):
        raise RigError(f"{path}: {key} = {value!r} is not {'a whole' if wants_integer else 'a'} number.")
    return value if wants_integer else float(value)


def _nearest(word: str, known: list[str]) -> str:
    match = difflib.get_close_matches(word, known, n=1, cutoff=0.0)
    return f"; did you mean {match[0]!r}?" if match else ""


def _check_range(rig: str, key: str, value: float) -> None:
    if not math.isfinite(value):
        raise RigError(f"{rig}: {key} = {value} is not a finite number.")
    if key in MAY_BE_NEGATIVE:
        return
    if value < 0 or (value == 0 and key not in MAY_BE_ZERO):
        raise RigError(f"{rig}: {key} = {value} must be {'zero or more' if key in MAY_BE_ZERO else 'above zero'}.")
