"""A proof that could not fail would prove nothing: defects planted in the product are found by the catalogue."""

from collections.abc import Callable
from typing import Any

import pytest

from firmware import limiter as device
from proof import simulated
from proof.catalogue import CatalogueError, fault_named, load_catalogue
from proof.plan import Case
from proof.running import run_case
from safety import plausibility
from tractable.exit_codes import Exit
from tractable.proving import run_proof


@pytest.fixture(autouse=True)
def _sessions_of_the_product_as_planted() -> None:
    simulated._base.cache_clear()


def deaf(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither guard looks at the channels."""
    monkeypatch.setattr(device.Limiter, "_judge_channels", lambda _self, _reading: 0)
    monkeypatch.setattr(plausibility, "_channel_findings", lambda _memory, _reading: ())


def slow_release(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firmware.release.RELEASE_MN_S", (5_000, 5_000, 5_000))


def hasty_release(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firmware.release.RELEASE_MN_S", (400_000, 400_000, 400_000))


def forgetful_journal(monkeypatch: pytest.MonkeyPatch) -> None:
    from tractable.virtual_stack import MemoryJournal

    def sample(self: Any, row: Any) -> None:
        if row.seq % 500:
            self.samples.append(row)

    monkeypatch.setattr(MemoryJournal, "sample", sample)


@pytest.mark.parametrize(
    ("plant", "fault", "asked"),
    [
        (deaf, "SE02", "A07 is raised"),
        (slow_release, "AC19", "slack"),
        (hasty_release, "AC19", "fall within 100 ms"),
        (forgetful_journal, "SE04", "samples that arrived and are not on record"),
    ],
)
def test_a_planted_defect_is_found_by_the_question_that_is_meant_for_it(
    monkeypatch: pytest.MonkeyPatch, plant: Callable[[pytest.MonkeyPatch], None], fault: str, asked: str
) -> None:
    plant(monkeypatch)

    run = run_case(Case(fault, "HOLD", "nominal", 1))

    assert asked in [verdict.asked for verdict in run.failed]


def test_a_proof_that_breaks_has_not_held() -> None:
    run = run_case(Case("SE04", "HOLD", "no such rig", 1))

    assert not run.held
    assert "no such rig" in str(run.verdicts[0].reached)


def test_a_fault_that_there_is_not_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CatalogueError, match="SE04"):
        fault_named("SE044", load_catalogue())

    code = run_proof(["SE044"], None, None, None, quick=True, as_json=False, write_page=False)

    assert code is Exit.WRONG_USAGE
    assert "SE04" in capsys.readouterr().err


def test_one_run_is_repeated_exactly_by_its_seed() -> None:
    first, again = (run_case(Case("LK04", "HOLD", "nominal", 5)) for _ in range(2))

    assert [(v.asked, v.reached) for v in first.verdicts] == [(v.asked, v.reached) for v in again.verdicts]
