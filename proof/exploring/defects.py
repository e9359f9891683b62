"""Mistakes that the exploration has to find: each is a small change of the product's own source, planted and undone.

A defect says in which function which words become which others. Words that are not there exactly once any more are an
error, not a defect that was found: then the function has changed, and the defect is to be planted anew.
"""

import importlib
import inspect
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import FunctionType
from typing import Final


class NotPlanted(RuntimeError):
    """The source has changed, so that the defect's words are not there once any more."""


@dataclass(frozen=True, slots=True)
class Edit:
    """In that function ("controller.session:step"), these words become those."""

    function: str
    was: str
    becomes: str


@dataclass(frozen=True, slots=True)
class Defect:
    """`name` is a sentence of what goes wrong. More than one edit where more than one part guards against it.

    `deep`: it shows only after more than 5,000 steps.
    """

    name: str
    edits: tuple[Edit, ...]
    deep: bool = False


def _defect(name: str, *edits: tuple[str, str, str], deep: bool = False) -> Defect:
    return Defect(name, tuple(Edit(*edit) for edit in edits), deep)


@contextmanager
def planted(defect: Defect) -> Iterator[None]:
    """While it lasts, the product has that defect."""
    by_function: dict[str, list[Edit]] = defaultdict(list)
    for edit in defect.edits:
        by_function[edit.function].append(edit)
    with ExitStack() as undo:
        for named, edits in by_function.items():
            undo.enter_context(_edited(named, edits))
        yield


@contextmanager
def _edited(named: str, edits: list[Edit]) -> Iterator[None]:
    """The function keeps its identity, and so everybody who imported it has the defect; only its code is another."""
    module_name, name = named.split(":")
    module = importlib.import_module(module_name)
    function = getattr(module, name, None)
    if not isinstance(function, FunctionType):
        raise NotPlanted(f"there is no function {named}")
    source = inspect.getsource(function)
    for edit in edits:
        if source.count(edit.was) != 1:
            raise NotPlanted(f"{named} has {source.count(edit.was)} times {edit.was!r}")
        source = source.replace(edit.was, edit.becomes)
    made: dict[str, FunctionType] = {}
    exec(compile(source, f"<{named} with a defect>", "exec"), module.__dict__, made)  # noqa: S102 - our own source
    before, function.__code__ = function.__code__, made[name].__code__
    try:
        yield
    finally:
        function.__code__ = before


INTERLOCK, STATE, SESSION = "safety.interlock", "controller.state", "controller.session"
TREATMENT, STARTING, LIMITER = "controller.treatment", "controller.starting", "safety.limiter"
FOLLOWING = "controller.following"
PLAUSIBILITY, BOARD, STEERING = "safety.plausibility", "controller.alarm_board", "controller.steering"

