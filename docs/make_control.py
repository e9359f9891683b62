"""Writes docs/control.md and its plots: `python -m docs.make_control` measures all anew, which takes long.

`--figures FILE` takes what `tractable bench control --json` has printed instead.
"""

import argparse
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.control import figures
from benchmarks.control.plots import draw
from benchmarks.control.random_rigs import RIGS

FILE: Final = Path(__file__).with_name("control.md")
IMAGES: Final = Path(__file__).parent / "images" / "control"
HEAD: Final = """\
# How well the force is held

Made by `python -m docs.make_control`: every figure of `tractable bench control`, seed {seed}. All of it is simulated;
nothing here was measured on a patient or on a real table.

Table A sends 80 samples a second, its host steps every 20 ms and it pays out at most 20 mm/s. Table B: 320 samples,
10 ms, 40 mm/s. Both pull at most 5 mm/s above 15 N. Patients: soft 3.3 N/mm, middling 6.7, stiff 13.3. Upsets at 300 N
come with a site ceiling of 420 N; 450 N is held with one of 600 N. Where force passes its target by a quarter (375 N)
safety lets go by rule.

- **whole stack**: the session itself, with firmware, frames, line, limiter and alarms. It is held to the goal.
- **tension loop**: the same loop on the fast rig: the same plant, load cells and line delays, without firmware and
  frames. The baselines run there, and so does the bound, which the intermittent session is measured on too.
- **bound**: an LQG regulator that knows the plant, its delays and the breath, linearised; no host can know that much.
  It does not know friction, so that a hold may come a little under it. The ratio is to the bound, or where a row is of
  margins or random rigs, to the fixed Ziegler-Nichols PI.

The true mean error is that of the force in the cable. The load cell's own linearity, 0.3 N at half of its range, is in
it, and no loop can see it; the mean of the reading shows what the loop itself leaves.
"""
COLUMNS: Final = "\n| figure | reached | goal | bound or baseline | ratio | met |\n|---|---|---|---|---|---|\n"
MISSES: Final = "\n## Missed\n\n"
# Why a goal is missed, by what its row's name has in it.
REASONS: Final = {
    ", mean error (": "it is the load cell's own linearity; the mean of the reading is the row below it in the table.",
    "stiff: ramp to": "it is what is left of the breath in the hold that follows; with the breath held the same ramp "
    "keeps its goal (stiff, breath held).",
    "coughs, within 10 N": "what is paid out into a cough is wound in again at 5 mm/s, a quarter (A) or an eighth (B) "
    "of that speed; paying out more slowly is back in time, and 20 mm in 2 s then peaks at 16 N and more.",
    "A, middling: shift away in 0.5 s, peak": "at 20 mm/s the drive cannot follow, and safety lets go by its rule.",
    "shift away in 0.5 s, peak": "at 0.4 m/s2 the drive takes 0.1 s to come up to its 40 mm/s, and until the patient's "
    "speed is seen a shift looks like a cough, which wants no pay-out.",
}
PLOTS: Final = "\n## Plots\n\n"

Row = Mapping[str, Any]


def as_markdown(rows: Sequence[Row], plots: Iterable[Path]) -> str:
    """The page, from rows as `tractable bench --json` prints them."""
    missed = [row for row in rows if row["met"] is False]
    return "".join(
        (
            HEAD.format(seed=rows[0]["seed"]),
            MISSES,
            "".join(map(_miss, missed)) or "Nothing.\n",
            PLOTS,
            "\n".join(f"![{path.stem}]({path.relative_to(FILE.parent)})" for path in plots) + "\n",
            "\n## Figures\n",
            COLUMNS,
            "".join(map(_line, rows)),
        )
    )


def _miss(row: Row) -> str:
    by = _with_unit(abs(row["reached"] - row["goal"]), row)
    reached, goal = _with_unit(row["reached"], row), _with_unit(row["goal"], row)
    why = next((f": {reason}" for part, reason in REASONS.items() if part in row["name"]), "")
    return f"- {row['name']}: {reached}, goal {goal}, missed by {by}{why}\n"


def _line(row: Row) -> str:
    ratio = "" if not row["baseline"] else f"{row['reached'] / row['baseline']:.2f}"
    met = {True: "yes", False: "NO", None: ""}[row["met"]]
    cells = (
        row["name"],
        _with_unit(row["reached"], row),
        _with_unit(row["goal"], row),
        _with_unit(row["baseline"], row),
    )
    return f"| {' | '.join((*cells, ratio, met))} |\n"


def _with_unit(value: float | None, row: Row) -> str:
    return "" if value is None else f"{_number(value)} {row['unit']}".strip()


def _number(value: float) -> str:
    return f"{value:.3g}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rigs", type=int, default=RIGS)
    parser.add_argument("--figures", type=Path)
    given = parser.parse_args()
    if given.figures is None:
        rows: list[dict[str, Any]] = [figure.as_json() for figure in figures(given.seed, given.rigs)]
    else:
        rows = json.loads(given.figures.read_text(encoding="utf-8"))
    FILE.write_text(as_markdown(rows, list(draw(IMAGES, rows[0]["seed"]))), encoding="utf-8")


if __name__ == "__main__":
    main()
