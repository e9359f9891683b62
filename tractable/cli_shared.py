"""What the commands of `tractable` share: options that mean the same everywhere, settings, and how one fails."""

import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from tractable.exit_codes import Exit

AsJson = Annotated[bool, typer.Option("--json", help="For programs: JSON instead of text.")]
DataOption = Annotated[Path | None, typer.Option("--data", help="Folder of session files and calibration records.")]
DAY = ["%Y-%m-%d"]


def fail(sentence: str, code: Exit = Exit.REFUSED) -> NoReturn:
    """Says why on stderr, and ends."""
    print(sentence, file=sys.stderr)
    sys.exit(int(code))


def fail_at(problem: OSError) -> NoReturn:
    """Says which place cannot be used, and ends."""
    place = problem.filename2 or problem.filename
    fail(f"{place} cannot be used: {problem.strerror}." if place else str(problem))


def settings_of(**flags: Any) -> Any:
    """The settings, these flags first; what is wrong in them ends the command."""
    from tractable.settings import SettingsError, load_settings

    try:
        return load_settings(**flags)
    except SettingsError as problem:
        fail(str(problem), Exit.WRONG_USAGE)
