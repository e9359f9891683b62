"""Earlier sessions: a list, and of each one what was delivered, a note to paste and a page to print. Read only.

The files are read in worker threads, so that no live page waits for one.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, Response
from pydantic import BaseModel

from dashboard.pages import TEMPLATES
from dashboard.problems import Problem
from recorder.reading import NewerFormat, NotASession, Session, open_session
from recorder.report.figures import delivered_figures, prescribed_figures, remarks
from recorder.report.note import note
from recorder.report.pdf import CannotReport, report_pdf
from recorder.report.receipt import is_blinded, receipt
from recorder.storage import session_files
from recorder.store import summary_of

PAGE_SESSIONS: Final = 50
PAGE_SESSIONS_MAX: Final = 200
Made = TypeVar("Made")


class SessionShown(BaseModel):
    """One line of the list. `problem` is a sentence where the file cannot be read.

    `mode` and `force_n` are as prescribed; of a blinded session they are null.
    """

    id: str
    started_utc: str | None
    ended_utc: str | None
    simulated: bool | None
    duration_s: float | None
    pseudonym: str | None
    mode: str | None
    force_n: float | None
    blinded: bool | None
    problem: str | None


class FigureShown(BaseModel):
    """One line of a receipt: what it is, and its value in words."""

    name: str
    value: str


class DeliveredShown(BaseModel):
    """What was delivered, as people read it; `remarks` come first."""

    remarks: list[str]
    figures: list[FigureShown]


class PrescriptionWritten(BaseModel):
    """The tables of a prescription as its clinician wrote them."""

    prescription: dict[str, Any]


class SessionPage(BaseModel):
    """A page of the list, the newest first."""

    total: int
    offset: int
    sessions: list[SessionShown]


Offset = Annotated[int, Query(ge=0)]
Limit = Annotated[int, Query(ge=1, le=PAGE_SESSIONS_MAX)]
Patient = Annotated[str, Query(max_length=32, description="A pseudonym: only this patient's sessions.")]


def router(data_folder: Path | None) -> APIRouter:
    """Without a data folder there are no records here, and each address says so."""
    records = APIRouter()

    @records.get("/api/sessions")
    def sessions(offset: Offset = 0, limit: Limit = PAGE_SESSIONS, patient: Patient = "") -> SessionPage:
        """The recorded sessions, of everybody or of one patient."""
        return _page(data_folder, offset, limit, patient)

    @records.get("/api/sessions/{session_id}/prescription")
    def session_prescription(session_id: str) -> PrescriptionWritten:
        """What was prescribed, to write it again. Not of a trial: its tables name the arm."""
        return _of(data_folder, session_id, _written)

    @records.get("/api/sessions/{session_id}/receipt")
    def session_receipt(session_id: str) -> dict[str, Any]:
        """What was delivered. A blinded session's arm and forces are left out."""
        return _of(data_folder, session_id, lambda session: receipt(session).as_json())

    @records.get("/api/sessions/{session_id}/delivered")
    def session_delivered(session_id: str) -> DeliveredShown:
        """The same in words and units, as every screen and page shows it."""
        return _of(data_folder, session_id, _delivered)

    @records.get("/api/sessions/{session_id}/note", response_class=PlainTextResponse)
    def session_note(session_id: str) -> PlainTextResponse:
        """The note to paste into the patient's file."""
        return PlainTextResponse(_of(data_folder, session_id, lambda session: note(receipt(session))))

    @records.get("/api/sessions/{session_id}/report.pdf", response_class=Response)
    def session_report(session_id: str) -> Response:
        """One page with the plot, as a tagged PDF."""
        page = _of(data_folder, session_id, lambda session: report_pdf(session, receipt(session)))
        named = {"content-disposition": f'inline; filename="{session_id}.pdf"'}
        return Response(page, media_type="application/pdf", headers=named)

    @records.get("/records", response_class=HTMLResponse, include_in_schema=False)
    def list_page(request: Request, offset: Offset = 0, patient: Patient = "") -> HTMLResponse:
        patient = patient.strip()
        page = _page(data_folder, offset, PAGE_SESSIONS, patient)
        before = None if offset == 0 else max(0, offset - PAGE_SESSIONS)
        after = offset + PAGE_SESSIONS if offset + PAGE_SESSIONS < page.total else None
        shown = {"page": page, "before": before, "after": after, "patient": patient}
        return TEMPLATES.TemplateResponse(request, "records.html", shown)

    @records.get("/records/{session_id}", response_class=HTMLResponse, include_in_schema=False)
    def record_page(request: Request, session_id: str) -> HTMLResponse:
        return TEMPLATES.TemplateResponse(request, "record.html", _of(data_folder, session_id, _shown))

    return records


def _delivered(session: Session) -> DeliveredShown:
    made = receipt(session)
    figures = [FigureShown(name=one.name, value=one.value) for one in delivered_figures(made)]
    return DeliveredShown(remarks=remarks(made), figures=figures)


def _written(session: Session) -> PrescriptionWritten:
    recorded = session.header.prescription
    if is_blinded(recorded):
        raise Problem(409, "blinded", "This was a session of a trial: what was given in it is not shown here.")
    written = recorded.get("written")
    if not isinstance(written, dict):
        raise Problem(409, "not-written", "This record does not hold the prescription as it was written.")
    return PrescriptionWritten(prescription=written)


def _shown(session: Session) -> dict[str, Any]:
    made = receipt(session)
    return {
        "id": session.path.stem,
        "receipt": made,
        "remarks": remarks(made),
        "prescribed": prescribed_figures(made),
        "delivered": delivered_figures(made),
        "note": note(made),
    }


def _files(data_folder: Path | None) -> dict[str, Path]:
    """By id, the newest last: ids begin with the date."""
    if data_folder is None:
        raise Problem(404, "no-records", "This dashboard was started without a data folder, so it has no records.")
    return {path.stem: path for path in sorted(session_files(data_folder), key=lambda path: path.stem)}


def _page(data_folder: Path | None, offset: int, limit: int, patient: str) -> SessionPage:
    files = list(reversed(_files(data_folder).values()))
    if patient:
        of_patient = [summary for path in files if (summary := summary_of(path)).pseudonym == patient]
        total, summaries = len(of_patient), of_patient[offset : offset + limit]
    else:
        total, summaries = len(files), [summary_of(path) for path in files[offset : offset + limit]]
    sessions = [SessionShown.model_validate(summary.as_json()) for summary in summaries]
    return SessionPage(total=total, offset=offset, sessions=sessions)


def _of(data_folder: Path | None, session_id: str, make: Callable[[Session], Made]) -> Made:
    """Only what is in the data folder has an id: a path is none."""
    path = _files(data_folder).get(session_id)
    if path is None:
        raise Problem(404, "no-such-session", f"There is no session {session_id[:64]} here.")
    try:
        with open_session(path) as session:
            return make(session)
    except (NotASession, NewerFormat, CannotReport, sqlite3.DatabaseError, ValueError, OSError) as problem:
        reason = str(problem).splitlines()[0]
        raise Problem(409, "unreadable", f"{reason} See where with: tractable session verify {session_id}") from problem
