"""`tractable sim play`: plays a scenario, tells its story, and says which expectations were met."""

import json
import sys
from typing import Annotated

import typer
from rich.console import Console

from tractable.exit_codes import Exit
from tractable.scenario_reading import read_scenario
from tractable.scenario_run import Check, Played, play


def run(
    scenario: Annotated[str, typer.Argument(help="A scenario that comes along, such as cough, or a .toml file.")] = "",
    seed: Annotated[int | None, typer.Option(help="Another patient and line than the scenario's own.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: JSON instead of text.")] = False,
) -> None:
    """Play a scenario in virtual time; without a name, list them. Exits 1 where an expectation is not met."""
    from hw_sim.scenario import SCENARIOS, find_scenario, scenario_names
    from hw_sim.toml_lines import TomlFault

    try:
        if not scenario:
            _list({name: read_scenario(SCENARIOS / f"{name}.toml").name for name in scenario_names()}, as_json)
            return
        played = play(read_scenario(find_scenario(scenario)), seed)
    except TomlFault as fault:
        print(fault, file=sys.stderr)
        sys.exit(int(Exit.WRONG_USAGE))
    if as_json:
        print(json.dumps([check.as_json(played.seed) for check in played.checks], indent=2))
    else:
        _tell(played)
    sys.exit(int(Exit.DONE if played.met else Exit.REFUSED))


def _list(titles: dict[str, str], as_json: bool) -> None:
    if as_json:
        print(json.dumps(titles, indent=2))
        return
    for name, title in titles.items():
        print(f"{name:<24} {title}")


def _tell(played: Played) -> None:
    console = Console(soft_wrap=True, highlight=False)
    console.print(f"{played.scenario.name} (rig {played.scenario.rig}, seed {played.seed})", style="bold", markup=False)
    for when_s, sentence in played.happened:
        console.print(f"{when_s:8.1f} s  {sentence}", markup=False)
    for check in played.checks:
        console.print(line_of(check), style=None if check.met else "bold red", markup=False)


def line_of(check: Check) -> str:
    """One expectation, for people."""
    goal = f"at most {check.goal:g} {check.unit}" if isinstance(check.goal, float) else check.goal
    reached = f"{check.reached:.3g} {check.unit}" if isinstance(check.reached, float) else check.reached
    return f"{'met    ' if check.met else 'NOT MET'}  {check.name}: {reached} (expected {goal})"
