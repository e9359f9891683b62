"""The controller's journal, kept in session files by a thread of its own.

Handing over a row costs an append to a queue in memory: no lock that the writing thread holds, no disk, no exception.
What the disk does not take waits, up to a bound; the oldest rows are kept, so that what is written is a beginning
without holes.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from controller.journal import EventRow, JournalHealth, SampleRow, SessionHeader
from recorder.block_chain import Rows, StoredRow
from recorder.session_file import event_row, sample_row
from recorder.session_recording import CannotRecord, SessionRecording
from recorder.storage import FreeSpace, closed_sentence, disk_hangs, is_closed

__all__ = ["FreeSpace", "SessionJournal"]

# A row may be lost for 250 ms at most; the rest of that is the disk's time to commit.
COMMIT_EVERY_S: Final = 0.1
WAITING_SAMPLES_MAX: Final = 10 * 60 * 320  # ten minutes at the fastest table's rate; about 80 MB
WAITING_EVENTS_MAX: Final = 20_000
BLOCK_ROWS_MAX: Final = 1024
# While catching up, the loop's thread gets the interpreter between two blocks.
CATCH_UP_PAUSE_S: Final = 0.02
# Between sessions: a folder that has become read-only is told before anybody wants to begin.
LOOK_EVERY_S: Final = 0.5
# A card may take a second to tidy up; after this, what is only in memory is told.
HANGS_AFTER_S: Final = 1.5
RETRY_AFTER_S: Final = (0.25, 0.5, 1.0, 2.0, 5.0)


@dataclass(frozen=True, slots=True)
class _End:
    time_utc: str


_Entry = SessionHeader | SampleRow | EventRow | _End


@dataclass(frozen=True, slots=True)
class _InHand:
    """A block that is offered to the disk until it takes it, and how many entries of the queue went into it."""

    rows: Rows | None
    entries: int


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


class SessionJournal:
    """Fills the controller's Journal. Rows that come while no session is open belong to none and are not kept.

    `begin`, `sample`, `event` and `end` are called from one thread; the rest from any.
    """

    def __init__(
        self,
        root: Path,
        now_utc: Callable[[], datetime] = _utc_now,
        on_ended: Callable[[Path], None] = lambda _path: None,
    ) -> None:
        """`on_ended` is told each file that was written to its end, in the journal's own thread."""
        self._root = root
        self._now_utc = now_utc
        self._on_ended = on_ended
        # Appending to a deque and taking from it are atomic. Each counter is written by one thread only.
        self._queue: deque[_Entry] = deque()
        self._taken = 0
        self._settled = 0
        self._dropped = 0
        self._misshapen = 0
        self._open = False
        self._closing = False
        self._in_hand: _InHand | None = None
        self._recording: SessionRecording | None = None
        self._ended: Path | None = None
        self._failure: str | None = None
        self._writing_since: float | None = None
        self._retries = 0
        self._wake = threading.Event()
        self._progress = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="session-journal", daemon=True)
        self._thread.start()

    # What the controller calls.

    def begin(self, header: SessionHeader) -> None:
        """Starts a session's record. One that was not ended before stays as it is, and reads as interrupted."""
        self._open = True
        self._take(header)
        self._wake.set()

    def sample(self, row: SampleRow) -> None:
        """Takes a sample over. Returns at once."""
        if self._open:
            self._take_or_drop(row, WAITING_SAMPLES_MAX)

    def event(self, row: EventRow) -> None:
        """Takes an event over. Returns at once. Room is kept for events when that for samples is used up."""
        if self._open:
            self._take_or_drop(row, WAITING_SAMPLES_MAX + WAITING_EVENTS_MAX)

    def end(self) -> None:
        """Closes the session's record, in the background, once all that was taken until now is written."""
        if self._open:
            self._open = False
            self._take(_End(_iso(self._now_utc())))
            self._wake.set()

    def health(self) -> JournalHealth:
        """What waits, what was lost, and a sentence when the record cannot be written."""
        failure = self._failure or self._hanging()
        if failure is not None and self._dropped:
            failure += " The memory for waiting rows is full as well: samples are being lost."
        return JournalHealth(self._taken - self._settled, self._dropped + self._misshapen, failure)

    def _hanging(self) -> str | None:
        since = self._writing_since
        if since is None or time.monotonic() - since < HANGS_AFTER_S:
            return None
        return f"The session cannot be recorded now: {disk_hangs(self._root)}"

    def _take_or_drop(self, row: SampleRow | EventRow, waiting_max: int) -> None:
        if self._taken - self._settled < waiting_max:
            self._take(row)
        else:
            self._dropped += 1

    def _take(self, entry: _Entry) -> None:
        self._taken += 1
        self._queue.append(entry)

    # What whoever runs the controller calls.

    @property
    def path(self) -> Path | None:
        """The file of the session that is being written; None before there is one, and between sessions."""
        recording = self._recording
        return None if recording is None else recording.path

    @property
    def ended(self) -> Path | None:
        """The file of the session that was written to its end last."""
        return self._ended

    def wait_until_written(self, timeout_s: float) -> bool:
        """Waits until everything taken so far is on the disk. False if it is not by then."""
        with self._progress:
            return self._progress.wait_for(self._nothing_waits, timeout_s)

    def close(self, timeout_s: float = 5.0) -> bool:
        """Writes what it can and ends the thread. False if rows are left that the disk did not take."""
        self._closing = True
        self._wake.set()
        self._thread.join(timeout_s)
        return not self._thread.is_alive() and self._nothing_waits()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # What the thread does.

    def _nothing_waits(self) -> bool:
        return self._settled == self._taken

    def _run(self) -> None:
        try:
            while not self._closing:
                written = self._write_a_block()
                if self._is_idle():
                    self._failure = closed_sentence(self._root) if is_closed(self._root) else None
                self._wake.wait(self._pause_s(written))
                self._wake.clear()
            while not self._nothing_waits() and self._write_a_block():
                pass
        except Exception as error:  # noqa: BLE001 - a recorder that died must be seen, whatever it died of
            self._failure = f"The recorder has stopped ({error!r}). Finish here, and start the table's program again."
        finally:
            if self._recording is not None:
                self._recording.abandon()

    def _is_idle(self) -> bool:
        return self._recording is None and self._nothing_waits()

    def _pause_s(self, written: bool) -> float:
        """How long to wait for more."""
        if not written:
            return RETRY_AFTER_S[min(self._retries, len(RETRY_AFTER_S)) - 1]
        if len(self._queue) >= BLOCK_ROWS_MAX or (self._recording is None and self._queue):
            return CATCH_UP_PAUSE_S
        return LOOK_EVERY_S if self._is_idle() else COMMIT_EVERY_S

    def _write_a_block(self) -> bool:
        """Writes what has come, as one block at most. False if the disk did not take it: then it stays in hand."""
        if self._in_hand is None:
            self._in_hand = self._gather()
        self._writing_since = time.monotonic()
        try:
            self._write(self._in_hand.rows)
        except CannotRecord as failure:
            self._failure = str(failure)
            self._retries += 1
            return False
        finally:
            self._writing_since = None
        with self._progress:
            self._settled += self._in_hand.entries
            self._in_hand, self._failure, self._retries = None, None, 0
            self._progress.notify_all()
        return True

    def _gather(self) -> _InHand:
        """Takes rows from the queue for one block, up to the session's end or the beginning of the next."""
        samples: list[StoredRow] = []
        events: list[StoredRow] = []
        entries = 0
        while self._queue and entries < BLOCK_ROWS_MAX:
            if entries and isinstance(self._queue[0], SessionHeader):
                break
            entries += 1
            match self._queue.popleft():
                case SessionHeader() as header:
                    self._begin_recording(header)
                case SampleRow() as sample:
                    self._keep(sample_row(sample), samples)
                case EventRow() as event:
                    self._keep(event_row(event), events)
                case _End(time_utc):
                    return _InHand(Rows("closing", time_utc, (), tuple(samples), tuple(events)), entries)
        some = bool(samples or events)
        rows = Rows("rows", _iso(self._now_utc()), (), tuple(samples), tuple(events)) if some else None
        return _InHand(rows, entries)

    def _keep(self, row: StoredRow | None, rows: list[StoredRow]) -> None:
        if row is None:
            self._misshapen += 1
        else:
            rows.append(row)

    def _begin_recording(self, header: SessionHeader) -> None:
        if self._recording is not None:
            self._recording.abandon()
        self._recording = SessionRecording(self._root, header)

    def _write(self, rows: Rows | None) -> None:
        recording = self._recording
        if recording is None:
            return
        if rows is None:
            recording.begin(_iso(self._now_utc()))
            return
        recording.write(rows)
        if rows.kind == "closing":
            recording.finish()
            self._ended, self._recording = recording.path, None
            if recording.path is not None:
                self._on_ended(recording.path)
