"""Recovery: everything that is as it was written comes over, nothing else does, and the damaged file is not touched."""

import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from controller.journal import SampleRow, SessionHeader
from recorder.journal import SessionJournal
from recorder.reading import NewerFormat, NotASession, open_session
from recorder.recovery import CannotRecover, recover
from recorder.verification import verify

WITHIN_S = 20.0
PAGE = 4096
# The finished session holds these sample numbers, in blocks of 100 rows: block 1 is rows 1 to 100.
SEQS = [seq for seq in range(503) if seq not in (251, 252, 253)]


def edit(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    for (guard,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {guard}")
    connection.execute(statement)
    connection.close()


def everything_in(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def seqs(path: Path) -> list[int]:
    with open_session(path) as session:
        found: list[int] = session.samples(["seq"])["seq"].to_pylist()
    return found


@pytest.fixture
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("recovered") / "new.tractable"


def test_one_edited_block_is_left_out_and_all_others_come_over(finished_session: Path, out: Path) -> None:
    edit(finished_session, "UPDATE samples SET force_a_mn = 1 WHERE row = 150")

    done = recover(finished_session, out)

    assert (done.lost_blocks, done.header_whole, done.ended) == ((2,), True, True)
    assert seqs(out) == SEQS[:100] + SEQS[200:]
    found = verify(out)
    assert found.state == "whole"
    assert f"recovered from {finished_session.name} without its blocks [2]" in found.finding


def test_a_deleted_block_takes_the_one_behind_it_along_as_nothing_vouches_for_that(
    finished_session: Path, out: Path
) -> None:
    edit(finished_session, "DELETE FROM blocks WHERE number = 2")

    done = recover(finished_session, out)

    assert done.lost_blocks == (2, 3)
    assert seqs(out) == SEQS[:100] + SEQS[300:]


def test_rows_that_were_added_or_edited_by_hand_never_come_over(finished_session: Path, out: Path) -> None:
    edit(finished_session, "INSERT INTO events VALUES (99, 99, NULL, '2025', 'note', 'x', 'forged', '{}')")

    done = recover(finished_session, out)

    assert done.lost_blocks == ()
    with open_session(out) as session:
        assert [event.text for event in session.events()] == ["Now ramping.", "Now holding.", "Now releasing."]


def test_an_edited_header_comes_over_and_is_called_what_it_is(finished_session: Path, out: Path) -> None:
    edit(finished_session, "UPDATE meta SET value = '\"nobody\"' WHERE key = 'session_id'")

    done = recover(finished_session, out)

    assert not done.header_whole
    assert "do not trust" in done.sentence
    assert seqs(out) == SEQS
    assert "its header was not as it was written" in verify(out).finding


def test_a_first_page_that_is_gone_is_put_back_and_all_rows_come_over(finished_session: Path, out: Path) -> None:
    whole = finished_session.read_bytes()
    finished_session.write_bytes(bytes(PAGE) + whole[PAGE:])
    with pytest.raises(NotASession, match="begins with nothing but zeros"):
        verify(finished_session)

    done = recover(finished_session, out)

    assert (done.lost_blocks, done.header_whole) == ((), True)
    assert seqs(out) == SEQS


def test_of_a_file_that_was_cut_short_what_is_left_comes_over(
    record: Callable[..., Path], make_sample: Callable[[int], SampleRow], out: Path
) -> None:
    path = record([make_sample(seq) for seq in range(10_000)], [])
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 3 // 4])

    done = recover(path, out)

    kept = seqs(out)
    assert len(kept) > 3_000
    assert kept == [seq for seq in range(10_000) if 1 + seq // 100 not in done.lost_blocks]
    assert verify(out).state == ("whole" if done.ended else "interrupted")


def test_an_interrupted_record_comes_over_whole_with_what_its_log_still_holds(
    tmp_path: Path, header: SessionHeader, make_sample: Callable[[int], SampleRow], out: Path
) -> None:
    with SessionJournal(tmp_path / "table") as journal:
        journal.begin(header)
        for seq in range(50):
            journal.sample(make_sample(seq))
        assert journal.wait_until_written(WITHIN_S)
        path = journal.path
        assert path is not None
        left = tmp_path / "left"
        left.mkdir()
        for part in (path, path.with_name(path.name + "-wal")):
            (left / part.name).write_bytes(part.read_bytes())
    before = everything_in(left)

    done = recover(left / path.name, out)

    assert (done.samples, done.lost_blocks, done.ended) == (50, (), False)
    assert verify(out).state == "interrupted"
    assert everything_in(left) == before


@pytest.mark.parametrize("seed", range(25))
def test_whatever_bytes_are_damaged_only_true_rows_come_over_and_the_old_file_stays(
    record: Callable[..., Path], make_sample: Callable[[int], SampleRow], out: Path, seed: int
) -> None:
    path = record([make_sample(seq) for seq in range(2_000)], [])
    chance = random.Random(seed)
    damaged = bytearray(path.read_bytes())
    for _ in range(chance.randrange(1, 4)):
        place = chance.randrange(len(damaged))
        damaged[place : place + 16] = chance.randbytes(16)[: len(damaged) - place]
    path.write_bytes(damaged)
    before = everything_in(path.parents[2])

    try:
        recover(path, out)
    except (NotASession, NewerFormat):
        assert not out.exists()
    else:
        with open_session(out) as session:
            assert [SampleRow(**row) for row in session.samples().to_pylist()] == [
                make_sample(seq) for seq in session.samples(["seq"])["seq"].to_pylist()
            ]
        assert verify(out).state in ("whole", "interrupted")

    assert everything_in(path.parents[2]) == before


def test_a_file_that_is_there_is_never_written_over(finished_session: Path, out: Path) -> None:
    out.write_bytes(b"mine")

    with pytest.raises(CannotRecover, match="is there already"):
        recover(finished_session, out)

    assert out.read_bytes() == b"mine"


def test_a_newer_file_is_refused_and_nothing_is_written(finished_session: Path, out: Path) -> None:
    edit(finished_session, "UPDATE meta SET value = '99' WHERE key = 'format_version'")

    with pytest.raises(NewerFormat, match="newer"):
        recover(finished_session, out)

    assert not out.exists()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "empty: nothing was ever written"),
        (b"PAR1 and so on", "a Parquet file"),
        (b"[patient]\npseudonym = 'K7'\n", "perhaps a prescription"),
        ("Größe und Maß\n".encode() * 60, "a text file"),
        (bytes(range(256)) * 40, "not known here"),
    ],
)
def test_a_foreign_file_is_called_what_it_is(tmp_path: Path, out: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "foreign.tractable"
    path.write_bytes(content)

    with pytest.raises(NotASession, match=expected):
        recover(path, out)

    assert not out.exists()
    assert path.read_bytes() == content


def test_a_database_of_another_program_is_named_by_its_tables(tmp_path: Path, out: Path) -> None:
    path = tmp_path / "foreign.tractable"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE invoices (number INTEGER)")
    connection.close()

    with pytest.raises(NotASession, match="holds the tables invoices"):
        recover(path, out)
