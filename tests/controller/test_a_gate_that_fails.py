"""Where the gate itself goes wrong, or somebody goes round it: nothing is written, and the pull ends."""

from controller.inputs import Execute, GateBroken
from controller.phases import Idle
from firmware_bridge.messages import Move
from safety import limiter
from safety.limiter import Permit
from safety.motion import Pull


def test_a_rule_that_raises_is_a_no_and_the_table_lets_go(holding, monkeypatch) -> None:
    def broken(_situation):
        raise ZeroDivisionError

    rules = (("H01 ceiling", limiter.PULL_RULES[0][1], broken, ""), *limiter.PULL_RULES)
    monkeypatch.setattr(limiter, "PULL_RULES", rules)
    monkeypatch.setattr(limiter, "HOLD_RULES", rules)
    monkeypatch.setattr(limiter, "payout_limit_um_s", broken)

    slack = holding.run_to_slack()

    assert slack
    assert holding.root == "A45"
    assert "The limiter itself failed (ZeroDivisionError)" in holding.state.board[0].detail
    assert holding.pulled_ms_after_fault <= 100


def test_a_permit_that_the_gate_did_not_make_is_not_written_and_trips(holding) -> None:
    forged = object.__new__(Permit)
    for name, value in {"motion": Pull(5_000), "basis_seq": 0, "lease_ms": 200, "_unspent": True}.items():
        object.__setattr__(forged, name, value)
    object.__setattr__(forged, "_unspent", False)  # as one that was used before
    written_before = len(holding.written.heard)

    holding._write(holding.conductor._carry_out(Execute(forged), holding.now_us))
    holding.run_to_slack()

    moves = [message for _at_us, message in holding.written.heard[written_before:] if isinstance(message, Move)]
    assert moves == []
    assert holding.root == "A45"


def test_without_a_pull_it_is_shown_and_nothing_more(bench) -> None:
    bench.tell(GateBroken("A motion needs a permit of its own."))

    assert bench.alarms == ["A45"]
    assert isinstance(bench.state.phase, Idle)
