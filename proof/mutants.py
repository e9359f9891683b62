"""The mutation gate: `python -m proof.mutants` plants every small mistake in `safety/`, and its tests must notice it.

A mutant that survives, or that Python refuses to import, has its reason in `survivors.toml`, or fails the gate. So does
a run that broke off, took too long or could not begin, an explanation that explains nothing any more, and a canary that
came out otherwise than it must.
"""

import argparse
import json
import os
import random
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from proof.mutation import survivors
from proof.mutation.canaries import Canary, canaries
from proof.mutation.mutants import Mutant, mutants_of
from proof.mutation.trial import Outcome, Trial, Verdict, tried

ROOT: Final = Path(__file__).parents[1]
SURVIVORS: Final = ROOT / "proof" / "survivors.toml"
TOLD_EVERY: Final = 100  # mutants; a run takes minutes


@dataclass(slots=True)
class Report:
    """What came out, and from that whether the gate holds."""

    mutants: int
    killed: int = 0
    explained: list[Mutant] = field(default_factory=list)
    unexplained: list[Mutant] = field(default_factory=list)
    broken_off: list[tuple[Mutant, Verdict]] = field(default_factory=list)
    broken_canaries: list[tuple[Canary, Verdict]] = field(default_factory=list)
    stale: list[survivors.Key] = field(default_factory=list)  # explained, but there is no such mutant, or it was killed

    @property
    def holds(self) -> bool:
        return not (self.unexplained or self.broken_off or self.broken_canaries or self.stale)

    def counts(self) -> dict[str, int]:
        by_outcome = Counter(verdict.outcome for _mutant, verdict in self.broken_off)
        return {
            "killed": self.killed,
            "survived, explained": len(self.explained),
            "survived, unexplained": len(self.unexplained),
            **{kind.value: by_outcome[kind] for kind in (Outcome.CRASHED, Outcome.TIMED_OUT, Outcome.INFRASTRUCTURE)},
            "canaries that came out wrong": len(self.broken_canaries),
            "explanations of nothing": len(self.stale),
        }

    def lines(self) -> Iterable[str]:
        """A line for everything that fails the gate, and the summary."""
        for mutant in self.unexplained:
            yield f"survived: {mutant}"
        for mutant, verdict in self.broken_off:
            yield f"{verdict.outcome.value}: {mutant} ({verdict.detail})"
        for canary, verdict in self.broken_canaries:
            came_out = f"{verdict.outcome.value} ({verdict.detail})"
            yield f"canary: {canary.name} should be {canary.expected.value}, was {came_out}"
        for file, function, was, becomes in self.stale:
            yield f"explained, yet it does not survive: {file} {function}: {was}  ->  {becomes}"
        yield f"{self.mutants} mutants: " + ", ".join(f"{count} {name}" for name, count in self.counts().items())
        yield "The gate holds." if self.holds else "THE GATE FAILS."


def judged(mutants: Sequence[Mutant], stale: list[survivors.Key], explained: survivors.Explained, jobs: int) -> Report:
    """Tries the canaries first: where one of them comes out wrong, no verdict is worth waiting for."""
    report = Report(len(mutants), stale=stale)
    planted = {id(canary.trial): canary for canary in canaries(ROOT)}
    for trial, verdict in tried(ROOT, [canary.trial for canary in planted.values()], jobs):
        if verdict.outcome is not planted[id(trial)].expected:
            report.broken_canaries.append((planted[id(trial)], verdict))
    if report.broken_canaries:
        return report
    by_trial = {id(trial): (trial, mutant) for mutant in mutants for trial in (Trial(mutant.file, mutant.apply),)}
    for number, (trial, verdict) in enumerate(tried(ROOT, [trial for trial, _mutant in by_trial.values()], jobs), 1):
        _note(report, by_trial[id(trial)][1], verdict, explained)
        if number % TOLD_EVERY == 0:
            print(f"{number} of {len(mutants)} tried, {len(report.unexplained)} survived", file=sys.stderr, flush=True)
    return report


def _note(report: Report, mutant: Mutant, verdict: Verdict, explained: survivors.Explained) -> None:
    is_explained = mutant.key in explained.reasons
    match verdict.outcome:
        case Outcome.KILLED:
            report.killed += 1
            if is_explained and mutant.key not in {other.key for other in report.explained}:
                report.stale.append(mutant.key)
        case Outcome.SURVIVED | Outcome.UNBORN:
            (report.explained if is_explained else report.unexplained).append(mutant)
        case _:
            report.broken_off.append((mutant, verdict))


def _files(asked: Sequence[str]) -> list[str]:
    every = [f"safety/{path.name}" for path in sorted((ROOT / "safety").glob("*.py")) if path.stat().st_size]
    unknown = sorted(set(asked) - set(every))
    if unknown:
        sys.exit(f"No such file: {', '.join(unknown)}. There are: {', '.join(every)}.")
    return list(asked) or every


def _arguments() -> Any:
    parser = argparse.ArgumentParser(prog="python -m proof.mutants", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--sample", type=int, metavar="N", help="try only N of them, drawn by the seed")
    parser.add_argument("--seed", type=int, default=1, help="the same seed draws the same mutants")
    parser.add_argument("--file", action="append", default=[], help="only this file, such as safety/limiter.py")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many at a time")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser.parse_args()


def main() -> None:
    """Exits with 1 where the gate fails."""
    asked = _arguments()
    if not (ROOT / "tests" / "safety").is_dir():
        sys.exit("The tests of safety/ are not installed: run this in a checkout of the repository.")
    files, explained = _files(asked.file), survivors.read(SURVIVORS)
    mutants = mutants_of(ROOT, files)
    stale = [key for key in explained.unknown({mutant.key for mutant in mutants}) if key[0] in files or not asked.file]
    if asked.sample is not None:
        chance = random.Random(asked.seed)
        mutants = chance.sample(mutants, min(asked.sample, len(mutants)))
    report = judged(mutants, stale, explained, asked.jobs)
    if asked.json:
        print(
            json.dumps({"mutants": report.mutants, "holds": report.holds, **report.counts(), "says": [*report.lines()]})
        )
    else:
        print("\n".join(report.lines()))
    sys.exit(0 if report.holds else 1)


if __name__ == "__main__":
    main()
