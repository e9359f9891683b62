"""Which program this is, for the record and for whoever asks."""

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).parent.parent


def program_version() -> str:
    try:
        return version("tractable")
    except PackageNotFoundError:
        return "not installed"


def git_hash() -> str | None:
    """The commit that runs, with a + when files were changed since; None outside a checkout."""
    if not (ROOT / ".git").exists():
        return None
    try:
        said = subprocess.run(
            ["git", "describe", "--always", "--dirty=+", "--abbrev=12"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=5,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return said.stdout.strip()


def versions() -> dict[str, object]:
    return {"tractable": program_version(), "git": git_hash(), "python": platform.python_version()}
