"""The whole stack in virtual time, on a bench; reaching the hold takes long, so that every test goes on from a copy."""

from collections.abc import Callable

import pytest

from controller import prescription
from controller.inputs import StartAsked
from controller.prescription import Prescription
from proof.bench import Bench, bench_at, document, start_of


@pytest.fixture(name="document")
def _document() -> Callable[..., dict]:
    """A prescription as a clinician writes it, with one thing or another changed."""
    return document


@pytest.fixture(scope="session")
def prescribed() -> Callable[..., Prescription]:
    return lambda *changes, **named: prescription.parse(document(*changes, **named))


@pytest.fixture(scope="session")
def new_bench() -> type[Bench]:
    return Bench


@pytest.fixture(scope="session")
def start_asked() -> Callable[..., StartAsked]:
    return start_of


@pytest.fixture
def make_bench() -> Callable[..., Bench]:
    """A new stack, a second old: the table is known and sends."""

    def make(rig: str = "nominal", **settings: object) -> Bench:
        bench = Bench(rig, **settings)
        bench.run_for(1)
        return bench

    return make


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    return make_bench()


@pytest.fixture(scope="session")
def _reached() -> Callable[[str, str, str], Bench]:
    reached: dict[tuple[str, str, str], Bench] = {}

    def at(phase: str, rig: str, force: str) -> Bench:
        if (phase, rig, force) not in reached:
            reached[phase, rig, force] = bench_at(phase, rig, force=force)
        return reached[phase, rig, force]

    return at


@pytest.fixture
def hold(_reached: Callable[[str, str, str], Bench]) -> Callable[..., Bench]:
    """A copy of a stack that has held that force for 2 s, at the moment of the fault to come."""

    def copied(rig: str = "nominal", force: str = "300 N") -> Bench:
        bench = _reached("HOLD", rig, force).copy()
        bench.fault_now()
        return bench

    return copied


@pytest.fixture
def holding(hold: Callable[..., Bench]) -> Bench:
    return hold()


@pytest.fixture
def ramping(_reached: Callable[[str, str, str], Bench]) -> Bench:
    """A copy of a stack in the steepest part of its ramp, while the drum winds in."""
    bench = _reached("RAMP", "nominal", "300 N").copy()
    bench.fault_now()
    return bench
