"""Every fault of the catalogue that the simulator can inject, once: what must happen happens."""

import pytest

from proof import plan
from proof.catalogue import load_catalogue
from proof.provers import NOT_HERE, PROVERS, SIMULATED
from proof.running import run_case

CATALOGUE = load_catalogue()
IN_VIRTUAL_TIME = [CATALOGUE[id_] for id_, prover in PROVERS.items() if not prover.alone]


def test_every_fault_of_the_catalogue_is_proven_or_said_to_be_out_of_reach() -> None:
    assert sorted(CATALOGUE) == sorted([*PROVERS, *NOT_HERE])


@pytest.mark.parametrize("case", list(plan.quick(IN_VIRTUAL_TIME)), ids=lambda case: f"{case.fault} in {case.phase}")
def test_what_must_happen_happens(case) -> None:
    run = run_case(case)

    assert [f"{v.asked}: {v.reached} {v.unit}, not {v.bound}" for v in run.failed] == []
    assert run.verdicts


def test_the_simulators_faults_are_those_of_the_catalogue_that_it_knows() -> None:
    assert set(SIMULATED) <= set(CATALOGUE)
