"""Runs many sessions in virtual time, on all cores, and counts those that went wrong: for programs of one line each."""

import argparse
import json
import multiprocessing
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from itertools import repeat
from typing import Any, Final

TOLD_EVERY: Final = 50
AT_ONCE: Final = 4
Session = Callable[[int, int], Any]  # of its number and the seed: a dataclass that tells whether it `held`


def main(session: Session, about: str, wrong_means: str, arguments: list[str] | None = None) -> int:
    """The exit code: 0, or 4 where a session did not hold. `session` is a function of a module, `wrong_means` words."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--sessions", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=multiprocessing.cpu_count())
    parser.add_argument("--json", action="store_true", help="every session as JSON")
    chosen = parser.parse_args(arguments)
    began, done = time.monotonic(), []
    for ended in sessions(session, chosen.sessions, chosen.seed, chosen.jobs):
        done.append(ended)
        if not ended.held or len(done) % TOLD_EVERY == 0:
            print(f"{len(done)}/{chosen.sessions} {ended}", file=sys.stderr)
    wrong = [ended for ended in done if not ended.held]
    if chosen.json:
        print(json.dumps([asdict(ended) for ended in done], indent=1))
    minutes = (time.monotonic() - began) / 60
    print(f"{len(done)} sessions, {len(wrong)} {wrong_means}, in {minutes:.0f} min.", file=sys.stderr)
    return 4 if wrong else 0


def sessions(session: Session, count: int, seed: int, workers: int) -> Iterator[Any]:
    """As they end, in order."""
    if workers <= 1:
        yield from map(session, range(count), repeat(seed))
        return
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(session, range(count), repeat(seed, count), chunksize=AT_ONCE)
