"""What a proof shows: a line a fault, a summary, figures for programs, and the page in docs/."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from proof.catalogue import Fault
from proof.verdict import Run, Verdict

PAGE: Final = Path("docs/proof.md")
# The figures of a fault's line: the worst of all its runs, and its unit.
SHOWN: Final = (
    ("alarm", "alarm"),
    ("last pulling motion", "no pull"),
    ("slack", "slack"),
    ("true force over the ceiling", "over ceiling"),
    ("fall within 100 ms", "fall/100 ms"),
    ("unloading over 500 ms", "N/s"),
)


def by_fault(runs: Iterable[Run]) -> dict[str, list[Run]]:
    grouped: dict[str, list[Run]] = defaultdict(list)
    for run in runs:
        grouped[run.fault].append(run)
    return grouped


def worst(runs: Iterable[Run], asked: str) -> Verdict | None:
    """Of all runs, the verdict of that question that came nearest to its bound, or went farthest past it."""
    verdicts = [v for run in runs for v in run.verdicts if v.asked == asked and isinstance(v.reached, float | int)]
    return max(verdicts, key=lambda v: float(v.reached or 0) - float(v.bound or 0), default=None)


def line(fault: Fault, runs: Sequence[Run]) -> str:
    """One line for people: what was injected how often, the worst figures, and what did not hold."""
    failed = sum(not run.held for run in runs)
    said = f"{fault.id} {'ok  ' if not failed else 'FAIL'} {len(runs):3d} runs  {fault.name}"
    figures = "; ".join(_figure(runs, asked, name) for asked, name in SHOWN if worst(runs, asked) is not None)
    return said + (f"  [{figures}]" if figures else "")


def _figure(runs: Sequence[Run], asked: str, name: str) -> str:
    verdict = worst(runs, asked)
    assert verdict is not None
    return f"{name} {float(verdict.reached or 0):.4g}/{verdict.bound} {verdict.unit}"


def failures(run: Run) -> Iterator[str]:
    """What did not hold, and the command that shows it again."""
    for verdict in run.failed:
        yield (
            f"    {run.fault} in {run.phase} on {run.patient}, seed {run.seed}: "
            f"{verdict.asked}: {verdict.reached} {verdict.unit}, not {verdict.bound} {verdict.unit}".rstrip()
        )
    if not run.held:
        again = f"--fault {run.fault} --phase {run.phase} --patient {run.patient} --seed {run.seed}"
        yield f"    again: tractable prove {again}"


def as_figures(runs: Iterable[Run]) -> list[dict[str, object]]:
    """The contract of `--json`: one entry a verdict."""
    return [
        {
            "name": f"{run.fault} {run.phase} {run.patient}: {verdict.asked}",
            "reached": verdict.reached,
            "goal": verdict.bound,
            "baseline": None,
            "unit": verdict.unit,
            "met": verdict.held,
            "seed": run.seed,
        }
        for run in runs
        for verdict in run.verdicts
    ]


def page(catalogue: dict[str, Fault], runs: Sequence[Run], not_here: dict[str, str], took_s: float) -> str:
    """The page in docs/, in Markdown."""
    grouped = by_fault(runs)
    held = sum(run.held for run in runs)
    lines = [
        "# What was proven",
        "",
        "Made by `tractable prove --page`; do not edit. Every fault of `proof/faults.toml` that can be injected on a",
        "computer is injected, and what really happened to the simulated patient is held against its row.",
        "",
        f"{len(grouped)} faults, {len(runs)} runs, {held} as they must be, in {took_s / 60:.0f} minutes.",
        "",
        "Worst of all runs, beside what is allowed. Times count from the onset of the fault.",
        "",
        "| fault | what | runs | alarm, ms | last pull, ms | slack, ms | over ceiling, N | fall in 100 ms, N | |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for fault_id, some in sorted(grouped.items()):
        columns = [_cell(some, asked) for asked, _name in SHOWN[:5]]
        verdict = "held" if all(run.held for run in some) else "**not held**"
        alarm = catalogue[fault_id].alarm or ""
        name = f"{catalogue[fault_id].name} {f'({alarm})' if alarm else ''}".strip()
        lines.append(f"| {fault_id} | {name} | {len(some)} | {' | '.join(columns)} | {verdict} |")
    lines += ["", "## Rows that were corrected", ""]
    lines += [f"- {fault.id}: {fault.corrected}" for fault in catalogue.values() if fault.corrected]
    lines += ["", "## What cannot be injected here", ""]
    lines += [f"- {fault_id} ({catalogue[fault_id].name}): {why}" for fault_id, why in not_here.items()]
    return "\n".join(lines) + "\n"


def _cell(runs: Sequence[Run], asked: str) -> str:
    verdict = worst(runs, asked)
    return "" if verdict is None else f"{float(verdict.reached or 0):.4g} / {verdict.bound}"
