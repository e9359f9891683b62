"""`tractable broker`: becomes the broker that this computer has."""

import os
import sys

from tractable.broker.accounts import kept_accounts
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
    accounts = kept_accounts(settings.broker_folder / ACCOUNTS_FILE, settings.site, settings.table)
    command = broker_command(kind, settings.broker_folder, settings.broker_port, accounts)
    print(f"Broker ({kind}) on 127.0.0.1:{settings.broker_port}", flush=True)
    os.execvp(command[0], command)  # noqa: S606 - our own command, as a list
