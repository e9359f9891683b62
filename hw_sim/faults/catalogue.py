"""All the faults there are, by id."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from hw_sim.faults import actuator, board, doubles, line, people, sensor
from hw_sim.faults.fault import Fault

GROUPS: Final = (sensor, actuator, line, board, people, doubles)

FAULTS: Final[Mapping[str, Fault]] = MappingProxyType({fault.id: fault for group in GROUPS for fault in group.FAULTS})
