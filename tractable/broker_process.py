"""`tractable broker`: becomes the broker that this computer has."""

import os
import sys

from tractable.broker.accounts import BrokerAccounts
from tractable.broker.choice import ACCOUNTS_FILE, BrokerKind, broker_command, choose_broker
from tractable.broker.port import PortTaken, require_free_port
from tractable.exit_codes import Exit
from tractable.settings import Settings


def run_broker(settings: Settings) -> None:
    """Replaces this process by the broker; returns only to say why not."""
    kind = choose_broker(settings.broker_url)
    if kind is BrokerKind.GIVEN:
        print("The settings name a broker that somebody else runs (broker_url): nothing to start here.")
        return
    try:
        require_free_port(settings.broker_port)
    except PortTaken as problem:
        print(problem, file=sys.stderr)
        sys.exit(Exit.REFUSED)
    accounts = _accounts(settings)
    command = broker_command(kind, settings.broker_folder, settings.broker_port, accounts)
    print(f"Broker ({kind}) on 127.0.0.1:{settings.broker_port}", flush=True)
    os.execvp(command[0], command)  # noqa: S606 - our own command, as a list


def _accounts(settings: Settings) -> BrokerAccounts:
    """The accounts of before, so that a broker started again knows its clients; new ones the first time."""
    settings.broker_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = settings.broker_folder / ACCOUNTS_FILE
    if path.is_file():
        known = BrokerAccounts.load(path)
        if (known.site, known.table) == (settings.site, settings.table):
            return known
    accounts = BrokerAccounts.generate(settings.site, settings.table)
    accounts.save(path)
    return accounts
