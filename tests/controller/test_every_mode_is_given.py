"""One session of every mode, in virtual time, from slack to slack."""

from controller import modes, prescription
from controller.inputs import StartAsked
from controller.phases import Ended, Tripped
from tractable.virtual_stack import VirtualStack

FAST = {"time_at_force": "20 s", "ramp": "20 N/s"}
CHAIN = [
    {"mode": "intermittent", "force": "150 N", "hold": "10 s", "rest_force": "40 N", "rest": "10 s", **FAST},
    {"mode": "cyclic", "force": "150 N", "low_force": "100 N", "period": "30 s", **FAST},
    {"mode": "progressive", "start_force": "100 N", "force": "150 N", "steps": 2, **FAST},
    {"mode": "regressive", "force": "150 N", "end_force": "100 N", "steps": 2, **FAST},
    {"mode": "logarithmic", "force": "150 N", "rise": "20 s", **FAST},
    {"mode": "static", "force": "190 N", **FAST},
]
PRESCRIPTION = {
    "patient": {"pseudonym": "K7-2F41", "body_mass": "80 kg"},
    "pull": {"base_force": "40 N", "base_time": "10 s", "chain": CHAIN},
    "prescribed": {"by": "clinician"},
}


def test_a_chain_of_every_mode_is_given_to_its_end_as_planned_without_an_alarm() -> None:
    asked = prescription.parse(PRESCRIPTION)
    stack = VirtualStack("nominal", seed=5)
    stack.run_for(1)
    ticks = ("screening", "harness", "table_unlocked")
    stack.ask(
        StartAsked("c", "start-0001", "S1", asked, ticks, asked.force_mn, unattended=True, calibration_age_days=3)
    )
    counted_us, within = [0], [0.0]

    def is_over(now: VirtualStack) -> bool:
        if now.state.course is not None:
            counted_us.append(now.state.course.clock.at_force_us)
            within.append(now.state.course.clock.within_5_percent or 0.0)
        return isinstance(now.state.phase, Ended | Tripped)

    ended = stack.run_until(is_over, within_s=modes.profile_duration_s(asked) * 1.5 + 60)

    assert ended
    assert isinstance(stack.state.phase, Ended)
    assert not stack.state.phase.refused
    alarms = {event.data["alarm"] for event in stack.memory.events if event.kind == "alarm"}
    assert alarms <= {"A25"}
    assert 120.0 <= max(counted_us) / 1e6 <= 120.1
    assert within[-1] > 0.97
    targets = [row.target_mn for row in stack.memory.samples if row.target_mn is not None]
    assert max(targets) == 190_000
    assert {40_000, 100_000, 150_000, 190_000} <= set(targets)
