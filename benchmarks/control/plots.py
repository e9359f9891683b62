"""Force against time for the loop and what it is compared with, as SVG that a seed makes the same, byte for byte."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import matplotlib
import numpy as np
from matplotlib.figure import Figure as Drawing

from benchmarks.control import hosts, scenarios
from benchmarks.control.bound import BOUND
from benchmarks.control.fast_rig import FastRig
from benchmarks.control.scenarios import Intermittent, Scenario
from benchmarks.control.tables import TABLES, TableKind

EVERY_MS: Final = 40
LINES: Final = {
    hosts.OURS: "#0b6e4f",
    BOUND: "#999999",
    hosts.ZIEGLER_NICHOLS: "#d1495b",
    hosts.NUDGING: "#edae49",
    hosts.LOCKED: "#00798c",
}


class Shown:
    """A scenario's plot: from when to when of the hold, in s, and how far off the target, in N."""

    def __init__(self, name: str, scenario: Scenario | Intermittent, seconds: tuple[float, float], within_n: float):
        self.name, self.scenario, self.seconds, self.within_n = name, scenario, seconds, within_n


SHOWN: Final = (
    Shown("hold", Scenario("hold", hold_s=30.0), (0.0, 30.0), 4.0),
    Shown("coughs", scenarios.THREE_COUGHS, (9.5, 15.0), 60.0),
    Shown("shift-away-in-2-s", scenarios.SHIFT_AWAY_SLOW, (9.5, 17.0), 60.0),
    Shown("shift-away-in-half-a-second", scenarios.SHIFT_AWAY_FAST, (9.5, 15.0), 130.0),
    Shown("shift-towards-in-2-s", scenarios.SHIFT_TOWARDS, (9.5, 19.0), 150.0),
)


def draw(folder: Path, seed: int) -> Iterator[Path]:
    """Writes them, and gives each file's path."""
    folder.mkdir(parents=True, exist_ok=True)
    matplotlib.rcParams["svg.hashsalt"] = "tractable"
    for shown in SHOWN:
        drawing = Drawing(figsize=(9, 3.4), layout="constrained")
        for place, table in enumerate(TABLES, start=1):
            _draw_table(drawing, place, table, shown, seed)
        path = folder / f"{shown.name}.svg"
        drawing.savefig(path, format="svg", metadata={"Date": None})
        yield path


def _draw_table(drawing: Drawing, place: int, table: TableKind, shown: Shown, seed: int) -> None:
    axes = drawing.add_subplot(1, len(TABLES), place)
    for host, colour in LINES.items():
        trace = FastRig(table.rig(), seed, shown.scenario, host).run()
        error_n = trace.error_n(*shown.seconds)[::EVERY_MS]
        at_s = shown.seconds[0] + np.arange(len(error_n)) * EVERY_MS / 1000
        width = 1.6 if host is hosts.OURS else 0.9
        axes.plot(at_s, error_n, color=colour, linewidth=width, label=host.name, zorder=3 if width > 1 else 2)
    axes.set(ylim=(-shown.within_n, shown.within_n), xlim=shown.seconds, xlabel="s of the hold")
    axes.set_ylabel("N off the target")
    axes.set_title(f"Table {table.letter}: {shown.scenario.name}", fontsize="medium")
    axes.grid(visible=True, linewidth=0.3)
    if place == 1:
        axes.legend(fontsize="x-small", loc="best")
