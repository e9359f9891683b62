"""Ordinary patients who breathe and cough end their sessions without a HIGH alarm; one who would not is found."""

from dataclasses import replace

import pytest

from proof import quiet_sessions
from proof.quiet_sessions import Quiet, session


@pytest.mark.parametrize("number", range(3))
def test_a_quiet_session_comes_to_its_own_end(number) -> None:
    quiet = session(number, seed=1)

    assert quiet.held, quiet


def test_a_session_is_the_same_again_by_its_number_and_seed(monkeypatch) -> None:
    monkeypatch.setattr(quiet_sessions, "TIME_AT_FORCE_S", 60)
    monkeypatch.setattr(quiet_sessions, "WITHIN_S", 20.0)

    assert session(5, seed=2) == session(5, seed=2)
    assert session(5, seed=2) != session(6, seed=2)


def test_a_high_alarm_or_an_early_end_does_not_hold() -> None:
    quiet = Quiet(0, 1, "nominal", 200, True, (), ("A03",))

    assert quiet.held
    assert not replace(quiet, high_alarms=("A01",)).held
    assert not replace(quiet, completed=False).held
