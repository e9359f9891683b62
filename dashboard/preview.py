"""What would come of a prescription, before anyone presses start. Pure; the controller judges again at the start."""

from typing import Any, Final

from pydantic import BaseModel

from controller.modes import profile_duration_s
from controller.prescription import Prescription, PrescriptionError, parse
from controller.prescription_rules import broken_rules
from controller.quantities import NEWTONS_PER, body_weight_mn, in_three_units
from safety.limits import SiteLimits, session_ceiling

# The fields of the form, as the document names them; "" stands for the form as a whole.
FIELDS: Final = (
    "patient.pseudonym",
    "patient.body_mass",
    "pull.mode",
    "pull.force",
    "pull.raise_up_to",
    "pull.time_at_force",
    "pull.ramp",
    "prescribed.by",
)


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


class Preview(BaseModel):
    """`force`, `ceiling_mn` and `total_s` are None when the document cannot be read."""

    may_start: bool
    refusals: list[FieldRefusal]
    needs_second_confirmation: bool = False
    force: ForceShown | None = None
    force_mn: int | None = None
    ceiling_mn: int | None = None
    ceiling_text: str = ""
    total_s: int | None = None


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
    if prescription.body_mass_g <= 0 or prescription.force_mn <= 0 or prescription.ramp_mn_s <= 0:
        return Preview(may_start=False, refusals=refusals)
    ceiling_mn = session_ceiling(prescription.force_mn, site)
    return Preview(
        may_start=not refusals,
        refusals=refusals,
        needs_second_confirmation=prescription.needs_second_confirmation,
        force=_shown(prescription),
        force_mn=prescription.force_mn,
        ceiling_mn=ceiling_mn,
        ceiling_text=in_three_units(ceiling_mn),
        total_s=profile_duration_s(prescription),
    )


def _filled_in(document: dict[str, Any]) -> dict[str, Any]:
    """With something in the fields that no rule about the pull asks for, where they are empty or cannot be read."""
    patient, prescribed = document.get("patient"), document.get("prescribed")
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


def _unreadable(reason: str) -> FieldRefusal:
    """Reasons begin with the place in the document: "pull.force: ..."."""
    place, _, rest = reason.partition(": ")
    if place not in FIELDS:
        return FieldRefusal(field="", sentence=reason)
    return FieldRefusal(field=place, sentence=rest[:1].upper() + rest[1:])
