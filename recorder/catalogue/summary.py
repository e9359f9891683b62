"""What a session file comes to in the catalogue: its summary, its patient, its prescription, its calibration."""

import hashlib
import json
import sqlite3
from pathlib import Path
from typing import Any, Final

from recorder.catalogue.models import Calibration, Patient, Prescription, SessionSummary, Table
from recorder.dose import dose
from recorder.pseudonym import PATIENT, keyed
from recorder.reading import NewerFormat, NotASession, Session, open_session
from recorder.verification import verify

# What somebody wrote by hand stays in the record; who prescribed has a column of its own.
LEFT_OUT: Final = ("written", "pseudonym", "by")


class CannotSummarise(Exception):
    """The file cannot be read as a session; the sentence says why."""


def rows_of(path: Path, root: Path, key: bytes) -> list[Table]:
    """The rows, in an order in which each refers only to those before it. Raises CannotSummarise."""
    try:
        state = verify(path).state
        with open_session(path) as session:
            return _rows(session, below(path, root), state, key)
    except (NotASession, NewerFormat, sqlite3.DatabaseError, OSError, ValueError, TypeError) as error:
        raise CannotSummarise(f"{path.name}: {error}") from error


def below(path: Path, root: Path) -> str:
    """The file as the catalogue names it: from the data folder on, where it lies in it."""
    absolute, folder = path.absolute(), root.absolute()
    return str(absolute.relative_to(folder) if absolute.is_relative_to(folder) else absolute)


def _rows(session: Session, file: str, state: str, key: bytes) -> list[Table]:
    header = session.header
    known_as = header.prescription.get("pseudonym")
    patient = Patient(pseudonym=keyed(key, PATIENT, str(known_as))) if known_as else None
    pseudonym = None if patient is None else patient.pseudonym
    prescription = _prescription(header.prescription, pseudonym)
    calibration = _calibration(header.calibration, _whole_number(header.table.get("serial")))
    delivered = dose(session)
    summary = SessionSummary(
        id=session.path.stem,
        file=file,
        state=state,
        started_utc=_text(header.started_utc, 32),
        ended_utc=session.ended_utc,
        simulated=bool(header.simulated),
        patient=pseudonym,
        prescription=prescription.id,
        calibration=calibration.id,
        table_model=_text(header.table.get("model"), 64),
        table_serial=_whole_number(header.table.get("serial")),
        samples=session.sample_count,
        gaps=delivered.gaps,
        missing_samples=delivered.missing_samples,
        duration_s=session.duration_s,
        time_at_force_s=delivered.time_at_force_s,
        mean_n=delivered.mean_n,
        sd_n=delivered.sd_n,
        peak_n=delivered.peak_n,
        within_share=delivered.within_share,
        above_ceiling_samples=delivered.above_ceiling_samples,
        impulse_n_s=delivered.impulse_n_s or 0.0,
        blocks=session.block_count,
        last_hash=session.last_hash,
    )
    return [row for row in (patient, prescription, calibration, summary) if row is not None]


def _prescription(recorded: dict[str, object], patient: str | None) -> Prescription:
    content = {name: value for name, value in recorded.items() if name not in LEFT_OUT}
    return Prescription(
        id=_identity({"patient": patient, "by": recorded.get("by"), "content": content}),
        patient=patient,
        prescribed_by=_text(recorded.get("by"), 64),
        mode=_text(recorded.get("mode"), 64),
        force_mn=_whole_number(recorded.get("force_mn")),
        time_at_force_s=_whole_number(recorded.get("time_at_force_s")),
        content=content,
    )


def _calibration(recorded: dict[str, object], serial: int | None) -> Calibration:
    return Calibration(
        id=_identity({"table": serial, "content": recorded}),
        table_serial=serial,
        calibrated_on=_text(recorded.get("calibrated_on"), 32),
        content=recorded,
    )


def _identity(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _text(value: object, length_max: int) -> Any:
    """As much of the text as the column takes. PostgreSQL takes no zero byte."""
    return None if value is None else str(value).replace("\0", "")[:length_max]


def _whole_number(value: object) -> int | None:
    return value if isinstance(value, int) and abs(value) < 2**63 else None
