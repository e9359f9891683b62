"""The repository as it is committed: the files that git tracks, and copies of it that a test may break."""

import shutil
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(scope="session")
def project() -> dict[str, Any]:
    """What pyproject.toml says."""
    return tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def tracked() -> list[Path]:
    """Every file that git tracks and that is there, relative to the repository."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return [Path(name) for name in listed.stdout.split("\0") if name and (REPOSITORY / name).is_file()]


@pytest.fixture(scope="session")
def copy_of_what_is_built(project: dict[str, Any]) -> Callable[[Path], Path]:
    """Copies the packages, and what else a build reads, without anything that was built or fetched here before."""
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    ignored = shutil.ignore_patterns("__pycache__", "vendor")

    def copy(to: Path) -> Path:
        to.mkdir()
        for package in packages:
            shutil.copytree(REPOSITORY / package, to / package, ignore=ignored)
        for file in ("pyproject.toml", "README.md", ".gitignore"):
            shutil.copy(REPOSITORY / file, to)
        return to

    return copy
