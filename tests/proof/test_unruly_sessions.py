"""A fault may strike at any moment of a session that is steered and coughed in; one that passes its bound is found."""

import pytest

from proof import unruly_sessions
from proof.catalogue import load_catalogue
from proof.unruly_sessions import session, strikes


@pytest.mark.parametrize("number", range(3))
def test_a_fault_at_any_moment_stays_within_its_bound(number) -> None:
    unruly = session(number, seed=1)

    assert unruly.wrong == (), unruly


def test_what_strikes_is_what_the_catalogue_asks_of_a_session_under_way() -> None:
    rows = load_catalogue()

    struck = {fault.id for fault in strikes()}

    assert {"SE01", "AC01", "LK01", "HO13", "DF02"} <= struck
    assert all({"RAMP", "HOLD"} & set(rows[fault_id].phases) for fault_id in struck)


def test_a_force_over_its_bound_is_told(monkeypatch) -> None:
    monkeypatch.setattr(unruly_sessions, "peak_bound_n", lambda _fault, _bench: -10_000)

    unruly = session(0, seed=1)

    assert any("over the ceiling" in sentence for sentence in unruly.wrong)
    assert not unruly.held
