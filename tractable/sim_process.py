"""The simulated table's process: a pseudo-terminal that answers as a table does, in real time."""

import signal
import threading
from datetime import date
from pathlib import Path

from controller.calibration import dump_calibration
from hw_sim import pseudo_terminal
from hw_sim.rigs import load_rig
from hw_sim.table import SimulatedTable
from tractable.realtime import take_real_time_priority
from tractable.settings import Settings
from tractable.sim_commands import own_socket
from tractable.virtual_stack import calibration_of

SERIAL = 1001  # of every simulated table, as its IDENTITY says


def leave_calibration_record(settings: Settings, rig: str) -> Path:
    """The record that a technician would have left of this simulated table; written anew when its numbers changed."""
    path = settings.calibration_file(SERIAL)
    text = dump_calibration(calibration_of(load_rig(rig), date.today()))  # noqa: DTZ011 - a calendar day, for people
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def run_sim(
    settings: Settings,
    rig: str,
    seed: int,
    cooperative: bool,
    link: Path | None,
    socket: Path | None,
    protocol: int | None = None,
) -> None:
    """Serves until SIGTERM or SIGINT, after printing the port. Raises RigError for a rig that there is not.

    `protocol` is what the table tells the host that it speaks; None for the firmware's own.
    """
    table = SimulatedTable(load_rig(rig), seed, cooperative=cooperative, protocol=protocol)
    leave_calibration_record(settings, rig)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    take_real_time_priority()  # a table is no program that others can hold up
    pseudo_terminal.serve(
        table,
        link_path=link,
        socket_path=socket or own_socket(settings),
        stop=stop,
        on_ready=lambda port: print(f"Simulated table on {link or port}", flush=True),
    )
