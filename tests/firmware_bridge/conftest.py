"""The golden frames, which neither end of the protocol made, as plain data."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

GOLDEN: dict[str, list[dict[str, Any]]] = tomllib.loads(
    (Path(__file__).parent.parent / "golden_frames.toml").read_text(encoding="utf-8")
)


@pytest.fixture(scope="session")
def golden_frames() -> list[dict[str, Any]]:
    return GOLDEN["frame"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Gives a test that asks for one golden row every row of that table in turn."""
    for argument, table in (("golden_frame", "frame"), ("golden_force", "force"), ("golden_dropped", "dropped")):
        if argument in metafunc.fixturenames:
            rows = GOLDEN[table]
            names = [str(row.get("name", row.get("why", row.get("force_mn")))) for row in rows]
            metafunc.parametrize(argument, rows, ids=names)
