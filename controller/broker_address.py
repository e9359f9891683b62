"""Where a message broker is, and who we are to it."""

import ipaddress
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

MQTT_PORT = 1883
MQTT_TLS_PORT = 8883


class AddressRefused(ValueError):
    """A broker's address that would let strangers read or write what a table says."""


@dataclass(frozen=True)
class BrokerAddress:
    """A broker that can be reached. Raises AddressRefused for one beyond this computer without TLS and sign-in."""

    host: str
    port: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False

    def __post_init__(self) -> None:
        if is_loopback(self.host):
            return
        if not self.tls or not self.username or not self.password:
            raise AddressRefused(
                f"The broker at {self.host} is on another computer, so it needs TLS and a sign-in: "
                "give its address as mqtts://user:password@host:port."
            )


def broker_address(url: str) -> BrokerAddress:
    """The address in `mqtt://[user:password@]host[:port]`, or mqtts:// for TLS. Raises AddressRefused."""
    parts = urlsplit(url)
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
        raise AddressRefused(
            "A broker's address looks like mqtts://user:password@host:port (or mqtt://localhost:1883)."
        )
    tls = parts.scheme == "mqtts"
    try:
        port = parts.port or (MQTT_TLS_PORT if tls else MQTT_PORT)
    except ValueError:
        raise AddressRefused("The port in the broker's address is not a number from 1 to 65535.") from None
    return BrokerAddress(parts.hostname, port, _plain(parts.username), _plain(parts.password), tls)


def is_loopback(host: str) -> bool:
    """Whether `host` can only be this computer. A name other than localhost may point anywhere."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _plain(quoted: str | None) -> str | None:
    return None if quoted is None else unquote(quoted)
