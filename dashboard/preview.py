"""What would come of a prescription, before anyone presses start. Pure; the controller judges again at the start."""

from typing import Any, Final

from pydantic import BaseModel

from controller.modes import is_countable, profile_as_prescribed, profile_duration_s
from controller.prescription import Prescription, PrescriptionError, parse
from controller.prescription_rules import broken_rules
from controller.prescription_words import pulls_in_words
from controller.profile import Profile
from controller.quantities import FORCE_UNITS, NEWTONS_PER, body_weight_mn, in_three_units, split_quantity
from safety.limits import SiteLimits, session_ceiling

# A reason begins with the place in the document that it is about: "pull.force: ...".
SECTIONS: Final = ("patient", "pull", "prescribed", "trial")
CEILING_SHOWN_MN: Final = 100  # a tenth of a newton, rounded down


class FieldRefusal(BaseModel):
    field: str
    sentence: str


class ForceShown(BaseModel):
    """One force in every unit that a clinician may think in."""

    newtons: float
    kilograms_force: float
    pounds_force: float
    of_body_weight_percent: float
    text: str


class ForceWritten(BaseModel):
    """The prescription's force as somebody wrote it: in this unit it is typed again, where it must be confirmed."""

    number: float
    unit: str


class Planned(BaseModel):
    """One segment, as a person reads it: when it begins (s), what it is, and its force (N) at the end."""

    begins_s: float
    duration_s: float
    kind: str
    to_n: float


class ProfileShown(BaseModel):
    """Columns to draw with straight lines, and the same in steps to read."""

    t_s: list[float]
    force_n: list[float]
    steps: list[Planned]


class Preview(BaseModel):
    """`force`, `ceiling_mn`, `total_s` and `profile` are None when the document cannot be read.

    `course` has a sentence for each pull, as prescribed.
    """

    may_start: bool
    refusals: list[FieldRefusal]
    needs_second_confirmation: bool = False
    force: ForceShown | None = None
    force_written: ForceWritten | None = None
    force_mn: int | None = None
    ceiling_mn: int | None = None
    ceiling_text: str = ""
    total_s: int | None = None
    profile: ProfileShown | None = None
    pseudonym: str | None = None
    by: str | None = None
    course: tuple[str, ...] = ()


def preview(document: dict[str, Any], site: SiteLimits) -> Preview:
    """Everything to show of a prescription that is still being written."""
    try:
        return _judged(parse(document), site, [])
    except PrescriptionError as error:
        unreadable = [_unreadable(reason) for reason in error.reasons]
    try:
        # What is not filled in yet must not hide that a force is too high.
        return _judged(parse(_filled_in(document)), site, unreadable)
    except PrescriptionError:
        return Preview(may_start=False, refusals=unreadable)


def _judged(prescription: Prescription, site: SiteLimits, unreadable: list[FieldRefusal]) -> Preview:
    named = {refusal.field for refusal in unreadable}
    broken = [
        FieldRefusal(field=rule.field, sentence=rule.sentence)
        for rule in broken_rules(prescription, site)
        if rule.field not in named
    ]
    refusals = unreadable + broken
    if prescription.body_mass_g <= 0 or prescription.force_mn <= 0 or not is_countable(prescription):
        return Preview(may_start=False, refusals=refusals)
    ceiling_mn = session_ceiling(prescription.agreed_mn, site)
    ceiling_text = in_three_units(ceiling_mn - ceiling_mn % CEILING_SHOWN_MN)
    return Preview(
        may_start=not refusals,
        refusals=refusals,
        needs_second_confirmation=prescription.needs_second_confirmation,
        force=_shown(prescription),
        force_written=_as_written(prescription),
        force_mn=prescription.force_mn,
        ceiling_mn=None if prescription.is_blinded else ceiling_mn,
        ceiling_text="not shown in a trial" if prescription.is_blinded else ceiling_text,
        total_s=profile_duration_s(prescription),
        profile=_profile(profile_as_prescribed(prescription)),
        pseudonym=prescription.pseudonym,
        by=prescription.by,
        course=pulls_in_words(prescription),
    )


def _profile(profile: Profile) -> ProfileShown:
    points = [(round(at_s, 2), round(force_n, 2)) for at_s, force_n in profile.points()]
    steps = [
        Planned(begins_s=began_s, duration_s=segment.duration_s, kind=segment.kind, to_n=segment.to_n)
        for began_s, segment in profile.begins()
    ]
    return ProfileShown(t_s=[at_s for at_s, _ in points], force_n=[force_n for _, force_n in points], steps=steps)


def _filled_in(document: dict[str, Any]) -> dict[str, Any]:
    """With something in the fields that no rule about the pull asks for, where they are empty or cannot be read."""
    patient, prescribed = document.get("patient"), document.get("prescribed", "trial")
    return {
        **document,
        "patient": {**(patient if isinstance(patient, dict) else {}), "pseudonym": "unnamed"},
        "prescribed": {**(prescribed if isinstance(prescribed, dict) else {}), "by": "nobody"},
    }


def _shown(prescription: Prescription) -> ForceShown:
    newtons = prescription.force_mn / 1000
    return ForceShown(
        newtons=newtons,
        kilograms_force=newtons / float(NEWTONS_PER["kgf"]),
        pounds_force=newtons / float(NEWTONS_PER["lbf"]),
        of_body_weight_percent=100 * prescription.force_mn / body_weight_mn(prescription.body_mass_g),
        text=in_three_units(prescription.force_mn),
    )


def _as_written(prescription: Prescription) -> ForceWritten:
    """Of several pulls, the highest."""
    pull = prescription.written["pull"]
    highest = max(range(len(prescription.pulls)), key=lambda number: prescription.pulls[number].force_mn)
    number, unit = split_quantity(pull.get("chain", [pull])[highest]["force"], FORCE_UNITS)
    return ForceWritten(number=float(number), unit=unit)


def _unreadable(reason: str) -> FieldRefusal:
    place, _, rest = reason.partition(": ")
    if place.partition(".")[0] not in SECTIONS:
        return FieldRefusal(field="", sentence=reason)
    return FieldRefusal(field=place, sentence=rest[:1].upper() + rest[1:])
