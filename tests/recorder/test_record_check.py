"""Records are looked at without anybody asking: what was altered is told by name, what is as it should be is not."""

import shutil
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from controller.journal import EventRow, SampleRow, SessionHeader
from recorder.ended_list import as_ended
from recorder.journal import SessionJournal
from recorder.record_check import RecordCheck, finding, newest_files
from recorder.session_format import SCHEMA
from recorder.verification import verify

WITHIN_S = 20.0
Edit = Callable[[Path], None]


class Told:
    """What the check told, and when it has told so much."""

    def __init__(self) -> None:
        self.sentences: list[str] = []
        self._news = threading.Condition()

    def __call__(self, sentence: str) -> None:
        with self._news:
            self.sentences.append(sentence)
            self._news.notify_all()

    def wait_for(self, number: int) -> list[str]:
        with self._news:
            assert self._news.wait_for(lambda: len(self.sentences) >= number, WITHIN_S)
        return self.sentences


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def check(told: Told) -> Iterator[RecordCheck]:
    with closing(RecordCheck(told)) as check:
        yield check


@pytest.fixture
def three(record: Callable[..., Path], header: SessionHeader, make_sample: Callable[[int], SampleRow]) -> list[Path]:
    """Three sessions that were ended, each of 300 samples."""
    ids = ("2025-03-01-A", "2025-03-02-B", "2025-03-03-C")
    samples, events = [make_sample(seq) for seq in range(300)], list[EventRow]()
    return [record(samples, events, replaced(header, id_)) for id_ in ids]


def replaced(header: SessionHeader, session_id: str) -> SessionHeader:
    return SessionHeader(**{**{name: getattr(header, name) for name in header.__slots__}, "session_id": session_id})


def change(path: Path, *statements: str) -> None:
    """Edits the record as somebody would who knows the format, and puts the guards back."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        for statement in (*statements, *(guard for guard in SCHEMA if guard.startswith("CREATE TRIGGER"))):
            connection.execute(statement)


def an_edited_sample(path: Path) -> None:
    change(path, "UPDATE samples SET force_a_mn = 1 WHERE row = 150")


def a_tail_cut_off(path: Path) -> None:
    change(path, "DELETE FROM blocks WHERE number >= 3", "DELETE FROM samples WHERE row > 200")


def the_beginning_overwritten(path: Path) -> None:
    path.write_bytes(bytes(4096) + path.read_bytes()[4096:])


def everything_gone(path: Path) -> None:
    path.write_bytes(b"")


def a_record_of_somebody_elses(path: Path) -> None:
    """Whole in itself, and not what was ended here."""
    shutil.copy(path.with_name("2025-03-03-C.tractable"), path)


ALTERED = {
    "an edited sample": (an_edited_sample, "2025-03-01-A.tractable, block 2: Something was edited in block 2"),
    "a tail cut off": (a_tail_cut_off, "ended with 5 blocks, and the last 2 of them are gone"),
    "the beginning overwritten": (the_beginning_overwritten, "its beginning is damaged"),
    "everything gone": (everything_gone, "is not a session file"),
    "another record in its place": (a_record_of_somebody_elses, "written anew"),
}


@pytest.mark.parametrize(("edit", "said"), ALTERED.values(), ids=ALTERED)
def test_a_record_that_was_altered_is_told_by_name_and_the_others_are_not(
    three: list[Path], check: RecordCheck, told: Told, edit: Edit, said: str
) -> None:
    edit(three[0])

    check.check(three)
    check.check([three[0]])

    sentences = told.wait_for(2)
    assert sentences[0] == sentences[1]
    assert sentences[0].startswith("2025-03-01-A.tractable")
    assert said in sentences[0]


def test_a_changed_byte_is_found_wherever_it_is(three: list[Path]) -> None:
    path = three[0]
    before = path.read_bytes()

    missed = []
    for at in range(0, len(before), 97):
        path.write_bytes(before[:at] + bytes([before[at] ^ 0x10]) + before[at + 1 :])
        if finding(path) is None:
            missed.append(at)

    assert missed == []


def test_the_newest_files_are_those_written_to_last(three: list[Path], tmp_path: Path) -> None:
    an_edited_sample(three[0])

    assert newest_files(tmp_path, 1) == [three[0]]


def test_a_record_that_was_interrupted_or_never_begun_is_nothing_to_tell_of(
    record: Callable[..., Path], make_sample: Callable[[int], SampleRow]
) -> None:
    interrupted = record([make_sample(seq) for seq in range(10)], [], ended=False)
    never_begun = interrupted.with_name("2025-03-09-Z.tractable")
    never_begun.touch()

    assert finding(interrupted) is None
    assert finding(never_begun) is None


def test_a_list_that_cannot_be_written_costs_no_record(
    tmp_path: Path, header: SessionHeader, make_sample: Callable[[int], SampleRow]
) -> None:
    (tmp_path / "sessions" / "ended.jsonl").mkdir(parents=True)
    with SessionJournal(tmp_path) as journal:
        journal.begin(header)
        journal.sample(make_sample(1))
        journal.end()

    assert journal.ended is not None
    assert as_ended(journal.ended) is None
    assert verify(journal.ended).state == "whole"


def test_the_journal_names_each_file_that_it_has_ended(tmp_path: Path, header: SessionHeader) -> None:
    named: list[Path] = []
    with SessionJournal(tmp_path, on_ended=named.append) as journal:
        journal.begin(header)
        journal.end()

    assert named == [journal.ended]


def says(sentence: str, code: int) -> list[str]:
    return [sys.executable, "-c", f"import sys; print({sentence!r}); sys.exit({code})"]


def test_an_altered_audit_trail_is_told_and_one_that_cannot_be_read_now_is_not(check: RecordCheck, told: Told) -> None:
    check.check_trail(says("", 1))
    check.check_trail(says("The database is far away.", 3))
    check.check_trail(["/nowhere/at/all"])
    check.check_trail(says("Whole.", 0))
    check.check_trail(says("Edited: entry 2 of the audit trail.\nCut off: entry 9.", 1))

    assert told.wait_for(1) == ["Edited: entry 2 of the audit trail."]


def test_a_check_that_cannot_be_made_is_told(three: list[Path], told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")

    with closing(RecordCheck(told)) as check:
        check.check(three[:1])
        sentences = told.wait_for(1)

    assert sentences == ["2025-03-01-A.tractable: the check of the record broke off (1)."]
