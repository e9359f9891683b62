"""What the documents repeat from the code is what the code says."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from docs import make_alarms, make_session_file
from firmware_bridge import messages
from hw_sim.rigs import rig_names
from recorder.session_format import SAMPLE_COLUMNS
from safety import limits
from safety.alarms import CATALOGUE
from tractable.exit_codes import Exit
from tractable.settings import SETTINGS_FILE_VARIABLE, Settings, SettingsError, load_settings

# What a unit in SAFETY.md is in a constant with that ending.
FACTORS = {
    ("N", "MN"): 1_000,
    ("N/s", "MN_S"): 1_000,
    ("mm", "UM"): 1_000,
    ("mm/s", "UM_S"): 1_000,
    ("ms", "US"): 1_000,
    ("s", "US"): 1_000_000,
    ("ms", "MS"): 1,
    ("min", "S"): 60,
    ("%", "PERCENT"): 1,
    ("days", "DAYS"): 1,
    ("samples", "SAMPLES"): 1,
}
ENDINGS = sorted({ending for _, ending in FACTORS}, key=len, reverse=True)
OF_THIS_ACCOUNT = ("data_folder", "runtime_folder")


def rows(page: Path) -> list[list[str]]:
    """The cells of every table row of that page."""
    lines = [line for line in page.read_text().splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def unit_of(constant: str) -> str:
    bare = re.sub(r"_(MAX|MIN|ASKED|SHIPPED)$", "", constant)
    bare = re.sub(r"_(MAX|MIN|ASKED|SHIPPED)(?=_)", "", bare)
    return next(ending for ending in ENDINGS if bare.endswith(f"_{ending}"))


def test_the_alarms_page_is_what_the_catalogue_says() -> None:
    assert make_alarms.FILE.read_text() == make_alarms.as_markdown(), "run: python -m docs.make_alarms"


def test_the_session_files_page_is_what_the_format_says() -> None:
    assert make_session_file.FILE.read_text() == make_session_file.as_markdown(), (
        "run: python -m docs.make_session_file"
    )


@pytest.mark.parametrize("named", ["README.md", "SAFETY.md"])
def test_the_number_of_alarms_is_that_of_the_catalogue(repository: Path, named: str) -> None:
    assert re.search(rf"\b{len(CATALOGUE)} (alarms in one|of them, in one)", (repository / named).read_text())


def test_every_limit_on_the_safety_page_is_its_constant(repository: Path) -> None:
    found = [row for row in rows(repository / "SAFETY.md") if len(row) == 3 and re.fullmatch(r"`[A-Z_0-9]+`", row[2])]

    assert len(found) > 25
    for _name, value, constant in found:
        number, unit = value.split()
        name = constant.strip("`")
        assert int(number) * FACTORS[unit, unit_of(name)] == getattr(limits, name), name


def test_every_setting_is_described_with_its_default(repository: Path) -> None:
    described = {
        row[0].strip("`"): row for row in rows(repository / "docs/operations.md") if len(row) == 4 and "`" in row[0]
    }

    assert list(described) == list(Settings.model_fields)
    for name, field in Settings.model_fields.items():
        _, default, variable, purpose = described[name]
        assert variable == f"`TRACTABLE_{name.upper()}`"
        assert purpose == field.description
        if name not in OF_THIS_ACCOUNT:
            assert default == ("not set" if field.default is None else f"`{field.default}`")


def test_a_setting_in_the_file_that_there_is_not_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('sight = "clinic"\n')
    monkeypatch.setenv(SETTINGS_FILE_VARIABLE, str(file))

    with pytest.raises(SettingsError, match="sight"):
        load_settings()


@pytest.mark.parametrize("named", ["README.md", "docs/operations.md"])
def test_the_exit_codes_are_the_programs(repository: Path, named: str) -> None:
    codes = [int(row[0]) for row in rows(repository / named) if row[0].isdigit()]

    assert codes == [int(code) for code in Exit]


def test_every_column_of_a_sample_is_described_with_its_unit(repository: Path) -> None:
    described = [row for row in rows(repository / "docs/researcher.md") if row[0].startswith("`")]

    assert described == [[f"`{column.name}`", column.unit, column.meaning] for column in SAMPLE_COLUMNS]


def test_every_rig_is_named(repository: Path) -> None:
    text = (repository / "docs/technician.md").read_text()

    assert [name for name in rig_names() if f"`{name}`" not in text] == []


@pytest.mark.parametrize(
    ("heading", "codes"),
    [("NAK reasons: ", messages.NakReason), ("Trip causes: ", messages.TripCause)],
)
def test_the_protocol_page_lists_every_code(repository: Path, heading: str, codes: type) -> None:
    text = (repository / "docs/protocol.md").read_text()
    listed = " ".join(text.split(heading)[1].split("\n\n")[0].split())

    assert [int(part.split()[0]) for part in listed.split(" · ")] == [int(code) for code in codes]


def test_systemd_takes_the_units_without_a_word(repository: Path, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not on this computer")
    program = tmp_path / "tractable"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    units = []
    for unit in sorted((repository / "deploy").glob("*.service")):
        units.append(tmp_path / unit.name)
        units[-1].write_text(unit.read_text().replace("/opt/tractable/.venv/bin/tractable", str(program)))

    said = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units],
        env={"SYSTEMD_UNIT_PATH": f"{tmp_path}:", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert len(units) == 3
    assert (said.returncode, said.stdout, said.stderr) == (0, "", "")
