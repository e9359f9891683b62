"""Runs the tests of `safety/` on one mutant, in a process that never imported the limiter before.

The properties, which search, are left out: what only a search happens upon is not tested on purpose.

Processes are forked from one that has pytest and hypothesis ready and nothing of `safety/`: as fresh as a new
interpreter for all that is tried, and much sooner there. A run that breaks off is neither killed nor survived.
"""

import ast
import gc
import importlib
import importlib.abc
import importlib.machinery
import os
import selectors
import signal
import sys
import time
import types
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Final, NoReturn

import hypothesis
import hypothesis.strategies
import pytest

TESTS: Final = "tests/safety"
# No settings of the project, none of its plugins, and no explanation of what failed: only whether it did.
ARGUMENTS: Final = (
    *("-x", "-c", os.devnull, "--import-mode=importlib", "--assert=plain", "-Werror"),
    *("-p", "no:cacheprovider", "-p", "no:terminal", "-p", "no:faulthandler"),
    *("-p", "no:unraisableexception", "-p", "no:threadexception"),
)
# Of one run of all the tests; a run takes seconds, also where other work goes on beside it.
TIMEOUT_S: Final = 180.0
# The tests that tell most about a file, and so come first.
CLOSEST: Final = {
    "limiter": ("test_limiter.py", "test_permit.py"),
    "limits": ("test_limits.py", "test_limiter.py", "test_plausibility.py"),
    "reading": ("test_plausibility.py", "test_limiter.py"),
    "rise": ("test_plausibility.py", "test_findings.py"),
    "plausibility": ("test_plausibility.py", "test_findings.py"),
    "motion": ("test_limiter.py", "test_permit.py"),
    "units": ("test_limits.py", "test_limiter.py"),
}

_ready = hypothesis.strategies.integers()  # strategies are imported lazily; let it be here, and not in every process


class Outcome(Enum):
    KILLED = "killed"
    SURVIVED = "survived"
    UNBORN = "not importable"  # refused by Python itself, before any test
    CRASHED = "crashed"  # the process died, or the tests could not even be collected
    TIMED_OUT = "timed out"
    INFRASTRUCTURE = "infrastructure error"  # not the mutant's doing


@dataclass(frozen=True, slots=True)
class Trial:
    """`change` puts the mistake into the tree of that file; it is called in the trial's own process."""

    file: str
    change: Callable[[], ast.Module]


@dataclass(frozen=True, slots=True)
class Verdict:
    outcome: Outcome
    detail: str  # the test that noticed, or what went wrong


def tried(
    root: Path, trials: Iterable[Trial], jobs: int, timeout_s: float = TIMEOUT_S
) -> Iterator[tuple[Trial, Verdict]]:
    """Each trial with its verdict, in the order in which they end."""
    gc.freeze()
    waiting, running = iter(trials), selectors.DefaultSelector()
    for trial in waiting:
        _start(root, trial, timeout_s, running)
        while len(running.get_map()) >= jobs:
            yield from _ended(running)
    while running.get_map():
        yield from _ended(running)


@dataclass(slots=True)
class _Running:
    trial: Trial
    process: int
    until_s: float
    said: bytes = b""


def _start(root: Path, trial: Trial, timeout_s: float, running: selectors.BaseSelector) -> None:
    reading_end, writing_end = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(reading_end)
        _try(root, trial, writing_end)
    os.close(writing_end)
    running.register(reading_end, selectors.EVENT_READ, _Running(trial, process, time.monotonic() + timeout_s))


def _ended(running: selectors.BaseSelector) -> Iterator[tuple[Trial, Verdict]]:
    first_s = min(key.data.until_s for key in running.get_map().values())
    for key, _events in running.select(max(0.0, first_s - time.monotonic())):
        part = os.read(key.fd, 4096)
        key.data.said += part
        if not part:
            yield key.data.trial, _verdict(key.data, os.waitpid(key.data.process, 0)[1])
            _forget(running, key.fd)
    for key in [key for key in running.get_map().values() if key.data.until_s <= time.monotonic()]:
        os.kill(key.data.process, signal.SIGKILL)
        os.waitpid(key.data.process, 0)
        yield key.data.trial, Verdict(Outcome.TIMED_OUT, "the tests did not end in time")
        _forget(running, key.fd)


