"""`python -m benchmarks.control --quick`: the same with few random rigs, in about two minutes."""

import argparse

from benchmarks.control import QUICK_RIGS, figures
from benchmarks.control.random_rigs import RIGS
from benchmarks.figures import print_figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    print_figures(figures(given.seed, QUICK_RIGS if given.quick else RIGS), given.json)


if __name__ == "__main__":
    main()
