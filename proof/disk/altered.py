"""Records that changed while they lay there: a byte, a page, an edit, a tail cut off. Found by the table's own program.

The record is a session of the bench, written by the recorder; it is changed before the table's program starts.
So is the catalogue's audit trail.
"""

import json
import random
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from dashboard.control_client import Outcome
from proof.bench import bench_at
from proof.catalogue import Fault
from proof.disk.recording import bench_of
from proof.processes.judging import alarm_verdicts
from proof.processes.running_stack import running_stack
from proof.processes.watched_run import Run
from proof.processes.witnesses import witnesses
from proof.prover import Prover
from proof.record import written
from proof.scratch import scratch
from proof.verdict import Verdict, at_most, equal, holds
from recorder.record_check import finding
from recorder.verification import verify

UP_WITHIN_S: Final = 20.0
FLIPS: Final = 400
PAGE_BYTES: Final = 4096
CUT_BLOCKS: Final = 3
# The trail is in a database: what opens one takes a second or more to load, at the lowest priority.
TRAIL_ALARM_MS: Final = 10_000


def flip_a_byte(path: Path, draw: random.Random) -> str:
    """Anywhere. Returns what the finding must name."""
    content = bytearray(path.read_bytes())
    content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    path.write_bytes(content)
    return path.name