def _forget(running: selectors.BaseSelector, descriptor: int) -> None:
    running.unregister(descriptor)
    os.close(descriptor)


def _verdict(ended: _Running, status: int) -> Verdict:
    """By what the process said, and only where it also ended as one that said so."""
    code = os.waitstatus_to_exitcode(status)
    said = ended.said.decode(errors="replace").split("\t", 1)
    if code != 0 or len(said) != 2 or said[0] not in {outcome.value for outcome in Outcome}:
        return Verdict(Outcome.CRASHED, f"the process ended with {code}")
    return Verdict(Outcome(said[0]), said[1])


def _try(root: Path, trial: Trial, writing_end: int) -> NoReturn:
    """In the forked process: never returns, whatever happens."""
    try:
        silence = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(silence, descriptor)
        verdict = _judge(root, trial)
        os.write(writing_end, f"{verdict.outcome.value}\t{verdict.detail}".encode())
        os._exit(0)
    finally:
        os._exit(1)


def _judge(root: Path, trial: Trial) -> Verdict:
    if any(name.split(".")[0] == "safety" for name in sys.modules):
        return Verdict(Outcome.INFRASTRUCTURE, "the limiter was imported before the mutant was made")
    finder = _MutantFinder(root, trial)
    sys.meta_path.insert(0, finder)
    sys.path.insert(0, str(root))
    try:
        for path in sorted((root / "safety").glob("*.py")):
            importlib.import_module(f"safety.{path.stem}".removesuffix(".__init__"))
    except Exception as broken:  # noqa: BLE001 a mutant may raise anything
        return Verdict(Outcome.UNBORN, repr(broken))
    if not finder.used or Path(str(sys.modules["safety"].__file__)).parent != root / "safety":
        return Verdict(Outcome.INFRASTRUCTURE, "the mutant was never loaded")
    return _tested(root, trial)


def _tested(root: Path, trial: Trial) -> Verdict:
    os.chdir(root)
    notes = _Notes(CLOSEST.get(Path(trial.file).stem, (f"test_{Path(trial.file).stem}.py",)))
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    arguments = [*ARGUMENTS, f"--rootdir={root}", f"--confcutdir={root / TESTS}", TESTS]
    code = pytest.main(arguments, plugins=[notes])
    if code == pytest.ExitCode.OK and notes.passed:
        return Verdict(Outcome.SURVIVED, f"{notes.passed} tests passed")
    if code == pytest.ExitCode.TESTS_FAILED and notes.failed:
        return Verdict(Outcome.KILLED, notes.failed)
    return Verdict(Outcome.CRASHED, f"pytest ended with {code!r}: {notes.failed or 'no test failed'}")


class _Notes:
    """Brings what is closest to the mistake to the front, leaves out what searches, and notes how it went."""

    def __init__(self, closest: Sequence[str]) -> None:
        self.closest = list(closest)
        self.passed, self.failed = 0, ""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        def distance(item: pytest.Item) -> int:
            name = item.path.name
            return self.closest.index(name) if name in self.closest else len(self.closest)

        items[:] = sorted((item for item in items if not _searches(item)), key=distance)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.passed += report.when == "call" and report.passed
        self.failed = report.nodeid if report.failed else self.failed

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self.failed = report.nodeid if report.failed else self.failed


def _searches(item: pytest.Item) -> bool:
    return isinstance(item, pytest.Function) and hypothesis.is_hypothesis_test(item.obj)


class _MutantFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Hands out the changed module in place of the file's, and only that one."""

    def __init__(self, root: Path, trial: Trial) -> None:
        self.path, self.trial = root / trial.file, trial
        self.name = ".".join(Path(trial.file).with_suffix("").parts)
        self.used = False

    def find_spec(self, fullname: str, *_where: object) -> importlib.machinery.ModuleSpec | None:
        if fullname != self.name:
            return None
        spec = importlib.machinery.ModuleSpec(fullname, self, origin=str(self.path))
        spec.has_location = True
        return spec

    def exec_module(self, module: types.ModuleType) -> None:
        self.used = True
        code: Any = compile(self.trial.change(), str(self.path), "exec")
        exec(code, module.__dict__)  # noqa: S102 this is what it is for
