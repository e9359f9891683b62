"""One session's record through failures of the disk: the same file again where that works, else a next part of it.

A part is a session file of its own (`<id>.part2.tractable`) whose meta names the file it goes on from, that file's
last hash, the session's first sample by the device's clock, and the phase it goes on in. What the file before it holds
behind that hash was never certain, and is in the next part again.
"""

import contextlib
import json
import sqlite3
from pathlib import Path
from typing import Final

from controller.journal import SessionHeader
from recorder.block_chain import Link, Rows, block_after
from recorder.ended_list import note_ended
from recorder.session_file import FileGone, SessionFile, meta_rows
from recorder.session_format import EVENT_COLUMNS, SAMPLE_COLUMNS, names
from recorder.storage import failure_sentence, place_is_closed, place_is_full, session_path, sync_failed

# A file that failed this often, while its disk is neither full nor closed, is given up for a next part.
FAILURES_MAX: Final = 3
PARTS_MAX: Final = 1000
_T_US: Final = names(SAMPLE_COLUMNS).split(", ").index("t_us")
_KIND: Final = names(EVENT_COLUMNS).split(", ").index("kind")
_DATA: Final = names(EVENT_COLUMNS).split(", ").index("data")


class CannotRecord(Exception):
    """Nothing was written now; the sentence is for people. The same rows may be offered again."""


class SessionRecording:
    """Writes the blocks of one session. For one thread."""

    def __init__(self, root: Path, header: SessionHeader) -> None:
        self._root = root
        self._header = header
        self._file: SessionFile | None = None
        self._path: Path | None = None
        self._last: Link | None = None
        self._first_t_us: int | None = None
        self._phase: str | None = None
        self._part = 0
        self._failures = 0

    @property
    def path(self) -> Path | None:
        """The file that is being written, None before there is one."""
        return self._path

    def begin(self, now_utc: str) -> None:
        """Makes the file, if there is none yet. Raises CannotRecord."""
        try:
            self._ready_file(now_utc)
        except (sqlite3.Error, OSError) as error:
            self._failed(error)

    def write(self, rows: Rows) -> None:
        """Adds one block; it is on the disk when this returns. Raises CannotRecord: offer the same rows again later."""
        try:
            file = self._ready_file(rows.written_utc)
            if not self._is_already_there(file, rows):
                file.append(rows)
            self._last = file.last
            self._failures = 0
            self._note(rows)
        except (sqlite3.Error, OSError) as error:
            self._failed(error)

    def finish(self) -> None:
        """Closes the file for good, after its closing block."""
        if self._file is not None:
            self._file.finish()
            note_ended(self._file.path, self._file.last)
            self._file = None

    def abandon(self) -> None:
        """Lets go of the file as it is."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _note(self, rows: Rows) -> None:
        if self._first_t_us is None and rows.samples:
            self._first_t_us = int(str(rows.samples[0][_T_US]))
        for event in rows.events:
            if event[_KIND] == "phase":
                self._phase = json.loads(str(event[_DATA])).get("phase")

    def _failed(self, error: sqlite3.Error | OSError) -> None:
        self.abandon()
        if isinstance(error, FileGone) or sync_failed(error):
            self._failures = FAILURES_MAX
        elif not (place_is_full(error, self._root) or place_is_closed(error)):
            self._failures += 1
        raise CannotRecord(failure_sentence(error, self._root)) from error

    def _ready_file(self, now_utc: str) -> SessionFile:
        if self._file is None:
            beyond_use = self._path is None or self._failures >= FAILURES_MAX
            self._file = self._next_part(now_utc) if beyond_use else self._same_again()
        return self._file

    def _same_again(self) -> SessionFile:
        assert self._path is not None
        return SessionFile.reopen(self._path)

    def _is_already_there(self, file: SessionFile, rows: Rows) -> bool:
        """A commit that failed may have reached the disk after all: then the newest block is this very one."""
        if self._last is None or file.last == self._last:
            return False
        if file.last.hash == block_after(self._last, rows).hash:
            return True
        self._failures = FAILURES_MAX
        raise sqlite3.DatabaseError(f"{file.path.name} does not end as it was left")

    def _next_part(self, now_utc: str) -> SessionFile:
        continues: dict[str, object] | None = None
        if self._path is not None and self._last is not None:
            continues = {
                "file": self._path.name,
                "hash": self._last.hash,
                "first_t_us": self._first_t_us,
                "phase": self._phase,
            }
        for part in range(self._part + 1, PARTS_MAX):
            path = session_path(self._root, self._header.session_id, self._header.started_utc, part)
            # Taken: this session was begun before, by a program that did not end it. Its file stays as it is.
            with contextlib.suppress(FileExistsError):
                file = SessionFile.create(path, Rows("opening", now_utc, meta=meta_rows(self._header, part, continues)))
                self._path, self._last, self._part, self._failures = path, file.last, part, 0
                return file
        raise FileExistsError(f"there are {PARTS_MAX} files of session {self._header.session_id}")
