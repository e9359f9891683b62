"""`tractable dashboard`: serves the page, and prints the one address that opens it."""

import secrets
from pathlib import Path

from dashboard.app import DashboardConfig, create_server, sign_in_path
from tractable.broker.accounts import DASHBOARD_USER, write_private
from tractable.settings import Settings
from tractable.table_process import broker_of

# Delete the file to end every sign-in and have a new address.
KEY_FILE = "dashboard.key"
KEY_BYTES = 24


def run_dashboard(settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT."""
    broker = broker_of(settings, DASHBOARD_USER)
    key = settings.dashboard_key or _kept_key(settings.data_folder / KEY_FILE)
    config = DashboardConfig(
        mqtt_host=broker.host,
        mqtt_port=broker.port,
        mqtt_username=broker.username,
        mqtt_password=broker.password,
        mqtt_tls=broker.tls,
        site=settings.site,
        table=settings.table,
        control_socket=settings.control_socket,
        access_key=key,
        site_limits=settings.site_limits(),
        data_folder=settings.data_folder,
    )
    if settings.dashboard_key is None:
        address = f"http://{settings.dashboard_host}:{settings.dashboard_port}{sign_in_path(key)}"
        print(f"Dashboard: {address}", flush=True)
    create_server(config, settings.dashboard_host, settings.dashboard_port).run()


def _kept_key(path: Path) -> str:
    """The key of before, so that an open page can still stop after a restart; a new one the first time."""
    if path.is_file():
        return path.read_text(encoding="utf-8").strip()
    key = secrets.token_urlsafe(KEY_BYTES)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_private(path, key)
    return key
