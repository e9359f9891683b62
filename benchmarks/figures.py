"""A figure: what was reached, what was the goal, and the baseline measured in the same run."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Figure:
    """`goal` and `baseline` may be None, `met` then too. Lower is better unless `higher_is_better`."""

    name: str
    reached: float
    goal: float | None
    baseline: float | None
    unit: str
    seed: int
    higher_is_better: bool = False

    @property
    def met(self) -> bool | None:
        if self.goal is None:
            return None
        return self.reached >= self.goal if self.higher_is_better else self.reached <= self.goal

    def as_json(self) -> dict[str, object]:
        """The contract of `--json`."""
        values = asdict(self)
        del values["higher_is_better"]
        return values | {"met": self.met}


def print_figures(figures: Iterable[Figure], as_json: bool) -> None:
    """A table for people, or a list for programs."""
    listed = list(figures)
    if as_json:
        print(json.dumps([figure.as_json() for figure in listed], indent=2))
        return
    table = Table("Figure", "Reached", "Goal", "Baseline", "Ratio to baseline", "Met", box=None)
    for figure in listed:
        ratio = "" if not figure.baseline else f"{figure.reached / figure.baseline:.3f}"
        met = {True: "yes", False: "NO", None: ""}[figure.met]
        table.add_row(
            figure.name,
            _shown(figure.reached, figure.unit),
            _shown(figure.goal, figure.unit),
            _shown(figure.baseline, figure.unit),
            ratio,
            met,
        )
    Console().print(table)


def _shown(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:.3g} {unit}"
