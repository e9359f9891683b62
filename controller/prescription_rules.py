"""The rules that a prescription must keep before anything moves; each one that is broken is named, with its number."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from controller import quantities
from controller.modes import is_countable, profile_duration_s, swing_s
from controller.prescription import FORCE_OF_BODY_WEIGHT_PERCENT_MAX, Prescription
from controller.profile import LOGARITHM_PEAK_SLOPE
from controller.pulls import Cyclic, Intermittent, Logarithmic, Progressive, Pull, Regressive, Static, field_as_written
from safety import limits
from safety.limits import SiteLimits

TIME_AT_FORCE_S_MIN: Final = 60
TIME_AT_FORCE_S_MAX: Final = 30 * 60
STAY_S_MIN: Final = 10  # shorter, and the force has hardly settled when it changes again
STEPS_MIN, STEPS_MAX = 2, 20
RAMP_MN_S_MIN: Final = 500  # slower, and the ramp is longer than most sessions
BODY_MASS_G_MIN: Final = 20_000
BODY_MASS_G_MAX: Final = 300_000
# Over the least that can be held, so that the course can be followed; and little enough to be no treatment*.
SHAM_FORCE_MIN_MN: Final = 25_000
SHAM_FORCE_MAX_MN: Final = 50_000
# Half of it is where a logarithmic rise begins.
LOGARITHMIC_FORCE_MIN_MN: Final = 2 * limits.SETPOINT_MIN_MN


@dataclass(frozen=True, slots=True)
class BrokenRule:
    """Which field of the document breaks a rule, and the sentence that says so with its numbers."""

    field: str
    sentence: str


_Check = tuple[bool, str, str]


def refusals(prescription: Prescription, site: SiteLimits) -> list[str]:
    """Every rule that this prescription breaks at this site, as sentences; empty when it may be given."""
    return [broken.sentence for broken in broken_rules(prescription, site)]


def broken_rules(prescription: Prescription, site: SiteLimits) -> list[BrokenRule]:
    """The same with the field that each sentence is about."""
    return [BrokenRule(field, sentence) for broken, field, sentence in _checks(prescription, site) if broken]


def _checks(p: Prescription, site: SiteLimits) -> Iterator[_Check]:
    yield (
        not BODY_MASS_G_MIN <= p.body_mass_g <= BODY_MASS_G_MAX,
        "patient.body_mass",
        f"A body mass of {p.body_mass_g / 1000:g} kg is outside 20 to 300 kg: check the number and its unit.",
    )
    for number, pull in enumerate(p.pulls, start=1):
        place = "pull" if _stands_alone(p) else f"pull.chain.{number}"
        for name, force_mn in _fields(pull, "_mn"):
            yield from _force_in_bounds(f"{place}.{name}", force_mn, p, site)
        yield from _lower_forces(place, pull)
        yield from _ramp_rules(place, pull, site)
        yield from _stays(place, pull)
    yield from _base_rules(p, site)
    yield from _trial_rules(p)
    yield from _whole_rules(p, site)


def _stands_alone(p: Prescription) -> bool:
    pull = p.written.get("pull")
    return len(p.pulls) == 1 and not (isinstance(pull, dict) and "chain" in pull)


def _fields(pull: Pull, unit: str) -> Iterator[tuple[str, int]]:
    """The pull's fields in that unit, by their names in the document."""
    for name, value in pull:
        if name.endswith(unit) and value is not None:
            yield field_as_written(name), value


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


def _lower_forces(place: str, pull: Pull) -> Iterator[_Check]:
    """A force that the pull goes down to, or comes from, lies under its highest; one to raise it to lies over it."""
    highest = quantities.in_three_units(pull.force_mn)
    for name, force_mn in _fields(pull, "_mn"):
        force = quantities.in_three_units(force_mn)
        if name == "raise_up_to":
            sentence = f"{force} is less than the pull itself, {highest}: leave it out or correct it."
            yield force_mn < pull.force_mn, f"{place}.{name}", sentence
        elif name != "force":
            sentence = f"{force} is not below the force of the pull, {highest}: correct one of them."
            yield force_mn >= pull.force_mn, f"{place}.{name}", sentence


def _ramp_rules(place: str, pull: Pull, site: SiteLimits) -> Iterator[_Check]:
    yield (
        not RAMP_MN_S_MIN <= pull.ramp_mn_s <= site.ramp_max_mn_s,
        f"{place}.ramp",
        f"A ramp of {pull.ramp_mn_s / 1000:g} N/s is outside 0.5 to {site.ramp_max_mn_s / 1000:g} N/s.",
    )
    if isinstance(pull, Logarithmic):
        force, least = (quantities.in_three_units(mn) for mn in (pull.force_mn, LOGARITHMIC_FORCE_MIN_MN))
        sentence = f"{force} is less than {least}, the least for a rise from its half."
        yield pull.force_mn < LOGARITHMIC_FORCE_MIN_MN, f"{place}.force", sentence
        rise_s_min = math.ceil(LOGARITHM_PEAK_SLOPE * pull.force_mn / 2 / max(pull.ramp_mn_s, 1))
        begins = f"A rise of {pull.rise_s} s begins faster than the ramp of {pull.ramp_mn_s / 1000:g} N/s"
        yield pull.rise_s < rise_s_min, f"{place}.rise", f"{begins}: give it at least {rise_s_min} s."


