from hw_sim.faults.fault import Fault

FAULTS: tuple[Fault, ...] = ()
