"""What studies have given, as prescriptions to begin with. Each names its source; the rules judge it as any other."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Preset:
    """`force` and `time_at_force` are the low ends of what the study gave; `given` is all of it."""

    name: str
    given: str
    source: str
    force: str
    time_at_force: str


PRESETS: Final = (
    Preset(
        "beurskens",
        "static, 35 to 50 % of body weight, 20 min",
        "Beurskens et al., Spine 1997;22(23):2756-2762",
        "35 % body weight",
        "20 min",
    ),
    Preset(
        "fritz",
        "static, 40 to 60 % of body weight, 12 min",
        "Fritz et al., Spine 2007;32(26):E793-E800",
        "40 % body weight",
        "12 min",
    ),
    Preset(
        "harte",
        "5 to 60 kg, 10 to 20 min",
        "Harte et al., BMC Musculoskeletal Disorders 2007;8:118",
        "5 kgf",
        "10 min",
    ),
)


def pull_of(preset: Preset) -> dict[str, str]:
    """The table of its one pull, at the low end of what was given."""
    return {"mode": "static", "force": preset.force, "time_at_force": preset.time_at_force, "ramp": "5 N/s"}


def document(preset: Preset, body_mass: str, pseudonym: str, by: str) -> dict[str, dict[str, str]]:
    """The prescription's tables."""
    return {
        "patient": {"pseudonym": pseudonym, "body_mass": body_mass},
        "pull": pull_of(preset),
        "prescribed": {"by": by},
    }


def in_toml(preset: Preset, tables: dict[str, dict[str, str]], remarks: list[str]) -> str:
    """The same as text, under a head that says where it comes from."""
    lines = [f"# {preset.given} ({preset.source})", *(f"# Not given as it stands: {remark}" for remark in remarks)]
    for name, fields in tables.items():
        lines += ["", f"[{name}]", *(f"{field} = {_quoted(text)}" for field, text in fields.items())]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return '"' + "".join(c if c.isprintable() and c not in '"\\' else f"\\u{ord(c):04x}" for c in text) + '"'
