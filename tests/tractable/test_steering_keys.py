"""One key is one command; a raise takes two."""

import pytest

from controller.commands import GoOn, Lower, PainScore, Pause, Raise, Stop
from controller.messages import PhaseName, utc_now
from controller.showing import shown_state
from tractable.steering_keys import HELP, Keys
from tractable.virtual_stack import VirtualStack


@pytest.fixture(scope="module")
def idle():
    stack = VirtualStack("nominal", seed=3)
    return shown_state(stack.state, run="abc", now_us=stack.now_us, now=utc_now(), recording_failure=None)


@pytest.fixture
def pulling(idle):
    return idle.model_copy(update={"phase": PhaseName.HOLDING, "setpoint_mn": 200_000})


def test_p_pauses_and_goes_on(pulling) -> None:
    keys = Keys("clinician")

    assert isinstance(keys.press("p", pulling), Pause)
    assert isinstance(keys.press("p", pulling.model_copy(update={"phase": PhaseName.PAUSED})), GoOn)


def test_l_lowers_at_once_and_s_stops(pulling) -> None:
    keys = Keys("clinician")
    lowered = keys.press("l", pulling)

    assert isinstance(lowered, Lower)
    assert lowered.to_mn == 190_000
    assert isinstance(keys.press("s", pulling), Stop)


def test_r_raises_only_once_y_confirms_it(pulling) -> None:
    keys = Keys("clinician")
    first = keys.press("r", pulling)
    raised = keys.press("y", pulling)
    again = keys.press("y", pulling)

    assert first is None
    assert keys.said[0] == "Raise to 210 N? y confirms."
    assert isinstance(raised, Raise)
    assert (raised.to_mn, raised.confirmed_mn) == (210_000, 210_000)
    assert again is None


def test_another_key_than_y_leaves_the_force_as_it_is(pulling) -> None:
    keys = Keys("clinician")
    keys.press("r", pulling)

    assert keys.press("x", pulling) is None
    assert keys.press("y", pulling) is None


def test_a_digit_is_pain_only_where_it_was_asked_for(pulling) -> None:
    keys = Keys("clinician")
    unasked = keys.press("7", pulling)
    keys.press("n", pulling)
    told = keys.press("7", pulling)

    assert unasked is None
    assert isinstance(told, PainScore)
    assert (told.score, told.when) == (7, "during")


def test_before_a_pull_there_is_nothing_to_lower_or_raise(idle) -> None:
    keys = Keys("clinician")

    assert [keys.press(key, idle) for key in "lry"] == [None, None, None]
    assert keys.said == [HELP, HELP, HELP]
