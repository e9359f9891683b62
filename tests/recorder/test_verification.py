"""Verification: an untouched record is whole, an interrupted one says so, and each kind of tampering is located."""

import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from controller.journal import EventRow, SampleRow
from recorder.block_chain import Block
from recorder.reading import NewerFormat, NotASession, open_session
from recorder.session_format import SAMPLE_COLUMNS
from recorder.verification import verify

FLIPS = 150
# Blocks of the finished session: 0 the header, then rows 1-100, 101-200, ... (the number of blocks may be larger).
EDITS = {
    "a force is edited": ("UPDATE samples SET force_a_mn = 1 WHERE row = 150", 150, "edited"),
    "a force is made absent": ("UPDATE samples SET force_a_mn = NULL WHERE row = 150", 150, "edited"),
    "a sample is deleted": ("DELETE FROM samples WHERE row = 250", 250, "deleted"),
    "the last samples are cut off": ("DELETE FROM samples WHERE row > 400", 401, "truncated"),
    "a sample is moved": ("UPDATE samples SET row = 9999 WHERE row = 350", 350, "deleted"),
    "two samples are swapped": ("UPDATE samples SET seq = 501 - seq WHERE row IN (250, 251)", 250, "edited"),
}


def tamper(path: Path, *statements: str, keep_guards: bool = True) -> None:
    """Edits the file as someone with an SQLite shell could: guards away, edit, guards back."""
    connection = sqlite3.connect(path, isolation_level=None)
    guards = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in guards:
        connection.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        connection.execute(statement)
    for _, sql in guards if keep_guards else ():
        connection.execute(sql)
    connection.close()


def block_of(path: Path, sample_row: int) -> int:
    connection = sqlite3.connect(path)
    query = "SELECT number FROM blocks WHERE ? BETWEEN first_sample AND last_sample"
    ((number,),) = connection.execute(query, (sample_row,)).fetchall()
    connection.close()
    return int(number)


def content(path: Path) -> object:
    """Everything that a reader can get out of a session file."""
    with open_session(path) as session:
        return session.meta, session.samples().to_pylist(), session.events(), session.gaps(), session.ended_utc


def test_an_untouched_record_is_whole(finished_session: Path) -> None:
    verification = verify(finished_session)

    assert verification.state == "whole"
    assert (verification.samples, verification.events) == (500, 3)
    assert verification.first_bad_block is None
    with open_session(finished_session) as session:
        assert verification.last_hash == session.last_hash


def test_a_record_without_its_end_reads_as_interrupted(
    record: Callable[..., Path], make_sample: Callable[[int], SampleRow]
) -> None:
    path = record([make_sample(seq) for seq in range(10)], [], ended=False)

    verification = verify(path)

    assert verification.state == "interrupted"
    assert "interrupted, or is still going on" in verification.finding


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
def test_a_tampered_sample_is_located(finished_session: Path, edit: tuple[str, int, str]) -> None:
    statement, row, expected = edit
    block = block_of(finished_session, row)

    tamper(finished_session, statement)

    verification = verify(finished_session)
    assert verification.state == "altered"
    assert verification.first_bad_block == block
    assert expected in verification.finding
    assert verification.samples < row


@pytest.mark.parametrize(
    ("statement", "block", "expected"),
    [
        ("UPDATE meta SET value = '\"nobody\"' WHERE key = 'session_id'", 0, "header was edited"),
        ("INSERT INTO meta VALUES ('more', '1')", 0, "header was edited"),
        ("DELETE FROM meta WHERE key = 'limits'", 0, "header was edited"),
        ("UPDATE events SET text = 'Now resting.' WHERE row = 2", 1, "events 1 to"),
        ("DELETE FROM events WHERE row = 1", 1, "deleted from block 1: row 1 of events"),
        ("UPDATE blocks SET written_utc = '2020-01-01T00:00:00Z' WHERE number = 2", 2, "edited in block 2"),
        ("UPDATE blocks SET hash = upper(hash) WHERE number = 2", 2, "edited in block 2"),
        ("DELETE FROM blocks WHERE number = 2", 2, "Block 2 is missing"),
        ("UPDATE blocks SET first_sample = first_sample + 1 WHERE number = 2", 2, "does not go on"),
        ("UPDATE blocks SET last_sample = 72057594037927936 WHERE number = 2", 2, "gone"),
        ("DELETE FROM blocks", 0, "Block 0 is missing"),
    ],
)
def test_tampering_with_anything_else_is_located(
    finished_session: Path, statement: str, block: int, expected: str
) -> None:
    tamper(finished_session, statement)

    verification = verify(finished_session)

    assert verification.state == "altered"
    assert verification.first_bad_block == block
    assert expected in verification.finding


