"""`tractable dashboard`: serves the page, and prints the one address that opens it."""

import secrets
import sys

from dashboard.app import DashboardConfig, create_server, sign_in_path
from tractable.broker.accounts import DASHBOARD_USER
from tractable.exit_codes import Exit
from tractable.settings import Settings
from tractable.table_process import broker_of


def run_dashboard(settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT."""
    broker = broker_of(settings, DASHBOARD_USER)
    if broker is None:
        print(
            "No broker was started on this computer: run `tractable broker` first, or set broker_url.", file=sys.stderr
        )
        sys.exit(Exit.NOT_CONNECTED)
    key = settings.dashboard_key or secrets.token_urlsafe(24)
    config = DashboardConfig(
        mqtt_host=broker.host,
        mqtt_port=broker.port,
        mqtt_username=broker.username,
        mqtt_password=broker.password,
        site=settings.site,
        table=settings.table,
        control_socket=settings.control_socket,
        access_key=key,
        site_limits=settings.site_limits(),
    )
    if settings.dashboard_key is None:
        address = f"http://{settings.dashboard_host}:{settings.dashboard_port}{sign_in_path(key)}"
        print(f"Dashboard: {address}", flush=True)
    create_server(config, settings.dashboard_host, settings.dashboard_port).run()
