"""`tractable prescription preview|presets`: what would be given, before anything moves."""

import json
import sys
from pathlib import Path
from typing import Any

from controller import modes, profile_plot
from controller import presets as known
from controller.prescription import Prescription, PrescriptionError, parse
from controller.prescription_rules import refusals
from controller.prescription_words import pulls_in_words
from controller.profile import Profile
from controller.quantities import in_three_units
from safety.limits import SiteLimits, session_ceiling
from tractable.exit_codes import Exit
from tractable.headless import read_document
from tractable.settings import Settings


def preview(settings: Settings, path: Path, as_json: bool, svg: Path | None) -> Exit:
    """The whole profile, for people or for programs; REFUSED when a rule is broken."""
    site = settings.site_limits()
    try:
        prescribed = parse(read_document(path))
        broken = refusals(prescribed, site)
        if not (modes.is_countable(prescribed) and prescribed.force_mn > 0):
            raise PrescriptionError(broken)
        profile = modes.profile_as_prescribed(prescribed)
        if svg is not None:
            svg.write_text(profile_plot.in_svg(profile, _title(prescribed)), encoding="utf-8")
    except PrescriptionError as error:
        return _refused(error.reasons, as_json)
    except OSError as error:
        return _refused([f"The plot cannot be written to {svg}: {error.strerror}."], as_json)
    if as_json:
        print(json.dumps(_as_json(prescribed, profile, site, broken), indent=2))
        return Exit.REFUSED if broken else Exit.DONE
    for line in _lines(prescribed, profile, site):
        print(line)
    return _refused(broken, as_json=False) if broken else Exit.DONE


def _title(p: Prescription) -> str:
    return f"{p.mode}, {in_three_units(p.force_mn)}, {p.time_at_force_s / 60:g} min at force"


def _lines(p: Prescription, profile: Profile, site: SiteLimits) -> list[str]:
    ceiling = "not shown" if p.is_blinded else in_three_units(session_ceiling(p.agreed_mn, site))
    lines = [
        f"{_title(p)}, for {p.pseudonym} ({p.body_mass_g / 1000:g} kg), prescribed by {p.by}",
        f"Whole profile {profile.total_s / 60:.1f} min, then letting go; session ceiling {ceiling}",
    ]
    if p.needs_second_confirmation:
        lines.append("Above 200 N or a quarter of the body weight: the force is asked for a second time at the start.")
    if p.mode != "static":
        lines += [f"  {told}" for told in pulls_in_words(p)]
    return [*lines, "", profile_plot.in_text(profile)]


def _as_json(p: Prescription, profile: Profile, site: SiteLimits, broken: list[str]) -> dict[str, Any]:
    return {
        "may_be_given": not broken,
        "refusals": broken,
        "mode": p.mode,
        "force_mn": p.force_mn,
        "agreed_mn": None if p.is_blinded else p.agreed_mn,
        "ceiling_mn": None if p.is_blinded else session_ceiling(p.agreed_mn, site),
        "needs_second_confirmation": p.needs_second_confirmation,
        "time_at_force_s": p.time_at_force_s,
        "total_s": modes.profile_duration_s(p),
        "segments": [
            {
                "from_n": segment.from_n,
                "to_n": segment.to_n,
                "begins_s": began_s,
                "duration_s": segment.duration_s,
                "kind": segment.kind.value,
                "shape": segment.shape.value,
            }
            for began_s, segment in profile.begins()
        ],
    }


def _refused(reasons: list[str], as_json: bool) -> Exit:
    if as_json:
        print(json.dumps({"may_be_given": False, "refusals": reasons}, indent=2))
    else:
        print("Prescription refused:", *(f"- {reason}" for reason in reasons), sep="\n", file=sys.stderr)
    return Exit.REFUSED


def presets(settings: Settings, name: str, body_mass: str, pseudonym: str, by: str, out: Path | None) -> Exit:
    """The list, or one of them as TOML; what the site's rules say of it is in its head."""
    if not name:
        for preset in known.PRESETS:
            print(f"{preset.name:10} {preset.given}; {preset.source}")
        return Exit.DONE
    chosen = next((preset for preset in known.PRESETS if preset.name == name), None)
    if chosen is None:
        print(f"There is no preset {name}; use one of {', '.join(p.name for p in known.PRESETS)}.", file=sys.stderr)
        return Exit.REFUSED
    document = known.document(chosen, body_mass, pseudonym, by)
    try:
        remarks = refusals(parse(document), settings.site_limits())
    except PrescriptionError as error:
        return _refused(error.reasons, as_json=False)
    return _put(known.in_toml(chosen, document, remarks), out)


def _put(text: str, out: Path | None) -> Exit:
    if out is None:
        print(text, end="")
        return Exit.DONE
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        print(f"The prescription cannot be written to {out}: {error.strerror}.", file=sys.stderr)
        return Exit.REFUSED
    return Exit.DONE
