"""Which fault is injected when, on whom and how often: every fault once for a quick look, or all that the rows name."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from proof.catalogue import Fault

QUICK_PATIENTS: Final = ("nominal",)
QUICK_SEEDS: Final = (1,)
PATIENTS: Final = ("nominal", "nominal_80", "soft", "stiff")
SEEDS: Final = (1, 2, 3)
# The phase that shows the most, where a fault is injected only once.
PHASES_BY_WORTH: Final = ("HOLD", "RAMP", "READY", "IDLE", "SERVICE", "RELEASE")


@dataclass(frozen=True, slots=True)
class Case:
    fault: str
    phase: str
    patient: str
    seed: int


def quick(faults: Iterable[Fault], patients: Iterable[str] = QUICK_PATIENTS) -> Iterator[Case]:
    """Every fault once."""
    for patient in patients:
        for fault in faults:
            phase = min(fault.phases, key=PHASES_BY_WORTH.index)
            yield Case(fault.id, phase, patient, QUICK_SEEDS[0])


def full(faults: Iterable[Fault], simulated: Mapping[str, object]) -> Iterator[Case]:
    """Every fault in every phase that it names; those of the simulator on several patients, with several seeds."""
    for fault in faults:
        in_virtual_time = fault.id in simulated
        for phase in fault.phases:
            for patient in PATIENTS if in_virtual_time else QUICK_PATIENTS:
                for seed in SEEDS if in_virtual_time else QUICK_SEEDS:
                    yield Case(fault.id, phase, patient, seed)
