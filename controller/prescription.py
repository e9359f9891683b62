"""A prescription: what a clinician writes, and the rules it must keep before anything moves.

Parsing gives integers (mN, g, s); `refusals` names every rule that is broken, with its number.
"""

import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from controller import quantities
from controller.messages import Pseudonym
from safety import limits
from safety.limits import SiteLimits
from safety.units import Millinewtons

TIME_AT_FORCE_S_MIN = 60
TIME_AT_FORCE_S_MAX = 30 * 60
RAMP_MN_S_MIN = 500  # slower, and the ramp is longer than most sessions
BODY_MASS_G_MIN = 20_000
BODY_MASS_G_MAX = 300_000
FORCE_OF_BODY_WEIGHT_PERCENT_MAX = 50
# Above either of these a second confirmation is asked for.
CONFIRM_OF_BODY_WEIGHT_PERCENT = 25
CONFIRM_FORCE_MN = 200_000
PRESCRIPTION_BYTES_MAX = 65_536


class PrescriptionError(ValueError):
    """The text is not a prescription; `reasons` holds a sentence for each thing that is wrong."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__(" ".join(reasons))
        self.reasons = reasons


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


Force = Annotated[str, BeforeValidator(quantities.checked_force)]
MassGrams = Annotated[int, BeforeValidator(quantities.mass_g)]
Seconds = Annotated[int, BeforeValidator(quantities.duration_s)]
ForceRate = Annotated[int, BeforeValidator(quantities.force_rate_mn_s)]


class _Patient(_Section):
    pseudonym: Pseudonym
    body_mass: MassGrams


class _Pull(_Section):
    mode: Literal["static"]
    force: Force
    time_at_force: Seconds
    ramp: ForceRate = limits.RAMP_SHIPPED_MN_S
    raise_up_to: Force | None = None


class _Prescribed(_Section):
    by: Annotated[str, Field(min_length=1, max_length=64)]


class _Document(_Section):
    patient: _Patient
    pull: _Pull
    prescribed: _Prescribed


class Prescription(BaseModel):
    """A whole prescription in integers. `written` is the text as the clinician gave it, for the record."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pseudonym: Pseudonym
    body_mass_g: int
    mode: Literal["static"]
    force_mn: Millinewtons
    time_at_force_s: int
    ramp_mn_s: int
    raise_up_to_mn: Millinewtons | None = None
    by: str
    written: dict[str, Any]

    @property
    def agreed_mn(self) -> Millinewtons:
        """The highest force that may be asked for in this session: its peak, or what it may be raised to."""
        return max(self.force_mn, self.raise_up_to_mn or self.force_mn)

    @property
    def needs_second_confirmation(self) -> bool:
        weight_mn = quantities.body_weight_mn(self.body_mass_g)
        return self.force_mn > CONFIRM_FORCE_MN or self.force_mn * 100 > weight_mn * CONFIRM_OF_BODY_WEIGHT_PERCENT


def parse(document: object) -> Prescription:
    """From the tables of the TOML or JSON text. Raises PrescriptionError with every reason."""
    try:
        whole = _Document.model_validate(document)
    except ValidationError as error:
        raise PrescriptionError([_sentence(dict(problem)) for problem in error.errors()]) from error
    body_mass_g, raise_up_to = whole.patient.body_mass, whole.pull.raise_up_to
    return Prescription(
        pseudonym=whole.patient.pseudonym,
        body_mass_g=whole.patient.body_mass,
        mode=whole.pull.mode,
        force_mn=quantities.force_mn(whole.pull.force, whole.patient.body_mass),
        time_at_force_s=whole.pull.time_at_force,
        ramp_mn_s=whole.pull.ramp,
        raise_up_to_mn=None if raise_up_to is None else quantities.force_mn(raise_up_to, body_mass_g),
        by=whole.prescribed.by,
        written=whole.model_dump(mode="json") if not isinstance(document, dict) else document,
    )


def parse_toml(text: str) -> Prescription:
    return parse(tables_of(text, "TOML"))


def tables_of(text: str, language: Literal["TOML", "JSON"], source: str = "The prescription") -> dict[str, Any]:
    """The document's tables, before any rule. Raises PrescriptionError, which names `source`."""
    if len(text) > PRESCRIPTION_BYTES_MAX:
        raise PrescriptionError([f"{source} is longer than {PRESCRIPTION_BYTES_MAX} characters."])
    try:
        tables: object = tomllib.loads(text) if language == "TOML" else json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PrescriptionError([f"{source} is not {language}: {error}."]) from error
    if not isinstance(tables, dict):
        raise PrescriptionError(
            [f"{source} holds no prescription: it must be an object with patient, pull, prescribed."]
        )
    return tables


