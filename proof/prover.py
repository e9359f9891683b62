"""What proves a fault: how it is injected, and what is asked of what comes of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from proof.catalogue import Fault
from proof.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Prover:
    """`alone`: it starts processes of its own and runs in real time; `sole`: it loads the computer so that none may run
    beside it."""

    prove: Callable[[Fault, str, str, int], Iterator[Verdict]]  # of fault, phase, patient and seed
    alone: bool = False
    sole: bool = False

    def __call__(self, fault: Fault, phase: str, patient: str, seed: int) -> Iterator[Verdict]:
        return self.prove(fault, phase, patient, seed)
