"""Every scenario that comes along is played in virtual time, and does what it says it expects."""

import json
import re
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path

import pytest

from hw_sim.actions import ACTIONS
from hw_sim.faults import FAULTS
from hw_sim.line import TIMINGS
from hw_sim.quantities import UNITS
from hw_sim.rigs import PATIENT, TABLE, load_rig, rig_names
from hw_sim.scenario import ENDS, MAY_BE_REFUSED, PHASES, Expectation, Inject, find_scenario, scenario_names
from hw_sim.toml_lines import TomlFault
from tractable import scenario_command
from tractable.exit_codes import Exit
from tractable.scenario_clinician import ASKS
from tractable.scenario_command import line_of
from tractable.scenario_reading import read_scenario
from tractable.scenario_run import Played, play

TEXT = """\
name = "Short"
rig = "nominal"

[prescription]
force = "30 N"
ramp = "20 N/s"
time_at_force = "60 s"

[[event]]
on = "ramp"
do = "press_switch"

[expect]
ends = "tripped"
alarm = "A10"
seen = ["A10"]
never = ["A01"]
slack_within = "2 s"
"""


@pytest.fixture(scope="module")
def page() -> str:
    return (Path(__file__).parents[2] / "docs" / "simulator.md").read_text(encoding="utf-8")


@pytest.fixture
def write(tmp_path: Path):
    """Writes that scenario, with each `old` replaced by `new`."""

    def written(*changes: tuple[str, str]) -> Path:
        text = TEXT
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new)
        path = tmp_path / "short.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return written


def failures(played: Played) -> list[str]:
    return [line_of(check) for check in played.checks if not check.met]


@pytest.mark.parametrize("name", scenario_names())
def test_a_scenario_that_comes_along_does_what_it_expects(name: str) -> None:
    scenario = read_scenario(find_scenario(name))

    played = play(scenario)

    assert failures(played) == [], played.happened
    assert len(played.checks) >= 3


def test_the_same_seed_plays_the_same_and_another_seed_does_not(write) -> None:
    scenario = read_scenario(write(("slack_within", 'peak = "100 N"\nslack_within')))

    once, again, other = play(scenario), play(scenario), play(scenario, seed=2)

    assert once == again
    assert [check.reached for check in once.checks] != [check.reached for check in other.checks]


@pytest.mark.parametrize(
    ("old", "new", "unmet"),
    [
        ('ends = "tripped"', 'ends = "complete"', "ends: tripped (expected complete)"),
        ('alarm = "A10"', 'alarm = "A12"', "alarm: A10 PATIENT PRESSED STOP"),
        ('seen = ["A10"]', 'seen = ["A10", "A03"]', "seen A03: A10 (expected A03)"),
        ('never = ["A01"]', 'never = ["A10"]', "never A10: A10 (expected not A10)"),
        ('slack_within = "2 s"', 'slack_within = "1 ms"', "slack within:"),
        ('slack_within = "2 s"', 'peak = "20 N"', "peak:"),
        ('slack_within = "2 s"', 'peak_over_ceiling = "-60 N"', "peak over ceiling:"),
        ('slack_within = "2 s"', 'held_within = "5 N"', "held within: inf N"),
    ],
)
def test_an_expectation_that_is_not_met_is_told(write, old: str, new: str, unmet: str) -> None:
    played = play(read_scenario(write((old, new))))

    (told,) = failures(played)
    assert told.startswith(f"NOT MET  {unmet}")
    assert not played.met


def test_what_happened_is_told_in_order_with_its_time(write) -> None:
    played = play(read_scenario(write(("on = ", 'after = "2 s"\non = '))))

    times, told = zip(*played.happened, strict=True)
    at = dict(zip(told, times, strict=True))
    assert list(times) == sorted(times)
    assert at["the patient presses the switch"] - at["ramp"] == pytest.approx(2.0, abs=0.01)


def test_events_come_at_their_time_and_as_often_as_they_are_told_to(write) -> None:
    repeated = ('on = "ramp"\ndo = "press_switch"', 'at = "3 s"\ndo = "press_switch"\ntimes = 3\nevery = "0.5 s"')
    played = play(read_scenario(write(repeated)))

    presses = [when for when, told in played.happened if told == "the patient presses the switch"]
    assert presses == pytest.approx([3.0, 3.5, 4.0], abs=0.01)


def test_a_prescription_that_the_site_would_refuse_is_told_at_its_line(write) -> None:
    path = write(('force = "30 N"', 'force = "3000 N"'))

    with pytest.raises(TomlFault, match=r"short\.toml, line 4: .*more than this site allows"):
        read_scenario(path)


