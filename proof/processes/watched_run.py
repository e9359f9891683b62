"""A stack of real processes with a patient in its table, brought to a phase of a session, and who watches it."""

import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dashboard.control_client import Outcome
from hw_sim.table import Truth
from proof.bench import SLACK_MN, NotReached
from proof.processes.running_stack import RunningStack, running_stack
from proof.processes.witnesses import PageWatch, TruthWatch, witnesses
from proof.scratch import scratch

FORCE: Final = "300 N"
FORCE_MN: Final = 300_000
IN_PHASE_WITHIN_S: Final = 60.0
RAMP_FROM_TO: Final = (0.2, 0.9)  # of the prescribed force: somewhere between, as the seed says
HOLD_FOR_S_MAX: Final = 3.0
WANTED: Final = {"RAMP": "ramping", "HOLD": "holding"}
TRIES: Final = 3
LET_GO_WITHIN_S: Final = 12.0


@dataclass(slots=True)
class Run:
    """One stack that runs, in a session, and who watches it. The onset is when the fault was put in, or just before."""

    running: RunningStack
    truths: TruthWatch
    page: PageWatch
    patient: str
    session_id: str = ""
    onset_ms: float = 0.0  # monotonic
    onset_us: int = 0  # the table's

    def reach(self, phase: str, seed: int) -> None:
        """A moment of that phase, as the seed draws it. Raises NotReached.

        A computer that is too busy for its table ends the session before: then another one is begun.
        """
        if phase in ("IDLE", "READY"):
            return
        for _ in range(TRIES):
            draw = random.Random(f"{phase} {seed}")
            self.session_id = self.running.start(FORCE, "10 min")
            if phase == "RAMP":
                from_mn = draw.uniform(*RAMP_FROM_TO) * FORCE_MN
                self._wait_in_session(lambda: self.truths.now.force_mn >= from_mn)  # noqa: B023 - waited for here
            else:
                self._wait_in_session(lambda: self.phase == "holding")
                time.sleep(draw.uniform(0, HOLD_FOR_S_MAX))
            if self.phase == WANTED[phase]:
                return
            self._leave_trip()
        raise NotReached(f"{phase} on {self.patient} with seed {seed}: the computer was too busy, {TRIES} times.")

    def _wait_in_session(self, reached: Callable[[], bool]) -> None:
        self.running.wait_until(lambda: reached() or self.phase in ("tripped", "ended"), IN_PHASE_WITHIN_S)

    def _leave_trip(self) -> None:
        root = self.root
        if root is None:
            self.running.stop()
            self.running.wait_until(lambda: self.phase == "ended", IN_PHASE_WITHIN_S)
            return
        self.running.wait_until(lambda: self.running.acknowledge(root).outcome is Outcome.DONE, IN_PHASE_WITHIN_S)
        self.running.wait_until(lambda: self.phase == "idle", IN_PHASE_WITHIN_S)

    @property
    def phase(self) -> str:
        return str(self.running.status()[0].phase)

    @property
    def root(self) -> str | None:
        """The latched cause, as the controller tells it now; None while none answers, or nothing is latched."""
        if not self.running.answers():
            return None
        return next((alarm.id for alarm in self.running.status()[0].alarms if alarm.root), None)

    def onset(self, strike: Callable[[], None]) -> None:
        self.onset_us, self.onset_ms = self.running.truly().t_us, time.monotonic() * 1000
        strike()

    def signalled(self, number: signal.Signals) -> None:
        self.onset(lambda: self.running.signal("table", number))

    def wait_until_let_go(self) -> None:
        """Slack and powerless, or long enough for the verdicts to say that it is not."""
        until_s = time.monotonic() + LET_GO_WITHIN_S
        while not is_let_go(self.truths.now) and time.monotonic() < until_s:
            time.sleep(0.1)

    def alarms(self) -> list[tuple[float, str, str]]:
        return list(self.page.alarms(self.onset_ms))

    @property
    def file(self) -> Path:
        path = self.running.stack.session_file(self.session_id)
        assert path is not None
        return path


def is_let_go(now: Truth) -> bool:
    """Slack, drive off, brake on."""
    return now.force_mn <= SLACK_MN and not now.drive_enabled and now.brake_on


@contextmanager
def stack_of(patient: str, planted: str | None = None) -> Iterator[Run]:
    """A stack of its own, with a page open; given `planted`, with that defect in its controller."""
    with scratch() as folder, running_stack(folder, patient) as running:
        if planted is not None:
            running.replace_controller("proof.processes.planted_table", planted)
        with witnesses(running.stack.sim_socket, running.stack.address) as (truths, page):
            running.wait_until(lambda: bool(truths.rows), IN_PHASE_WITHIN_S)
            yield Run(running, truths, page, patient)
