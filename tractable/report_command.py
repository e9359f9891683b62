"""`tractable session report`: what was delivered, as a receipt, a note to paste, or one page to print."""

import json
import sqlite3
import sys
from pathlib import Path

from recorder.reading import NewerFormat, NotASession, open_session
from recorder.report.figures import receipt_lines
from recorder.report.note import note
from recorder.report.pdf import CannotReport, report_pdf
from recorder.report.receipt import receipt
from recorder.store import NoSuchSession, find
from tractable.exit_codes import Exit
from tractable.settings import Settings


def report_one(
    settings: Settings, wanted: str, pdf: Path | None, *, as_note: bool, as_json: bool, unblind: bool
) -> Exit:
    """Prints the receipt or the note, or writes the page. What a blinded session hides is shown only with `unblind`."""
    try:
        path = find(settings.data_folder, wanted)
        with open_session(path) as session:
            made = receipt(session, unblind=unblind)
            page = None if pdf is None else report_pdf(session, made)
    except (NoSuchSession, NotASession, NewerFormat, CannotReport, OSError) as problem:
        print(problem, file=sys.stderr)
        return Exit.REFUSED
    except (sqlite3.DatabaseError, ValueError) as problem:
        reason = str(problem).splitlines()[0]
        print(f"{path} is damaged ({reason}). See where with: tractable session verify {path}", file=sys.stderr)
        return Exit.REFUSED
    if pdf is not None and page is not None:
        return _written(pdf, page)
    if as_json:
        print(json.dumps(made.as_json(), indent=2, ensure_ascii=False))
    elif as_note:
        print(note(made), end="")
    else:
        print("\n".join(receipt_lines(made)))
    return Exit.DONE


def _written(path: Path, page: bytes) -> Exit:
    try:
        path.write_bytes(page)
    except OSError as problem:
        print(f"{path} cannot be written: {problem.strerror}.", file=sys.stderr)
        return Exit.REFUSED
    print(path)
    return Exit.DONE
