"""The catalogue's tables. Times are text, ISO 8601, UTC; units are last in a column's name.

A patient is a pseudonym made with the site's key (see `recorder.pseudonym`); no name, birth date or free text of a
patient is here. `tests` hold these tables equal to what the migrations make.
"""

from typing import Any, Final

from sqlalchemy import JSON, BigInteger, Boolean, Float, ForeignKey, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

HASH_DIGITS: Final = 64
PSEUDONYM: Final = String(32)
TIME: Final = String(32)
NAME: Final = String(64)


class Table(DeclarativeBase):
    """Every table of the catalogue."""

    type_annotation_map = {dict[str, Any]: JSON, str: Text, float: Float, int: BigInteger, bool: Boolean}  # noqa: RUF012

    def values(self) -> dict[str, Any]:
        """The row as JSON values, by column."""
        return {column.key: getattr(self, column.key) for column in self.__table__.columns}


class Patient(Table):
    """Somebody who was treated, by keyed pseudonym and nothing else."""

    __tablename__ = "patients"

    pseudonym: Mapped[str] = mapped_column(PSEUDONYM, primary_key=True)


class Prescription(Table):
    """What was prescribed; the same one given again is the same row. `content` leaves out what was written by hand."""

    __tablename__ = "prescriptions"

    id: Mapped[str] = mapped_column(String(HASH_DIGITS), primary_key=True)
    patient: Mapped[str | None] = mapped_column(ForeignKey("patients.pseudonym"), index=True)
    prescribed_by: Mapped[str | None]
    mode: Mapped[str | None] = mapped_column(NAME)
    force_mn: Mapped[int | None]
    time_at_force_s: Mapped[int | None]
    content: Mapped[dict[str, Any]]


class Calibration(Table):
    """What a table measured by; the same one in force again is the same row."""

    __tablename__ = "calibrations"

    id: Mapped[str] = mapped_column(String(HASH_DIGITS), primary_key=True)
    table_serial: Mapped[int | None] = mapped_column(index=True)
    calibrated_on: Mapped[str | None] = mapped_column(TIME)
    content: Mapped[dict[str, Any]]


class SessionSummary(Table):
    """One session file in a row. `state` is as verification says; the dose is as `recorder.dose` reckons it."""

    __tablename__ = "sessions"

    id: Mapped[str] = mapped_column(String(255), primary_key=True)
    file: Mapped[str]
    state: Mapped[str] = mapped_column(String(16))
    started_utc: Mapped[str] = mapped_column(TIME, index=True)
    ended_utc: Mapped[str | None] = mapped_column(TIME)
    simulated: Mapped[bool]
    patient: Mapped[str | None] = mapped_column(ForeignKey("patients.pseudonym"), index=True)
    prescription: Mapped[str | None] = mapped_column(ForeignKey("prescriptions.id"))
    calibration: Mapped[str | None] = mapped_column(ForeignKey("calibrations.id"))
    table_model: Mapped[str | None] = mapped_column(NAME)
    table_serial: Mapped[int | None] = mapped_column(index=True)
    samples: Mapped[int]
    gaps: Mapped[int]
    missing_samples: Mapped[int]
    duration_s: Mapped[float]
    time_at_force_s: Mapped[float]
    mean_n: Mapped[float | None]
    sd_n: Mapped[float | None]
    peak_n: Mapped[float | None]
    within_share: Mapped[float | None]
    above_ceiling_samples: Mapped[int | None]
    impulse_n_s: Mapped[float]
    blocks: Mapped[int]
    last_hash: Mapped[str] = mapped_column(String(HASH_DIGITS))


class User(Table):
    """Somebody who may use the program. One who has left is not active; the row stays, for the audit trail."""

    __tablename__ = "users"

    name: Mapped[str] = mapped_column(NAME, primary_key=True)
    role: Mapped[str] = mapped_column(String(16))
    active: Mapped[bool]


class Episode(Table):
    """An episode of care: from when to when, for what (a code of `coding`, such as ICD-10 M54.16)."""

    __tablename__ = "episodes"

    id: Mapped[str] = mapped_column(NAME, primary_key=True)
    patient: Mapped[str] = mapped_column(ForeignKey("patients.pseudonym"), index=True)
    began_on: Mapped[str] = mapped_column(TIME)
    ended_on: Mapped[str | None] = mapped_column(TIME)
    coding: Mapped[str | None] = mapped_column(NAME)
    code: Mapped[str | None] = mapped_column(NAME)


class OutcomeScore(Table):
    """One score of one instrument (NPRS, ODI, RMDQ, ...) on one day; `session` where it was asked in one."""

    __tablename__ = "outcome_scores"

    id: Mapped[str] = mapped_column(NAME, primary_key=True)
    episode: Mapped[str] = mapped_column(ForeignKey("episodes.id"), index=True)
    session: Mapped[str | None] = mapped_column(ForeignKey("sessions.id"))
    measured_on: Mapped[str] = mapped_column(TIME)
    instrument: Mapped[str] = mapped_column(NAME)
    score: Mapped[float]
    score_max: Mapped[float]


class Exercise(Table):
    """One exercise of an episode's programme: what, how often, from when to when."""

    __tablename__ = "exercises"

    id: Mapped[str] = mapped_column(NAME, primary_key=True)
    episode: Mapped[str] = mapped_column(ForeignKey("episodes.id"), index=True)
    name: Mapped[str] = mapped_column(NAME)
    sets: Mapped[int]
    repetitions: Mapped[int]
    times_a_week: Mapped[int]
    began_on: Mapped[str] = mapped_column(TIME)
    ended_on: Mapped[str | None] = mapped_column(TIME)


class ExerciseReport(Table):
    """How often the patient says to have done an exercise since the visit before."""

    __tablename__ = "exercise_reports"

    id: Mapped[str] = mapped_column(NAME, primary_key=True)
    exercise: Mapped[str] = mapped_column(ForeignKey("exercises.id"), index=True)
    reported_on: Mapped[str] = mapped_column(TIME)
    times_done: Mapped[int]


class AuditEntry(Table):
    """Who did what to what, when, and what it was before. Only ever added to; see `audit` for the chain.

    `old` and `new` are JSON objects as text, None where there is nothing.
    """

    __tablename__ = "audit"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at_utc: Mapped[str] = mapped_column(TIME)
    actor: Mapped[str] = mapped_column(NAME)
    action: Mapped[str] = mapped_column(NAME)
    subject: Mapped[str] = mapped_column(index=True)
    old: Mapped[str | None]
    new: Mapped[str | None]
    signed_by: Mapped[str | None] = mapped_column(NAME)
    meaning: Mapped[str | None] = mapped_column(NAME)
    signature: Mapped[str | None] = mapped_column(String(HASH_DIGITS))
    hash: Mapped[str] = mapped_column(String(HASH_DIGITS))