DEFECTS: Final = (
    # Out of a trip
    _defect(
        "a trip is acknowledged while the cable is loaded",
        (f"{INTERLOCK}:acknowledged", "if not (_is_quiet(interlock) and", "if False and not (_is_quiet(interlock) and"),
    ),
    _defect("the interlock opens without 2 s of slack", (f"{INTERLOCK}:_is_quiet", ">= CLEAR_AFTER_US", ">= 0")),
    _defect(
        "the interlock opens without an acknowledgement",
        (f"{INTERLOCK}:observed", "if after.acknowledged and _is_quiet(after)", "if _is_quiet(after)"),
    ),
    _defect(
        "an acknowledgement outlives a new load",
        (f"{INTERLOCK}:observed", "quiet_since_us=None, acknowledged=False", "quiet_since_us=None"),
        deep=True,
    ),
    _defect(
        "what nobody looked at counts as quiet",
        (
            f"{INTERLOCK}:observed",
            "interlock.quiet_since_us is not None and",
            "interlock.quiet_since_us is not None or",
        ),
        deep=True,
    ),
    _defect(
        "the table's latch is cleared without an acknowledgement",
        (f"{SESSION}:_observe_interlock", "quiet and held.acknowledged and", "quiet and"),
        deep=True,
    ),
    _defect(
        "a load goes unseen while the table is being cleared",
        (f"{SESSION}:_observe_interlock", "if quiet and held.acknowledged", "if held.acknowledged"),
        deep=True,
    ),
    _defect(
        "a trip is left while the switch is pressed",
        (
            f"{SESSION}:_is_cause_there",
            "reading.emergency_stop or reading.switch_pressed or",
            "reading.emergency_stop or",
        ),
    ),
    _defect(
        "a trip is left for the hold instead of idle",
        (
            f"{SESSION}:_observe_interlock",
            'enter(s, Idle(), "The trip',
            'enter(s, treatment.CheckingZero(), "The trip',
        ),
    ),
    _defect(
        "the session outlives its trip",
        (f"{SESSION}:_observe_interlock", "        close(s)\n", "        pass\n"),
        deep=True,
    ),
    # Into a trip
    _defect(
        "a later cause takes the first one's place",
        (f"{STATE}:trip", "if isinstance(s.state.interlock, interlocks.Tripped):", "if False:"),
        (f"{INTERLOCK}:trip", "if isinstance(interlock, Tripped):", "if False:"),
    ),
    _defect("a trip has no alarm as its root", (f"{STATE}:trip", "root=True", "root=False")),
    _defect("a trip lets go only at the next sample", (f"{STATE}:trip", "    let_go(s, profile)\n", "    pass\n")),
    _defect(
        "the root alarm is taken down before the trip is left",
        (f"{BOARD}:_is_over", "if entry.on or entry.root:", "if entry.on:"),
        deep=True,
    ),
    _defect("an alarm is shown and not recorded", (f"{STATE}:raise_alarm", "or root:", "and root:")),
    _defect("a release is said once and not again", (f"{STATE}:let_go_again", ">= RELEASE_AGAIN_US", ">= 10**12")),
    _defect(
        "a switch does not speed up a release",
        (f"{STATE}:_release_faster", "profile.value > phase.profile.value", "False"),
    ),
    # What must trip
    _defect(
        "the switch is not heard in the ramp",
        (
            f"{SESSION}:_on_sample",
            "if is_under_way(s.state.phase) or",
            "if type(s.state.phase) is not treatment.Ramping and",
        ),
    ),
    _defect(
        "an unplugged switch is not heard",
        (f"{SESSION}:_react_to_switches", "if not reading.switch_connected:", "if False:"),
    ),
    _defect(
        "the emergency stop is not heard", (f"{SESSION}:_react_to_switches", "if reading.emergency_stop:", "if False:")
    ),
    _defect(
        "a channel that gives nothing is let pass",
        (f"{PLAUSIBILITY}:_channel_findings", "if channel_missing(reading):", "if False:"),
    ),
    _defect(
        "force over the ceiling is let pass",
        (f"{PLAUSIBILITY}:_force_findings", "memory.over_ceiling_samples >= SAMPLES_IN_A_ROW", "False"),
        (f"{PLAUSIBILITY}:_force_findings", "memory.far_over_target_samples >= SAMPLES_IN_A_ROW", "False"),
        deep=True,
    ),
    _defect(
        "a table that fell silent is waited for",
        (f"{PLAUSIBILITY}:_age_findings", "if age_us > limits.SAMPLE_LOST_US:", "if False:"),
    ),
    _defect(
        "a session outlives the link", (f"{SESSION}:_on_table_lost", "elif s.state.course is not None:", "elif False:")
    ),
    _defect(
        "a session outlives the table's reset",
        (f"{SESSION}:_on_table_found", "if found.restarted and", "if False and"),
    ),
    _defect(
        "a session goes on with another calibration",
        (f"{SESSION}:_on_table_found", "elif is_under_way(s.state.phase):", "elif False:"),
    ),
    _defect(
        "the controller stands still and goes on", (f"{SESSION}:_notice_standstill", ">= HOST_STALLED_US", ">= 10**12")
    ),
    _defect(
        "a broken gate is only noted", (f"{SESSION}:_on_gate_broken", "if is_under_way(s.state.phase):", "if False:")
    ),
    _defect(
        "the table's own trip is ignored",
        (f"{SESSION}:_on_device_trip", "if s.state.device_trip is cause:", "if cause:"),
    ),
    _defect(
        "every trip of the table is told as a lost link",
        (f"{SESSION}:_on_device_trip", "ALARM_OF_TRIP_CAUSE[int(cause)]", "AlarmId.A13"),
    ),
    _defect(
        "a table that refuses every motion is asked on",
        (f"{SESSION}:_on_move_refused", "if refused_at_us is not None and", "if False and"),
        deep=True,
    ),
    # The pull
    _defect(
        "an old reading counts as fresh",
        (
            f"{PLAUSIBILITY}:reading_is_fresh",
            "return 0 <= age_us <= limits.SAMPLE_AGE_MAX_US",
            "return age_us < 200_000",
        ),
    ),
    _defect(
        "a reading from the future counts as fresh",
        (f"{PLAUSIBILITY}:reading_is_fresh", "0 <= age_us <= limits", "age_us <= limits"),
    ),
    _defect(
        "it pulls while it is frozen",
        (f"{FOLLOWING}:_motion", "if frozen or", "if"),
        (f"{LIMITER}:nothing_frozen", "not s.frozen", "True"),
        deep=True,
    ),
    _defect("nothing freezes the pull", (f"{SESSION}:_react", "s.set(frozen=any(", "s.set(frozen=False and any(")),
    _defect(
        "every motion goes out twice",
        (f"{FOLLOWING}:move", "    propose(s, ", "    propose(s, Hold())\n    propose(s, "),
        deep=True,
    ),
    _defect(
        "slack is taken up without end",
        (f"{LIMITER}:within_take_up", "return s.loaded_at_um is not None or", "return True or"),
        deep=True,
    ),
    _defect(
        "the cable travels without end",
        (f"{LIMITER}:within_travel", "return s.reading.cable_um - s.loaded_at_um <= s.limits.travel_um", "return True"),
        deep=True,
    ),
    _defect(
        "the session's time does not end",
        (f"{LIMITER}:within_session_time", "0 <= s.armed_for_us <= s.limits.duration_us", "True"),
        deep=True,
    ),
    _defect(
        "a stopped session goes on pulling",
        (
            f"{SESSION}:_on_stop",
            'treatment.release(s, f"stopped by {asked.actor}")',
            "let_go(s, ReleaseProfile.NORMAL)",
        ),
    ),
    _defect(
        "paying out is refused while frozen",
        (
            f"{LIMITER}:review",
            "1, payout_limit_um_s(situation))",
            "1, payout_limit_um_s(situation)) and not situation.frozen",
        ),
    ),
    _defect(
        "a release is refused without a reading",
        (
            f"{LIMITER}:review",
            "case Release():\n            refusal = None",
            "case Release():\n            refusal = _first_refusal((_READING,), situation)",
        ),
    ),
    # A session
    _defect(
        "a start is accepted while tripped",
        (f"{STARTING}:_objections_of_the_table", "if isinstance(state.phase, Tripped):", "if False:"),
        (
            f"{STARTING}:_objections_of_the_table",
            "elif not isinstance(state.phase, Idle | Ended):",
            "elif not isinstance(state.phase, Idle | Ended | Tripped):",
        ),
    ),
    _defect(
        "a start is accepted while a session runs",
        (f"{STARTING}:_objections_of_the_table", "elif not isinstance(state.phase, Idle | Ended):", "elif False:"),
    ),
    _defect(
        "a start is accepted without the patient's switch",
        (f"{STARTING}:_objections_of_the_table", "if not reading.switch_connected:", "if False:"),
        deep=True,
    ),
    _defect(
        "a start is accepted unconfirmed",
        (f"{STARTING}:_contradictions", "if prescription.needs_second_confirmation:", "if False:"),
    ),
    _defect(
        "the zero check takes no time",
        (f"{TREATMENT}:_check_zero", ">= ZERO_CHECK_US", ">= 0"),
    ),
    _defect(
        "the switch need not be pressed",
        (f"{TREATMENT}:_await_switch", "elif phase.pressed:", "elif True:"),
        (f"{LIMITER}:switch_seen", "return s.switch_seen_us is not None and", "return True or"),
    ),
    _defect(
        "the session's ceiling is a fifth higher than agreed",
        (
            "safety.limits:session_ceiling",
            "agreed_mn + over_ceiling_margin(agreed_mn)",
            "(agreed_mn + over_ceiling_margin(agreed_mn)) * 6 // 5",
        ),
    ),
    _defect(
        "a session ends and its course stays",
        (f"{STATE}:close", "s.set(course=None, open_end=None)", "s.set(open_end=None)"),
    ),
    _defect(
        "a session ends and the interlock stays closed",
        (f"{TREATMENT}:end", "interlock=interlock.opened(s.state.interlock), ", ""),
    ),
    _defect(
        "stop is refused while tripped",
        (f"{SESSION}:_on_stop", "done=True", "done=not isinstance(s.state.phase, Tripped)"),
    ),
    _defect(
        "stop lets nothing go before the pull",
        (f"{SESSION}:_on_stop", "let_go(s, ReleaseProfile.NORMAL)\n            treatment.end", "treatment.end"),
    ),
    _defect(
        "late samples are left out of the record",
        (f"{SESSION}:_record_sample", "if course is None:", "if course is None or s.state.frozen:"),
    ),
    # Steering
    _defect(
        "a raise goes beyond what was agreed",
        (f"{STEERING}:_may_be_raised", "to_mn > prescription.agreed_mn,", "False,"),
        deep=True,
    ),
    _defect("anybody steers", (f"{STEERING}:_steer", "if asked.actor != under.course.holder:", "if False:"), deep=True),
    _defect("a pause winds in", (f"{TREATMENT}:_pause", "pull_mm_s=0.0", "pull_mm_s=5.0"), deep=True),
    _defect("going on asks for nothing", (f"{STEERING}:_go_on", "    _may_pull(s, under)\n", ""), deep=True),
    # The step itself
    _defect(
        "a step raises for an alarm that is not on",
        (f"{SESSION}:_acknowledge", "if known is None or entry is None:", "if known is None:"),
    ),
    _defect(
        "a step reads a clock",
        (f"{STATE}:let_go", "released_at_us=s.now_us", "released_at_us=__import__('time').monotonic_ns()"),
    ),
)
