"""Scenarios as text: what they come to as data, and what is said about one that is wrong."""

import re
from pathlib import Path

import pytest

from hw_sim.actions import ACTIONS, WHOLE_NUMBER
from hw_sim.quantities import UNITS, NotAQuantity, quantity
from hw_sim.scenario import Act, Event, Inject, Scenario, find_scenario, parse_scenario, scenario_names
from hw_sim.toml_lines import TomlFault, read_document

TEXT = """\
name = "Cough and a stuck sensor"
about = "What the text means"
rig = "soft"
line = "degraded"
seed = 7

[prescription]
force = "60 N"
time_at_force = "60 s"

[[event]]
on = "hold"
after = "5 s"
do = "cough"
force = "60 N"
lasting = "300 ms"
times = 3
every = "0.7 s"

[[event]]
at = "1 min"
fault = "SE04"
with = { channel = 1 }
lasting = "2 s"

[expect]
ends = "tripped"
alarm = "A06"
never = ["A01"]
peak_over_ceiling = "20 N"
slack_within = "10 s"
"""


def parsed(text: str = TEXT) -> Scenario:
    return parse_scenario(text, "mine.toml", faults=["SE01", "SE04", "HU03"], alarms=["A01", "A06"])


def test_a_text_comes_to_events_in_newtons_millimetres_and_seconds() -> None:
    scenario = parsed()

    assert (scenario.rig, scenario.line, scenario.seed) == ("soft", "degraded", 7)
    assert scenario.events == (
        Event("hold", 5.0, Act("cough", {"force": 60.0, "lasting": 0.3}), times=3, every_s=0.7),
        Event(None, 60.0, Inject("SE04", {"channel": 1}, 2.0)),
    )
    assert (scenario.expect.ends, scenario.expect.alarm, scenario.expect.never) == ("tripped", "A06", ("A01",))
    assert (scenario.expect.peak_over_ceiling_n, scenario.expect.slack_within_s) == (20.0, 10.0)
    assert scenario.expect.held_within_n is None


def test_a_table_and_a_patient_are_a_rig_and_what_is_not_said_is_the_usual() -> None:
    pair = parsed(TEXT.replace('rig = "soft"', 'table = "fixed"\npatient = "heavy"'))
    patient = parsed(TEXT.replace('rig = "soft"', 'patient = "heavy"'))
    neither = parsed(TEXT.replace('rig = "soft"\nline = "degraded"\nseed = 7', ""))

    assert (pair.rig, patient.rig) == ("fixed+heavy", "reference+heavy")
    assert (neither.rig, neither.line, neither.seed) == ("nominal", "direct", 1)


def test_an_action_has_its_usual_size_where_none_is_given() -> None:
    text = TEXT.replace('force = "60 N"\nlasting = "300 ms"\n', "")

    assert parsed(text).events[0].what == Act("cough", {"force": 80.0, "lasting": 0.2})


def test_every_parameter_of_every_action_has_units_and_a_usual_size_in_its_range() -> None:
    parameters = [parameter for action in ACTIONS.values() for parameter in action.parameters.values()]

    assert {parameter.kind for parameter in parameters} <= {*UNITS, WHOLE_NUMBER}
    assert all(parameter.low < parameter.high for parameter in parameters)
    assert all(one.low <= one.default <= one.high for one in parameters if one.default is not None)


STEERED = TEXT.replace('do = "cough"\nforce = "60 N"\nlasting = "300 ms"', 'do = "lower"\nto = "80 N"')


def test_what_the_clinician_asks_is_an_event_like_any_other() -> None:
    lowered = parsed(STEERED)
    told = parsed(STEERED.replace('do = "lower"\nto = "80 N"', 'do = "pain"\nscore = 4'))
    refusing = parsed(TEXT.replace('ends = "tripped"', 'ends = "tripped"\nrefused = ["raise", "go_on"]'))

    assert lowered.events[0].what == Act("lower", {"to": 80.0})
    assert told.events[0].what == Act("pain", {"score": 4})
    assert (lowered.expect.refused, refusing.expect.refused) == (None, ("raise", "go_on"))


@pytest.mark.parametrize(
    ("old", "new", "line", "complaint"),
    [
        ('do = "lower"', 'do = "lowr"', 14, "no do 'lowr'; did you mean 'lower'?"),
        ('do = "lower"', 'do = "pause"', 15, "pause has no to; it takes nothing more."),
        ('to = "80 N"', 'too = "80 N"', 15, "unknown key 'too'; did you mean 'to'?"),
        ('to = "80 N"', "to = 80", 15, 'to: 80 has no unit; write "80 N"'),
        ('to = "80 N"\n', "", 11, "to is missing; give a force."),
        ('do = "lower"\nto = "80 N"', 'do = "pain"\nscore = 11', 15, "score = 11 is not a whole number from 0 to 10."),
        (
            'do = "lower"\nto = "80 N"',
            'do = "pain"\nscore = "4"',
            15,
            "score = '4' is not a whole number from 0 to 10.",
        ),
        ('do = "lower"\nto = "80 N"', 'do = "pain"', 11, "score is missing; give a whole number from 0 to 10."),
        ('ends = "tripped"', 'ends = "tripped"\nrefused = ["rais"]', 27, "no refused 'rais'; did you mean 'raise'?"),
        ('ends = "tripped"', 'ends = "tripped"\nrefused = "raise"', 27, 'refused is a list, such as ["raise"].'),
        ('on = "hold"', 'on = "pause"', 12, "no on 'pause'; did you mean 'paused'?"),
    ],
)
def test_what_is_wrong_with_what_is_asked_is_told_by_file_line_and_nearest_name(
    old: str, new: str, line: int, complaint: str
) -> None:
    assert old in STEERED
    text = STEERED.replace(old, new, 1)

    with pytest.raises(TomlFault, match=re.escape(complaint)) as told:
        parsed(text)

    assert re.match(rf"mine\.toml, line {line}: ", str(told.value)), told.value


