"""A recorded session, stepped again, gives the verdicts on record; with other limits, it says what they would have."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from controller import prescription
from controller.commands import HUMAN_TICKS
from controller.inputs import (
    AcknowledgeAsked,
    CameTooLate,
    EndAcknowledged,
    GoOnAsked,
    LowerAsked,
    PainTold,
    PauseAsked,
    RaiseAsked,
    StartAsked,
    StopAsked,
    TakeOverAsked,
)
from controller.phases import Ended, Holding, Tripped
from controller.step_record import STEP, state_before
from hw_sim.faults import Injector
from recorder.journal import SessionJournal
from recorder.reading import open_session
from safety.limits import SHIPPED
from safety.units import Millinewtons
from tractable.exit_codes import Exit
from tractable.replay import CannotReplay, Recording, recorded_site, replay
from tractable.replay_command import replay_one
from tractable.settings import Settings, load_settings
from tractable.virtual_stack import VirtualStack

WITHIN_S = 60.0
SEED = 5
COUGH_N = 80.0
LINE_DOWN = "LK01"
PRESCRIBED = {
    "patient": {"pseudonym": "K7-2F41", "body_mass": "80 kg"},
    "pull": {"mode": "static", "force": "100 N", "time_at_force": "1 min", "ramp": "20 N/s"},
    "prescribed": {"by": "clinician"},
}
Story = Callable[[VirtualStack], None]


def start(force: str = "100 N") -> StartAsked:
    pull = {**PRESCRIBED["pull"], "force": force}
    asked = prescription.parse({**PRESCRIBED, "pull": pull})
    return StartAsked(
        "clinician", "start-0001", "S1", asked, HUMAN_TICKS, asked.force_mn, unattended=False, calibration_age_days=3
    )


def holding(stack: VirtualStack, force: str = "100 N") -> None:
    stack.run_for(1)
    stack.ask(start(force))
    assert stack.run_until(lambda s: isinstance(s.state.phase, Holding), WITHIN_S)
    stack.run_for(1)


def until_over(stack: VirtualStack) -> None:
    assert stack.run_until(lambda s: isinstance(s.state.phase, Ended), 2 * WITHIN_S)
    stack.ask(EndAcknowledged("clinician", "heard-0001"))


def acknowledged(stack: VirtualStack) -> None:
    """The trip is seen to, and the record ends."""
    assert stack.run_until(lambda s: isinstance(s.state.phase, Tripped), 5)
    root = next(entry.id.value for entry in stack.state.board if entry.root)
    stack.run_for(15)
    stack.ask(AcknowledgeAsked("clinician", "seen-00001", root))
    assert stack.run_until(lambda s: s.state.course is None, 10)


def ordinary(stack: VirtualStack) -> None:
    holding(stack)
    until_over(stack)


def a_cough(stack: VirtualStack) -> None:
    holding(stack)
    stack.table.plant.cough(COUGH_N, 200)
    stack.run_for(2)
    stack.ask(StopAsked("clinician", "stop-0001"))
    until_over(stack)


def the_patients_switch(stack: VirtualStack) -> None:
    holding(stack)
    stack.table.press_patient_switch(500_000)
    acknowledged(stack)


def a_lost_link(stack: VirtualStack) -> None:
    holding(stack)
    faults = Injector(stack.table, stack.line, seed=SEED)
    faults.inject(LINE_DOWN)
    stack.run_for(2)
    faults.withdraw(LINE_DOWN)
    acknowledged(stack)


def an_operators_stop(stack: VirtualStack) -> None:
    holding(stack)
    stack.ask(StopAsked("clinician", "stop-0001"))
    until_over(stack)


def a_steered_pull(stack: VirtualStack) -> None:
    """Every command that there is for a session under way."""
    holding(stack)
    for command in (
        LowerAsked("clinician", "steer-0001", 80_000),
        PauseAsked("clinician", "steer-0002"),
        GoOnAsked("clinician", "steer-0003"),
        RaiseAsked("clinician", "steer-0004", 90_000, 90_000),
        PainTold("clinician", "steer-0005", 4, "during"),
        TakeOverAsked("another", "steer-0006"),
        CameTooLate("another", "steer-0007", "raise"),
        StopAsked("another", "steer-0008"),
    ):
        stack.ask(command)
        stack.run_for(6)
    until_over(stack)


def after_an_end_unheard(stack: VirtualStack) -> None:
    """The second of two sessions: its start closes the record of the first, whose end nobody acknowledged."""
    holding(stack)
    stack.ask(PainTold("clinician", "pain-00001", 4, "during"))
    stack.ask(StopAsked("clinician", "stop-0001"))
    assert stack.run_until(lambda s: isinstance(s.state.phase, Ended), WITHIN_S)
    stack.memory.samples.clear()
    stack.memory.events.clear()
    stack.ask(replace(start(), session_id="S2"))
    until_over(stack)


STORIES = (ordinary, a_cough, the_patients_switch, a_lost_link, an_operators_stop, a_steered_pull, after_an_end_unheard)


def recorded(story: Story) -> Recording:
    stack = VirtualStack("nominal", seed=SEED)
    story(stack)
    return Recording(stack.memory.headers[-1], stack.memory.samples, stack.memory.events)


@pytest.fixture(scope="module")
def golden() -> dict[str, Recording]:
    return {story.__name__: recorded(story) for story in STORIES}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(data_folder=tmp_path)


@pytest.fixture
def on_disk(tmp_path: Path) -> Path:
    """A session that an operator stopped, in a session file."""
    with SessionJournal(tmp_path) as journal:
        stack = VirtualStack("nominal", seed=SEED, journal=journal)
        an_operators_stop(stack)
        assert journal.wait_until_written(WITHIN_S)
        assert journal.ended is not None
        return journal.ended


@pytest.mark.parametrize("name", [story.__name__ for story in STORIES])
def test_every_verdict_of_a_golden_session_comes_out_again(golden: dict[str, Recording], name: str) -> None:
    recording = golden[name]

    replayed = replay(recording)

    assert replayed.differences == ()
    assert replayed.recorded == replayed.replayed
    assert replayed.samples >= len(list(recording.samples)) > 1000
    assert replayed.moves > 100
    assert replayed.inputs >= sum(event.kind == "command" for event in recording.events)
    assert replayed.events == len(recording.events)


def test_the_golden_sessions_end_as_their_names_say(golden: dict[str, Recording]) -> None:
    went = {name: replay(recording).replayed for name, recording in golden.items()}

    assert {name: outcome.went for name, outcome in went.items()} == {
        "ordinary": "ended",
        "a_cough": "ended",
        "the_patients_switch": "tripped",
        "a_lost_link": "tripped",
        "an_operators_stop": "ended",
        "a_steered_pull": "ended",
        "after_an_end_unheard": "ended",
    }
    assert went["the_patients_switch"].why.startswith("A10")
    assert went["a_lost_link"].why.startswith("A13")
    assert went["an_operators_stop"].why == "stopped by clinician"


def test_a_start_closes_an_end_unheard_in_the_replay_too_and_the_session_goes_on(golden: dict[str, Recording]) -> None:
    recording = golden["after_an_end_unheard"]
    before = state_before(recording.events[0].data[STEP])

    under_its_own_site = replay(recording, recorded_site(recording))

    assert before.open_end is not None
    assert (before.open_end.session_id, before.open_end.pain.last) == ("S1", 4)
    assert under_its_own_site.differences == ()
    assert under_its_own_site.moves > 100


def test_a_record_from_before_open_ends_were_kept_is_stepped_as_it_was(golden: dict[str, Recording]) -> None:
    recording = golden["after_an_end_unheard"]
    first, *others = recording.events
    step = dict(first.data[STEP])
    step["before"] = {name: value for name, value in step["before"].items() if name != "open_end"}

    replayed = replay(replace(recording, events=[replace(first, data={**first.data, STEP: step}), *others]))

    assert replayed.differences == ()


def test_a_move_that_was_written_otherwise_is_listed_with_its_time(golden: dict[str, Recording]) -> None:
    recording = golden["an_operators_stop"]
    samples = list(recording.samples)
    moved = next(index for index, row in enumerate(samples) if row.asked_um_s)
    samples[moved] = replace(samples[moved], asked_um_s=1)

    replayed = replay(replace(recording, samples=samples))

    (difference,) = replayed.differences
    assert difference.what == "asked_um_s"
    assert difference.recorded == 1
    assert difference.replayed == list(recording.samples)[moved].asked_um_s
    assert difference.at_s == pytest.approx((samples[moved].t_us - (recording.events[0].t_us or 0)) / 1e6)


def test_an_event_that_is_not_on_record_is_a_difference(golden: dict[str, Recording]) -> None:
    recording = golden["the_patients_switch"]
    kept = [event for event in recording.events if event.data.get("alarm") != "A10" or event.kind != "alarm"]

    replayed = replay(replace(recording, events=kept))

    assert any(difference.what == "events" for difference in replayed.differences)


def test_a_reading_that_was_edited_leads_to_other_verdicts(golden: dict[str, Recording]) -> None:
    recording = golden["ordinary"]
    samples = [row if row.raw_a is None else replace(row, raw_a=row.raw_a * 2) for row in recording.samples]

    replayed = replay(replace(recording, samples=samples))

    assert not replayed.same
    assert replayed.replayed.went != "ended"


def test_with_a_lower_cap_the_start_would_have_been_refused(golden: dict[str, Recording]) -> None:
    other = replace(SHIPPED, setpoint_cap_mn=Millinewtons(80_000))

    replayed = replay(golden["ordinary"], other)

    assert replayed.recorded.went == "ended"
    assert replayed.replayed.went == "refused"
    assert "100 N" in replayed.replayed.why


def test_with_a_lower_ceiling_a_cough_would_have_tripped() -> None:
    """300 N under a site ceiling of 420 N has a session ceiling of 375 N; under 350 N it has one of 350 N."""
    generous = replace(SHIPPED, ceiling_mn=Millinewtons(420_000))
    stack = VirtualStack("nominal", seed=SEED, site=generous)
    holding(stack, "300 N")
    stack.table.plant.cough(167.0, 200)
    stack.run_for(2)
    recording = Recording(stack.memory.headers[0], stack.memory.samples, stack.memory.events)
    assert isinstance(stack.state.phase, Holding)

    replayed = replay(recording, SHIPPED)

    assert replayed.recorded.went == "open"
    assert replayed.replayed.went == "tripped"
    assert replayed.replayed.why.startswith("A01")
    first_above = next(row.t_us for row in recording.samples if (row.force_a_mn or 0) > 350_000)
    assert replayed.replayed.at_s == pytest.approx((first_above - (recording.events[0].t_us or 0)) / 1e6, abs=0.01)
    assert {difference.what for difference in replayed.differences if difference.at_s == 0} == {"limits"}


def test_a_record_without_its_start_cannot_be_replayed(golden: dict[str, Recording]) -> None:
    recording = golden["ordinary"]

    with pytest.raises(CannotReplay, match="does not begin with a start"):
        replay(replace(recording, events=recording.events[1:]))


def test_a_record_of_format_1_cannot_be_replayed(golden: dict[str, Recording]) -> None:
    recording = golden["ordinary"]
    old = [replace(row, host_us=None, age_us=None) for row in recording.samples]

    with pytest.raises(CannotReplay, match="format 1"):
        replay(replace(recording, samples=old))


def test_the_command_says_that_every_verdict_is_the_recorded_one(
    on_disk: Path, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    code = replay_one(settings, str(on_disk), None, as_json=False)

    said = capsys.readouterr().out
    assert code == Exit.DONE
    assert "Every verdict is the recorded one." in said
    assert "stopped by clinician" in said


def test_the_command_says_what_other_limits_would_have_done(
    on_disk: Path, settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    limits = tmp_path / "limits.toml"
    limits.write_text('setpoint_cap = "80 N"\n')

    code = replay_one(settings, on_disk.stem, limits, as_json=True)

    said = json.loads(capsys.readouterr().out)
    assert code == Exit.DONE
    assert said["limits"]["setpoint_cap_mn"] == 80_000
    assert said["limits"]["ceiling_mn"] == SHIPPED.ceiling_mn
    assert said["replayed"]["went"] == "refused"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('force = "80 N"\n', "force is no limit"),
        ('setpoint_cap = "80"\n', "cannot be read"),
        ('site_ceiling = "700 N"\n', "between 70 N and 600 N"),
    ],
)
def test_limits_that_are_none_are_refused_by_name(
    on_disk: Path, settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, named: str
) -> None:
    limits = tmp_path / "limits.toml"
    limits.write_text(text)

    code = replay_one(settings, on_disk.stem, limits, as_json=False)

    assert code == Exit.REFUSED
    assert named in capsys.readouterr().err


def test_a_record_keeps_no_pseudonym_outside_its_header(on_disk: Path) -> None:
    with open_session(on_disk) as session:
        assert "K7-2F41" not in json.dumps([event.data for event in session.events()])
