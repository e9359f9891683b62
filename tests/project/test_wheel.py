"""What is installed from the wheel is whole: it serves every asset and has every preset, and it brings no tests."""

import hashlib
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

VENDORED = [f"dashboard/static/vendor/uplot/dist/{name}" for name in ("uPlot.esm.js", "uPlot.min.css")]
# Runs with the installed packages first, and without this repository, wherever the environment has it from.
ASK = """
import sys
target, repository = sys.argv[1:3]
sys.path[:] = [target] + [entry for entry in sys.path if entry not in ("", repository)]

import hashlib, importlib, json
from pathlib import Path
from fastapi.testclient import TestClient
from dashboard.app import DashboardConfig, create_app, sign_in_path

asked = json.load(sys.stdin)
key = "a-key-that-is-long-enough"
app = create_app(DashboardConfig("127.0.0.1", 1, "clinic", "table-1", Path("control.sock"), key))
client = TestClient(app)  # without its lifespan: there is no broker to listen to
page = client.get(sign_in_path(key))
answers = {path: client.get(path) for path in asked["paths"]}
from hw_sim.rigs import load_rig, rig_names
print(json.dumps({
    "origins": {name: importlib.import_module(name).__file__ for name in asked["packages"]},
    "page": [page.status_code, page.text],
    "served": {path: [a.status_code, hashlib.sha256(a.content).hexdigest()] for path, a in answers.items()},
    "rigs": [load_rig(name).name for name in rig_names()],
}))
"""


def run(*command: str | Path, cwd: Path, given: str = "") -> str:
    done = subprocess.run(command, cwd=cwd, input=given, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(copy_of_what_is_built, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    source = copy_of_what_is_built(folder / "source")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, source, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def static_files(tracked) -> list[str]:
    """Every file that the page may ask for, as it is called in the repository."""
    return [str(path) for path in tracked if path.is_relative_to("dashboard/static")] + VENDORED


@pytest.fixture(scope="module")
def installed(wheel, static_files, project, repository, tmp_path_factory):
    """What an installation answers that knows nothing of this repository."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    target = elsewhere / "installed"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps"]
    run(*pip, "--target", target, wheel, cwd=elsewhere)
    asked = {
        "packages": project["tool"]["importlinter"]["root_packages"],
        "paths": ["/" + name.removeprefix("dashboard/") for name in static_files] + ["/favicon.ico"],
    }
    answered = run(sys.executable, "-c", ASK, target, repository, cwd=elsewhere, given=json.dumps(asked))
    return {"target": target, **json.loads(answered)}


def test_every_package_comes_from_the_installation(installed, project):
    assert set(installed["origins"]) == set(project["tool"]["importlinter"]["root_packages"])
    assert all(Path(origin).is_relative_to(installed["target"]) for origin in installed["origins"].values())


def test_every_static_file_is_served_as_it_is_committed(installed, static_files, repository):
    committed = [name for name in static_files if name not in VENDORED]

    assert len(committed) > 10
    for name in committed:
        content = (repository / name).read_bytes()
        assert installed["served"]["/" + name.removeprefix("dashboard/")] == [200, hashlib.sha256(content).hexdigest()]
    assert installed["served"]["/favicon.ico"][0] == 200


def test_the_charts_of_others_are_served_and_are_what_was_asked_for(installed, wheel):
    with zipfile.ZipFile(wheel) as packed:
        for name in VENDORED:
            content = packed.read(name)
            assert len(content) > 1_000
            assert installed["served"]["/" + name.removeprefix("dashboard/")] == [
                200,
                hashlib.sha256(content).hexdigest(),
            ]


def test_the_page_is_made_from_its_template_and_asks_for_nothing_that_is_not_served(installed):
    status, text = installed["page"]
    asked_for = [part.split('"')[0] for part in text.split('"/static/')[1:]]

    assert status == 200
    assert asked_for
    assert {f"/static/{name}" for name in asked_for} <= set(installed["served"])


def test_every_template_preset_and_catalogue_is_in_the_wheel(wheel, tracked, installed, project):
    packages = project["tool"]["importlinter"]["root_packages"]
    data = [path for path in tracked if path.parts[0] in packages and path.suffix in (".toml", ".html", ".mjs")]
    rigs = [path.stem for path in data if path.parent == Path("hw_sim/presets")]

    with zipfile.ZipFile(wheel) as packed:
        assert {str(path) for path in data} <= set(packed.namelist())
    assert installed["rigs"] == sorted(rigs)


def test_the_wheel_holds_the_packages_and_nothing_else(wheel, project):
    packages = set(project["tool"]["importlinter"]["root_packages"])

    with zipfile.ZipFile(wheel) as packed:
        names = packed.namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == packages
    assert [name for name in names if "test" in Path(name).name or name.endswith((".pyc", ".log"))] == []
