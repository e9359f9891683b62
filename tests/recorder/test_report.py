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
from recorder.report.pdf import CannotReport, plot_words, report_pdf
from recorder.report.plot import plot
from recorder.report.receipt import Receipt, receipt

Record = Callable[..., Path]
MakeSample = Callable[..., SampleRow]


def event(number: int, kind: Any, text: str, **data: object) -> EventRow:
    return EventRow(number, 6_400_000, "2026-01-01T00:00:01.000Z", kind, "clinician", text, data)


GOLDEN = Path(__file__).with_name("golden")
CHAIN: dict[str, Any] = {
    "pseudonym": "K7-2F41",
    "body_mass_g": 80_000,
    "by": "clinician",
    "written": {},
    "base_force_mn": 60_000,
    "base_time_s": 10,
    "pulls": [
        {"mode": "static", "force_mn": 300_000, "time_at_force_s": 600},
        {
            "mode": "intermittent",
            "force_mn": 300_000,
            "time_at_force_s": 90,
            "hold_s": 30,
            "rest_force_mn": 100_000,
            "rest_s": 10,
        },
    ],
    "mode": "chain",
    "force_mn": 300_000,
    "time_at_force_s": 690,
    "ramp_mn_s": 5_000,
}
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


@pytest.fixture
def given_as_chain(
    record: Record, make_sample: MakeSample, make_phase: Callable[..., EventRow], header: SessionHeader
) -> Path:
    samples = [make_sample(seq, 300_000 + 100 * (seq % 3)) for seq in range(400)]
    return record(samples, [make_phase(0, "holding", 0), *EVENTS], replace(header, prescription=CHAIN))


def test_the_receipt_is_word_for_word_the_golden_one(given_as_chain: Path) -> None:
    assert "\n".join(receipt_lines(receipt_of(given_as_chain))) + "\n" == (GOLDEN / "receipt.txt").read_text()


def test_the_note_is_word_for_word_the_golden_one(given_as_chain: Path) -> None:
    assert note(receipt_of(given_as_chain)) == (GOLDEN / "note.txt").read_text()


def test_a_chain_as_long_as_it_may_be_leaves_the_page_one_page_and_counts_its_pulls(
    record: Record, make_sample: MakeSample, header: SessionHeader
) -> None:
    longest = {**CHAIN, "pulls": CHAIN["pulls"] * 10}
    page = page_of(record([make_sample(seq) for seq in range(100)], EVENTS, replace(header, prescription=longest)))

    assert len(page.pages) == 1
    assert "and 33 more" in " ".join(page.pages[0].extract_text().split())


def test_what_a_plot_shows_is_told_to_who_does_not_see_it(given: Path) -> None:
    with open_session(given) as session:
        drawn = plot(session)
        assert drawn is not None
        told = plot_words(receipt(session, zone=UTC), drawn)

    assert "Mean at force 300.1 N (30.6 kgf), for" in told
    assert "Above the ceiling: never (340 N)." in told


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
    trial = {**CHAIN, "trial": {"arm": "sham", "sham_force_mn": 30_000}}
    path = record([make_sample(seq, 30_000) for seq in range(400)], EVENTS, replace(header, prescription=trial))

    hidden = "\n".join(receipt_lines(receipt_of(path))) + note(receipt_of(path)) + page_of(path).pages[0].extract_text()
    shown = "\n".join(receipt_lines(receipt_of(path, unblind=True)))

    assert not any(telling in hidden for telling in ("sham", "30.0 N", "active", "chain", "intermittent", "60 N"))
    assert "Arm                     sham" in shown
    assert "30.0 N" in shown


def test_a_character_that_no_font_shows_is_an_error_and_never_a_blank(
    record: Record, make_sample: MakeSample, header: SessionHeader
) -> None:
    named = {**header.prescription, "by": "clinician \U000f0000"}
    path = record([make_sample(seq) for seq in range(10)], [], replace(header, prescription=named))

    with pytest.raises(CannotReport, match=r"U\+F0000"):
        page_of(path)
