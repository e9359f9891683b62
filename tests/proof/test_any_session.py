"""Whatever operator, patient, plant, link and clock do, in whatever order: the patient stays within the limits.

The whole stack in virtual time. One thing at a time goes wrong (a second fault on top of a first is proven by name),
while people may press, stop and acknowledge whenever they like. `PROOF_DEPTH=nightly` looks for much longer.
"""

import functools
import os
from dataclasses import replace
from itertools import pairwise
from typing import Final

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from controller import prescription
from controller.inputs import (
    EndAcknowledged,
    GoOnAsked,
    LowerAsked,
    PauseAsked,
    RaiseAsked,
    StopAsked,
    TakeOverAsked,
)
from controller.phases import Ended, Holding, Idle, Tripped
from firmware.limiter import Limiter
from firmware.table import Table
from hw_sim.faults import FAULTS, Injector
from hw_sim.line import LineFaults
from proof.bench import COMING_TO_REST_UM_S, Bench, bench_at, document, start_of
from proof.exploring.defects import DEFECTS, Defect, planted
from safety import interlock
from tractable.virtual_stack import STEP_US

NIGHTLY = os.environ.get("PROOF_DEPTH") == "nightly"
OVER_CEILING_N_MAX: Final = 35
# Both channels lose their gain alike: only the host can tell, later, and the slip clutch bounds it.
OVER_CEILING_OF: Final = {"SE22": 100}
LAST_PULL_MS_MAX: Final = 270
LET_GO_MS_MAX: Final = 10_000
SLACK_MN_MAX: Final = 15_000
SETTLED_S: Final = 3.0  # after which what a body did is over
# People or masses that hang on the cable: they, and not the table, make that force.
LEANING: Final = frozenset(("HU16", "DF03", "DF04", "SE14"))
# What the drive does by itself, or a motor that nothing holds, is no winding in that anybody asked for.
BY_ITSELF: Final = frozenset(("AC01", "AC03", "AC11", "AC12"))
NAMES: Final = sorted(fault.id for fault in FAULTS.values() if not fault.at_power_on)
BODIES: Final = ("HU13", "SHIFT", "SLIP", "COUGHS")
LINES: Final = (
    LineFaults(dead=True),
    LineFaults(extra_us=120_000),
    LineFaults(extra_us=40_000),
)
STARTS: Final = ("COMPLETE", "NOT_TICKED", "TOO_MUCH", "NOT_CONFIRMED", "OLD")
FORCES: Final = ("60 N", "300 N")
STEERED: Final = ("PAUSE", "GO_ON", "LOWER", "RAISE", "TAKE_OVER", "END")


@functools.cache
def reached(phase: str, rig: str) -> Bench:
    return bench_at(phase, rig, seed=5)


def _held_n(bench: Bench) -> float:
    phase = bench.state.phase
    return phase.target_n if isinstance(phase, Holding) else 100.0


