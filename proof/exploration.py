"""The step, explored: `python -m proof.exploration` drives the controller's own step through all its abstract states.

Every state is met with every letter of a finite alphabet of inputs, breadth first, until no new abstract state turns
up, and every single step is held against the rules of `proof.exploring.rules`. What it cannot show: an abstract state
is worked out from its first concrete states alone, and how samples follow on each other over a long time is left to
the runs on the simulator.

`--defects` plants known mistakes in the product, one after the other, and each has to be found.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from proof.exploring.defects import DEFECTS, Defect, planted
from proof.exploring.explorer import Breach, Explored, Explorer

# Concrete states of each abstract one that are worked out.
REPRESENTATIVES: Final = 2
REPRESENTATIVES_CUT: Final = 1


@dataclass(frozen=True, slots=True)
class Found:
    """One defect, and the breach that gave it away; None where nothing did."""

    defect: Defect
    breach: Breach | None
    transitions: int
    took_s: float


def explore(*, cut: bool = False) -> Explored:
    """All of it; or only the samples in which at most one thing is wrong, and one concrete state of each."""
    return Explorer(one_thing_wrong=cut, representatives=REPRESENTATIVES_CUT if cut else REPRESENTATIVES).run()


def hunt(defects: Sequence[Defect] = DEFECTS) -> Iterator[Found]:
    """Plants each, and explores until something is broken. With one thing wrong at a time: that finds every one."""
    for defect in defects:
        began = time.process_time()
        with planted(defect):
            explored = Explorer(one_thing_wrong=True, stop_at_breach=True).run()
        breach = next(iter(explored.breaches.values()), None)
        yield Found(defect, breach, explored.transitions, time.process_time() - began)


def _tell_of_defects(as_json: bool) -> bool:
    all_found, rows = True, []
    for found in hunt():
        all_found = all_found and found.breach is not None
        verdict = "found" if found.breach else "MISSED"
        told = "" if found.breach is None else f": {found.breach.rule}, {found.breach.what}"
        if as_json:
            rows.append({"defect": found.defect.name, "found": found.breach is not None, "by": str(found.breach)})
        else:
            print(
                f"{verdict} after {found.transitions} steps, {found.took_s:.1f} s: {found.defect.name}{told}",
                flush=True,
            )
    print(json.dumps(rows) if as_json else f"{len(DEFECTS)} defects, {'all found' if all_found else 'NOT ALL FOUND'}.")
    return all_found


def _tell_of_states(asked: argparse.Namespace) -> bool:
    began = time.process_time()
    explored = explore(cut=asked.cut)
    took_s = time.process_time() - began
    told: dict[str, Any] = {
        "states": sum(explored.states.values()),
        "transitions": explored.transitions,
        "seconds": round(took_s, 1),
        "by_phase": dict(explored.states),
        "broken": [str(breach) for breach in explored.breaches.values()],
    }
    if asked.json:
        print(json.dumps(told))
        return explored.holds
    for phase, states in explored.states.most_common():
        print(f"{states:6} {phase}")
    print(f"{told['states']} abstract states, {told['transitions']} transitions, {told['seconds']} s of one core")
    for breach in explored.breaches.values():
        print(f"BROKEN {breach}")
    print("Every rule holds in every step." if explored.holds else f"{len(explored.breaches)} rules are broken.")
    return explored.holds


def main() -> None:
    """Exits with 1 where a rule is broken, or a defect was not found."""
    parser = argparse.ArgumentParser(prog="python -m proof.exploration", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--defects", action="store_true", help="plant known mistakes: each has to be found")
    parser.add_argument("--cut", action="store_true", help="only samples in which at most one thing is wrong")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    asked = parser.parse_args()
    sys.exit(0 if (_tell_of_defects(asked.json) if asked.defects else _tell_of_states(asked)) else 1)


if __name__ == "__main__":
    main()
