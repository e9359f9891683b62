"""The checks that every test runs under (tests/conftest.py), tried on tests that leave something behind."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

LEAVING = {
    "a thread": "def test_it():\n    threading.Thread(target=threading.Event().wait, args=(20,), daemon=True).start()",
    "a file": "def test_it():\n    kept.append(os.open('/etc/hostname', os.O_RDONLY))",
    "a socket": "def test_it():\n    kept.append(socket.socket().detach())",
    "a task": "async def test_it():\n    kept.append(asyncio.create_task(asyncio.sleep(60)))",
}
IMPORTS = "import asyncio, os, socket, threading\nimport pytest\nkept = []\n"
REPOSITORY = Path(__file__).parents[1]


def outcome(folder: Path, test: str, **environment: str) -> str:
    shutil.copy(Path(__file__).with_name("conftest.py"), folder)
    (folder / "test_planted.py").write_text(IMPORTS + test)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-c",
        REPOSITORY / "pyproject.toml",
        folder,
    ]
    finished = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, cwd=REPOSITORY, env=os.environ | environment
    )
    return finished.stdout.strip().splitlines()[-1]


@pytest.mark.parametrize("what", LEAVING)
def test_a_test_that_leaves_something_behind_fails(tmp_path, what):
    assert "1 passed, 1 error" in outcome(tmp_path, LEAVING[what])


@pytest.mark.parametrize(("ci", "expected"), [("false", "1 skipped"), ("true", "1 error")])
def test_a_missing_part_is_skipped_by_name_but_fails_where_everything_is_promised(tmp_path, ci, expected):
    planted = "@pytest.mark.needs('node')\ndef test_it():\n    pass"

    assert expected in outcome(tmp_path, planted, CI=ci, PATH=str(tmp_path))
