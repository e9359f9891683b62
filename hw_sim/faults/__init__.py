"""Faults by name: what can go wrong with a table, its line and its patient, as data, and what puts it in.

`FAULTS` is the registry, `Injector` puts them in at a `SimulatedTable` and its line.
"""

from hw_sim.faults.catalogue import FAULTS
from hw_sim.faults.fault import Fault, FaultError, Place
from hw_sim.faults.injector import Injection, Injector

__all__ = ["FAULTS", "Fault", "FaultError", "Injection", "Injector", "Place"]
