"""Who proves which fault: a function that injects it in one phase and yields what came of it, a verdict a question."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from hw_sim.faults import FAULTS
from proof import host, simulated
from proof.catalogue import load_catalogue
from proof.disk import faults as disk
from proof.network import browser, security
from proof.network import faults as network
from proof.people import faults as people
from proof.processes import faults as processes
from proof.prover import Prover

NOT_HERE: Final[Mapping[str, str]] = tomllib.loads((Path(__file__).parent / "not_here.toml").read_text("utf-8"))

# In virtual time, and so on several patients and with several seeds.
SIMULATED: Final[Mapping[str, Prover]] = {
    **{id_: Prover(simulated.prove) for id_ in load_catalogue() if id_ in FAULTS and id_ not in processes.PROVERS},
    **host.PROVERS,
}
PROVERS: Final[Mapping[str, Prover]] = {
    **SIMULATED,
    **people.PROVERS,
    **processes.PROVERS,
    **disk.PROVERS,
    **network.PROVERS,
    **browser.PROVERS,
    **security.PROVERS,
}
