"""One scenario while it is played: simulated table, line and controller in virtual time, and a note of what happens."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from controller import modes, phases, treatment
from controller.commands import HUMAN_TICKS
from controller.inputs import StartAsked
from hw_sim.actions import ACTIONS, Arguments
from hw_sim.faults import FAULTS, FaultError, Injector
from hw_sim.line import TIMINGS
from hw_sim.rigs import load_rig
from hw_sim.scenario import Act, Event, Inject, Scenario
from tractable.scenario_clinician import ACTOR, ASKS, told
from tractable.scenario_reading import prescribed
from tractable.virtual_stack import VirtualStack

US_PER_S: Final = 1_000_000
SLACK_N: Final = 15.0
AFTERWARDS_S: Final = 12.0  # after a trip or an end: the longest that slack may take, and a little
BEFORE_THE_START_S: Final = 1.0
SETTLES_S: Final = 2.0  # of the hold, before its error counts

# How a scenario calls the controller's phases.
PHASE_NAMES: Final[Mapping[type[phases.Phase], str]] = {
    phases.Idle: "ready",
    phases.CheckingZero: "ready",
    phases.AwaitingSwitchTest: "ready",
    phases.TakingUpSlack: "take_up",
    phases.Ramping: "ramp",
    phases.Holding: "hold",
    phases.Resting: "hold",
    phases.Paused: "paused",
    phases.Releasing: "release",
    phases.Tripped: "tripped",
    phases.Ended: "ended",
}


@dataclass
class Stage:
    """One scenario while it is played."""

    scenario: Scenario
    seed: int
    stack: VirtualStack = field(init=False)
    happened: list[tuple[float, str]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)  # what the clinician asked and did not get, in order
    due: list[tuple[int, Event]] = field(default_factory=list)  # when (us), and what then
    peak_n: float = 0.0
    squares: float = 0.0
    held_ms: int = 0
    last_event_us: int | None = None
    loaded_us: int = 0

    def __post_init__(self) -> None:
        self.stack = VirtualStack(load_rig(self.scenario.rig), seed=self.seed)
        self.stack.line.to_host.timing = TIMINGS[self.scenario.line]
        self._injector = Injector(self.stack.table, self.stack.line, seed=self.seed)
        self._phase = "ready"
        self._phases_seen = {"ready"}
        self._hold_from_us = 0
        self._start_refused = False
        for event in self.scenario.events:
            if event.on in (None, "ready"):
                self._schedule(event, 0)

    def play(self) -> None:
        """From power-on until a while after the session's end."""
        asked = prescribed(self.scenario)
        self._run_until(lambda: False, BEFORE_THE_START_S)
        start = StartAsked(
            ACTOR, "start-0001", "S1", asked, HUMAN_TICKS, asked.force_mn, unattended=True, calibration_age_days=0
        )
        self.stack.ask(start)
        answer = self.stack.heard.answers[-1]
        if not answer.done:
            self._start_refused = True
            self._tell(f"the start is refused: {answer.reason}")
            return
        # The clock stands in a pause, and while a patient moves.
        longest_s = modes.profile_duration_s(asked) * 2 + 120.0 + treatment.PAUSED_IN_ALL_US_MAX / US_PER_S
        self._run_until(lambda: self._phase in ("ended", "tripped"), longest_s)
        self._run_until(lambda: self._is_over, AFTERWARDS_S)

    @property
    def _is_over(self) -> bool:
        truth = self.stack.table.truth
        return not self.due and truth.force_mn < SLACK_N * 1000 and not truth.drive_enabled

    def _run_until(self, done: Callable[[], bool], within_s: float) -> None:
        until_us = self.stack.now_us + round(within_s * US_PER_S)
        while self.stack.now_us < until_us and not done():
            self._advance()

    def _advance(self) -> None:
        while self.due and self.due[0][0] <= self.stack.now_us:
            self._do(self.due.pop(0)[1])
        self.stack.advance()
        self._note_phase()
        force_n = self.stack.table.plant.force_n
        if force_n > SLACK_N:
            self.loaded_us = self.stack.now_us
            self.peak_n = max(self.peak_n, force_n)
        if self._phase == "hold" and self.stack.now_us >= self._hold_from_us:
            self._note_error(force_n)

    def _note_phase(self) -> None:
        phase = PHASE_NAMES[type(self.stack.state.phase)]
        if phase == self._phase:
            return
        self._phase = phase
        self._tell(phase.replace("_", "-"))
        if phase == "hold":
            self._hold_from_us = self.stack.now_us + round(SETTLES_S * US_PER_S)
        if phase not in self._phases_seen:
            self._phases_seen.add(phase)
            for event in self.scenario.events:
                if event.on == phase:
                    self._schedule(event, self.stack.now_us)

    def _note_error(self, force_n: float) -> None:
        course = self.stack.state.course
        if course is not None and course.target_mn is not None:
            self.squares += (force_n - course.target_mn / 1000) ** 2
            self.held_ms += 1

    def _schedule(self, event: Event, from_us: int) -> None:
        for number in range(event.times):
            self.due.append((from_us + round((event.after_s + number * event.every_s) * US_PER_S), event))
        self.due.sort(key=lambda one: one[0])

    def _do(self, event: Event) -> None:
        self.last_event_us = self.stack.now_us
        match event.what:
            case Act(name, arguments):
                self._act(name, arguments)
            case Inject(fault, parameters, lasting_s):
                self._inject(fault, parameters, lasting_s)

    def _act(self, name: str, arguments: Arguments) -> None:
        perform = ACTIONS[name].perform
        self._tell(ACTIONS[name].about + (told(arguments) if perform is None else ""))
        if perform is None:
            self._ask(name, arguments)
        else:
            perform(self.stack.table, arguments)

    def _ask(self, name: str, arguments: Arguments) -> None:
        self.stack.ask(ASKS[name](f"{name}-{self.stack.now_us}", arguments, self._phase))
        answer = self.stack.heard.answers[-1]
        if not answer.done:
            self.refused.append(name)
            self._tell(f"refused: {answer.reason}")
        elif suggestion := answer.data.get("suggestion"):
            self._tell(f"suggested: {suggestion}")

    def _inject(self, fault: str, parameters: Mapping[str, object], lasting_s: float | None) -> None:
        self._tell(f"{fault}: {FAULTS[fault].name}")
        try:
            self._injector.inject(fault, **parameters)  # type: ignore[arg-type]  # checked when read
        except FaultError as error:
            self._tell(f"{fault} was not put in: {error}")
            return
        if lasting_s is not None:
            table = self.stack.table
            table.call_at(table.now_us + round(lasting_s * US_PER_S), partial(self._withdraw, fault))

    def _withdraw(self, fault: str) -> None:
        if fault in self._injector.active:
            self._tell(f"{fault} ends")
            self._injector.withdraw(fault)

    def _tell(self, sentence: str) -> None:
        self.happened.append((self.stack.now_us / US_PER_S, sentence))

    # What came of it

    @property
    def ended(self) -> str:
        """As `ends` in a scenario calls it, or the phase that it is still in."""
        if self._start_refused:
            return "refused"
        match self.stack.state.phase:
            case phases.Ended(refused=True):
                return "refused"
            case phases.Ended(because=because):
                return "stopped" if because.startswith("stopped") else "complete"
            case phase:
                return PHASE_NAMES[type(phase)]

    @property
    def alarms(self) -> list[str]:
        """Every alarm that was raised, in the order in which they came."""
        rows = [row for row in self.stack.memory.events if row.kind == "alarm" and "over" not in row.data]
        return list(dict.fromkeys(str(row.data["alarm"]) for row in rows))

    @property
    def root(self) -> str:
        """The alarm that is the first cause; empty for none."""
        return next((entry.id.value for entry in self.stack.state.board if entry.root), "")

    @property
    def ceiling_n(self) -> float:
        ceilings = [header.limits["ceiling_mn"] for header in self.stack.memory.headers]
        return max((float(str(ceiling)) for ceiling in ceilings), default=0.0) / 1000

    @property
    def held_n(self) -> float:
        """Root mean square of true force less target in the hold; without a hold it is no number that could be met."""
        return (self.squares / self.held_ms) ** 0.5 if self.held_ms else float("inf")

    @property
    def slack_s(self) -> float:
        """From the last event, or without one from power-on, to the last millisecond with more than 15 N."""
        if self.stack.table.plant.force_n > SLACK_N:
            return float("inf")
        return max(0, self.loaded_us - (self.last_event_us or 0)) / US_PER_S
