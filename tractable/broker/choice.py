"""Which broker: the one in the settings, else mosquitto where there is one, else our own."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import assert_never

from tractable.broker.accounts import BrokerAccounts
from tractable.broker.mosquitto import find_mosquitto, mosquitto_command

ACCOUNTS_FILE = "accounts.json"


class BrokerKind(StrEnum):
    """GIVEN: somebody else runs it, at the URL in the settings. The others are processes that we start."""

    GIVEN = "given"
    MOSQUITTO = "mosquitto"
    EMBEDDED = "embedded"


def choose_broker(url: str | None) -> BrokerKind:
    if url:
        return BrokerKind.GIVEN
    return BrokerKind.MOSQUITTO if find_mosquitto() else BrokerKind.EMBEDDED


def broker_command(kind: BrokerKind, folder: Path, port: int, accounts: BrokerAccounts) -> list[str]:
    """Write what the broker needs into `folder` (made private), and return the command that starts it on loopback.

    Raises ValueError for a broker that is not ours to start.
    """
    match kind:
        case BrokerKind.GIVEN:
            raise ValueError("The settings name a broker that somebody else runs, so there is none to start here.")
        case BrokerKind.MOSQUITTO:
            return mosquitto_command(folder, port, accounts)
        case BrokerKind.EMBEDDED:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)
            accounts.save(folder / ACCOUNTS_FILE)
            return [sys.executable, "-m", "tractable.broker", str(folder / ACCOUNTS_FILE), str(port)]
        case _:
            assert_never(kind)
