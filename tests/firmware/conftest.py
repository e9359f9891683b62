"""A bench: the firmware in its simulated table, and as little of a host as it takes to pull with it."""

import pytest

from hw_sim.bare_host import BareHost
from hw_sim.rigs import load_rig


class Bench(BareHost):
    def __init__(self, rig_name: str = "nominal", *, seed: int = 1, t_us_start: int = 0) -> None:
        super().__init__(load_rig(rig_name), seed, t_us_start=t_us_start)


@pytest.fixture
def bench() -> type[Bench]:
    return Bench
