"""Many sessions are run in their order, and those that went wrong are counted."""

import json
from dataclasses import dataclass

from proof.many_sessions import main, sessions


@dataclass(frozen=True)
class Ended:
    number: int
    seed: int

    @property
    def held(self) -> bool:
        return self.number != 2


def test_sessions_are_numbered_from_0_and_come_in_their_order() -> None:
    assert list(sessions(Ended, 9, 7, 1)) == [Ended(number, 7) for number in range(9)]


def test_one_that_went_wrong_is_told_and_counted(capsys) -> None:
    code = main(Ended, "...", "went wrong", ["--sessions", "4", "--jobs", "1", "--json"])

    told = capsys.readouterr()
    assert code == 4
    assert "4 sessions, 1 went wrong" in told.err
    assert [one["number"] for one in json.loads(told.out)] == [0, 1, 2, 3]


def test_where_all_held_the_exit_code_is_0() -> None:
    assert main(Ended, "...", "went wrong", ["--sessions", "2", "--jobs", "1"]) == 0
