"""A clinician steers a pull: pause and go on, lower, raise, take over. Each hazard of it, on the whole stack."""

from dataclasses import replace
from itertools import pairwise

import pytest

from controller import prescription
from controller.inputs import (
    CameTooLate,
    GoOnAsked,
    LowerAsked,
    PauseAsked,
    RaiseAsked,
    TableFound,
    TakeOverAsked,
)
from controller.phases import Ended, Holding, Paused, Ramping, Releasing, Resting, TakingUpSlack, Tripped
from controller.profile import Kind


@pytest.fixture(scope="module")
def at_200(new_bench, prescribed):
    """Held at 200 N for 2 s; it may be raised to 260 N."""
    bench = new_bench()
    bench.run_for(1)
    assert bench.start(prescribed("200 N", "60 s", raise_up_to="260 N")).done
    assert bench.run_to(Holding)
    bench.run_for(2)
    return bench


@pytest.fixture
def held(at_200):
    bench = at_200.copy()
    bench.fault_now()
    return bench


def pause(bench, actor: str = "clinician"):
    return bench.ask(PauseAsked(actor, f"pause-{bench.now_us}"))


def go_on(bench, actor: str = "clinician"):
    return bench.ask(GoOnAsked(actor, f"go-on-{bench.now_us}"))


def lower(bench, to_n: float, actor: str = "clinician"):
    return bench.ask(LowerAsked(actor, f"lower-{bench.now_us}", round(to_n * 1000)))


def raise_to(bench, to_n: float, confirmed_n: float | None = None, actor: str = "clinician"):
    confirmed_mn = round((to_n if confirmed_n is None else confirmed_n) * 1000)
    return bench.ask(RaiseAsked(actor, f"raise-{bench.now_us}", round(to_n * 1000), confirmed_mn))


def on_record(bench) -> str:
    return bench.memory.events[-1].text


# Pause and go on


def test_a_pause_goes_down_to_30_n_and_the_clock_stands(held) -> None:
    before_us = held.state.course.clock.at_force_us
    assert pause(held).done
    held.run_for(25)

    assert isinstance(held.state.phase, Paused)
    assert 15 < held.force_n <= 31
    assert held.state.course.clock.at_force_us == before_us
    assert held.steepest_fall_n() <= 15


def test_each_breath_of_a_stiff_patient_in_a_pause_is_no_alarm_anew(hold) -> None:
    bench = hold("stiff", force="200 N")

    assert pause(bench).done
    bench.run_for(40)

    assert isinstance(bench.state.phase, Paused)
    assert bench.alarms_told.count("A03") <= 2


def test_a_pause_never_winds_in(held) -> None:
    pause(held)
    held.run_for(60)

    assert held.pulls_since_fault == []


def test_going_on_comes_back_to_the_same_force_no_faster_than_prescribed_and_ends_by_the_clock(held) -> None:
    pause(held)
    held.run_for(30)
    answer = go_on(held)
    began = len(held.forces_mn)
    assert held.run_to(Holding)
    rise = [
        after - before for before, after in zip(held.forces_mn[began:], held.forces_mn[began + 1000 :], strict=False)
    ]

    assert answer.done, answer.reason
    assert max(rise) < 22_000
    assert held.run_to(Ended, within_s=90)
    assert held.state.phase == Ended("time at force is complete", refused=False)
    assert held.alarms_told == []  # no last minute is announced of a minute


@pytest.mark.parametrize("moment", [0.0, 1.0, 4.0])
def test_going_on_in_the_middle_of_the_way_down_turns_back_from_there(held, moment) -> None:
    pause(held)
    held.run_for(moment)
    before_n = held.force_n
    go_on(held)
    held.run_for(0.5)

    assert isinstance(held.state.phase, Ramping | Holding)
    assert abs(held.force_n - before_n) < 15
    assert held.run_to(Holding)


def test_a_pause_in_the_ramp_goes_on_with_the_ramp(ramping) -> None:
    at_n = ramping.force_n
    assert pause(ramping).done
    ramping.run_for(20)
    low_n = ramping.force_n
    assert go_on(ramping).done
    ramping.run_to(Holding)
    ramping.run_for(1)

    assert at_n > 150
    assert low_n < 31
    assert ramping.force_n == pytest.approx(300, abs=3)


def test_a_pause_longer_than_5_minutes_lets_go_and_says_so(held) -> None:
    pause(held)
    held.run_for(299)
    still = held.state.phase
    held.run_for(1.1)

    assert isinstance(still, Paused)
    assert held.state.phase.because == "the pause was not ended in time"
    assert held.root is None


