"""What is given, in words, as the receipt, the note and the page tell it."""

from pathlib import Path

import pytest

from controller.prescription import parse_toml
from controller.prescription_words import pulls_in_words

EXAMPLES = Path(__file__).parents[2] / "examples"
WORDS = {
    "prescription": ("static: 200 N for 1 min",),
    "intermittent": ("intermittent: 200 N for 30 s and 60 N for 15 s in turn, 2 min at force",),
    "cyclic": ("cyclic: between 80 N and 180 N, 1 min 20 s each, 2 min at force",),
    "progressive": ("progressive: from 80 N up to 200 N in 4 steps, 2 min in all",),
    "regressive": ("regressive: from 200 N down to 80 N in 4 steps, 2 min in all",),
    "logarithmic": ("logarithmic: fast to half, then within 1 min to 200 N, held for 1 min",),
    "chain": (
        "progressive: from 80 N up to 160 N in 3 steps, 1 min in all",
        "rest at 50 N for 20 s",
        "static: 200 N for 1 min",
    ),
}


@pytest.mark.parametrize("name", WORDS)
def test_each_mode_is_told_with_its_forces_and_times(name: str) -> None:
    prescribed = parse_toml((EXAMPLES / f"{name}.toml").read_text())

    assert pulls_in_words(prescribed) == WORDS[name]