def test_what_the_clinician_is_refused_is_told_with_its_reason_and_held_against_what_was_expected(write) -> None:
    raised = ('do = "press_switch"', 'do = "raise"\nto = "40 N"\n[[event]]\non = "hold"\ndo = "stop"')
    ends = ('ends = "tripped"\nalarm = "A10"\nseen = ["A10"]', 'ends = "stopped"\nrefused = ["lower"]')

    played = play(read_scenario(write(raised, ends)))

    (told,) = failures(played)
    assert told == "NOT MET  refused: raise (expected lower)"
    assert "refused: Raise only while a force is held" in " ".join(sentence for _when, sentence in played.happened)
    assert [sentence for _when, sentence in played.happened if "raises" in sentence] == [
        "the clinician raises the pull to 40 N"
    ]


def test_all_that_is_not_done_at_the_table_is_asked_of_the_controller() -> None:
    assert set(ASKS) == {name for name, action in ACTIONS.items() if action.perform is None}
    assert {*MAY_BE_REFUSED, "stop"} == set(ASKS)


def test_a_start_that_is_refused_is_told_with_its_reason(write) -> None:
    leaned_on = ('on = "ramp"\ndo = "press_switch"', 'at = "0 s"\ndo = "lean"\nforce = "50 N"\nlasting = "10 min"')

    played = play(read_scenario(write(leaned_on)))

    assert played.checks[0].reached == "refused"
    assert played.happened[-1][1].startswith("the start is refused: ")


def test_a_rig_that_there_is_not_is_told_at_its_line(write) -> None:
    path = write(('rig = "nominal"', 'rig = "nominl"'))

    with pytest.raises(TomlFault, match=r"short\.toml, line 2: .*no such rig; did you mean 'nominal'\?"):
        read_scenario(path)


def test_every_fault_that_a_scenario_names_is_in_the_catalogue() -> None:
    scenarios = [read_scenario(find_scenario(name)) for name in scenario_names()]

    named = {event.what.fault for one in scenarios for event in one.events if isinstance(event.what, Inject)}

    assert named
    assert named <= set(FAULTS)


def test_the_command_exits_0_1_or_2(write, capsys) -> None:
    def code(*changes: tuple[str, str]) -> int:
        with pytest.raises(SystemExit) as ended:
            scenario_command.run(str(write(*changes)), None, as_json=False)
        return ended.value.code

    assert code() == Exit.DONE
    assert "met      ends: tripped" in capsys.readouterr().out
    assert code(('ends = "tripped"', 'ends = "complete"')) == Exit.REFUSED
    assert "NOT MET  ends: tripped (expected complete)" in capsys.readouterr().out
    assert code(("rig =", "rgi =")) == Exit.WRONG_USAGE
    assert "short.toml, line 2: unknown key 'rgi'; did you mean 'rig'?" in capsys.readouterr().err


def test_json_holds_a_figure_for_each_expectation(write, capsys) -> None:
    with pytest.raises(SystemExit):
        scenario_command.run(str(write()), 5, as_json=True)

    figures = json.loads(capsys.readouterr().out)
    assert [figure["name"] for figure in figures] == ["ends", "alarm", "seen A10", "never A01", "slack within"]
    assert all(set(figure) == {"name", "reached", "goal", "baseline", "unit", "met", "seed"} for figure in figures)
    assert {figure["seed"] for figure in figures} == {5}


def test_without_a_name_the_scenarios_are_listed(capsys) -> None:
    scenario_command.run("", None, as_json=False)

    listed = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in listed] == scenario_names()


def test_the_rig_and_the_scenario_in_the_documentation_are_taken(page: str, tmp_path: Path) -> None:
    examples = dict(re.findall(r"```toml (\w+)\n(.*?)```", page, re.DOTALL))
    for kind, text in examples.items():
        (tmp_path / f"{kind}.toml").write_text(text)

    rig = load_rig(tmp_path / "rig.toml")
    scenario = read_scenario(tmp_path / "scenario.toml")

    assert (rig.rate_hz, rig.slack_mm) == (80, 60.0)
    assert play(scenario).met


@pytest.mark.parametrize(
    "names",
    [
        rig_names(),
        rig_names(part=TABLE),
        rig_names(part=PATIENT),
        PHASES,
        ENDS,
        TIMINGS,
        ACTIONS,
        [unit for units in UNITS.values() for unit in units],
        [field.name.removesuffix("_n").removesuffix("_s") for field in fields(Expectation)],
    ],
    ids=["rigs", "tables", "patients", "phases", "ends", "lines", "actions", "units", "expectations"],
)
def test_the_documentation_names_all_that_there_is(page: str, names: Iterable[str]) -> None:
    assert [name for name in names if not re.search(rf"(?<![\w/]){re.escape(name)}(?![\w/])", page)] == []
