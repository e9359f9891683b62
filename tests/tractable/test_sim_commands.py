"""`tractable sim inject`, `withdraw` and `faults`, against a simulated table that runs as a process of its own."""

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hw_sim.pseudo_terminal import serve
from hw_sim.rigs import load_rig
from hw_sim.table import SimulatedTable
from tractable.cli import app
from tractable.exit_codes import Exit


@pytest.fixture
def running(type_in, account: Path) -> Callable[..., None]:
    """Starts a simulated table and comes back once a host can open it."""

    def start(*arguments: str | Path) -> None:
        sim = type_in("sim", "--link", account / "table", *arguments)
        assert sim.process.stdout.readline().startswith("Simulated table on")

    return start


@pytest.fixture
def cues(tmp_path: Path) -> Iterator[Path]:
    """The socket of a simulated table that runs in this process."""
    stop, ready = threading.Event(), threading.Event()
    settings = {"socket_path": tmp_path / "cues", "stop": stop, "on_ready": lambda _name: ready.set()}
    thread = threading.Thread(target=serve, args=(SimulatedTable(load_rig("nominal"), 1),), kwargs=settings)
    thread.start()
    assert ready.wait(10)
    yield tmp_path / "cues"
    stop.set()
    thread.join(10)


@pytest.fixture
def typed_here(account: Path) -> Callable[..., Result]:
    """Runs the command in this process, which takes less time."""
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture(autouse=True)
def _no_demonstration_of_somebody_else(account: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(account))


def in_force(tractable) -> list[str]:
    listed = json.loads(tractable("sim", "faults", "--json").out)
    return [fault["id"] for fault in listed["faults"] if fault["active"]]


def test_a_fault_is_injected_listed_and_withdrawn(running, tractable) -> None:
    running()

    injected = tractable("sim", "inject", "se04", "--with", "channel=b")
    then = in_force(tractable)
    withdrawn = tractable("sim", "withdraw", "SE04")

    assert (injected.code, injected.out) == (Exit.DONE, "SE04 (stuck at its last value): now.\n")
    assert then == ["SE04"]
    assert (withdrawn.code, withdrawn.out) == (Exit.DONE, "SE04 is withdrawn.\n")
    assert in_force(tractable) == []


def test_a_fault_waits_for_its_moment(cues, typed_here) -> None:
    at = typed_here("sim", "inject", "AC16", "--at", "1 min", "--socket", cues)
    on = typed_here("sim", "inject", "HU13", "--on", "hold", "--after", "3s", "--with", "n=40.5", "--socket", cues)

    assert at.stdout == "AC16 (emergency stop pressed): in 1 min.\n"
    assert on.stdout == "HU13 (patient coughs): 3s into hold.\n"
    assert "In force: none." in typed_here("sim", "faults", "--socket", cues).stdout


def test_the_list_is_for_people_too(cues, typed_here) -> None:
    said = typed_here("sim", "faults", "--socket", cues)

    assert said.exit_code == Exit.DONE
    assert "HO15" in said.stdout
    assert "firmware hangs" in said.stdout
    assert said.stdout.endswith("Phase: ready. In force: none.\n")


def test_a_simulator_elsewhere_is_reached_by_its_socket(running, tractable, account: Path) -> None:
    running("--socket", account / "cues")

    lost = tractable("sim", "inject", "SE04")
    found = tractable("sim", "inject", "SE04", "--socket", account / "cues")

    assert lost.code == Exit.NOT_CONNECTED
    assert found.code == Exit.DONE


def test_the_simulator_of_a_demonstration_is_found_by_itself(running, tractable, account: Path) -> None:
    (account / "tractable-demo1").mkdir()
    running("--socket", account / "tractable-demo1" / "sim.sock")

    assert tractable("sim", "inject", "SE04").code == Exit.DONE


def test_of_several_demonstrations_one_has_to_be_named(running, tractable, account: Path) -> None:
    for name in ("tractable-demo1", "tractable-demo2"):
        (account / name).mkdir()
        running("--socket", account / name / "sim.sock")

    said = tractable("sim", "inject", "SE04")

    assert said.code == Exit.WRONG_USAGE
    assert "Say which with --socket" in said.err


def test_a_second_simulator_leaves_the_first_ones_socket_alone(running, tractable, account: Path) -> None:
    running()
    tractable("sim", "inject", "SE04")

    running()

    assert in_force(tractable) == ["SE04"]


@pytest.mark.parametrize("words", [["inject", "SE04"], ["withdraw", "SE04"], ["faults"]])
def test_without_a_simulator_the_commands_say_so_and_exit_3(words: list[str], typed_here) -> None:
    said = typed_here("sim", *words)

    assert said.exit_code == Exit.NOT_CONNECTED
    assert "No simulated table runs" in said.stderr
    assert "tractable demo" in said.stderr


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["inject", "SE4"], Exit.REFUSED, "Nearest: SE"),
        (["inject", "SE04", "--on", "holding"], Exit.REFUSED, "Phases: ready"),
        (["inject", "SE04", "--with", "channel"], Exit.WRONG_USAGE, "name=value"),
        (["inject", "SE04", "--with", "chanel=b"], Exit.REFUSED, "has no parameter 'chanel'"),
        (["inject", "SE04", "--at", "5"], Exit.WRONG_USAGE, "is not a time"),
        (["inject", "SE04", "--after", "5s"], Exit.WRONG_USAGE, "--after needs --on"),
        (["inject", "SE04", "--at", "5s", "--on", "hold"], Exit.WRONG_USAGE, "one or the other"),
        (["withdraw", "SE04"], Exit.REFUSED, "not in force"),
    ],
)
def test_what_cannot_be_done_is_refused_in_words(cues, typed_here, words: list[str], code: Exit, says: str) -> None:
    said = typed_here("sim", *words, "--socket", cues)

    assert said.exit_code == code
    assert says in said.stderr


def test_a_session_at_a_table_of_another_protocol_is_not_given(running, tractable, prescribe, account: Path) -> None:
    running("--protocol", "0")

    said = tractable("session", "run", prescribe(), "--port", account / "table", "--yes")

    assert said.code not in (Exit.DONE, Exit.STOPPED_BY_SAFETY)
    assert "The table speaks protocol 0, this program speaks protocol 1." in said.err
