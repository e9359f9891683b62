"""What was delivered, for people: the receipt, the note, the page. Each from the record alone."""

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from controller.journal import EventRow, SampleRow, SessionHeader
from recorder.reading import open_session
from recorder.report.figures import receipt_lines
from recorder.report.note import note
from recorder.report.pdf import CannotReport, report_pdf
from recorder.report.receipt import Receipt, receipt

Record = Callable[..., Path]
MakeSample = Callable[..., SampleRow]


def event(number: int, kind: Any, text: str, **data: object) -> EventRow:
    return EventRow(number, 6_400_000, "2026-01-01T00:00:01.000Z", kind, "clinician", text, data)


EVENTS = [
    event(1, "command", "Start", command="start-0001"),
    event(2, "command", "Pain 6, before", pain=6, when="before"),
    event(3, "alarm", "A03 Force moved briefly: ...", alarm="A03", priority="LOW", root=False),
    event(4, "note", "A cough of 60 N", movement="cough", size_mn=60_000, duration_s=0.3),
    event(5, "command", "Pain 3, after", pain=3, when="after"),
    event(6, "phase", "Ended", phase="ended", because="time at force is complete"),
]


@pytest.fixture
def given(record: Record, make_sample: MakeSample, make_phase: Callable[..., EventRow]) -> Path:
    samples = [make_sample(seq, 300_000 + 100 * (seq % 3)) for seq in range(400)]
    return record(samples, [make_phase(0, "holding", 0), *EVENTS])


def receipt_of(path: Path, **how: Any) -> Receipt:
    with open_session(path) as session:
        return receipt(session, zone=UTC, **how)


def page_of(path: Path, **how: Any) -> PdfReader:
    with open_session(path) as session:
        return PdfReader(io.BytesIO(report_pdf(session, receipt(session, zone=UTC, **how))))


def test_a_receipt_says_what_was_delivered_and_what_happened(given: Path) -> None:
    lines = receipt_lines(receipt_of(given))

    assert "SIMULATED" in lines[0]
    assert "  Mean force              300.1 N (30.6 kgf)" in lines
    assert "  Above the ceiling       never (340 N)" in lines
    assert "  Movements               cough 1 x" in lines
    assert "  Alarms                  A03" in lines
    assert "  Pain (0 to 10)          before 6; after 3" in lines
    assert "  How it ended            time at force is complete" in lines


def test_a_note_is_ready_to_paste(given: Path) -> None:
    told = note(receipt_of(given))

    assert told.startswith("SIMULATED TABLE: nobody was treated.\nLumbar traction, ")
    assert "Pain (0 to 10): before 6; after 3." in told
    assert "Alarms: A03 Force moved briefly." in told
    assert told.endswith(".\n")


def test_the_page_is_one_tagged_page_that_names_itself_and_holds_the_figures(given: Path) -> None:
    page = page_of(given)

    assert len(page.pages) == 1
    assert page.trailer["/Root"]["/MarkInfo"]["/Marked"] == True  # noqa: E712 - a value of the PDF, not of Python
    assert page.metadata is not None
    assert "Traction session" in str(page.metadata.title)
    text = page.pages[0].extract_text()
    assert all(wanted in text for wanted in ("300.1 N", "SIMULATED TABLE", "never (340 N)", "cough 1 x"))


def test_the_same_record_gives_the_same_page(given: Path) -> None:
    with open_session(given) as session:
        pages = {report_pdf(session, receipt(session, zone=UTC)) for _ in range(2)}

    assert len(pages) == 1


def test_a_page_with_more_alarms_than_fit_counts_the_others_and_stays_one_page(
    record: Record, make_sample: MakeSample
) -> None:
    names = ["A01", "A03", "A08", "A10", "A13", "A14", "A20", "A24", "A41"]
    alarms = [event(n, "alarm", name, alarm=name, priority="HIGH", root=False) for n, name in enumerate(names, 1)]
    page = page_of(record([make_sample(seq) for seq in range(100)], alarms))

    assert len(page.pages) == 1
    assert "and 3 more" in page.pages[0].extract_text()


def test_a_session_that_was_interrupted_says_so_everywhere(record: Record, make_sample: MakeSample) -> None:
    path = record([make_sample(seq) for seq in range(50)], [], ended=False)

    assert any("was not ended" in line for line in receipt_lines(receipt_of(path)))
    assert "was not ended" in note(receipt_of(path))
    assert "was not ended" in " ".join(page_of(path).pages[0].extract_text().split())


@pytest.mark.parametrize("count", [0, 1])
def test_a_record_with_hardly_a_sample_has_a_page_without_a_plot(
    record: Record, make_sample: MakeSample, count: int, header: SessionHeader
) -> None:
    path = record([make_sample(seq) for seq in range(count)], [], replace(header, limits={}))

    assert "no samples to plot" in page_of(path).pages[0].extract_text()
    assert "not known: no ceiling is on record" in "\n".join(receipt_lines(receipt_of(path)))


def test_a_blinded_session_shows_neither_arm_nor_force_unless_it_is_asked_to(
    record: Record, make_sample: MakeSample, header: SessionHeader
) -> None:
    trial = {**header.prescription, "trial": {"arm": "sham", "sham_force_mn": 30_000}}
    path = record([make_sample(seq, 30_000) for seq in range(400)], EVENTS, replace(header, prescription=trial))

    hidden = "\n".join(receipt_lines(receipt_of(path))) + note(receipt_of(path)) + page_of(path).pages[0].extract_text()
    shown = "\n".join(receipt_lines(receipt_of(path, unblind=True)))

    assert not any(telling in hidden for telling in ("sham", "30.0 N", "active"))
    assert "Arm                     sham" in shown
    assert "30.0 N" in shown


def test_a_character_that_no_font_shows_is_an_error_and_never_a_blank(
    record: Record, make_sample: MakeSample, header: SessionHeader
) -> None:
    named = {**header.prescription, "by": "clinician \U000f0000"}
    path = record([make_sample(seq) for seq in range(10)], [], replace(header, prescription=named))

    with pytest.raises(CannotReport, match=r"U\+F0000"):
        page_of(path)
