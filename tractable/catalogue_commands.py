"""`tractable catalogue upgrade|rebuild|add|list|audit|sign|verify`: the catalogue, for people and for programs."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from rich.console import Console
from rich.table import Column, Table

from recorder.catalogue.audit import Signature
from recorder.catalogue.database import CatalogueUnusable, opened, shown
from recorder.catalogue.models import AuditEntry, SessionSummary
from recorder.catalogue.rebuild import Rebuilt, add, altered, rebuild
from recorder.catalogue.store import Catalogue, catalogue
from recorder.catalogue.upgrade import upgrade, version_of
from recorder.pseudonym import PATIENT, KeyUnusable, kept_key, keyed
from recorder.storage import session_files
from tractable.exit_codes import Exit
from tractable.export_command import shown_progress
from tractable.settings import Settings

LISTED: Final = ("id", "state", "started_utc", "patient", "table_serial", "time_at_force_s", "mean_n", "peak_n")
AUDITED: Final = ("number", "at_utc", "actor", "action", "subject", "signed_by", "meaning")


def upgrade_it(settings: Settings) -> Exit:
    """Makes the tables, or brings them up to this version after a backup."""
    return said(lambda: _say(_upgraded(settings)))


def rebuild_it(settings: Settings, as_json: bool) -> Exit:
    """Fills the catalogue from all session files; makes it where there is none."""

    def fill() -> Exit:
        with open_catalogue(settings, make=True) as (kept, key):
            return _say_rebuilt(rebuild(kept, settings.data_folder, key), as_json)

    return said(fill)


def add_files(settings: Settings, paths: list[Path]) -> Exit:
    """Keeps what these session files say; makes the catalogue where there is none."""

    def fill() -> Exit:
        with open_catalogue(settings, make=True) as (kept, key):
            return _say_rebuilt(add(kept, paths, settings.data_folder, key), as_json=False)

    return said(fill)


def list_sessions(
    settings: Settings, patient: str | None, since: str | None, table: int | None, number: int, as_json: bool
) -> Exit:
    """Sessions by patient (as the record knows them, or the pseudonym), day and table, the newest first."""

    def ask() -> Exit:
        with open_catalogue(settings) as (kept, key), kept.asking() as session:
            query = sa.select(SessionSummary).order_by(SessionSummary.started_utc.desc()).limit(number)
            if patient is not None:
                query = query.where(SessionSummary.patient.in_([patient, keyed(key, PATIENT, patient)]))
            if since is not None:
                query = query.where(SessionSummary.started_utc >= since)
            if table is not None:
                query = query.where(SessionSummary.table_serial == table)
            rows = [row.values() for row in session.scalars(query)]
        _print(rows, LISTED, as_json, "No session in the catalogue fits.")
        return Exit.DONE

    return said(ask)


def audit(settings: Settings, subject: str | None, number: int, as_json: bool) -> Exit:
    """The newest entries of the audit trail, of one subject where it is named; old and new values with `--json`."""

    def ask() -> Exit:
        with open_catalogue(settings) as (kept, _key), kept.asking() as session:
            query = sa.select(AuditEntry).order_by(AuditEntry.number.desc()).limit(number)
            if subject is not None:
                query = query.where(AuditEntry.subject == subject)
            rows = [row.values() for row in session.scalars(query)][::-1]
        _print(rows, AUDITED, as_json, "The audit trail has no such entry.")
        return Exit.DONE

    return said(ask)


def sign(settings: Settings, subject: str, by: str, meaning: str) -> Exit:
    """Somebody signs what the trail holds of a subject now: its newest entry, by its number and hash."""

    def signed() -> Exit:
        with open_catalogue(settings) as (kept, _key):
            with kept.asking() as session:
                query = sa.select(AuditEntry).where(AuditEntry.subject == subject, AuditEntry.new.is_not(None))
                newest = session.scalars(query.order_by(AuditEntry.number.desc()).limit(1)).first()
            if newest is None:
                print(f"The audit trail has nothing of {subject}. See: tractable catalogue audit", file=sys.stderr)
                return Exit.REFUSED
            kept.sign(subject, Signature(by, meaning), {"entry": newest.number, "hash": newest.hash})
        return _say(f"{by} signed entry {newest.number}, {subject}: {meaning}.")

    return said(signed)


def verify_it(settings: Settings, trail_only: bool, as_json: bool) -> Exit:
    """Whether the audit trail is whole, and each session file ends as the trail says. REFUSED where not."""

    def check() -> Exit:
        with open_catalogue(settings) as (kept, _key):
            head, found = kept.head(), kept.findings()
            if not trail_only:
                files = len(list(session_files(settings.data_folder)))
                with shown_progress("Verifying session files", files) as verified:
                    found += altered(kept, settings.data_folder, verified.add)
        if as_json:
            print(json.dumps({"entries": head.number, "last_hash": head.hash, "findings": found}, indent=2))
        else:
            and_files = "" if trail_only else ", and the session files fit it"
            print(*(found or [f"The audit trail is whole ({head.number} entries){and_files}."]), sep="\n")
        return Exit.REFUSED if found else Exit.DONE

    return said(check)


@contextmanager
def open_catalogue(settings: Settings, *, make: bool = False) -> Iterator[tuple[Catalogue, bytes]]:
    """The catalogue and the site's key; with `make` one that is not there yet is made."""
    if make:
        _make_first(settings)
    key = kept_key(settings.pseudonym_key_file)
    with catalogue(settings.catalogue_address, key, settings.data_folder) as kept:
        yield kept, key


def _make_first(settings: Settings) -> None:
    """A catalogue that is not there is made; one of an earlier version waits for somebody to upgrade it."""
    with opened(settings.catalogue_address, make=True) as engine:
        missing = version_of(engine) is None
    if missing:
        _upgraded(settings)


def _upgraded(settings: Settings) -> str:
    done = upgrade(settings.catalogue_address, settings.data_folder / "backups")
    name = shown(settings.catalogue_address)
    if done.before == done.after:
        return f"{name} has version {done.after} already."
    with open_catalogue(settings) as (kept, _key):
        kept.note("administrator", "upgraded", "catalogue:tables", {"before": done.before, "after": done.after})
    backup = "" if done.backup is None else f" What was there before is in {done.backup}."
    return f"{name} has version {done.after} now.{backup}"


def said(act: Callable[[], Exit]) -> Exit:
    """What that comes to; a catalogue or a key that cannot be used is a sentence on stderr."""
    try:
        return act()
    except (CatalogueUnusable, KeyUnusable) as problem:
        print(problem, file=sys.stderr)
        return Exit.REFUSED


def _say(sentence: str) -> Exit:
    print(sentence)
    return Exit.DONE


def _say_rebuilt(done: Rebuilt, as_json: bool) -> Exit:
    if as_json:
        print(json.dumps(asdict(done), indent=2))
    else:
        print(f"{done.files} session files; {done.changed} rows added or changed.")
        for problem in done.problems:
            print(f"Left out: {problem}", file=sys.stderr)
    return Exit.REFUSED if done.problems else Exit.DONE


def _print(rows: list[dict[str, Any]], columns: tuple[str, ...], as_json: bool, nothing: str) -> None:
    if as_json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))
    elif not rows:
        print(nothing)
    else:
        table = Table(*(Column(name, overflow="fold") for name in columns), box=None)
        for row in rows:
            table.add_row(*(_cell(row[name]) for name in columns))
        Console(markup=False, emoji=False).print(table)


def _cell(value: object) -> str:
    return "" if value is None else f"{value:.1f}" if isinstance(value, float) else str(value)
