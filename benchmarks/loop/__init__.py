"""How soon the table's process decides, and how calmly: `tractable bench loop`.

The processes are those that run at a table; the simulated one is behind a pseudo-terminal, and between the two a relay
notes when each SAMPLE goes in and each MOVE comes out. A MOVE names the sample that it was computed from. What is alone
first is then given a slow disk, a frozen broker, fifty viewers and a busy processor, one after the other. Beside it
runs a bare asyncio echo, on a line of its own, asked between two samples: that is what this computer can do then.
"""

from collections.abc import Iterator
from typing import Final

from benchmarks.figures import Figure
from benchmarks.loop.latencies import Latencies, quantile
from benchmarks.loop.measured import CONDITIONS, Measured, measure
from benchmarks.loop.steady import growth_blocks

RIGS: Final = {"80/s": "nominal_80", "320/s": "nominal"}
DECISION_MS_MAX: Final = 5.0
TIMES_THE_ECHO: Final = 3.0
QUANTILES: Final = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999, "max": 1.0}
LASTING_S, QUICK_LASTING_S = 300.0, 10.0
STEADY_S, QUICK_STEADY_S = 3_600.0, 120.0
# Caches of small numbers and of what is created once in a session may fill; a leak of one object a second is 3,600.
GROWTH_BLOCKS_MAX: Final = 200.0


def figures(seed: int) -> Iterator[Figure]:
    """Five minutes under each condition, at each rate: about an hour."""
    return _figures(seed, LASTING_S, STEADY_S)


def quick_figures(seed: int) -> Iterator[Figure]:
    """Ten seconds under each: about five minutes."""
    return _figures(seed, QUICK_LASTING_S, QUICK_STEADY_S)


def _figures(seed: int, lasting_s: float, steady_s: float) -> Iterator[Figure]:
    for rate, rig in RIGS.items():
        measured = measure(rig, lasting_s)
        for condition in CONDITIONS:
            yield from _of_condition(f"{rate}, {condition}", measured.latencies[condition], seed)
        yield from _of_rate(rate, measured, seed)
    yield Figure(
        f"320/s, {steady_s / 60:g} min in virtual time: blocks of memory more than after the first half minute",
        growth_blocks(seed, steady_s),
        GROWTH_BLOCKS_MAX,
        None,
        "blocks",
        seed,
    )


def _of_condition(name: str, found: Latencies, seed: int) -> Iterator[Figure]:
    for shown, part in QUANTILES.items():
        echo_ms = quantile(found.echo_ms, part)
        goal = min(DECISION_MS_MAX, TIMES_THE_ECHO * echo_ms) if shown == "p99" else None
        reached = quantile(found.to_decision_ms, part)
        yield Figure(f"{name}: sample to decision, {shown}", reached, goal, echo_ms, "ms", seed)
    for what, found_ms in (("decision to wire", found.to_wire_ms), ("tick late by", found.tick_late_ms)):
        for shown, part in QUANTILES.items():
            yield Figure(f"{name}: {what}, {shown}", quantile(found_ms, part), None, None, "ms", seed)


def _of_rate(rate: str, measured: Measured, seed: int) -> Iterator[Figure]:
    yield Figure(f"{rate}: conditions held through", measured.held, len(CONDITIONS), None, "conditions", seed, True)
    yield Figure(f"{rate}: leases lost", measured.leases_lost, 0, None, "leases", seed)
    yield Figure(f"{rate}: objects frozen after the start", measured.frozen, 1, None, "objects", seed, True)
