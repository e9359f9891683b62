"""`tractable prove`: runs the fault catalogue and says what held. Exits 4 when something did not."""

import json
import os
import sys
import time
from collections.abc import Sequence
from itertools import islice

from proof import plan
from proof.catalogue import CatalogueError, Fault, fault_named, load_catalogue
from proof.plan import Case
from proof.provers import NOT_HERE, PROVERS, SIMULATED
from proof.report import PAGE, as_figures, by_fault, failures, line, page
from proof.running import run_all
from proof.verdict import Run
from tractable.exit_codes import Exit

FAILURES_SHOWN = 6


def run_proof(
    names: Sequence[str],
    phase: str | None,
    patient: str | None,
    seed: int | None,
    *,
    quick: bool,
    as_json: bool,
    write_page: bool,
) -> Exit:
    """Runs what is named, or everything, and prints a line a fault as soon as all of its runs are there."""
    catalogue = load_catalogue()
    try:
        faults = [fault_named(name, catalogue) for name in names] or list(catalogue.values())
    except CatalogueError as unknown:
        print(unknown, file=sys.stderr)
        return Exit.WRONG_USAGE
    if names and (only := [fault for fault in faults if fault.id in NOT_HERE]):
        print(f"{only[0].id} cannot be injected here: {NOT_HERE[only[0].id]}", file=sys.stderr)
        return Exit.REFUSED
    cases = _cases([fault for fault in faults if fault.id in PROVERS], phase, patient, seed, quick)
    if not cases:
        print("No fault of the catalogue is injected in that phase.", file=sys.stderr)
        return Exit.WRONG_USAGE
    began = time.monotonic()
    runs = _watch(cases, catalogue)
    _print_all(runs, catalogue, as_json)
    if write_page:
        PAGE.write_text(page(catalogue, runs, dict(NOT_HERE), time.monotonic() - began), encoding="utf-8")
        print(f"Written: {PAGE}", file=sys.stderr)
    return Exit.DONE if all(run.held for run in runs) else Exit.STOPPED_BY_SAFETY


def _cases(faults: list[Fault], phase: str | None, patient: str | None, seed: int | None, quick: bool) -> list[Case]:
    cases = plan.quick(faults) if quick else plan.full(faults, SIMULATED)
    wanted = [case for case in cases if phase is None or case.phase == phase.upper()]
    if patient is not None:
        wanted = [Case(case.fault, case.phase, patient, case.seed) for case in wanted]
    if seed is not None:
        wanted = [Case(case.fault, case.phase, case.patient, seed) for case in wanted]
    return list(dict.fromkeys(wanted))


def _watch(cases: list[Case], catalogue: dict[str, Fault]) -> list[Run]:
    """Runs them, and says on stderr how far it is."""
    runs: list[Run] = []
    for run in run_all(cases, workers=os.cpu_count() or 1):
        runs.append(run)
        mark = "" if run.held else "  FAILED"
        what = f"{run.fault} {catalogue[run.fault].name} ({run.phase}, {run.patient})"
        print(f"{len(runs)}/{len(cases)} {what}, {run.took_s:.1f} s{mark}", file=sys.stderr)
    return runs


def _print_all(runs: list[Run], catalogue: dict[str, Fault], as_json: bool) -> None:
    if as_json:
        print(json.dumps(as_figures(runs), indent=1))
        return
    for fault_id, some in sorted(by_fault(runs).items()):
        print(line(catalogue[fault_id], some))
        said = [sentence for run in some for sentence in failures(run)]
        print(*islice(said, FAILURES_SHOWN), sep="\n", end="\n" if said else "")
    held = sum(run.held for run in runs)
    print(f"\n{held} of {len(runs)} runs as they must be; {len(by_fault(runs))} faults.")
    if NOT_HERE:
        print(f"Not injected here: {', '.join(NOT_HERE)} (proof/not_here.toml says why).")
