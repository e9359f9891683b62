"""The documents, cut into what can be run and what can be looked up; and a data folder with one recorded session.

A test asks for a `page`, a `command`, a `python_example` and so on (see `pytest_generate_tests`) and is run for each.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from controller import prescription
from controller.journal import EventRow, SampleRow, SessionHeader
from recorder.journal import SessionJournal

REPOSITORY = Path(__file__).parents[2]
PAGES = [*sorted(REPOSITORY.glob("*.md")), *sorted((REPOSITORY / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# Quick, and they end by themselves; the others serve, or give a session.
ON_RECORDS = ("tractable session list", "tractable session show", "tractable session verify", "tractable export")
RATE_HZ = 320


@dataclass(frozen=True)
class Example:
    page: Path
    text: str


def examples(language: str) -> list[Example]:
    return [
        Example(page, text) for page in PAGES for found, text in FENCE.findall(page.read_text()) if found == language
    ]


def command_lines() -> list[Example]:
    lines = [Example(example.page, line) for example in examples("sh") for line in example.text.splitlines()]
    return [Example(line.page, line.text.split("#")[0].strip()) for line in lines if line.text.strip()]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    asked = {
        "command": command_lines,
        "record_command": lambda: [line for line in command_lines() if line.text.startswith(ON_RECORDS)],
        "python_example": lambda: examples("python"),
        "toml_example": lambda: examples("toml"),
        "json_example": lambda: examples("json"),
    }
    for name, found in asked.items():
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, found(), ids=lambda example: f"{example.page.name}: {example.text[:60]!r}")
    if "page" in metafunc.fixturenames:
        metafunc.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
    if "decision" in metafunc.fixturenames:
        metafunc.parametrize(
            "decision", sorted((REPOSITORY / "docs/decisions").glob("*.md")), ids=lambda path: path.stem
        )


@pytest.fixture
def repository() -> Path:
    return REPOSITORY


@pytest.fixture
def recorded_session(tmp_path: Path) -> Path:
    """The file of a short session in `demo-data`, begun in 2026."""
    prescribed = prescription.parse_toml((REPOSITORY / "examples/prescription.toml").read_text())
    with SessionJournal(tmp_path / "demo-data") as journal:
        journal.begin(
            SessionHeader(
                session_id="20260301-093000-ab12",
                started_utc="2026-03-01T09:30:00.000000Z",
                prescription=prescribed.model_dump(mode="json"),
                calibration={},
                table={"model": "SIM", "serial": 1001},
                limits={"ceiling_mn": 350_000},
                versions={"tractable": "0.1.0"},
                simulated=True,
            )
        )
        journal.event(EventRow(1, 0, "2026-03-01T09:30:00Z", "phase", "controller", "Held.", {"phase": "holding"}))
        for seq in range(2 * RATE_HZ):
            journal.sample(sample(seq))
        journal.end()
        assert journal.wait_until_written(10.0)
        path = journal.ended
    assert path is not None
    return path


def sample(seq: int) -> SampleRow:
    return SampleRow(
        seq=seq,
        t_us=seq * 1_000_000 // RATE_HZ,
        raw_a=seq,
        raw_b=seq,
        force_a_mn=200_000,
        force_b_mn=200_100,
        target_mn=200_000,
        cable_um=0,
        velocity_um_s=0,
        current_ma=0,
        status=0,
        late=False,
    )
