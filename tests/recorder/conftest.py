"""A small session for the recorder's tests, made by rule, so that any row can be foretold."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow.csv as arrow_csv
import pytest

from controller.journal import EventRow, SampleRow, SessionHeader
from recorder.block_chain import Rows
from recorder.journal import SessionJournal
from recorder.session_file import event_row, sample_row
from recorder.session_recording import SessionRecording

RATE_HZ = 320
PERIOD_US = 1_000_000 // RATE_HZ
HEADER = SessionHeader(
    session_id="2025-03-01-K7-2F41-001",
    started_utc="2025-03-01T09:30:00.000000Z",
    prescription={"mode": "static", "force_mn": 300_000, "pseudonym": "K7-2F41"},
    calibration={"id": "C-17", "uncertainty_mn": 900},
    table={"serial": 7, "rate_hz": RATE_HZ},
    limits={"ceiling_mn": 340_000},
    versions={"tractable": "0.1.0", "git": "0123abc"},
    simulated=True,
)


def sample(seq: int, force_mn: int | None = 300_000, target_mn: int | None = 300_000) -> SampleRow:
    return SampleRow(
        seq=seq,
        t_us=5_000_000 + seq * PERIOD_US,
        raw_a=1000 + seq,
        raw_b=None if seq % 50 == 0 else 2000 + seq,
        force_a_mn=force_mn,
        force_b_mn=None if seq % 50 == 0 else force_mn,
        target_mn=target_mn,
        cable_um=seq * 3,
        velocity_um_s=-seq,
        current_ma=400,
        status=0x0102,
        late=seq % 7 == 0,
    )


def phase(number: int, name: str, seq: int) -> EventRow:
    return EventRow(
        number, 5_000_000 + seq * PERIOD_US, "2025-03-01T09:30:00Z", "phase", "table", f"Now {name}.", {"phase": name}
    )


@pytest.fixture(scope="session", autouse=True)
def arrow_is_warm() -> None:
    """Arrow's CSV reader opens a pipe for signals at its first use and keeps it: that is not a leak of a test."""
    arrow_csv.read_csv(io.BytesIO(b"a\n1\n"))


@pytest.fixture
def header() -> SessionHeader:
    return HEADER


@pytest.fixture
def make_sample() -> Callable[..., SampleRow]:
    return sample


@pytest.fixture
def make_phase() -> Callable[[int, str, int], EventRow]:
    return phase


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SessionJournal]:
    with SessionJournal(tmp_path) as journal:
        yield journal


@pytest.fixture
def record(tmp_path: Path) -> Callable[..., Path]:
    """Writes a session in blocks of 100 samples, the events in the first, and returns its file."""

    def record(
        samples: list[SampleRow], events: list[EventRow], header: SessionHeader = HEADER, *, ended: bool = True
    ) -> Path:
        recording = SessionRecording(tmp_path, header)
        recording.begin("2025-03-01T09:30:00.000000Z")
        stored, happened = list(map(sample_row, samples)), tuple(map(event_row, events))
        for start in range(0, max(len(stored), 1), 100):
            block = tuple(stored[start : start + 100])
            recording.write(Rows("rows", "2025-03-01T09:30:01.000000Z", (), block, happened if start == 0 else ()))
        path = recording.path
        assert path is not None
        if ended:
            recording.write(Rows("closing", "2025-03-01T09:31:00.000000Z"))
            recording.finish()
        recording.abandon()
        return path

    return record


@pytest.fixture
def finished_session(record: Callable[..., Path], tmp_path: Path) -> Path:
    """500 samples with a gap of three after number 250, held from number 100 to 400, ended."""
    samples = [sample(seq) for seq in range(503) if seq not in (251, 252, 253)]
    events = [phase(1, "ramping", 0), phase(2, "holding", 100), phase(3, "releasing", 400)]
    return record(samples, events)