def overwrite_a_page(path: Path, draw: random.Random) -> str:
    """Of the samples, behind the file's first ones."""
    pages = path.stat().st_size // PAGE_BYTES
    with path.open("r+b") as file:
        file.seek(draw.randrange(pages // 2, pages) * PAGE_BYTES)
        file.write(draw.randbytes(PAGE_BYTES))
    return path.name


def edit_a_row(path: Path, draw: random.Random) -> str:
    """By somebody who knows the format, and puts the guards back."""
    block, first = draw.choice(_blocks_with_events(path))
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        _without_guards(connection, f"UPDATE events SET actor = 'somebody' WHERE row = {int(first)}")  # noqa: S608
    return f"block {block}"


def _blocks_with_events(path: Path) -> list[tuple[int, int]]:
    """Number and first event of each. None while a file that has just been made has no tables yet."""
    with closing(sqlite3.connect(path)) as connection:
        if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'blocks'").fetchone() is None:
            return []
        return connection.execute("SELECT number, first_event FROM blocks WHERE first_event NOT NULL").fetchall()


def cut_the_tail(path: Path, draw: random.Random) -> str:
    """The last blocks with all their rows, cleanly: what is left is a beginning that fits in itself."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        (blocks,) = connection.execute("SELECT count(*) FROM blocks").fetchone()
        cut = draw.randrange(1, min(CUT_BLOCKS, blocks - 2) + 1)
        first = f"SELECT min(first_%s) FROM blocks WHERE number >= {blocks - cut}"  # noqa: S608 - a number
        for table in ("sample", "event"):
            (row,) = connection.execute(first % table).fetchone()
            if row is not None:
                _without_guards(connection, f"DELETE FROM {table}s WHERE row >= {int(row)}")  # noqa: S608 - numbers
        _without_guards(connection, f"DELETE FROM blocks WHERE number >= {blocks - cut}")  # noqa: S608 - a number
    return f"the last {cut} of them are gone"


def edit_the_trail(catalogue: Path, draw: random.Random) -> str:
    """Somebody else did it, says the entry now."""
    with closing(sqlite3.connect(catalogue, isolation_level=None)) as connection:
        (entries,) = connection.execute("SELECT max(number) FROM audit").fetchone()
        edited = draw.randint(1, entries)
        _without_guards(connection, f"UPDATE audit SET actor = 'somebody' WHERE number = {edited}")  # noqa: S608
    return f"Edited: entry {edited} of the audit trail"


def cut_the_trail(catalogue: Path, draw: random.Random) -> str:
    """Its newest entries are gone."""
    with closing(sqlite3.connect(catalogue, isolation_level=None)) as connection:
        (entries,) = connection.execute("SELECT max(number) FROM audit").fetchone()
        kept = draw.randint(1, entries - 1)
        _without_guards(connection, f"DELETE FROM audit WHERE number > {kept}")  # noqa: S608 - a number
    return f"Cut off: entr{'y' if kept == entries - 1 else 'ies'} {kept + 1}"


def _without_guards(connection: sqlite3.Connection, statement: str) -> None:
    """By somebody who takes the guards away first and puts them back."""
    guards = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _sql in guards:
        connection.execute(f"DROP TRIGGER {name}")
    for each in (statement, *(sql for _name, sql in guards)):
        connection.execute(each)


def prove(
    change: Callable[[Path, random.Random], str],
    fault: Fault,
    patient: str,
    seed: int,
    then: Callable[[Run], Iterator[Verdict]] = lambda _run: iter(()),
) -> Iterator[Verdict]:
    """The program starts, finds it, names it, and begins no session until a person has acknowledged that."""
    with scratch() as folder:
        path = written(bench_of("HOLD", patient, seed), folder)
        before = verify(path)
        named = change(path, random.Random(seed))
        changed = path.read_bytes()
        yield from _found_at_the_start(fault, patient, folder, named, then)
        yield equal("before that, to whoever verifies it", before.state, "whole")
        yield holds("the file is left as it was found", path.read_bytes() == changed)


def prove_trail(
    change: Callable[[Path, random.Random], str], fault: Fault, patient: str, seed: int
) -> Iterator[Verdict]:
    """The same of the catalogue's audit trail."""
    with scratch() as folder:
        path = written(bench_of("HOLD", patient, seed), folder)
        yield equal("the session gets into the catalogue", catalogued(folder, "add", str(path)).returncode, 0)
        named = change(folder / "catalogue.db", random.Random(seed))
        yield from _found_at_the_start(replace(fault, alarm_ms=TRAIL_ALARM_MS), patient, folder, named)


def catalogued(folder: Path, *what: str) -> subprocess.CompletedProcess[str]:
    """`tractable catalogue` on that data folder."""
    command = [sys.executable, "-m", "tractable", "catalogue", *what, "--data", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def _found_at_the_start(
    fault: Fault,
    patient: str,
    folder: Path,
    named: str,
    then: Callable[[Run], Iterator[Verdict]] = lambda _run: iter(()),
) -> Iterator[Verdict]:
    with (
        running_stack(folder, patient) as running,
        witnesses(running.stack.sim_socket, running.stack.address) as (truths, page),
    ):
        run = Run(running, truths, page, patient)
        running.wait_until(lambda: bool(truths.rows), UP_WITHIN_S)
        run.onset(lambda: None)
        running.wait_until(lambda: bool(run.alarms()), UP_WITHIN_S)
        yield from alarm_verdicts(fault, run)
        yield from _inhibited(run, named)
        yield from then(run)


def _inhibited(run: Run, named: str) -> Iterator[Verdict]:
    running = run.running
    yield holds(f"it is named: {named}", named in _details(run), _details(run))
    reason = _asked_to_start(run)
    yield holds("a start is refused because of it", "A record may be altered" in str(reason), str(reason))
    yield at_most("wound in since", run.truths.pulled_ms(run.onset_us), 0, "ms")
    yield equal("its acknowledgement", running.acknowledge("A38").outcome, Outcome.DONE)
    yield equal("why a start is refused after that", _asked_to_start(run), None)


def _edited_meanwhile(run: Run) -> Iterator[Verdict]:
    """The record of the session that runs is edited: nothing happens to the session, and it is told at its end."""
    running = run.running
    running.wait_until(lambda: running.stack.session_file(run.session_id) is not None, UP_WITHIN_S)
    running.wait_until(lambda: _blocks_with_events(run.file) != [], UP_WITHIN_S)
    edit_a_row(run.file, random.Random(0))
    phase = running.status()[0].phase
    running.stop()
    with suppress(AssertionError):
        running.wait_until(lambda: running.status()[0].phase == "ended", UP_WITHIN_S)
    running.acknowledge_end()
    with suppress(AssertionError):
        running.wait_until(lambda: _details(run) != "", UP_WITHIN_S)
    yield holds("a session whose record is edited goes on", phase not in ("tripped", "ended", "idle"), phase)
    yield holds("its record is found altered at its end", run.file.name in _details(run), _details(run))


def _details(run: Run) -> str:
    return "; ".join(alarm.detail for alarm in run.running.status()[0].alarms if alarm.id == "A38")


def _asked_to_start(run: Run) -> str | None:
    try:
        run.session_id = run.running.start()
    except AssertionError as refused:
        return str(refused)
    return None


def every_byte_verdicts(seed: int) -> Iterator[Verdict]:
    """Bytes all over a short record, one at a time: none goes unnoticed."""
    draw = random.Random(seed)
    with scratch() as folder:
        bench = bench_at("RAMP", seed=seed)
        del bench.memory.samples[:-300]
        path = written(bench, folder)
        sound, missed = path.read_bytes(), []
        for at in draw.sample(range(len(sound)), FLIPS):
            path.write_bytes(sound[:at] + bytes([sound[at] ^ 1 << draw.randrange(8)]) + sound[at + 1 :])
            if path.name not in str(finding(path)):
                missed.append(at)
    yield at_most(f"of {FLIPS} changed bytes, not noticed", len(missed), 0, str(missed[:5] or ""))


def prove_bit_rot(fault: Fault, _phase: str, patient: str, seed: int) -> Iterator[Verdict]:
    """ST07"""
    yield from prove(flip_a_byte, fault, patient, seed)
    yield from every_byte_verdicts(seed)


def prove_page(fault: Fault, _phase: str, patient: str, seed: int) -> Iterator[Verdict]:
    """ST08"""
    yield from prove(overwrite_a_page, fault, patient, seed)
    yield from _catalogue_comes_back(patient, seed)


def _catalogue_comes_back(patient: str, seed: int) -> Iterator[Verdict]:
    """The catalogue is a copy: one that is damaged is refused, and made anew from the records."""
    with scratch() as folder:
        path, catalogue = written(bench_of("HOLD", patient, seed), folder), folder / "catalogue.db"
        catalogued(folder, "add", str(path))
        listed = catalogued(folder, "list", "--json").stdout
        catalogue.write_bytes(random.Random(seed).randbytes(PAGE_BYTES) + catalogue.read_bytes()[PAGE_BYTES:])
        refused = catalogued(folder, "list")
        catalogue.rename(folder / "damaged.db")
        rebuilt = catalogued(folder, "rebuild")
        again = catalogued(folder, "list", "--json").stdout
    yield holds("a damaged catalogue is refused in words", refused.returncode == 1, refused.stderr.strip()[-200:])
    yield equal("it is built anew", rebuilt.returncode, 0)
    yield holds("row for row", path.stem in listed and json.loads(again) == json.loads(listed))


def prove_edit(fault: Fault, _phase: str, patient: str, seed: int) -> Iterator[Verdict]:
    """SX10"""
    yield from prove(edit_a_row, fault, patient, seed, _edited_meanwhile)
    yield from prove_trail(edit_the_trail, fault, patient, seed)


def prove_cut_tail(fault: Fault, _phase: str, patient: str, seed: int) -> Iterator[Verdict]:
    """SX11"""
    yield from prove(cut_the_tail, fault, patient, seed)
    yield from prove_trail(cut_the_trail, fault, patient, seed)


PROVERS: Final = {
    "ST07": Prover(prove_bit_rot, alone=True),
    "ST08": Prover(prove_page, alone=True),
    "SX10": Prover(prove_edit, alone=True),
    "SX11": Prover(prove_cut_tail, alone=True),
}
