"""What leaves the house: no path leads out of a folder, and nobody's name is in an export."""

import gzip
import http.client
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import h5py
import pyarrow.parquet as pq

from controller import prescription
from proof.bench import Bench, bench_at, document
from proof.catalogue import Fault
from proof.processes.running_stack import running_stack
from proof.prover import Prover
from proof.record import written
from proof.verdict import Verdict, at_most, holds
from recorder.export import FORMATS, export
from recorder.reading import open_session

CANARY: Final = "Kanarienvogel-4711"
RUNS_FOR_S: Final = 8.0
ASKED_WITHIN_S: Final = 10.0
OUT: Final = (
    "../out",
    "../../out",
    "/out",
    "a/../../../out",
    "..",
    ".",
    "..\\out",
    "~/out",
    "out\x00.txt",
    "%2e%2e/out",
    "x" * 400,
)
PATHS: Final = (
    "/static/../app.py",
    "/static/..%2fapp.py",
    "/static/%2e%2e/app.py",
    "/static/....//app.py",
    "/static//etc/passwd",
    "/static/%2fetc%2fpasswd",
    "/static/..%5capp.py",
    "/..%2f..%2f..%2fetc%2fpasswd",
    "/api/../../../etc/passwd",
    "/api/..%2f..%2fetc%2fpasswd",
)
INSIDE: Final = ("root:", "import ")  # of /etc/passwd, and of the program's own source


def a_session(seed: int, by: str = "clinician") -> Bench:
    """Begun and stopped on the bench, with that prescriber."""
    bench = bench_at("IDLE", seed=seed)
    asked: dict[str, Any] = document("100 N")
    asked["prescribed"]["by"] = by
    bench.start(prescription.parse(asked))
    bench.run_for(RUNS_FOR_S)
    bench.stop()
    bench.run_for(RUNS_FOR_S)
    return bench


def prove_traversal(_fault: Fault, _phase: str, _patient: str, seed: int) -> Iterator[Verdict]:
    """SX09: in a session's id, in the name of an export, in what a command is asked for, and at the dashboard."""
    yield from _ids(seed)
    yield from _commands()
    yield from _pages()


def _ids(seed: int) -> Iterator[Verdict]:
    bench, outside = a_session(seed), list[str]()
    for name in OUT:
        with tempfile.TemporaryDirectory() as root:
            data, exports = Path(root) / "in" / "data", Path(root) / "in" / "exports"
            bench.memory.headers[0] = replace(bench.memory.headers[0], session_id=name)
            path = written(bench, data)
            with open_session(path) as session:
                export(session, exports, list(FORMATS))
            within = {data / "sessions" / "2026", exports}
            outside += [str(f) for f in Path(root).rglob("*") if f.is_file() and not within & {*f.parents}]
            outside = [each for each in outside if not each.endswith("/sessions/ended.jsonl")]
    yield at_most(
        f"files of {len(OUT)} wild session ids outside their folders", len(outside), 0, str(outside[:3] or "")
    )


def _commands() -> Iterator[Verdict]:
    told = []
    with tempfile.TemporaryDirectory() as data:
        for wanted in ("../../../../etc/passwd", "/etc/passwd", "../*"):
            for command in (["session", "show", wanted], ["export", wanted]):
                done = subprocess.run(
                    [sys.executable, "-m", "tractable", *command, "--data", data],
                    cwd=data,
                    capture_output=True,
                    text=True,
                    timeout=60,
                    check=False,
                )
                if done.returncode == 0 or "root:" in done.stdout + done.stderr or "Traceback" in done.stderr:
                    told.append(f"{' '.join(command)}: {done.returncode} {done.stderr[-100:]}")
        left = [path.name for path in Path(data).rglob("*")]
    yield at_most("commands that showed or exported what is no session", len(told), 0, "; ".join(told))
    yield at_most("files that they left", len(left), 0, ", ".join(left))


def _pages() -> Iterator[Verdict]:
    with tempfile.TemporaryDirectory(prefix="proof-") as folder, running_stack(Path(folder)) as running:
        place = urlsplit(running.stack.address)
        cookie = _get(place.netloc, f"{place.path}?{place.query}")[2].partition(";")[0]
        signed_in = {"Cookie": cookie}
        found = _get(place.netloc, "/static/tractable.css", signed_in)[0]
        answers = {path: _get(place.netloc, path, signed_in) for path in PATHS}
    shown = [path for path, (_code, body, _cookie) in answers.items() if any(some in body for some in INSIDE)]
    taken = [path for path, (code, _body, _cookie) in answers.items() if code < 400]
    yield holds("a file that is there is given", found == 200, str(found))
    yield at_most(
        f"of {len(PATHS)} paths out of the folder, answered with a file from there", len(shown), 0, str(shown)
    )
    yield at_most("answered as if there were such a page", len(taken), 0, str(taken or ""))


def _get(netloc: str, path: str, headers: dict[str, str] | None = None) -> tuple[int, str, str]:
    asking = http.client.HTTPConnection(netloc, timeout=ASKED_WITHIN_S)
    try:
        asking.request("GET", path, headers=headers or {})
        answer = asking.getresponse()
        return answer.status, answer.read().decode(errors="replace"), answer.getheader("Set-Cookie") or ""
    finally:
        asking.close()


def prove_canary(_fault: Fault, _phase: str, _patient: str, seed: int) -> Iterator[Verdict]:
    """SX15: a name is written where the prescriber is asked for; the session is exported in every format there is."""
    bench = a_session(seed, by=f"Dr. {CANARY}")
    with tempfile.TemporaryDirectory() as root:
        path = written(bench, Path(root))
        with open_session(path) as session:
            kept = CANARY in str(session.meta)
            artefacts = export(session, Path(root) / "exports", list(FORMATS))
        found = [artefact.name for artefact in artefacts if CANARY in _all_of(artefact) or CANARY in artefact.name]
    yield holds("the record itself holds it", kept)
    yield at_most(f"artefacts of {len(artefacts)} that hold the name", len(found), 0, ", ".join(found))


def _all_of(artefact: Path) -> str:
    """The bytes, and of a compressed format also what they unpack to, with everything beside the rows."""
    text = artefact.read_bytes().decode("latin-1")
    if artefact.suffix == ".gz":
        return text + gzip.decompress(artefact.read_bytes()).decode()
    if artefact.suffix == ".h5":
        return text + _all_of_hdf5(artefact)
    if artefact.suffix != ".parquet":
        return text
    table = pq.read_table(artefact)
    beside = b" ".join([*(table.schema.metadata or {}).values()])
    return text + str(table.to_pydict()) + beside.decode() + str(pq.read_metadata(artefact).metadata)


def _all_of_hdf5(artefact: Path) -> str:
    told: list[str] = []
    with h5py.File(artefact) as file:
        told.append(str(dict(file.attrs)))
        file.visititems(
            lambda _name, each: told.append(str(each[:].tolist()) if isinstance(each, h5py.Dataset) else "")
        )
    return " ".join(told)


PROVERS: Final = {
    "SX09": Prover(prove_traversal, alone=True),
    "SX15": Prover(prove_canary),
}