def test_an_edit_that_gives_its_block_a_fresh_hash_breaks_the_chain_at_the_next(finished_session: Path) -> None:
    tamper(finished_session, "UPDATE samples SET force_a_mn = 1 WHERE row = 150")
    connection = sqlite3.connect(finished_session)
    block = block_of(finished_session, 150)
    ((before,),) = connection.execute("SELECT hash FROM blocks WHERE number = ?", (block - 1,)).fetchall()
    (row,) = connection.execute("SELECT * FROM blocks WHERE number = ?", (block,)).fetchall()
    samples = connection.execute("SELECT * FROM samples WHERE row BETWEEN ? AND ?", row[3:5]).fetchall()
    connection.close()

    tamper(
        finished_session,
        f"UPDATE blocks SET hash = '{Block(*row, samples=samples).hash_after(before, [])}' WHERE number = {block}",
    )

    assert verify(finished_session).first_bad_block == block + 1


def test_rows_that_were_added_behind_the_chain_are_counted(finished_session: Path) -> None:
    columns = ", ".join(column.name for column in SAMPLE_COLUMNS)

    tamper(finished_session, f"INSERT INTO samples SELECT row + 1000, {columns} FROM samples WHERE row < 4")

    verification = verify(finished_session)
    assert verification.state == "altered"
    assert verification.unchained_rows == 3
    assert "3 rows belong to no block" in verification.finding


def test_a_block_behind_the_end_is_found(finished_session: Path) -> None:
    added = "INSERT INTO blocks SELECT number + 1, 'rows', written_utc, NULL, NULL, NULL, NULL, hash FROM blocks"

    tamper(finished_session, f"{added} ORDER BY number DESC LIMIT 1")

    assert "behind the one that ends the record" in verify(finished_session).finding


def test_guards_that_are_gone_are_noticed_even_if_nothing_was_edited(finished_session: Path) -> None:
    tamper(finished_session, keep_guards=False)

    verification = verify(finished_session)

    assert verification.state == "altered"
    assert verification.first_bad_block is None
    assert "guards against changes" in verification.finding


def test_a_file_that_was_cut_short_is_found(finished_session: Path) -> None:
    whole = finished_session.read_bytes()
    for kept in (len(whole) - 4096, len(whole) // 2, len(whole) // 2 + 17):
        finished_session.write_bytes(whole[:kept])

        try:
            state = verify(finished_session).state
        except NotASession:
            state = "altered"

        assert state == "altered", f"{kept} of {len(whole)} bytes kept"


def test_no_flipped_byte_changes_the_record_unnoticed(finished_session: Path) -> None:
    whole, before = finished_session.read_bytes(), content(finished_session)
    chance = random.Random(20250301)
    noticed = 0
    for _ in range(FLIPS):
        place, mask = chance.randrange(len(whole)), chance.randrange(1, 256)
        damaged = bytearray(whole)
        damaged[place] ^= mask
        finished_session.write_bytes(damaged)

        try:
            reported = verify(finished_session).state != "whole"
        except (NotASession, NewerFormat):
            reported = True

        noticed += reported
        assert reported or content(finished_session) == before, f"byte {place} ^ {mask:#x}"
    assert noticed > FLIPS // 4


def test_an_event_with_any_text_and_data_stays_verifiable(
    record: Callable[..., Path], make_phase: Callable[..., EventRow]
) -> None:
    odd = {
        "ünïcode": "\u2028 \x00 \ud83d",
        "number": 1e300,
        "nan": float("nan"),
        "deep": [[{"a": None}]],
        "big": 10**40,
    }
    event = EventRow(1, None, "2025-03-01T09:30:00Z", "note", "K7", 'quote " and \n line \x00 end', odd)

    path = record([], [event])

    assert verify(path).state == "whole"
    with open_session(path) as session:
        assert session.events()[0].text == event.text
