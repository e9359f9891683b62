"""`tractable doctor`: what is in order on this computer, what is not, and what to do about it."""

import asyncio
import json
import os
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from recorder.journal import FreeSpace
from recorder.pseudonym import KeyUnusable, kept_key
from tractable.broker.accounts import TABLE_USER
from tractable.broker.choice import ACCOUNTS_FILE, choose_broker
from tractable.broker.port import BrokerSilent, wait_until_listening
from tractable.exit_codes import Exit
from tractable.settings import Settings, origins
from tractable.table_process import broker_of
from tractable.versions import versions

BROKER_WITHIN_S = 1.0
# Nothing of this program is older: a clock that says so has not been set since power-on.
CLOCK_NOT_BEFORE = datetime(2026, 1, 1, tzinfo=UTC)
TIMER_LATE_MS_MAX = 20.0
MARKS = {True: Text("ok", "green"), False: Text("NOT OK", "red"), None: Text("-")}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at. `ok` is None where it is only worth knowing."""

    name: str
    ok: bool | None
    finding: str


def run_doctor(settings: Settings, as_json: bool) -> Exit:
    """Prints every check and every setting. REFUSED when a check fails, NOT_CONNECTED when only the port does."""
    checks = [check for look in LOOKS for check in look(settings)]
    if as_json:
        print(
            json.dumps(
                {
                    "versions": versions(),
                    "checks": [asdict(check) for check in checks],
                    "settings": [asdict(origin) for origin in origins(settings)],
                },
                indent=2,
            )
        )
    else:
        _print_for_people(checks, settings)
    failed = {check.name for check in checks if check.ok is False}
    if failed == {"port"}:
        return Exit.NOT_CONNECTED
    return Exit.REFUSED if failed else Exit.DONE


def _port(settings: Settings) -> Iterator[Check]:
    path = settings.port
    if not path.exists():
        yield Check("port", False, f"{path} is not there: plug in the table, or set port.")
    elif not stat.S_ISCHR(path.stat().st_mode):
        yield Check("port", False, f"{path} is not a serial port.")
    elif not os.access(path, os.R_OK | os.W_OK):
        yield Check("port", False, f"{path} may not be used by this account: sudo usermod -aG dialout $USER")
    else:
        yield Check("port", True, f"{path} is there and may be used.")


def _broker(settings: Settings) -> Iterator[Check]:
    if not settings.broker_url and not (settings.broker_folder / ACCOUNTS_FILE).is_file():
        yield Check("broker", None, f"none started; `tractable broker` would start {choose_broker(None)}.")
        return
    address = broker_of(settings, TABLE_USER)
    try:
        asyncio.run(wait_until_listening(address, BROKER_WITHIN_S))
        yield Check("broker", True, f"answers at {address.host}:{address.port}.")
    except BrokerSilent as problem:
        yield Check("broker", False, f"{problem} Therapy works without it; remote views do not.")


def _disk(settings: Settings) -> Iterator[Check]:
    refusal = FreeSpace(settings.data_folder).refusal()
    yield Check("disk", refusal is None, refusal or f"{settings.data_folder} can be written to, and has room.")


def _clock(_settings: Settings) -> Iterator[Check]:
    now = datetime.now(UTC)
    ok = now >= CLOCK_NOT_BEFORE
    advice = "" if ok else " It has not been set: records would carry a wrong date."
    yield Check("clock", ok, f"the wall clock says {now:%Y-%m-%d %H:%M:%S} UTC.{advice}")
    before = time.monotonic()
    time.sleep(0.01)
    late_ms = (time.monotonic() - before) * 1000 - 10
    yield Check("timer", late_ms < TIMER_LATE_MS_MAX, f"a pause of 10 ms came back {late_ms:.2f} ms late.")


def _calibrations(settings: Settings) -> Iterator[Check]:
    records = sorted((settings.data_folder / "calibrations").glob("*.toml"))
    names = ", ".join(path.stem for path in records)
    finding = f"records of table {names}." if records else "no record yet: a table without one starts no session."
    yield Check("calibration", None, finding)


def _limits(settings: Settings) -> Iterator[Check]:
    site = settings.site_limits()
    yield Check(
        "limits", True, f"ceiling {site.ceiling_mn // 1000} N, setpoint at most {site.setpoint_cap_mn // 1000} N."
    )


def _key(settings: Settings) -> Iterator[Check]:
    path = settings.pseudonym_key_file
    if not path.exists():
        yield Check("key", None, f"no key for pseudonyms yet: it is made in {path} at the first use.")
        return
    try:
        kept_key(path)
        yield Check("key", True, f"{path} is a key, and for its owner only.")
    except KeyUnusable as problem:
        yield Check("key", False, str(problem))


LOOKS: tuple[Callable[[Settings], Iterator[Check]], ...] = (
    _port,
    _broker,
    _disk,
    _clock,
    _calibrations,
    _limits,
    _key,
)


def _print_for_people(checks: list[Check], settings: Settings) -> None:
    console = Console(markup=False, emoji=False, highlight=False)  # a path is shown as it is, whatever is in it
    shown = Table("", "Check", "Finding", box=None)
    for check in checks:
        shown.add_row(MARKS[check.ok], check.name, check.finding)
    console.print(shown)
    in_force = Table("Setting", "In force", "From", "For", box=None, title="\nSettings", title_justify="left")
    for origin in origins(settings):
        in_force.add_row(origin.name, origin.value, _short(origin.source), origin.description)
    console.print(in_force)


def _short(source: str) -> str:
    return Path(source).name if "/" in source else source
