"""Who may do what at our own broker: a table speaks below its own topic, a dashboard listens, nobody else enters."""

import hmac
import json
import os
import re
import secrets
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path

from controller.broker_address import BrokerAddress
from controller.messages import TOPIC_ROOT, topic

LOOPBACK = "127.0.0.1"
TABLE_USER = "table"
DASHBOARD_USER = "dashboard"
PASSWORD_BYTES = 24
# A name that cannot be a wildcard, another level of a topic, or another line of an access list.
PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")


class Deed(StrEnum):
    PUBLISH = "publish"
    SUBSCRIBE = "subscribe"
    RECEIVE = "receive"


@dataclass(frozen=True)
class BrokerAccounts:
    """The two accounts of one table's broker. Raises ValueError when a name cannot be part of a topic."""

    site: str
    table: str
    table_password: str = field(repr=False)
    dashboard_password: str = field(repr=False)

    def __post_init__(self) -> None:
        for name in (self.site, self.table):
            if not PLAIN_NAME.fullmatch(name):
                raise ValueError(
                    f"{name!r} cannot name a site or a table: use up to 32 letters, digits, '.', '_', '-'."
                )

    @classmethod
    def generate(cls, site: str, table: str) -> "BrokerAccounts":
        return cls(site, table, secrets.token_urlsafe(PASSWORD_BYTES), secrets.token_urlsafe(PASSWORD_BYTES))

    @property
    def passwords(self) -> dict[str, str]:
        return {TABLE_USER: self.table_password, DASHBOARD_USER: self.dashboard_password}

    @property
    def table_topics(self) -> str:
        """What the table's topics begin with."""
        return topic(self.site, self.table, "")

    def knows(self, user: str | None, password: str | None) -> bool:
        expected = self.passwords.get(user or "")
        return expected is not None and hmac.compare_digest(expected.encode(), (password or "").encode())

    def may(self, user: str | None, deed: Deed, topic_or_filter: str) -> bool:
        """Whether `user` may do that; what is not listed here is refused."""
        match user, deed:
            case "table", Deed.PUBLISH:
                return topic_or_filter.startswith(self.table_topics)
            case "dashboard", Deed.SUBSCRIBE | Deed.RECEIVE:
                return topic_or_filter.startswith(f"{TOPIC_ROOT}/")
            case _:
                return False

    def address(self, user: str, port: int) -> BrokerAddress:
        return BrokerAddress(LOOPBACK, port, user, self.passwords[user])

    def save(self, path: Path) -> None:
        write_private(path, json.dumps(asdict(self)))

    @classmethod
    def load(cls, path: Path) -> "BrokerAccounts":
        return cls(**json.loads(path.read_text()))


def kept_accounts(path: Path, site: str, table: str) -> BrokerAccounts:
    """The accounts kept in that file, made the first time, whichever of broker, table and dashboard comes first."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.is_file() or (known := BrokerAccounts.load(path)).site != site or known.table != table:
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        BrokerAccounts.generate(site, table).save(draft)
        if path.is_file():
            draft.replace(path)  # they were another table's
        else:
            with suppress(FileExistsError):  # somebody was quicker: theirs are as good
                os.link(draft, path)
            draft.unlink()
    return BrokerAccounts.load(path)


def write_private(path: Path, text: str) -> None:
    """Write a file that only this user can read, from its first byte on."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
