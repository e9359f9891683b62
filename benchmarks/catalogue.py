"""What `tractable bench` can measure, by name: each a module here with `figures(seed)`, loaded when it is asked for."""

import difflib
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Final

from benchmarks.figures import Figure

BENCHMARKS: Final[Mapping[str, str]] = {
    "hold": "how well 300 N is held, beside a locked drum",
    "control": "the tension loop against its goals, baselines and bound, on 200 random rigs too (about twenty minutes)",
    "trips": "what the table does by itself at every trip cause, on six rigs",
    "sim": "how fast the stack is simulated, beside the plant with a trivial host",
    "export": "an hour to every format, beside pyarrow's and DuckDB's own writers (a few minutes)",
    "loop": "how soon the table's process decides, beside a bare echo (an hour; --quick: five minutes)",
    "record": "what recording costs, beside a bare append and fsync; a question over 1,000 sessions (five minutes)",
    "firmware": "the worst case of the firmware's loop, counted and reckoned, beside a sample's period",
    "conformance": "the firmware under MicroPython, beside itself under CPython (about ten minutes)",
}
# What is measured when nothing is named: within a few minutes.
QUICK: Final = ("hold", "sim", "firmware")


class UnknownBenchmark(ValueError):
    """The text names the nearest one that there is."""


def figures(name: str, seed: int, quick: bool = False) -> Iterator[Figure]:
    """Measures; the short cut of it where `quick` and there is one. Raises UnknownBenchmark."""
    if name not in BENCHMARKS:
        near = difflib.get_close_matches(name, BENCHMARKS, n=1, cutoff=0.0)
        raise UnknownBenchmark(f"There is no benchmark {name!r}; did you mean {near[0]!r}? {known()}")
    module = import_module(f"benchmarks.{name}")
    measure = getattr(module, "quick_figures", module.figures) if quick else module.figures
    measured: Iterator[Figure] = measure(seed)
    return measured


def known() -> str:
    return "There are: " + "; ".join(f"{name} ({what})" for name, what in BENCHMARKS.items()) + "."
