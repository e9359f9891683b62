"""A motion that the table refuses: once is a table that is about to trip, again is one that knows other limits."""

import pytest

from controller.inputs import TableSaid
from controller.phases import Holding
from firmware_bridge.messages import MessageType, Nak, NakReason

REFUSED = [NakReason.OUT_OF_RANGE, NakReason.NOT_ARMED]


@pytest.mark.parametrize("reason", REFUSED)
def test_one_motion_that_is_refused_changes_nothing(holding, reason) -> None:
    holding.tell(TableSaid(Nak(7, MessageType.MOVE, reason)))
    holding.run_for(1)
    holding.tell(TableSaid(Nak(8, MessageType.MOVE, reason)))

    assert isinstance(holding.state.phase, Holding)


@pytest.mark.parametrize("reason", REFUSED)
def test_motions_that_are_refused_again_at_once_trip(holding, reason) -> None:
    holding.tell(TableSaid(Nak(7, MessageType.MOVE, reason)))
    holding.run_for(0.1)
    holding.tell(TableSaid(Nak(8, MessageType.MOVE, reason)))

    assert holding.root == "A42"


@pytest.mark.parametrize("after_ms", range(4))
def test_a_limit_switch_that_closes_is_named_whichever_sees_it_first(ramping, after_ms) -> None:
    ramping.run_for(after_ms / 1000)

    ramping.table.panel.wound_in_limit = True
    ramping.run_for(0.5)

    assert ramping.root == "A09"
