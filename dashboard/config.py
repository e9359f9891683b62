"""What the dashboard is told when it starts. Whoever starts it (settings, flags, a test) fills this in."""

from dataclasses import dataclass, field
from pathlib import Path

from controller.broker_address import BrokerAddress
from controller.commands import REPLY_WITHIN_S
from safety.limits import SHIPPED, SiteLimits, site_limit_errors

# Short enough to be guessed is as good as none: the key is all that stands before START.
ACCESS_KEY_LENGTH_MIN = 16


class BadConfig(ValueError):
    """The dashboard cannot be started like this; the text says what to change."""


@dataclass(frozen=True, slots=True)
class DashboardConfig:
    """Where the table is heard (MQTT), where it is asked (the controller's socket), and who may look.

    Raises AddressRefused for a broker beyond this computer without TLS and a sign-in.
    `data_folder` is where the records are; None, and there are none to look at.
    `access_key` is the secret in the address that opens the page; who knows it may view, start and stop.
    """

    mqtt_host: str
    mqtt_port: int
    site: str
    table: str
    control_socket: Path
    access_key: str = field(repr=False)
    mqtt_username: str | None = None
    mqtt_password: str | None = field(default=None, repr=False)
    mqtt_tls: bool = False
    site_limits: SiteLimits = SHIPPED
    data_folder: Path | None = None
    reply_within_s: float = REPLY_WITHIN_S

    def __post_init__(self) -> None:
        if len(self.access_key) < ACCESS_KEY_LENGTH_MIN:
            raise BadConfig(f"The dashboard's key must have at least {ACCESS_KEY_LENGTH_MIN} characters.")
        BrokerAddress(self.mqtt_host, self.mqtt_port, self.mqtt_username, self.mqtt_password, self.mqtt_tls)
        errors = site_limit_errors(self.site_limits)
        if errors:
            raise BadConfig(" ".join(errors))
