"""What the documents tell people to type, they can type."""

import json
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
import typer.main

from controller import prescription, prescription_rules
from controller.calibration import load_calibration
from controller.pulls import MODES
from docs import make_screenshot
from hw_sim.control_socket import answer
from hw_sim.faults import Injector
from hw_sim.rigs import load_rig
from hw_sim.table import SimulatedTable
from safety.limits import SHIPPED
from tractable.cli import app
from tractable.settings import SETTINGS_FILE_VARIABLE, load_settings


def parsed(words: list[str]) -> None:
    """Parses a command line as the program would. Raises a usage error where the program would."""
    command: Any = typer.main.get_command(app)
    rest = words[1:]
    while hasattr(command, "resolve_command"):
        context = command.make_context(words[0], rest)
        named = [*context._protected_args, *context.args]
        if not named:
            return  # a group that does something by itself
        _, command, rest = command.resolve_command(context, named)
    command.make_context(command.name, rest)


def test_every_command_is_one_that_there_is(command: Any, repository: Path) -> None:
    words = shlex.split(command.text)

    match words[0]:
        case "tractable":
            parsed(words)
        case "make":
            targets = re.findall(r"^(\w+):", (repository / "Makefile").read_text(), re.MULTILINE)
            assert words[1] in targets
        case _:
            pytest.fail(f"nobody checks {words[0]!r}: teach this test how")


def test_a_command_line_that_is_wrong_would_be_noticed() -> None:
    with pytest.raises(Exception, match="--folder-of-data"):
        parsed(["tractable", "session", "list", "--folder-of-data", "x"])


def test_commands_on_records_run(
    record_command: Any,
    recorded_session: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(SystemExit) as ended:
        app(shlex.split(record_command.text)[1:])

    assert ended.value.code == 0, capsys.readouterr().err
    assert capsys.readouterr().out


def test_python_runs_as_it_stands(
    python_example: Any,
    recorded_session: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shutil.copy(recorded_session, tmp_path / "session.tractable")
    monkeypatch.chdir(tmp_path)

    exec(compile(python_example.text, python_example.page.name, "exec"), {})

    assert capsys.readouterr().out


def test_toml_is_taken_by_what_it_is_for(toml_example: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "example.toml"
    file.write_text(toml_example.text)

    if "[channel_a]" in toml_example.text:
        assert load_calibration(file).channel_a.span_q20 > 0
    else:
        monkeypatch.setenv(SETTINGS_FILE_VARIABLE, str(file))
        assert load_settings().site_limits() != SHIPPED


def test_json_is_taken_by_the_simulated_table(json_example: Any) -> None:
    table = SimulatedTable(load_rig("nominal"), seed=1)

    assert answer(Injector(table), json_example.text.encode())["ok"] is True


def test_every_example_of_a_prescription_may_be_given_as_shipped_and_every_mode_has_one(repository: Path) -> None:
    written = [prescription.parse_toml(file.read_text()) for file in (repository / "examples").glob("*.toml")]

    assert [prescription_rules.refusals(one, SHIPPED) for one in written] == [[]] * len(written)
    assert {one.mode for one in written} == {*MODES, "chain"}


def test_every_way_to_write_the_prescription_that_its_comments_name_is_accepted(repository: Path) -> None:
    text = (repository / "examples/prescription.toml").read_text()
    lines = [line for line in text.splitlines() if re.match(r'\w+ = ".*" +# .*"', line)]

    for line in lines:
        key, _, rest = line.partition(" = ")
        for alternative in re.findall(r'"[^"]+"', rest.split("#")[1]):
            changed = text.replace(line, f"{key} = {alternative}")
            assert prescription_rules.refusals(prescription.parse_toml(changed), SHIPPED) == [], alternative


def test_the_session_in_the_screenshot_is_one_that_may_be_given() -> None:
    prescribed = prescription.parse(json.loads(json.dumps(make_screenshot.PRESCRIPTION)))

    assert prescription_rules.refusals(prescribed, SHIPPED) == []
    assert prescribed.time_at_force_s > make_screenshot.SHOWN_AT_FORCE_S
