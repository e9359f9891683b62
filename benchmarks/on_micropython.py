"""Runs the firmware under MicroPython in Node: plays traces to it, or looks at its heap.

MicroPython is its own WebAssembly build; `deploy/install_test_parts.sh` puts it and Node where they are looked for.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

SOURCES: Final = Path(__file__).parent.parent  # of the packages `firmware` and `hw_sim`
MICROPYTHON: Final = Path(sys.prefix) / "micropython"
SCRIPT: Final = Path(__file__).with_suffix(".mjs")
HOLDS_AFTER_CONVERSIONS: Final = 15_000  # at 320 a second, a session has taken up slack and ramped by then
HELD_CONVERSIONS: Final = 10_000
NODE_TIMEOUT_S: Final = 1800


class CannotRun(RuntimeError):
    """Node or MicroPython is missing, or Node failed; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What was played under MicroPython. `differences` holds the first one of every trace that has one."""

    version: str
    traces: int
    inputs: int
    frames: int
    drive_commands: int
    other_outputs: int
    differences: list[str]


@dataclass(frozen=True, slots=True)
class Heap:
    """MicroPython's heap over conversions of a hold, each followed by a collection. In bytes, as it counts them."""

    version: str
    conversions: int
    allocated_bytes_mean: float
    allocated_bytes_max: int
    heap_bytes_first: int
    heap_bytes_last: int
    status: int


def find_micropython() -> Path | None:
    return MICROPYTHON if (MICROPYTHON / "micropython.mjs").is_file() else None


def compare(files: Iterable[Path], sources: Path = SOURCES) -> Compared:
    """Plays the batches to the firmware in `sources` under MicroPython. Raises CannotRun."""
    return Compared(**_run_on_micropython("replay", files, sources))


def measure_heap(file: Path, after: int = HOLDS_AFTER_CONVERSIONS, conversions: int = HELD_CONVERSIONS) -> Heap:
    """Over that many conversions of a session, after those in which it gets to its hold. Raises CannotRun."""
    return Heap(**_run_on_micropython("memory", [file, after, conversions], SOURCES))


def _run_on_micropython(task: str, arguments: Iterable[Path | int], sources: Path) -> Any:
    package, node = find_micropython(), shutil.which("node")
    if package is None or node is None:
        missing = "Node" if node is None else "MicroPython for Node"
        raise CannotRun(f"{missing} is not on this computer: run deploy/install_test_parts.sh (make parts).")
    command = [node, str(SCRIPT), str(package), str(sources), task, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=NODE_TIMEOUT_S, check=False)
    if done.returncode:
        raise CannotRun(f"Node ended with {done.returncode}: {done.stderr.strip()}")
    return json.loads(done.stdout)