def test_who_leaves_the_harness_in_a_pause_is_noticed(held) -> None:
    pause(held)
    held.run_for(15)
    held.table.plant.leave()
    held.run_to(Tripped, within_s=10)

    assert held.root == "A26"
    assert "Getting up. The force is gone: let go." in [row.text for row in held.memory.events]


def test_the_patients_switch_and_stop_work_in_a_pause(held) -> None:
    pause(held)
    held.run_for(5)
    pressed = held.copy()
    held.stop()
    pressed.table.press_patient_switch(100_000)
    pressed.run_for(0.1)

    assert isinstance(held.state.phase, Releasing)
    assert pressed.root == "A10"


def test_going_on_is_refused_where_a_pull_would_be(held) -> None:
    pause(held)
    held.run_for(15)
    late = held.copy()
    late.conductor.state = replace(late.state, age_us=100_000)
    slack = held.copy()
    slack.table.plant.leave()
    slack.run_for(2)

    assert "older than 60 ms" in go_on(late).reason
    assert "slack" in go_on(slack).reason
    assert isinstance(late.state.phase, Paused)
    assert isinstance(slack.state.phase, Paused)


def test_going_on_is_refused_where_the_session_would_be_over_before_the_pull_and_a_lower_pull_may_fit(held) -> None:
    pause(held)
    held.run_for(12)
    course = held.state.course
    passed_us = held.state.reading.taken_us - course.armed_us
    short = replace(course.limits, duration_us=passed_us + 65_000_000)  # the hold's 58 s, and 7 s for the way
    held.conductor.state = replace(held.state, course=replace(course, limits=short))
    answer = go_on(held)

    assert "lower the pull until it fits, or stop" in answer.reason
    assert isinstance(held.state.phase, Paused)
    assert lower(held, 40).done
    assert go_on(held).done


# Lower and raise


def test_lowering_is_at_once_and_the_rest_is_held_there(held) -> None:
    assert lower(held, 150).done
    held.run_for(6)

    assert held.force_n == pytest.approx(150, abs=3)
    assert held.steepest_fall_n() <= 15
    assert isinstance(held.state.phase, Holding)
    assert "Lower from 200 N to 150 N" in [row.text for row in held.memory.events]


@pytest.mark.parametrize(
    ("to_n", "words"), [(19, "pause or stop"), (200, "not lower"), (230, "not lower"), (-5, "20 N")]
)
def test_lowering_below_what_can_be_held_or_upwards_is_refused(held, to_n, words) -> None:
    answer = lower(held, to_n)

    assert not answer.done
    assert words in answer.reason
    assert words in on_record(held)


def test_a_raise_is_followed_at_the_prescribed_ramp(held) -> None:
    assert raise_to(held, 220).done
    held.run_to(Holding)
    held.run_for(1)

    assert held.force_n == pytest.approx(220, abs=3)
    assert held.peak_since_fault_n < 225


@pytest.mark.parametrize(
    ("to_n", "confirmed_n", "words"),
    [
        (221, None, "more than a step"),
        (220, 210, "was confirmed"),
        (200, None, "not higher"),
        (180, None, "not higher"),
    ],
)
def test_a_raise_that_is_too_large_or_not_confirmed_is_refused(held, to_n, confirmed_n, words) -> None:
    answer = raise_to(held, to_n, confirmed_n)
    held.run_for(2)

    assert not answer.done
    assert words in answer.reason
    assert held.force_n == pytest.approx(200, abs=3)


def test_no_raise_goes_beyond_what_was_agreed(held) -> None:
    for to_n in (220, 240, 260):
        assert raise_to(held, to_n).done
        held.run_to(Holding)
    answer = raise_to(held, 261)
    held.run_for(1)

    assert "260 N agreed" in answer.reason
    assert held.peak_since_fault_n < 265
    assert held.ceiling_n == 325


def test_without_an_agreement_nothing_is_raised(holding) -> None:
    answer = raise_to(holding, 310)

    assert "300 N agreed" in answer.reason


def test_a_second_raise_waits_until_the_first_is_felt(held) -> None:
    raise_to(held, 220)
    answer = raise_to(held, 240)

    assert "while a force is held" in answer.reason


def test_nothing_is_raised_in_a_ramp_or_a_pause(held, ramping) -> None:
    pause(held)

    assert "while a force is held" in raise_to(held, 210).reason
    assert "while a force is held" in raise_to(ramping, 310).reason


