"""The arms of a trial look alike on every screen; limits, alarms and the record see what is real."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller import blinding, prescription
from controller.blinding import Sham, shown_force, without_newtons
from controller.conductor import force_of
from controller.inputs import StartAsked
from controller.messages import utc_now
from controller.modes import profile_as_prescribed, profile_of
from controller.phases import Ended, Holding, Tripped
from controller.prescription import Prescription
from controller.prescription_rules import broken_rules
from controller.showing import force_for_screens, shown_state
from recorder.export.deidentified import deidentified_prescription
from safety.limits import SHIPPED
from tractable.virtual_stack import VirtualStack


def written(arm: str, **changes: Any) -> dict[str, Any]:
    return {
        "patient": {"pseudonym": "K7-2F41", "body_mass": "80 kg"},
        "pull": {
            "mode": "intermittent",
            "force": "200 N",
            "hold": "30 s",
            "rest_force": "60 N",
            "rest": "10 s",
            "time_at_force": "1 min",
            "ramp": "20 N/s",
        },
        "prescribed": {"by": "clinician"},
        "trial": {"arm": arm, "sham_force": "30 N"} | changes,
    }


def parsed(arm: str, **changes: Any) -> Prescription:
    return prescription.parse(written(arm, **changes))


def test_a_sham_gives_the_same_course_at_a_low_force() -> None:
    sham, active = profile_of(parsed("sham")), profile_of(parsed("active"))

    assert sham.peak_n == 30
    assert active == profile_as_prescribed(parsed("sham"))
    assert [(s.kind, s.duration_s, s.shape) for s in sham.segments] == [
        (s.kind, s.duration_s, s.shape) for s in active.segments
    ]
    assert all(20 <= s.to_n <= 30 for s in sham.segments)


def test_the_ceiling_of_a_sham_hangs_on_what_is_really_given() -> None:
    assert parsed("sham").agreed_mn == 30_000
    assert parsed("active").agreed_mn == 200_000


def test_the_arm_stays_in_the_record_through_a_way_there_and_back() -> None:
    recorded = json.loads(parsed("sham").model_dump_json())

    assert recorded["trial"] == {"arm": "sham", "sham_force_mn": 30_000}
    assert Prescription.model_validate(recorded).sham_force_mn == 30_000


def test_the_arm_goes_out_with_an_export_and_the_words_of_its_author_do_not() -> None:
    exported = deidentified_prescription(json.loads(parsed("sham").model_dump_json()))

    assert exported["trial"] == {"arm": "sham", "sham_force_mn": 30_000}
    assert "clinician" not in json.dumps(exported)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"sham_force": "24 N"}, "outside 25 N (2.5 kgf, 5.6 lbf) to 50 N (5.1 kgf, 11.2 lbf)"),
        ({"sham_force": "51 N"}, "a low force"),
        ({"sham_force": "25 % body weight"}, "a low force"),
    ],
)
@pytest.mark.parametrize("arm", ["sham", "active"])
def test_a_sham_force_that_is_none_is_refused_in_both_arms_alike(arm: str, changes: dict[str, Any], says: str) -> None:
    [broken] = broken_rules(parsed(arm, **changes), SHIPPED)

    assert broken.field == "trial.sham_force"
    assert says in broken.sentence


def test_a_trial_without_its_sham_force_is_refused() -> None:
    document = written("active")
    del document["trial"]["sham_force"]

    [broken] = broken_rules(prescription.parse(document), SHIPPED)

    assert broken.field == "trial.sham_force"


@given(prescribed_n=st.floats(0, 300), sham_n=st.floats(25, 50))
def test_what_a_sham_presses_together_can_be_told_again(prescribed_n: float, sham_n: float) -> None:
    sham = Sham(300.0, sham_n)

    assert sham.prescribed_n(sham.given_n(prescribed_n)) == pytest.approx(prescribed_n, abs=1e-6)
    assert sham.given_n(prescribed_n) <= sham_n


def test_a_force_about_at_its_target_reads_alike_in_both_arms_and_one_that_is_off_does_not_hide() -> None:
    active = [shown_force(mn, 200_000, 200_000, None) for mn in (194_000, 200_000, 206_000)]
    sham = [shown_force(mn, 30_000, 200_000, 30_000) for mn in (28_000, 30_000, 32_500)]

    assert active == sham == [blinding.PEAK] * 3
    assert shown_force(230_000, 200_000, 200_000, None) == 115_000
    assert (shown_force(40_000, 30_000, 200_000, 30_000) or 0) > 150_000
    assert shown_force(None, 30_000, 200_000, 30_000) is None


def test_sentences_are_shown_without_their_newtons() -> None:
    text = "Stiffness 6.7 N/mm from slack take-up, plausible. Ramping to 30 N"

    assert without_newtons(text) == "Stiffness (blinded) from slack take-up, plausible. Ramping to (blinded)"
    assert without_newtons("Holding for 60 s") == "Holding for 60 s"


class Session:
    """One arm, given in virtual time, and what its screens were told in the holds."""

    def __init__(self, arm: str) -> None:
        self.stack = VirtualStack("nominal", seed=3)
        self.stack.run_for(1)
        asked = parsed(arm)
        ticks = ("screening", "harness", "table_unlocked")
        start = StartAsked(
            "c", "start-0001", "S1", asked, ticks, asked.force_mn, unattended=True, calibration_age_days=3
        )
        self.stack.ask(start)
        assert self.stack.heard.answers[-1].done, self.stack.heard.answers[-1].reason
        self.holds: set[int | None] = set()
        self.states: list[str] = []
        self.stack.run_until(self._look, within_s=300)

    def _look(self, stack: VirtualStack) -> bool:
        if isinstance(stack.state.phase, Holding) and stack.now_us % 100_000 == 0:
            self.holds.add(force_for_screens(force_of(stack.state), stack.state))
            shown = shown_state(
                stack.state, run="r", now_us=stack.now_us, now=utc_now(), recording_failure=None
            ).model_dump(
                mode="json", exclude={"sent", "valid_until", "elapsed_s", "at_force_s", "remaining_s", "movement"}
            )
            self.states.append(json.dumps(shown))
        return isinstance(stack.state.phase, Ended | Tripped)


@pytest.fixture(scope="module")
def arms() -> dict[str, Session]:
    return {arm: Session(arm) for arm in ("active", "sham")}


def test_both_arms_are_given_to_their_end_with_nothing_but_the_last_minutes_alarm(arms: dict[str, Session]) -> None:
    for session in arms.values():
        alarms = {e.data["alarm"] for e in session.stack.memory.events if e.kind == "alarm"}

        assert isinstance(session.stack.state.phase, Ended)
        assert not session.stack.state.phase.refused
        assert alarms <= {"A25"}


def test_screens_are_told_the_same_in_the_holds_of_both_arms(arms: dict[str, Session]) -> None:
    assert arms["active"].holds == arms["sham"].holds == {blinding.PEAK}
    assert set(arms["active"].states) == set(arms["sham"].states)
    assert not any("30000" in state or "sham" in state for state in arms["sham"].states)


def test_events_for_screens_name_no_newtons_and_the_records_do(arms: dict[str, Session]) -> None:
    stack = arms["sham"].stack

    told = [event.text for event in stack.heard.events if event.kind == "phase"]
    recorded = [event.text for event in stack.memory.events]

    assert not any(" N" in text for text in told if "Zero" not in text)
    assert any("30 N" in text for text in recorded)
    assert max(row.target_mn or 0 for row in stack.memory.samples) == 30_000
    assert stack.memory.headers[0].prescription["trial"] == {"arm": "sham", "sham_force_mn": 30_000}
    assert stack.memory.headers[0].limits["ceiling_mn"] == 70_000