def _stays(place: str, pull: Pull) -> Iterator[_Check]:
    """Each hold and each rest is long enough for the force to settle."""
    match pull:
        case Intermittent(hold_s=hold_s, rest_s=rest_s):
            for name, stay_s in (("hold", hold_s), ("rest", rest_s)):
                yield stay_s < STAY_S_MIN, f"{place}.{name}", f"A {name} of {stay_s} s is less than {STAY_S_MIN} s."
        case Cyclic(period_s=period_s):
            period_s_min = math.ceil(period_s + 2 * (STAY_S_MIN - swing_s(pull)))
            short = f"A period of {period_s} s leaves less than {STAY_S_MIN} s at each force beside the ramps"
            yield period_s < period_s_min, f"{place}.period", f"{short}: give it at least {period_s_min} s."
        case Progressive(steps=steps) | Regressive(steps=steps):
            whole_s = pull.time_at_force_s
            outside = f"{steps} steps are outside {STEPS_MIN} to {STEPS_MAX}."
            yield not STEPS_MIN <= steps <= STEPS_MAX, f"{place}.steps", outside
            yield (
                0 < steps <= STEPS_MAX and whole_s < STAY_S_MIN * steps,
                f"{place}.time_at_force",
                f"{whole_s} s at force leave each of {steps} steps less than {STAY_S_MIN} s.",
            )
        case Static() | Logarithmic():
            yield (
                pull.time_at_force_s < STAY_S_MIN and place != "pull",
                f"{place}.time_at_force",
                f"A hold of {pull.time_at_force_s} s is less than {STAY_S_MIN} s.",
            )


def _base_rules(p: Prescription, site: SiteLimits) -> Iterator[_Check]:
    """A base force is given with its time, and lies under every pull."""
    given = (p.base_force_mn is not None, p.base_time_s is not None)
    yield given == (True, False), "pull.base_time", "A base force needs the time for which it is held between pulls."
    yield given == (False, True), "pull.base_force", "A base time needs the force that is held between pulls."
    if p.base_time_s is not None:
        sentence = f"A base time of {p.base_time_s} s is less than {STAY_S_MIN} s."
        yield p.base_time_s < STAY_S_MIN, "pull.base_time", sentence
    if p.base_force_mn is not None:
        yield from _force_in_bounds("pull.base_force", p.base_force_mn, p, site)
        least_mn = min(pull.force_mn for pull in p.pulls)
        base, least = (quantities.in_three_units(mn) for mn in (p.base_force_mn, least_mn))
        sentence = f"{base} is not below the least force of the pulls, {least}: correct one of them."
        yield p.base_force_mn >= least_mn, "pull.base_force", sentence


def _trial_rules(p: Prescription) -> Iterator[_Check]:
    """A sham gives little, and cannot be told from the other arm by what may be done with it."""
    if p.trial is None:
        return
    field, sham_mn, shown = "trial.sham_force", p.trial.sham_force_mn, quantities.in_three_units
    yield sham_mn is None, field, "Both arms name the sham force, so that they look alike."
    if sham_mn is not None:
        least, most = shown(SHAM_FORCE_MIN_MN), shown(SHAM_FORCE_MAX_MN)
        outside = f"{shown(sham_mn)} is outside {least} to {most}: a sham is a low force that can just be felt."
        yield not SHAM_FORCE_MIN_MN <= sham_mn <= SHAM_FORCE_MAX_MN, field, outside
        not_less = f"{shown(sham_mn)} is not below the force of the pull, {shown(p.force_mn)}."
        yield sham_mn >= p.force_mn, field, not_less
    raised = "A pull of a trial cannot be raised while it is given: leave this out."
    yield p.raise_up_to_mn is not None, "pull.raise_up_to", raised


def _whole_rules(p: Prescription, site: SiteLimits) -> Iterator[_Check]:
    """Of all pulls together."""
    place = "pull.time_at_force" if _stands_alone(p) else "pull.chain"
    yield (
        not TIME_AT_FORCE_S_MIN <= p.time_at_force_s <= TIME_AT_FORCE_S_MAX,
        place,
        f"A time at force of {p.time_at_force_s / 60:g} min is outside 1 to 30 min.",
    )
    if not is_countable(p):
        yield True, place, "These are more pulls than can be given: lengthen the holds or shorten the time at force."
        return
    yield (
        profile_duration_s(p) > site.session_s_max,
        place,
        f"The whole profile takes {profile_duration_s(p) / 60:.1f} min, more than {site.session_s_max / 60:g} min.",
    )