@pytest.mark.parametrize(
    ("old", "new", "line", "complaint"),
    [
        ('about = "What', 'abuot = "What', 2, "unknown key 'abuot'; did you mean 'about'?"),
        ('rig = "soft"', "rig = 3", 3, "rig = 3 is not a text"),
        ('rig = "soft"', 'rig = "soft"\ntable = "fixed"', 3, "either a rig, or a table and a patient"),
        ('line = "degraded"', 'line = "degradd"', 4, "no line 'degradd'; did you mean 'degraded'?"),
        ("seed = 7", "seed = 7.5", 5, "seed = 7.5 is not a whole number"),
        ('force = "60 N"\ntime', 'forse = "60 N"\ntime', 8, "unknown key 'forse'; did you mean 'force'?"),
        ('time_at_force = "60 s"\n', "", 7, "prescription has no time_at_force"),
        ('on = "hold"', 'on = "holding"', 12, "no on 'holding'; did you mean 'hold'?"),
        ('on = "hold"\n', "", 11, "say when"),
        ('after = "5 s"', "after = 5", 13, 'after: 5 has no unit; write "5 s"'),
        ('after = "5 s"', 'after = "5 sec"', 13, "after: 'sec' is not a unit of time; use s or ms or min"),
        ('after = "5 s"', 'after = "soon"', 13, "after: 'soon' is not a time"),
        ('after = "5 s"', 'after = "-5 s"', 13, "after = '-5 s' is out of range; give 0 to 3600"),
        ('do = "cough"', 'do = "couhg"', 14, "no do 'couhg'; did you mean 'cough'?"),
        ('do = "cough"', 'do = "cough"\nfault = "SE04"', 11, "say what"),
        ('do = "cough"', 'do = "leave"', 15, "leave has no force; it takes nothing more."),
        ('force = "60 N"\nlasting', 'force = "60 mm"\nlasting', 15, "'mm' is not a unit of force; use N or kgf or lbf"),
        (
            'force = "60 N"\nlasting',
            'force = "9000 N"\nlasting',
            15,
            "force = '9000 N' is out of range; give 1 to 1000",
        ),
        ("times = 3\n", "", 17, "times and every go together"),
        ('every = "0.7 s"\n', "", 17, "times and every go together"),
        ("times = 3", "times = 0", 17, "times = 0 is not a whole number from 1"),
        ('fault = "SE04"', 'fault = "SE05"', 22, "no fault 'SE05'; did you mean 'SE04'?"),
        ("with = { channel = 1 }", "chanel = 1", 23, "unknown key 'chanel'"),
        ("with = { channel = 1 }", "with = 1", 23, "with holds the fault's own parameters"),
        ('ends = "tripped"', 'ends = "triped"', 27, "no ends 'triped'; did you mean 'tripped'?"),
        ('ends = "tripped"\n', "", 26, "expect must say how it ends"),
        ('alarm = "A06"', 'alarm = "A6"', 28, "no alarm 'A6'; did you mean 'A06'?"),
        ('never = ["A01"]', 'never = "A01"', 29, "never is a list"),
        ('never = ["A01"]', 'never = ["A99"]', 29, "no never 'A99'"),
        ('slack_within = "10 s"', 'slack_in = "10 s"', 31, "unknown key 'slack_in'; did you mean 'slack_within'?"),
        ('slack_within = "10 s"', 'slack_within = "10 s', 31, "not TOML"),
    ],
)
def test_what_is_wrong_is_told_by_file_line_and_what_to_do(old: str, new: str, line: int, complaint: str) -> None:
    assert old in TEXT
    text = TEXT.replace(old, new, 1)

    with pytest.raises(TomlFault, match=re.escape(complaint)) as told:
        parsed(text)

    assert re.match(rf"mine\.toml, line {line}: ", str(told.value)), told.value


def test_a_scenario_is_found_by_name_or_by_file_and_else_the_nearest_is_named(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text(TEXT)

    assert find_scenario("quiet").stem == "quiet"
    assert find_scenario(str(mine)) == mine
    with pytest.raises(TomlFault, match=r"no such scenario; did you mean 'quiet'\?"):
        find_scenario("qiet")


def test_there_are_ten_scenarios_or_more() -> None:
    assert len(scenario_names()) >= 10


def test_lines_are_found_in_tables_arrays_of_tables_and_inline_tables() -> None:
    document = read_document('[a.b]\nc = 1\n\n[[d]]\n[[d]]\n"e" = { f = 2 }\n', "x.toml")

    assert document.line_of(("a", "b", "c")) == 2
    assert document.line_of(("d", 1)) == 5
    assert document.line_of(("d", 1, "e", "f")) == 6
    assert document.line_of(("nowhere",)) is None


@pytest.mark.parametrize("text", ["", "N", "1e3 N", "1.2.3 N", "10 n", "inf N", "nan N", None, True, [1]])
def test_what_is_no_quantity_is_refused(text: object) -> None:
    with pytest.raises(NotAQuantity):
        quantity(text, "force")