class AnySession(RuleBasedStateMachine):
    """`_cause`: what tripped first. `_tripped_ms`: when. `_leant_us`: until when somebody leans on the cable."""

    @initialize(
        phase=st.sampled_from(["IDLE", "RAMP", "HOLD", "HOLD", "RELEASE"]), rig=st.sampled_from(["nominal", "stiff"])
    )
    def begin(self, phase: str, rig: str) -> None:
        self.bench = reached(phase, rig).copy()
        self.injector = Injector(self.bench.table, self.bench.line, on_refused=lambda _refused: None)
        self.fault: str | None = None
        self._calm_us = 0
        self._leant = False
        self._cause: str | None = None
        self._tripped_ms: int | None = None
        self._looked_ms = self._now_ms
        self._pass(0.05)

    @property
    def _now_ms(self) -> int:
        return self.bench.now_us // STEP_US

    # What people do

    @rule(how=st.sampled_from(STARTS), force=st.sampled_from(FORCES))
    def start(self, how: str, force: str) -> None:
        asked = start_of(prescription.parse(document(force, "60 s")))
        changes = {
            "NOT_TICKED": {"ticks": ()},
            "TOO_MUCH": {"prescription": prescription.parse(document("500 N", "60 s"))},
            "NOT_CONFIRMED": {"confirmed_mn": 1_000},
            "OLD": {"calibration_age_days": 900},
        }.get(how, {})
        may_begin = isinstance(self.bench.state.phase, Idle | Ended) and not changes

        answer = self.bench.ask(replace(asked, **changes))

        assert may_begin or not answer.done
        self._pass(0.3)

    @rule()
    def stop(self) -> None:
        answer = self.bench.ask(StopAsked("clinician", f"stop-{self.bench.now_us}"))

        assert answer.done
        self._pass(0.2)

    @rule(what=st.sampled_from(STEERED), who=st.sampled_from(["clinician", "clinician", "doctor"]))
    def steer(self, what: str, who: str) -> None:
        """Whatever is asked: nothing is planned above what was agreed, and it is answered."""
        name = f"{what.lower()}-{self.bench.now_us}"
        setpoint_mn = round(_held_n(self.bench) * 1000)
        asked = {
            "PAUSE": PauseAsked(who, name),
            "GO_ON": GoOnAsked(who, name),
            "LOWER": LowerAsked(who, name, setpoint_mn // 2),
            "RAISE": RaiseAsked(who, name, setpoint_mn + 20_000, setpoint_mn + 20_000),
            "TAKE_OVER": TakeOverAsked(who, name),
            "END": EndAcknowledged(who, name),
        }[what]

        self.bench.ask(asked)

        course = self.bench.state.course
        assert course is None or course.profile.peak_n * 1000 <= course.prescription.agreed_mn
        self._pass(0.3)

    @rule(right=st.booleans())
    def acknowledge(self, right: bool) -> None:
        self.bench.acknowledge((self.bench.root or "A10") if right else "A13")
        self._pass(0.1)

    @rule(for_s=st.sampled_from([0.02, 0.3, 2.0]))
    def press_switch(self, for_s: float) -> None:
        self.bench.table.press_patient_switch(round(for_s * 1e6))
        self._pass(0.3)

    @rule()
    def unplug_or_plug(self) -> None:
        panel = self.bench.table.panel
        panel.patient_switch_plugged = not panel.patient_switch_plugged
        self._pass(0.2)

    @rule()
    def emergency_stop_in_or_out(self) -> None:
        panel = self.bench.table.panel
        panel.emergency_stop = not panel.emergency_stop
        self._pass(0.2)

    # What goes wrong, one thing at a time

    def _is_calm(self) -> bool:
        return self.fault is None and self.bench.now_us >= self._calm_us and not self._leant

    @precondition(_is_calm)
    @rule(name=st.sampled_from(NAMES))
    def fault_by_name(self, name: str) -> None:
        self._inject(name)
        self._pass(0.5)

    @precondition(_is_calm)
    @rule(name=st.sampled_from(BODIES))
    def body_moves(self, name: str) -> None:
        self._inject(name)
        self._pass(0.5)

    def _inject(self, name: str) -> None:
        self.injector.inject(name)
        self._calm_us = self.bench.now_us + round(SETTLED_S * 1e6)
        self._leant = name in LEANING
        self.fault = name

    @precondition(lambda self: self.fault is not None)
    @rule()
    def fault_is_mended(self) -> None:
        if self.fault in self.injector.active:
            self.injector.withdraw(str(self.fault))
        self.bench.to_host.faults = self.bench.to_table.faults = LineFaults()
        self._pass(SETTLED_S)
        self.fault = None

    @precondition(_is_calm)
    @rule(faults=st.sampled_from(LINES), to_host=st.booleans(), to_table=st.booleans())
    def line_goes_wrong(self, faults: LineFaults, to_host: bool, to_table: bool) -> None:
        if to_host:
            self.bench.to_host.faults = faults
        if to_table:
            self.bench.to_table.faults = faults
        self.fault = "line"
        self._pass(0.5)

    @precondition(_is_calm)
    @rule(for_s=st.sampled_from([0.05, 0.15, 0.4, 1.5]))
    def host_freezes(self, for_s: float) -> None:
        self.bench.host_frozen = True
        self._pass(for_s)
        self.bench.host_frozen = False
        self._pass(0.1)

    @rule(for_s=st.sampled_from([0.05, 0.5, 2.0, 4.0]))
    def time_passes(self, for_s: float) -> None:
        self._pass(for_s)

    # What must hold all the while

    def _pass(self, seconds: float) -> None:
        until_us = self.bench.now_us + round(seconds * 1e6)
        while self.bench.now_us < until_us:
            for _ in range(10):
                self.bench.advance()
            self._look_at_the_trip()
            self._look_at_the_truth()
        self._look_at_the_record()

    def _look_at_the_trip(self) -> None:
        bench = self.bench
        lock = bench.state.interlock
        if isinstance(lock, interlock.Tripped):
            assert isinstance(bench.state.phase, Tripped)
            assert bench.root == lock.cause.value
            assert self._cause in (None, bench.root)
            self._cause = bench.root
            self._tripped_ms = self._now_ms if self._tripped_ms is None else self._tripped_ms
            return
        if self._cause is not None:
            acknowledged = [row for row in bench.heard.events if row.text.startswith(f"Acknowledged: {self._cause}")]
            assert acknowledged
            assert isinstance(bench.state.phase, Idle)
        self._cause = self._tripped_ms = None

    def _look_at_the_truth(self) -> None:
        bench, now_ms = self.bench, self._now_ms
        forces, speeds = bench.forces_mn[self._looked_ms : now_ms], bench.speeds_um_s[self._looked_ms : now_ms]
        first_ms, self._looked_ms = self._looked_ms, now_ms
        if bench.memory.headers and not self._leant:
            ceiling_n = max(float(str(header.limits["ceiling_mn"])) for header in bench.memory.headers) / 1000
            bound_n = ceiling_n + OVER_CEILING_OF.get(str(self.fault), OVER_CEILING_N_MAX)
            assert max(forces) / 1000 <= bound_n, f"{max(forces) / 1000:.1f} N, over {ceiling_n:.0f} N, {self.fault}"
        if self._leant and bench.now_us > self._calm_us and bench.force_n < 15:
            self._leant = False
        if self._tripped_ms is not None and self.fault not in BY_ITSELF:
            late = speeds[max(0, self._tripped_ms + LAST_PULL_MS_MAX - first_ms) :]
            assert max(late, default=0) <= COMING_TO_REST_UM_S, f"winds in after {self._cause}, {self.fault}"

    def teardown(self) -> None:
        """Whatever tripped: ten seconds later the cable is slack."""
        if self._tripped_ms is not None and not self._leant:
            self._pass(max(0, self._tripped_ms + LET_GO_MS_MAX - self._now_ms) / 1000)
            assert self.bench.forces_mn[-1] <= SLACK_MN_MAX, f"still loaded after {self._cause}, {self.fault}"

    def _look_at_the_record(self) -> None:
        numbers = [row.number for row in self.bench.memory.events]
        for before, after in pairwise(numbers):
            assert after in (before + 1, 1)
        assert numbers.count(1) <= len(self.bench.memory.headers)


def look(max_examples: int, steps: int) -> None:
    run_state_machine_as_test(
        AnySession,
        settings=settings(
            max_examples=max_examples,
            stateful_step_count=steps,
            derandomize=not NIGHTLY,
            deadline=None,
            print_blob=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.timeout(3_600 if NIGHTLY else 120)
def test_no_order_of_events_hurts() -> None:
    if NIGHTLY:
        look(max_examples=400, steps=30)
    else:
        look(max_examples=12, steps=12)


# The machine itself notices: each of these products is broken in one place.


def machine_in_the_hold() -> AnySession:
    machine = AnySession()
    machine.begin(phase="HOLD", rig="nominal")
    return machine


def test_force_beyond_the_bound_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = machine_in_the_hold()
    for judge in ("judge_armed", "judge_releasing", "judge_drive"):
        monkeypatch.setattr(Limiter, judge, lambda *_: 0)

    with pytest.raises(AssertionError, match="over 350 N"):
        machine.fault_by_name(name="AC01")


def test_winding_in_after_a_trip_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = machine_in_the_hold()
    monkeypatch.setattr(Table, "_let_go", lambda *_: None)
    monkeypatch.setattr(Table, "_permitted_um_s", lambda *_: 5_000)
    monkeypatch.setattr(Table, "on_millisecond", lambda *_: None)

    with pytest.raises(AssertionError, match="winds in after A05"):
        machine.fault_by_name(name="SE01")


def test_a_trip_that_does_not_let_go_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = machine_in_the_hold()
    monkeypatch.setattr(Table, "_let_go", lambda *_: None)
    monkeypatch.setattr(Table, "_permitted_um_s", lambda *_: 0)

    machine.fault_by_name(name="SE01")
    with pytest.raises(AssertionError, match="still loaded after A05"):
        machine.teardown()


def test_a_first_cause_that_changes_is_noticed() -> None:
    machine = machine_in_the_hold()

    with planted(named("a later cause takes the first one's place")):
        machine.press_switch(for_s=0.02)
        with pytest.raises(AssertionError):
            machine.emergency_stop_in_or_out()


def test_a_trip_that_opens_by_itself_is_noticed() -> None:
    machine = machine_in_the_hold()

    with planted(named("the interlock opens without an acknowledgement")):
        machine.press_switch(for_s=0.3)
        with pytest.raises(AssertionError):
            machine.time_passes(for_s=12.0)


def test_a_stop_that_is_refused_is_noticed() -> None:
    machine = machine_in_the_hold()
    machine.press_switch(for_s=0.3)

    with planted(named("stop is refused while tripped")), pytest.raises(AssertionError):
        machine.stop()


def named(name: str) -> Defect:
    return next(defect for defect in DEFECTS if defect.name == name)
