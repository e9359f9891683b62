"""`tractable bench`: measures what is named, or everything, and prints it."""

import sys
from collections.abc import Sequence

from benchmarks.catalogue import BENCHMARKS, QUICK, UnknownBenchmark, figures
from benchmarks.figures import Figure, print_figures
from benchmarks.on_micropython import CannotRun
from tractable.exit_codes import Exit


def run_benchmarks(names: Sequence[str], seed: int, as_json: bool, quick: bool = False) -> Exit:
    """A table, or JSON; what is being measured is said on stderr. Exit 2 for a name that there is not, 3 for a part."""
    measured: list[Figure] = []
    try:
        for name in names or QUICK:
            about = figures(name, seed, quick)
            print(f"Measuring {name}: {BENCHMARKS[name]} ...", file=sys.stderr)
            measured += about
    except UnknownBenchmark as unknown:
        print(unknown, file=sys.stderr)
        return Exit.WRONG_USAGE
    except CannotRun as missing:
        print(missing, file=sys.stderr)
        return Exit.NOT_CONNECTED
    print_figures(measured, as_json)
    return Exit.DONE