def test_lowered_in_a_pause_it_goes_on_to_the_lower_force(held) -> None:
    pause(held)
    held.run_for(12)
    assert lower(held, 120).done
    assert isinstance(held.state.phase, Paused)
    go_on(held)
    held.run_to(Holding)
    held.run_for(1)

    assert held.force_n == pytest.approx(120, abs=3)


def test_lowered_in_the_ramp_it_turns_round_and_holds_there(ramping) -> None:
    assert lower(ramping, 100).done
    ramping.run_to(Holding)
    ramping.run_for(1)

    assert ramping.force_n == pytest.approx(100, abs=3)


# Who may, and when


def test_another_person_may_stop_but_not_steer_until_they_take_over(held) -> None:
    refused = [
        pause(held, "doctor"),
        go_on(held, "doctor"),
        lower(held, 100, "doctor"),
        raise_to(held, 210, actor="doctor"),
    ]
    taken = held.ask(TakeOverAsked("doctor", "take-over-1"))
    after = pause(held, "doctor")
    before = pause(held)

    assert all("clinician holds this session" in answer.reason for answer in refused)
    assert taken.done
    assert "doctor takes over from clinician" in [row.text for row in held.memory.events]
    assert after.done
    assert "doctor holds this session" in before.reason


def test_nothing_is_steered_before_the_pull_or_after_the_end(make_bench) -> None:
    bench = make_bench()
    assert all("Nothing is being pulled" in ask(bench).reason for ask in (pause, go_on))
    bench.start()
    bench.run_to(TakingUpSlack)
    assert "wait until the pull begins, or stop" in pause(bench).reason
    bench.run_to(Ramping)
    bench.stop()

    assert "Nothing is being pulled" in lower(bench, 50).reason
    bench.run_to(Ended)
    assert "Nothing is being pulled" in raise_to(bench, 50).reason
    assert not bench.ask(TakeOverAsked("doctor", "take-over-1")).done


def test_a_command_that_came_too_late_is_on_record(held) -> None:
    answer = held.ask(CameTooLate("clinician", "late-0001", "Raise to 220 N"))
    held.run_for(1)

    assert "too late" in answer.reason
    assert "Raise to 220 N" in on_record(held)
    assert held.force_n == pytest.approx(200, abs=3)


def test_whoever_takes_over_a_pause_goes_on_with_it_and_the_first_holder_may_only_stop(held) -> None:
    pause(held)
    held.run_for(5)
    held.ask(TakeOverAsked("doctor", "take-over-1"))

    refused = go_on(held)
    taken = go_on(held, "doctor")
    reached = held.run_to(Holding)
    stopped = held.stop()

    assert "doctor holds this session" in refused.reason
    assert taken.done
    assert reached
    assert stopped.done


def test_a_table_that_is_reset_in_a_pause_trips_and_is_not_gone_on_with(held) -> None:
    pause(held)
    held.run_for(5)
    table = held.state.table
    record = held.state.calibration
    held.tell(TableFound(table.identity, table.calibration_a, table.calibration_b, restarted=True, record=record))

    answer = go_on(held)

    assert held.root == "A18"
    assert "Nothing is being pulled" in answer.reason
    assert held.run_to_slack()


# Within a profile of several forces


@pytest.fixture(scope="module")
def resting_at_60(new_bench, prescribed):
    """Intermittent, 200 N for 10 s and 60 N for 20 s: in its first rest."""
    bench = new_bench()
    bench.run_for(1)
    intermittent = {"mode": "intermittent", "rest_force": "60 N", "hold": "10 s", "rest": "20 s"}
    assert bench.start(prescribed("200 N", "60 s", **intermittent)).done
    assert bench.run_to(Resting)
    bench.run_for(2)
    return bench


@pytest.fixture
def resting(resting_at_60):
    bench = resting_at_60.copy()
    bench.fault_now()
    return bench


def test_a_pause_in_a_rest_goes_on_with_the_same_rest(resting) -> None:
    at_force_us = resting.state.course.clock.at_force_us
    assert pause(resting).done
    resting.run_for(20)
    low_n = resting.force_n
    assert go_on(resting).done
    assert resting.run_to(Resting)
    resting.run_for(1)

    assert 15 < low_n < 31
    assert resting.force_n == pytest.approx(60, abs=3)
    assert resting.state.course.clock.at_force_us == at_force_us
    assert resting.run_to(Holding)
    assert resting.since_fault_n[-1] == pytest.approx(200, abs=5)


