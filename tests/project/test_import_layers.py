"""The layers of the design hold, and each contract that says so bites: forbidden imports are planted, and named."""

import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from itertools import chain, combinations
from pathlib import Path

import pytest

RUNTIME = ["tractable", "dashboard", "recorder", "controller", "firmware_bridge", "safety"]  # each knows those after it
BELOW_TRACTABLE = RUNTIME[1:]
Imports = list[tuple[str, str]]


def each_of(importers: list[str], imported: str) -> Imports:
    return [(importer, imported) for importer in importers]


# What the design forbids, by the name of the contract that has to notice it: (who, must not import whom).
FORBIDDEN: dict[str, Imports] = {
    "Layers: each may know only those below it": [(lower, higher) for higher, lower in combinations(RUNTIME, 2)],
    "The simulator stands on the firmware, and the firmware on nothing": [("firmware", "hw_sim")],
    "Only the composition root knows the simulator": each_of([*BELOW_TRACTABLE, "firmware"], "hw_sim"),
    "Only the command line knows the benchmarks and the proof": [
        (other, only_for_the_command_line)
        for other in (*BELOW_TRACTABLE, "firmware", "hw_sim")
        for only_for_the_command_line in ("benchmarks", "proof")
    ],
    "The firmware and the simulator know nothing of the host": [
        (device, host) for device in ("firmware", "hw_sim") for host in RUNTIME
    ],
    "The runtime knows nothing of the firmware's own code": each_of(BELOW_TRACTABLE, "firmware"),
    "Only the serial port module opens serial ports": each_of([*RUNTIME, "hw_sim", "benchmarks", "proof"], "serial"),
    "Only the modules named for it speak MQTT": each_of([*RUNTIME, "hw_sim", "benchmarks", "proof"], "aiomqtt"),
    "Nothing that arrives over MQTT reaches a motion": [
        (listener, motion)
        for listener in ("dashboard.mqtt_feed", "controller.mqtt_bus")
        for motion in ("firmware_bridge.link", "controller.session", "controller.shell", "safety.limiter")
    ],
}


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def planted(copy_of_what_is_built, tmp_path_factory) -> subprocess.CompletedProcess[str]:
    """What the linter says of a copy in which every forbidden import was planted."""
    folder = copy_of_what_is_built(tmp_path_factory.mktemp("planted") / "project")
    for number, (importer, imported) in enumerate(dict.fromkeys(chain.from_iterable(FORBIDDEN.values()))):
        path = folder / Path(*importer.split("."))
        if path.is_dir():  # anywhere in the package; else in that very module
            (path / f"planted_{number}.py").write_text(f"import {imported}\n")
        else:
            with path.with_suffix(".py").open("a") as module:
                module.write(f"\nimport {imported}  # noqa\n")
    return lint(folder)


def chains_by_contract(report: str) -> dict[str, str]:
    """What the linter found, by contract: the part under each underlined name."""
    parts = re.split(r"^(.+)\n-{5,}$", report[report.index("Broken contracts") :], flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_the_project_keeps_every_contract(repository):
    checked = lint(repository)

    assert checked.returncode == 0, checked.stdout
    assert f"Contracts: {len(FORBIDDEN)} kept, 0 broken." in checked.stdout


def test_there_is_a_contract_for_everything_that_the_design_forbids(project):
    assert {contract["name"] for contract in project["tool"]["importlinter"]["contracts"]} == set(FORBIDDEN)


@pytest.mark.parametrize("contract", FORBIDDEN)
def test_a_contract_names_every_import_that_breaks_it(planted, contract):
    found = chains_by_contract(planted.stdout).get(contract, "")

    for importer, imported in FORBIDDEN[contract]:
        planted_import = rf"\b{re.escape(importer)}(\.planted_\d+)? -> {re.escape(imported)}\b"
        assert re.search(planted_import, found), f"{importer} -> {imported}"


def test_every_package_is_under_a_contract(project):
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]

    assert sorted(project["tool"]["importlinter"]["root_packages"]) == sorted(packages)
    assert sorted(packages) == sorted([*RUNTIME, "firmware", "hw_sim", "benchmarks", "proof"])


def test_every_package_that_is_imported_is_this_repository_s(project, repository):
    for package in project["tool"]["importlinter"]["root_packages"]:
        origin = find_spec(package).origin

        assert Path(origin).parent == repository / package


def test_no_installed_distribution_brings_a_package_of_the_same_name(project):
    for package in project["tool"]["importlinter"]["root_packages"]:
        assert set(packages_distributions().get(package, ())) <= {"tractable"}, package
