"""The table's process: the controller at one serial port, its journal and its telemetry. Serves until told to stop."""

import asyncio
import logging
import signal
from contextlib import closing, suppress
from pathlib import Path

from controller.broker_address import BrokerAddress, broker_address
from controller.mqtt_bus import MqttBus
from controller.shell import Shell, ShellConfig
from recorder.journal import FreeSpace, SessionJournal
from recorder.record_check import RecordCheck, newest_files
from tractable.background_log import logging_in_background
from tractable.broker.accounts import TABLE_USER, kept_accounts
from tractable.broker.choice import ACCOUNTS_FILE
from tractable.cataloguing import TABLE_CLOSES_WITHIN_S, Cataloguing, cataloguing, trail_check_command
from tractable.realtime import take_real_time_priority
from tractable.settings import Settings
from tractable.versions import program_version, versions

log = logging.getLogger(__name__)


def broker_of(settings: Settings, user: str) -> BrokerAddress:
    """Where the broker is, or will be, and who we are to it."""
    if settings.broker_url:
        return broker_address(settings.broker_url)
    accounts = kept_accounts(settings.broker_folder / ACCOUNTS_FILE, settings.site, settings.table)
    return accounts.address(user, settings.broker_port)


def make_shell(settings: Settings, journal: SessionJournal, with_telemetry: bool) -> Shell:
    """A controller that is ready to run, with everything it needs from the settings."""
    config = ShellConfig(
        port=settings.port,
        site=settings.site_limits(),
        calibration_file=settings.calibration_file,
        control_socket=settings.control_socket,
        versions=versions(),
    )
    address = broker_of(settings, TABLE_USER) if with_telemetry else None
    bus = None
    if address is not None:
        bus = MqttBus(
            address, settings.site, settings.table, program_version(), None, lambda up: shell.broker_reachable(up)
        )
    shell = Shell(config, journal, FreeSpace(settings.data_folder), bus)
    return shell


def _ended(path: Path, check: RecordCheck, catalogue: Cataloguing) -> None:
    check.check([path])
    catalogue.add([path])


async def run_table(settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT. Raises NoTable or PortUnavailable when there is no table to begin with."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    take_real_time_priority()
    with (
        logging_in_background(),
        cataloguing(settings, TABLE_CLOSES_WITHIN_S) as catalogue,
        closing(RecordCheck(lambda sentence: shell.record_altered(sentence))) as check,
        SessionJournal(settings.data_folder, on_ended=lambda path: _ended(path, check, catalogue)) as journal,
    ):
        shell = make_shell(settings, journal, with_telemetry=True)
        newest = newest_files(settings.data_folder)
        check.check(newest)
        if newest:  # else there is no catalogue yet
            check.check_trail(trail_check_command(settings))
        catalogue.add(newest)
        running = asyncio.create_task(shell.run(lambda: log.info("table found; listening for commands")))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not running.done():
            running.cancel()
        with suppress(asyncio.CancelledError):
            await running