def test_lowered_in_a_rest_the_next_pull_is_lower_and_the_rest_stays(resting) -> None:
    answer = lower(resting, 120)
    resting.run_for(2)
    rest_n = resting.force_n
    assert resting.run_to(Holding)
    resting.run_for(1)

    assert answer.data == {"from_mn": 200_000, "to_mn": 120_000}
    assert rest_n == pytest.approx(60, abs=3)
    assert resting.peak_since_fault_n < 125


def test_lowered_below_its_rest_the_rest_is_lower_at_once(resting) -> None:
    assert lower(resting, 40).done
    resting.run_for(4)

    assert isinstance(resting.state.phase, Resting)
    assert resting.force_n == pytest.approx(40, abs=3)


def test_nothing_is_raised_in_a_rest(resting) -> None:
    answer = raise_to(resting, 80)

    assert not answer.done
    assert "while a force is held" in answer.reason


def test_stop_in_a_rest_lets_go(resting) -> None:
    resting.stop()

    assert isinstance(resting.state.phase, Releasing)
    assert resting.run_to_slack()


def test_a_raise_after_lowering_to_the_rest_leaves_the_rest_where_it_is(resting) -> None:
    lower(resting, 50)
    resting.run_to(Holding)
    assert raise_to(resting, 70).done
    resting.run_to(Resting)
    resting.run_for(2)
    rest_n = resting.force_n
    resting.run_to(Holding)
    resting.run_for(1)

    assert rest_n == pytest.approx(50, abs=3)
    assert resting.force_n == pytest.approx(70, abs=3)


def test_a_later_pull_that_was_lowered_too_is_not_raised_with_the_first_beyond_what_it_was_to_be(
    make_bench, document
) -> None:
    bench = make_bench()
    chain = [
        {"mode": "static", "force": force, "time_at_force": "30 s", "ramp": "20 N/s"} for force in ("120 N", "60 N")
    ]
    bench.start(prescription.parse(document("120 N") | {"pull": {"chain": chain}}))
    bench.run_to(Holding)
    bench.run_for(1)
    assert lower(bench, 50).done
    for to_n in (70, 90, 110, 120):
        bench.run_to(Holding)
        bench.run_for(0.5)
        assert raise_to(bench, to_n).done
    later = bench.state.course.profile.segments[bench.state.phase.step + 1 :]

    assert [round(segment.to_n) for segment in later if segment.kind is Kind.HOLD] == [120, 50]
    assert all(before.to_n == after.from_n for before, after in pairwise(later))
    assert all(segment.rate_max_n_s < 20.01 for segment in later)


def test_every_pull_of_a_chain_rises_no_faster_than_it_was_prescribed(make_bench, document) -> None:
    bench = make_bench()
    chain = [
        {"mode": "static", "force": "60 N", "time_at_force": "30 s", "ramp": "2 N/s"},
        {"mode": "static", "force": "200 N", "time_at_force": "30 s", "ramp": "20 N/s"},
    ]
    prescribed = prescription.parse(document("200 N") | {"pull": {"chain": chain}})
    assert bench.start(prescribed).done
    bench.run_to(Ramping)
    first = bench.state.phase.segment
    bench.run_to(Holding)
    bench.run_for(1)
    pause(bench)
    bench.run_for(5)
    go_on(bench)

    assert first.rate_max_n_s == pytest.approx(2)
    assert bench.state.phase.segment.rate_max_n_s == pytest.approx(2)


def test_nothing_is_raised_while_the_force_is_away_from_its_target(held) -> None:
    held.table.plant.shift(-40, 3_000)
    held.run_for(2.5)
    short_n = held.force_n
    answer = raise_to(held, 220)
    held.run_to(Holding)
    held.run_for(10)

    assert short_n < 180
    assert "wait until it is there" in answer.reason
    assert raise_to(held, 220).done


# In a trial


@pytest.mark.parametrize("arm", ["active", "sham"])
def test_in_a_trial_no_answer_tells_the_arm(make_bench, document, arm) -> None:
    bench = make_bench()
    trial = {"arm": arm, "sham_force": "40 N"}
    bench.start(prescription.parse(document("200 N") | {"trial": trial}))
    bench.run_to(Holding)
    bench.run_for(1)
    answers = [lower(bench, 100), lower(bench, 30), raise_to(bench, 60), pause(bench), go_on(bench)]

    assert [answer.done for answer in answers] == [False, False, False, True, True]
    assert all("pause or stop" in answer.reason for answer in answers[:3])
    assert all(answer.data == {} for answer in answers)
    assert {"to_mn": 30_000}.items() <= next(r.data for r in bench.memory.events if r.text == "Pause").items()
