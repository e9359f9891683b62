"""Plays a scenario, and holds what came of it against what was expected."""

from collections.abc import Iterator
from dataclasses import dataclass

from hw_sim.scenario import Scenario
from safety.alarms import CATALOGUE, AlarmId
from tractable.scenario_stage import Stage


@dataclass(frozen=True, slots=True)
class Check:
    """One expectation: `reached` and `goal` are texts without a unit, or numbers in `unit`."""

    name: str
    reached: str | float
    goal: str | float
    unit: str
    met: bool

    def as_json(self, seed: int) -> dict[str, object]:
        """As every command that measures says it with `--json`."""
        return {
            "name": self.name,
            "reached": self.reached,
            "goal": self.goal,
            "baseline": None,
            "unit": self.unit,
            "met": self.met,
            "seed": seed,
        }


@dataclass(frozen=True, slots=True)
class Played:
    """`happened` is the story: seconds since power-on, and a sentence."""

    scenario: Scenario
    seed: int
    checks: tuple[Check, ...]
    happened: tuple[tuple[float, str], ...]

    @property
    def met(self) -> bool:
        return all(check.met for check in self.checks)


def play(scenario: Scenario, seed: int | None = None) -> Played:
    """Plays it with its own seed, or another."""
    stage = Stage(scenario, scenario.seed if seed is None else seed)
    stage.play()
    return Played(scenario, stage.seed, tuple(_checks(stage)), tuple(stage.happened))


def _checks(stage: Stage) -> Iterator[Check]:
    expect = stage.scenario.expect
    yield Check("ends", stage.ended, expect.ends, "", stage.ended == expect.ends)
    if expect.alarm is not None:
        yield Check("alarm", _named(stage.root), _named(expect.alarm), "", stage.root == expect.alarm)
    raised = " ".join(stage.alarms) or "none"
    for alarm in expect.seen:
        yield Check(f"seen {alarm}", raised, alarm, "", alarm in stage.alarms)
    for alarm in expect.never:
        yield Check(f"never {alarm}", raised, f"not {alarm}", "", alarm not in stage.alarms)
    if expect.refused is not None:
        refused, goal_refused = (" ".join(names) or "none" for names in (stage.refused, expect.refused))
        yield Check("refused", refused, goal_refused, "", refused == goal_refused)
    limits: tuple[tuple[str, float, float | None, str], ...] = (
        ("peak", stage.peak_n, expect.peak_n, "N"),
        ("peak over ceiling", stage.peak_n - stage.ceiling_n, expect.peak_over_ceiling_n, "N"),
        ("held within", stage.held_n, expect.held_within_n, "N"),
        ("slack within", stage.slack_s, expect.slack_within_s, "s"),
    )
    for name, reached, goal, unit in limits:
        if goal is not None:
            yield Check(name, round(reached, 3), goal, unit, reached <= goal)


def _named(alarm: str) -> str:
    return f"{alarm} {CATALOGUE[AlarmId(alarm)].shown}" if alarm else "none"
