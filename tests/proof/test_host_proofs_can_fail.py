"""The proofs of the host's faults find a product that is broken in just that place."""

from collections.abc import Callable
from typing import Any

import pytest

from controller import conductor, session
from firmware import limiter as device
from firmware_bridge.device_clock import DeviceClock
from proof import host
from proof.catalogue import load_catalogue
from proof.processes import faults as processes
from proof.verdict import Verdict
from safety.limiter import Permit


@pytest.fixture(autouse=True)
def _sessions_of_the_product_as_planted() -> None:
    host._base.cache_clear()


def never_stalled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "HOST_STALLED_US", 10**9)


def spent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Permit, "spend", lambda _self: True)
    monkeypatch.setattr(Permit, "is_good_at", lambda _self, _newest_us: True)


def blind_to_its_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conductor, "looked_at", lambda clock, _utc, _now_us: (clock, None))


def told_by_the_wall(monkeypatch: pytest.MonkeyPatch) -> None:
    """A controller that dates samples by the wall clock's 32 bits: its age leaps when the device's clock wraps."""
    sound = DeviceClock.age_us
    monkeypatch.setattr(DeviceClock, "age_us", lambda self, t_us, now_us: sound(self, t_us % (1 << 32), now_us))


def without_a_limit_of_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table forgets how long it was armed for; the controller's own gate is what is left."""
    sound = device.Limiter.arm

    def arm(self: Any, *given: Any) -> None:
        sound(self, *given)
        self._ends_ms = 1 << 40

    monkeypatch.setattr(device.Limiter, "arm", arm)


@pytest.mark.parametrize(
    ("plant", "fault", "asked"),
    [
        (never_stalled, "HO03", "A16 is raised"),
        (spent_again, "HO09", "pulls written for it"),
        (blind_to_its_clock, "CK01", "A40 is raised"),
        (told_by_the_wall, "CK07", "samples that are marked late"),
        (without_a_limit_of_time, "CK08", "what the table tripped on"),
    ],
)
def test_a_planted_defect_is_found_by_the_question_that_is_meant_for_it(
    monkeypatch: pytest.MonkeyPatch, plant: Callable[[pytest.MonkeyPatch], None], fault: str, asked: str
) -> None:
    plant(monkeypatch)

    failed = failing(fault, "RAMP")

    assert asked in failed


@pytest.mark.timeout(240)
def test_a_controller_that_fails_and_lives_on_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = processes.stack_of
    monkeypatch.setattr(processes, "stack_of", lambda patient, _planted: sound(patient, "raise-and-go-on"))

    failed = failing("HO07", "HOLD")

    assert "the process ends, and not as if all were well" in failed


def failing(fault_id: str, phase: str) -> list[str]:
    provers = {**host.PROVERS, **processes.PROVERS}
    verdicts: list[Verdict] = list(provers[fault_id](load_catalogue()[fault_id], phase, "nominal", 1))
    return [verdict.asked for verdict in verdicts if not verdict.held]