def _sentence(problem: dict[str, Any]) -> str:
    where = ".".join(str(part) for part in problem["loc"]) or "the prescription"
    match problem["type"]:
        case "extra_forbidden":
            return f"{where}: there is no such field; remove it or correct its name."
        case "missing":
            return f"{where}: is missing."
        case "value_error":
            return f"{where}: {problem['ctx']['error']}."
        case "literal_error":
            return f"{where}: use {problem['ctx']['expected']}."
        case "string_pattern_mismatch":
            return f"{where}: use 1 to 32 letters, digits, dots, dashes or underscores; never a name."
        case _:
            return f"{where}: {problem['msg'][0].lower()}{problem['msg'][1:]}."


@dataclass(frozen=True, slots=True)
class BrokenRule:
    """Which field of the document breaks a rule, and the sentence that says so with its numbers."""

    field: str
    sentence: str


def refusals(prescription: Prescription, site: SiteLimits) -> list[str]:
    """Every rule that this prescription breaks at this site, as sentences; empty when it may be given."""
    return [broken.sentence for broken in broken_rules(prescription, site)]


def broken_rules(prescription: Prescription, site: SiteLimits) -> list[BrokenRule]:
    """The same with the field that each sentence is about."""
    checks = (*_patient_rules(prescription), *_force_rules(prescription, site), *_time_rules(prescription, site))
    return [BrokenRule(field, sentence) for broken, field, sentence in checks if broken]


_Check = tuple[bool, str, str]


def _patient_rules(p: Prescription) -> Iterator[_Check]:
    yield (
        not BODY_MASS_G_MIN <= p.body_mass_g <= BODY_MASS_G_MAX,
        "patient.body_mass",
        f"A body mass of {p.body_mass_g / 1000:g} kg is outside 20 to 300 kg: check the number and its unit.",
    )


def _force_rules(p: Prescription, site: SiteLimits) -> Iterator[_Check]:
    shown = quantities.in_three_units
    yield from _force_in_bounds("pull.force", p.force_mn, p, site)
    if p.raise_up_to_mn is not None:
        yield from _force_in_bounds("pull.raise_up_to", p.raise_up_to_mn, p, site)
        yield (
            p.raise_up_to_mn < p.force_mn,
            "pull.raise_up_to",
            f"{shown(p.raise_up_to_mn)} is less than the pull itself, {shown(p.force_mn)}: leave it out or correct it.",
        )


def _force_in_bounds(field: str, force_mn: int, p: Prescription, site: SiteLimits) -> Iterator[_Check]:
    shown = quantities.in_three_units
    force = shown(force_mn)
    half_weight_mn = quantities.body_weight_mn(p.body_mass_g) * FORCE_OF_BODY_WEIGHT_PERCENT_MAX // 100
    yield (
        force_mn < limits.SETPOINT_MIN_MN,
        field,
        f"{force} is less than {shown(limits.SETPOINT_MIN_MN)}, the least that can be held: check the unit.",
    )
    yield (
        force_mn > site.setpoint_cap_mn,
        field,
        f"{force} is more than this site allows, {shown(site.setpoint_cap_mn)}: check the number and its unit.",
    )
    yield (
        force_mn > half_weight_mn,
        field,
        f"{force} is more than half of the body weight, {shown(half_weight_mn)}: check force and body mass.",
    )


def _time_rules(p: Prescription, site: SiteLimits) -> Iterator[_Check]:
    yield (
        not TIME_AT_FORCE_S_MIN <= p.time_at_force_s <= TIME_AT_FORCE_S_MAX,
        "pull.time_at_force",
        f"A time at force of {p.time_at_force_s / 60:g} min is outside 1 to 30 min.",
    )
    yield (
        not RAMP_MN_S_MIN <= p.ramp_mn_s <= site.ramp_max_mn_s,
        "pull.ramp",
        f"A ramp of {p.ramp_mn_s / 1000:g} N/s is outside 0.5 to {site.ramp_max_mn_s / 1000:g} N/s.",
    )
    yield (
        profile_duration_s(p) > site.session_s_max,
        "pull.time_at_force",
        f"The whole profile takes {profile_duration_s(p) / 60:.1f} min, more than {site.session_s_max / 60:g} min.",
    )


def profile_duration_s(prescription: Prescription) -> int:
    """Whole seconds of ramp up and time at force, rounded up, with the S-curve's longer ramp."""
    ramp_s = 15 * prescription.force_mn // (8 * max(prescription.ramp_mn_s, 1)) + 1
    return prescription.time_at_force_s + ramp_s
