"""Writes docs/trips.md from a run of the simulated table: `python -m docs.make_trips` (about a minute)."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from benchmarks.provocations import PROVOCATIONS, Asked
from benchmarks.refusals import RefusalRow, refusal_rows
from benchmarks.trips import RIGS, Row, rows

FILE: Final = Path(__file__).with_name("trips.md")
SEED: Final = 1
HEAD: Final = f"""\
# Trips and refusals, provoked

Made by `python -m docs.make_trips`: every trip cause of [the serial protocol](protocol.md), provoked in the simulated
table, which runs the firmware itself. The host is a bare one: what is seen here the device does alone. Seed {SEED}.

The rigs are the reference table (320 samples a second) and the modest one (80), each with a middling, a soft
(3.3 N/mm) and a stiff patient (13.3 N/mm). Nothing here was measured on a patient or on a real table.

- **trip**: ms from the onset to TRIP. **pulling**: ms from the onset to the last moment at which the drum wound in by
  more than 0.5 mm/s. **over**: the highest true force above the armed ceiling. **slack**: ms to 15 N.
- **fall**: the largest loss of true force in any 500 ms and any 200 ms, in N/s, and in any 100 ms, in N. Where the
  fault itself takes the force away (a cable that snaps, a person who lets go) it is the fault's and is not judged.
- **ends**: what the device did: let go by its drive, or cut the drive's power, and whether drive off and brake on and a
  latched trip were seen in the end.
- **met**: whether all that is asked came, or what did not.

Asked of every release: no more than 100 N/s over 500 ms, no more than 15 N within 100 ms. Of a power cut, which only
the damper on the screw governs: 150 N/s and 15 N. Force over the ceiling: 20 N, on the stiff patient 35 N.

The times of a power cut are a requirement on the hardware, not on software: without power and with the brake off, the
screw's damper lets the cable out at 8 mm/s and 0.06 mm/s more for each millimetre paid out, down to 14 N, and takes
0.1 s to reach that speed ([why](decisions/0016-a-damper-that-quickens.md)). Such a damper lets a patient of 3.3 N/mm go
within 10 s from 350 N and takes no more than 15 N in 100 ms from one of 13.3 N/mm. From a stiffer one it takes more.

A lease of the longest kind, 250 ms, ends the pulling some 25 ms after it has run out: the drive's ramp and the motor.
"""
COLUMNS: Final = (
    "| rig | sent | trip | pulling | over | slack | fall 500 ms | fall 200 ms | fall 100 ms | ends | met |\n"
    f"|{'---|' * 11}\n"
)


def as_markdown(measured: Iterable[Row], refused: Iterable[RefusalRow]) -> str:
    """The page, from one row of each provocation on each rig, in the order of `PROVOCATIONS`."""
    listed = list(measured)
    sections = [
        _section(index, listed[index * len(RIGS) : (index + 1) * len(RIGS)]) for index in range(len(PROVOCATIONS))
    ]
    return HEAD + "".join(sections) + _refusals(refused)


def title(index: int) -> str:
    """The heading of that provocation."""
    provocation = PROVOCATIONS[index]
    return f"## Cause {provocation.cause}: {provocation.how}\n"


def refusal_line(refusal: RefusalRow) -> str:
    return f"| {refusal.reason} | {refusal.how} | {'accepted' if refusal.answered is None else refusal.answered} |\n"


def _section(index: int, measured: list[Row]) -> str:
    asked = PROVOCATIONS[index].asked
    return f"\n{title(index)}\nAsked: {', '.join(_asked(asked))}.\n\n" + COLUMNS + "".join(map(_line, measured))


def _asked(asked: Asked) -> Iterator[str]:
    if asked.trip_ms is not None:
        yield f"TRIP within {asked.trip_ms} ms"
    yield f"no pulling after {asked.pulling_ms} ms"
    if asked.slack_ms is not None:
        at_80 = "" if asked.slack_ms_at_80 is None else f" ({asked.slack_ms_at_80} at 80 samples a second)"
        yield f"slack within {asked.slack_ms} ms{at_80}"
    yield "the drive's power cut" if asked.cut else "the drive lets go"


def _line(row: Row) -> str:
    ends = " ".join(
        (
            "cut" if row.cut else "released",
            "and at rest," if row.at_rest else "and NOT at rest,",
            "latched" if row.latched else "NOT latched",
        )
    )
    cells = (
        row.rig,
        _shown(row.sent),
        _shown(row.trip_ms),
        row.pulling_ms,
        f"{row.over_mn / 1000:.1f} N",
        _shown(row.slack_ms),
        f"{row.fall_500_mn / 500:.1f} N/s",
        f"{row.fall_200_mn / 200:.1f} N/s",
        f"{row.fall_100_mn / 1000:.1f} N",
        ends,
        "yes" if not row.missed else "NO: " + ", ".join(row.missed),
    )
    return f"| {' | '.join(map(str, cells))} |\n"


def _shown(value: int | None) -> str:
    return "none" if value is None else str(value)


def _refusals(refused: Iterable[RefusalRow]) -> str:
    head = "\n## Refusals\n\nEvery reason of NAK, provoked.\n\n| reason | how | answered |\n|---|---|---|\n"
    return head + "".join(map(refusal_line, refused))


if __name__ == "__main__":
    FILE.write_text(as_markdown(rows(SEED), refusal_rows(SEED)), encoding="utf-8")
