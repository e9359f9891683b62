"""The coverage gate: `python -m proof.covered` fails where the tests of `safety/` leave a line or a branch untried.

The properties are left out: what only a search happens upon is not tried on purpose.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
PYTEST: Final = (
    *("pytest", "-q", "-x", "-c", os.devnull, "--import-mode=importlib", "--assert=plain", "-p", "no:cacheprovider"),
    *("-p", "_hypothesis_pytestplugin", "-m", "not hypothesis"),
    *("--rootdir=.", "--confcutdir=tests/safety", "tests/safety"),
)
TIMEOUT_S: Final = 300.0
# A shape that only a type checker reads is not run. Nothing else is left out, whatever a comment in the code asks for.
SETTINGS: Final = "[report]\nexclude_lines =\n    ^class .*[(]Protocol[)]:$\n"


class NothingMeasured(Exception):
    """The tests of `safety/` fail, so that nothing can be said of what they cover; holds what they printed."""


def uncovered(root: Path) -> list[str]:
    """Where a line or a branch of `root`/safety is never taken by `root`/tests/safety.

    Raises NothingMeasured.
    """
    measured = _measured(root)
    modules = {path.relative_to(root).as_posix() for path in (root / "safety").glob("*.py")}
    never_seen = sorted(modules - set(measured))
    return [
        *(f"{file}: is not measured" for file in never_seen),
        *(line for file, numbers in sorted(measured.items()) for line in _lines(file, numbers)),
    ]


def _lines(file: str, numbers: dict[str, Any]) -> list[str]:
    return [
        *(f"{file}:{line}: never run" for line in numbers["missing_lines"]),
        *(f"{file}:{start}: never goes on to {_place(end)}" for start, end in numbers["missing_branches"]),
    ]


def _place(line: int) -> str:
    return f"line {line}" if line > 0 else "the end of the function"


def _measured(root: Path) -> dict[str, Any]:
    """By file, what coverage.py found."""
    with tempfile.TemporaryDirectory() as folder:
        settings, data, found = Path(folder) / "settings", Path(folder) / "measured", Path(folder) / "found.json"
        settings.write_text(SETTINGS, encoding="utf-8")
        files_used = (f"--rcfile={settings}", f"--data-file={data}")
        _run(root, "run", *files_used, "--branch", "--source=safety", "-m", *PYTEST)
        _run(root, "json", *files_used, "-q", "-o", str(found))
        files: dict[str, Any] = json.loads(found.read_text(encoding="utf-8"))["files"]
    return files


def _run(root: Path, *arguments: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "coverage", *arguments],
        cwd=root,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    if ran.returncode != 0:
        raise NothingMeasured(ran.stdout + ran.stderr)


def main() -> None:
    """Exits with 1 where something is not covered."""
    try:
        found = uncovered(ROOT)
    except NothingMeasured as failed:
        sys.exit(f"The tests of safety/ fail, so nothing was measured:\n{failed}")
    print("\n".join(found) or "Every line and every branch of safety/ is taken by its tests.")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
