"""Looks, without being asked, whether records are as they were written: the newest ones at start, each one at its end,
and the catalogue's audit trail at start.

A process of its own, of ordinary priority, verifies each: the table's process does not share Python's one lock
with it, and a file so damaged that SQLite falls over it takes nothing else with it.

    python -m recorder.record_check FILE     prints a sentence, and ends with 1, if the record was altered
"""

import contextlib
import os
import signal
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Final

from recorder.background_process import begin
from recorder.ended_list import as_ended
from recorder.session_format import NewerFormat, NotASession
from recorder.storage import session_files
from recorder.stored import open_read_only
from recorder.verification import verify

NEWEST: Final = 5
ALTERED: Final = 1
PAGE_BYTES: Final = 4096


def newest_files(root: Path, number: int = NEWEST) -> list[Path]:
    """The session files that were written to last; one that was edited since is among them."""
    times: list[tuple[float, Path]] = []
    for path in session_files(root):
        with contextlib.suppress(OSError):
            times.append((path.stat().st_mtime, path))
    return [path for _time, path in sorted(times, reverse=True)[:number]]


def finding(path: Path) -> str | None:
    """A sentence that names the file and, where there is one, the first bad block; None where nothing is wrong."""
    if was_never_begun(path):
        return None
    try:
        found = verify(path)
    except NewerFormat:
        return None
    except (NotASession, sqlite3.DatabaseError, OSError) as damaged:
        return f"{path.name}: {damaged}"
    if found.state != "altered":
        return None
    block = "" if found.first_bad_block is None else f", block {found.first_bad_block}"
    return f"{path.name}{block}: {found.finding}"


def was_never_begun(path: Path) -> bool:
    """A power cut just as a session began: the file is there, and nothing was ever in it."""
    if as_ended(path) is not None:
        return False
    try:
        if path.with_name(path.name + "-journal").exists() and path.stat().st_size <= PAGE_BYTES:
            return True  # while its very first page was written
        with contextlib.closing(open_read_only(path)) as connection:
            return bool(connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,))
    except (NotASession, sqlite3.DatabaseError, OSError):
        return False


@dataclass(frozen=True, slots=True)
class _Look:
    """A process that prints a sentence, and ends with 1, if what it looks at was altered. `of`: what that is, where it
    counts as altered also if the process breaks off: a file may be so damaged that it does.
    """

    command: tuple[str, ...]
    of: str | None = None


class RecordCheck:
    """Verifies one after the other in the background, and tells `on_altered` a sentence for each that is not what was
    written, in a thread of its own.
    """

    def __init__(self, on_altered: Callable[[str], None]) -> None:
        self._on_altered = on_altered
        self._looks: SimpleQueue[_Look | None] = SimpleQueue()
        self._checking: int | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="record-check", daemon=True)
        self._thread.start()

    def check(self, paths: Iterable[Path]) -> None:
        """Takes these files over and returns at once."""
        for path in paths:
            self._looks.put(_Look((sys.executable, "-m", "recorder.record_check", str(path)), path.name))

    def check_trail(self, command: Sequence[str]) -> None:
        """Has the audit trail verified by this command, and returns at once. It prints what is wrong, and ends with 1;
        a trail that cannot be read now, in a database far away, is not an altered one.
        """
        self._looks.put(_Look(tuple(command)))

    def close(self) -> None:
        """Ends the check that is going on, and the thread."""
        self._closing = True
        self._looks.put(None)
        if (checking := self._checking) is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(checking, signal.SIGKILL)
        self._thread.join()

    def _run(self) -> None:
        while (look := self._looks.get()) is not None and not self._closing:
            try:
                sentence = self._found(look)
            except OSError as error:
                sentence = look.of and f"{look.of}: the record could not be checked ({error})."
            if sentence is not None and not self._closing:
                self._on_altered(sentence)

    def _found(self, look: _Look) -> str | None:
        with contextlib.ExitStack() as stack:
            reading, writing = os.pipe()
            said = stack.enter_context(os.fdopen(reading, "rb"))
            self._checking = begin(look.command, writing)
            os.close(writing)
            text = said.read().decode(errors="replace").strip()
            _pid, status = os.waitpid(self._checking, 0)
            self._checking = None
        code = os.waitstatus_to_exitcode(status)
        if code == 0:
            return None
        if code == ALTERED and text:
            return text.splitlines()[0]
        return look.of and f"{look.of}: the check of the record broke off ({code})."


def main(path: Path) -> int:
    sentence = finding(path)
    if sentence is None:
        return 0
    print(sentence)
    return ALTERED


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
