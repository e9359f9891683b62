"""`tractable session list|show|verify`: the records, for people and for programs."""

import json
import sqlite3
import sys
from collections.abc import Callable
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Column, Table

from controller.blinding import without_newtons
from recorder.dose import dose
from recorder.reading import NewerFormat, NotASession, Session, open_session
from recorder.report.figures import receipt_lines
from recorder.report.receipt import receipt
from recorder.store import NoSuchSession, SessionSummary, find, list_sessions
from recorder.verification import verify
from tractable.exit_codes import Exit
from tractable.settings import Settings


def list_all(settings: Settings, as_json: bool) -> Exit:
    """A line a session, the newest first."""
    summaries = list_sessions(settings.data_folder)
    if as_json:
        _print_json([summary.as_json() for summary in summaries])
        return Exit.DONE
    if not summaries:
        print(f"No sessions in {settings.data_folder} yet. Run one with: tractable session run PRESCRIPTION.toml")
        return Exit.DONE
    shown = Table(
        Column("Session", no_wrap=True),
        "Patient",
        "Began (UTC)",
        "Prescribed",
        "Lasted",
        "Samples",
        "Table",
        "",
        box=None,
    )
    for summary in summaries:
        table = summary.table or {}
        lasted = "" if summary.duration_s is None else f"{summary.duration_s:.0f} s"
        samples = "" if summary.samples is None else str(summary.samples)
        name = f"{table.get('model', '')} {table.get('serial', '')}".strip()
        remark = summary.problem or ("simulated" if summary.simulated else "")
        began, prescribed = _minute(summary.started_utc), _prescribed(summary)
        shown.add_row(summary.id, summary.pseudonym or "", began, prescribed, lasted, samples, name, remark)
    Console(markup=False, emoji=False).print(shown)
    return Exit.DONE


def _prescribed(summary: SessionSummary) -> str:
    if summary.blinded:
        return "blinded"
    force = "" if summary.force_n is None else f"{summary.force_n:g} N"
    return ", ".join(word for word in (summary.mode, force) if word)


def show(settings: Settings, wanted: str, as_json: bool, unblind: bool = False) -> Exit:
    """What was prescribed, delivered and happened in one session. As JSON it is the record, with its arm."""
    return with_session(
        settings, wanted, lambda session: _show_json(session) if as_json else _show_text(session, unblind)
    )


def verify_one(settings: Settings, wanted: str, as_json: bool) -> Exit:
    """Whether a record is whole and unaltered."""
    try:
        path = find(settings.data_folder, wanted)
        found = verify(path)
    except (NoSuchSession, NotASession, NewerFormat, OSError) as problem:
        print(problem, file=sys.stderr)
        return Exit.REFUSED
    if as_json:
        _print_json(found.as_json())
    else:
        print(f"{path}\n{found.finding}\n{found.blocks} blocks, {found.samples} samples, {found.events} events.")
        if found.state == "altered":
            print(f"What is whole goes to a new file with: tractable session verify {path} --recover NEW.tractable")
    return Exit.REFUSED if found.state == "altered" else Exit.DONE


def with_session(settings: Settings, wanted: str, act: Callable[[Session], None]) -> Exit:
    """Does it with the session that goes by that name, or says on stderr why not and what to do."""
    try:
        path = find(settings.data_folder, wanted)
        with open_session(path) as session:
            act(session)
    except (NoSuchSession, NotASession, NewerFormat, OSError) as problem:
        print(problem, file=sys.stderr)
        return Exit.REFUSED
    except (sqlite3.DatabaseError, ValueError) as problem:  # ValueError: JSON or a prescription that cannot be read
        reason = str(problem).splitlines()[0]
        print(f"{path} is damaged ({reason}). See where with: tractable session verify {path}", file=sys.stderr)
        return Exit.REFUSED
    return Exit.DONE


def _show_json(session: Session) -> None:
    header = session.header
    _print_json(
        {
            "session_id": header.session_id,
            "started_utc": header.started_utc,
            "ended_utc": session.ended_utc,
            "simulated": header.simulated,
            "prescription": header.prescription,
            "calibration": header.calibration,
            "table": header.table,
            "limits": header.limits,
            "versions": header.versions,
            "samples": session.sample_count,
            "dose": dose(session).as_json(),
            "events": [
                {
                    "number": e.number,
                    "t_us": e.t_us,
                    "time_utc": e.time_utc,
                    "kind": e.kind,
                    "actor": e.actor,
                    "text": e.text,
                }
                for e in session.events()
            ],
        }
    )


def _show_text(session: Session, unblind: bool) -> None:
    console, made = Console(emoji=False), receipt(session, unblind=unblind)
    lines = [
        *receipt_lines(made),
        "",
        *(
            f"{_clock(e.time_utc)}  {e.kind:8} {without_newtons(e.text) if made.hidden else e.text}"
            for e in session.events()
        ),
    ]
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _minute(time_utc: str | None) -> str:
    return "" if time_utc is None else f"{datetime.fromisoformat(time_utc):%Y-%m-%d %H:%M}"


def _clock(time_utc: str) -> str:
    return f"{datetime.fromisoformat(time_utc):%H:%M:%S}"


def _print_json(value: Any) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=False))
