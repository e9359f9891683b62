"""The mutants that may survive: each with the one line that says why no test can tell it from the original."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

Key = tuple[str, str, str, str]
FIELDS: Final = ("file", "function", "was", "becomes")


class UnreadableSurvivors(Exception):
    """`survivors.toml` is not a list of explained mutants; the sentence says where."""


@dataclass(frozen=True, slots=True)
class Explained:
    """By its key (file, function, was, becomes): why a mutant is no mistake that a test could notice."""

    reasons: dict[Key, str]

    def unknown(self, existing: set[Key]) -> list[Key]:
        """Explanations of mutants that there are none of: the code has changed since."""
        return [key for key in self.reasons if key not in existing]


def read(path: Path) -> Explained:
    """Raises UnreadableSurvivors."""
    reasons: dict[Key, str] = {}
    for number, row in enumerate(tomllib.loads(path.read_text(encoding="utf-8")).get("survivor", []), start=1):
        if set(row) != {*FIELDS, "why"} or not all(isinstance(value, str) for value in row.values()):
            raise UnreadableSurvivors(f"Survivor {number} of {path.name} needs {', '.join(FIELDS)} and why, as texts.")
        if not row["why"].strip() or "\n" in row["why"]:
            raise UnreadableSurvivors(f"Survivor {number} of {path.name} needs its reason in one line.")
        key = (row["file"], row["function"], row["was"], row["becomes"])
        if key in reasons:
            raise UnreadableSurvivors(f"Survivor {number} of {path.name} is there twice.")
        reasons[key] = row["why"]
    return Explained(reasons)
