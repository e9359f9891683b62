"""`tractable stream lsl`: what a table says over MQTT, as an LSL stream, to line up with EMG or motion capture.

It only listens: nothing goes back to the table. Each sample has its own time by LSL's clock: when its batch came, less
how old the batch's newest sample was, less how long before that one it was taken. Samples that were lost are not there
(the stream's rate is irregular), a force that could not be read is NaN.
"""

import asyncio
import math
import secrets
import sys
from contextlib import suppress
from typing import Any, Final

from controller.messages import ForceBatch, Presence
from dashboard.config import DashboardConfig
from dashboard.feed import Feed
from dashboard.mqtt_feed import listen
from tractable.broker.accounts import DASHBOARD_USER
from tractable.exit_codes import Exit
from tractable.settings import Settings
from tractable.table_process import broker_of

CHANNELS: Final = (("force", "N"), ("target", "N"), ("cable", "mm"), ("sequence number", "1"))
IRREGULAR: Final = 0.0


def run_outlet(settings: Settings) -> Exit:
    """Streams until Ctrl-C. Exits with NOT_CONNECTED where pylsl is not installed."""
    try:
        import pylsl
    except (ImportError, RuntimeError) as missing:  # RuntimeError: liblsl itself is not there
        print(f"LSL is not installed ({missing}). Install it with: pip install 'tractable[lsl]'", file=sys.stderr)
        return Exit.NOT_CONNECTED
    outlet = pylsl.StreamOutlet(stream_info(pylsl, settings.site, settings.table))
    print(f"LSL stream {stream_name(settings.site, settings.table)}, until Ctrl-C.", flush=True)
    with suppress(KeyboardInterrupt):
        asyncio.run(listen(_listening(settings), LslFeed(outlet, pylsl.local_clock)))
    return Exit.DONE


def stream_name(site: str, table: str) -> str:
    """What the stream goes by."""
    return f"tractable {site} {table}"


def stream_info(pylsl: Any, site: str, table: str) -> Any:
    """The stream with its channels and their units."""
    name = stream_name(site, table)
    info = pylsl.StreamInfo(name, "Force", len(CHANNELS), IRREGULAR, pylsl.cf_double64, name)
    channels = info.desc().append_child("channels")
    for label, unit in CHANNELS:
        channel = channels.append_child("channel")
        channel.append_child_value("label", label)
        channel.append_child_value("unit", unit)
    return info


class LslFeed(Feed):
    """Takes what `listen` hears and pushes each new sample into the outlet."""

    def __init__(self, outlet: Any, clock_s: Any) -> None:
        super().__init__()
        self._outlet = outlet
        self._clock_s = clock_s
        self._newest: tuple[str, int] | None = None

    def take_batch(self, batch: ForceBatch) -> None:
        """Pushes the samples that are new; a batch that comes twice is pushed once."""
        super().take_batch(batch)
        now_s = self._clock_s()
        for seq, row, at_s in timed_rows(batch, now_s):
            if self._newest is None or self._newest[0] != batch.run or seq > self._newest[1]:
                self._outlet.push_sample(row, at_s)
                self._newest = (batch.run, seq)

    def take_presence(self, presence: Presence) -> None:
        """Says on stderr whether the table is there, and whether anybody is treated."""
        super().take_presence(presence)
        there = "is there" if presence.online else "has gone"
        print(f"The table {there}{' (SIMULATED)' if presence.simulated else ''}.", file=sys.stderr)


def timed_rows(batch: ForceBatch, now_s: float) -> list[tuple[int, list[float], float]]:
    """Each sample's number, its channels, and when it was taken by the clock that shows `now_s` at its coming."""
    if not batch.t_us:
        return []
    newest_s = now_s - batch.age_us / 1e6
    columns = zip(batch.t_us, batch.force_mn, batch.target_mn, batch.cable_um, strict=True)
    return [
        (
            batch.first_seq + number,
            [_newtons(force_mn), _newtons(target_mn), cable_um / 1000, float(batch.first_seq + number)],
            newest_s - (batch.t_us[-1] - t_us) / 1e6,
        )
        for number, (t_us, force_mn, target_mn, cable_um) in enumerate(columns)
    ]


def _newtons(force_mn: int | None) -> float:
    return math.nan if force_mn is None else force_mn / 1000


def _listening(settings: Settings) -> DashboardConfig:
    broker = broker_of(settings, DASHBOARD_USER)
    return DashboardConfig(
        mqtt_host=broker.host,
        mqtt_port=broker.port,
        mqtt_username=broker.username,
        mqtt_password=broker.password,
        mqtt_tls=broker.tls,
        site=settings.site,
        table=settings.table,
        control_socket=settings.control_socket,
        access_key=secrets.token_urlsafe(),  # nobody is served: it opens nothing
    )
