"""What a run of a fault is judged by: one line a question, with what was reached and what was allowed."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    """`held` is the answer; `reached` and `bound` are for people and programs, in `unit`."""

    asked: str
    held: bool
    reached: float | str | None = None
    bound: float | str | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """One fault, once: in which phase, on which patient, with which seed."""

    fault: str
    phase: str
    patient: str
    seed: int
    verdicts: tuple[Verdict, ...]
    took_s: float

    @property
    def held(self) -> bool:
        return all(verdict.held for verdict in self.verdicts)

    @property
    def failed(self) -> tuple[Verdict, ...]:
        return tuple(verdict for verdict in self.verdicts if not verdict.held)

    def as_json(self) -> dict[str, object]:
        return asdict(self) | {"held": self.held}


def at_most(asked: str, reached: float, bound: float, unit: str) -> Verdict:
    return Verdict(asked, reached <= bound, round(reached, 3), bound, unit)


def equal(asked: str, reached: object, wanted: object) -> Verdict:
    return Verdict(asked, reached == wanted, str(reached), str(wanted))


def holds(asked: str, held: bool, reached: str = "") -> Verdict:
    return Verdict(asked, held, reached or ("yes" if held else "no"), "yes")
