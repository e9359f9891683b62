"""The receipt of a session: what was prescribed, what was delivered, and what happened, from its record alone.

A session of a blinded trial keeps its arm and every force in the record. The receipt leaves out whatever could tell the
arm, unless it is asked to show all.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, tzinfo
from typing import Any, Final

from pydantic import ValidationError

from controller.prescription import Prescription
from controller.prescription_words import pulls_in_words
from recorder.dose import Dose, dose
from recorder.reading import Session
from recorder.report.happenings import (
    AlarmCount,
    Ending,
    MovementCount,
    PainScore,
    alarms,
    ending,
    movements,
    pain,
    started_by,
)

MN_PER_N: Final = 1000
# The table has one position: see the design of its harness.
POSITION: Final = "lying on the back, pull at the hips"


@dataclass(frozen=True, slots=True)
class Prescribed:
    """What the record says was prescribed; None where it says nothing. `course` has a sentence for each pull."""

    pseudonym: str | None
    mode: str | None
    course: tuple[str, ...]
    position: str
    force_n: float | None
    time_at_force_s: float | None
    ramp_n_s: float | None
    body_mass_kg: float | None
    by: str | None


@dataclass(frozen=True, slots=True)
class Receipt:
    """`started` is in the time zone that was asked for. `hidden` is true where a blinded arm is left out.

    `part` is 1, or the number of this file among those of its session.
    """

    session_id: str
    started: datetime
    simulated: bool
    ended: bool
    part: int
    duration_s: float | None
    prescribed: Prescribed
    delivered: Dose
    movements: tuple[MovementCount, ...]
    alarms: tuple[AlarmCount, ...]
    pain: tuple[PainScore, ...]
    ending: Ending
    started_by: str | None
    table: str
    calibrated_on: str | None
    version: str | None
    blinded: bool
    hidden: bool
    arm: str | None

    def as_json(self) -> dict[str, Any]:
        """The same as JSON values."""
        return {**asdict(self), "started": self.started.isoformat()}


def receipt(session: Session, *, unblind: bool = False, zone: tzinfo | None = None) -> Receipt:
    """The receipt of one session file. Times of day are in `zone`, or in this computer's.

    Raises sqlite3.DatabaseError where the file is damaged, and ValueError where what it holds cannot be read.
    """
    header, events = session.header, session.events()
    prescription = header.prescription
    blinded = is_blinded(prescription)
    whole = Receipt(
        session_id=header.session_id,
        started=session.started.astimezone(zone),
        simulated=header.simulated,
        ended=session.ended_utc is not None,
        part=int(session.meta.get("part", 1)),
        duration_s=session.duration_s,
        prescribed=prescribed(prescription),
        delivered=dose(session),
        movements=movements(events),
        alarms=alarms(events),
        pain=pain(events),
        ending=ending(events),
        started_by=started_by(events),
        table=_named(header.table),
        calibrated_on=_text(header.calibration.get("calibrated_on")),
        version=_text(header.versions.get("tractable")),
        blinded=blinded,
        hidden=blinded and not unblind,
        arm=_arm(prescription),
    )
    return _without_arm(whole) if whole.hidden else whole


def is_blinded(prescription: Mapping[str, Any]) -> bool:
    """Whether whoever looks must not learn the arm: a trial is blinded unless it says otherwise."""
    trial = prescription.get("trial")
    said = prescription.get("blinded", trial.get("blinded") if isinstance(trial, Mapping) else None)
    return bool(trial) if said is None else bool(said)


def _arm(prescription: Mapping[str, Any]) -> str | None:
    trial = prescription.get("trial")
    return _text(prescription.get("arm", trial.get("arm") if isinstance(trial, Mapping) else None))


def _without_arm(whole: Receipt) -> Receipt:
    """A low force can be told from its spread and from how long its ramp took, so these go with it."""
    delivered = replace(
        whole.delivered,
        mean_n=None,
        sd_n=None,
        low_n=None,
        high_n=None,
        within_share=None,
        ceiling_n=None,
        impulse_n_s=None,
        peak_n=None,
    )
    plan = replace(whole.prescribed, force_n=None, ramp_n_s=None, mode=None, course=())
    told = any(letter.isdigit() for letter in whole.ending.sentence) and whole.ending.alarm is None
    return replace(
        whole,
        arm=None,
        duration_s=None,
        delivered=delivered,
        prescribed=plan,
        ending=Ending() if told else whole.ending,
    )


def prescribed(prescription: Mapping[str, Any]) -> Prescribed:
    """What a record's prescription says, one thing at a time: an older one may lack some."""
    return Prescribed(
        pseudonym=_text(prescription.get("pseudonym")),
        mode=_text(prescription.get("mode")),
        course=_course(prescription),
        position=_text(prescription.get("position")) or POSITION,
        force_n=_thousandth(prescription.get("force_mn")),
        time_at_force_s=_number(prescription.get("time_at_force_s")),
        ramp_n_s=_thousandth(prescription.get("ramp_mn_s")),
        body_mass_kg=_thousandth(prescription.get("body_mass_g")),
        by=_text(prescription.get("by")),
    )


def _course(prescription: Mapping[str, Any]) -> tuple[str, ...]:
    """Nothing where the record is of another make: the figures beside it are read one by one."""
    try:
        return pulls_in_words(Prescription.model_validate(dict(prescription)))
    except ValidationError:
        return ()


def _named(table: Mapping[str, Any]) -> str:
    return " ".join(str(table[key]) for key in ("model", "serial") if table.get(key) is not None)


def _text(value: object) -> str | None:
    return None if value is None or value == "" else str(value)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _thousandth(value: object) -> float | None:
    number = _number(value)
    return None if number is None else number / MN_PER_N


def started_utc(receipt: Receipt) -> datetime:
    """The start by UTC."""
    return receipt.started.astimezone(UTC)
