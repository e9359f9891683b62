"""What is committed: pinned with hashes, from no named place, nobody else's code, and no loose ends."""

import re
import subprocess
from pathlib import Path

import pytest

# In two parts each, so that this file does not name them either.
REGISTRIES = [
    "".join(parts)
    for parts in (
        ("py", "pi.org"),
        ("python", "hosted.org"),
        ("npm", "js.org"),
        ("npm", "js.com"),
        ("yarn", "pkg.com"),
        ("jsdel", "ivr.net"),
        ("un", "pkg.com"),
        ("cdn", "js.cloudflare.com"),
    )
]
LOOSE_ENDS = re.compile("|".join((r"\bTO" + r"DO\b", r"\bFIX" + r"ME\b", r"\bXX" + r"X\b", r"\b[Ii]ssue" + r" #")))
PINNED = re.compile(r"[a-z0-9][a-z0-9._-]*(\[[a-z0-9,._-]+\])?==[^\s=]+( ; [^#]+?)?(\s+--hash=sha256:[0-9a-f]{64})+")
OWN_SCRIPTS = {Path("dashboard/static/js"), Path("benchmarks")}
README_OPENS_WITHIN_LINES = 25


@pytest.fixture(scope="module")
def texts(tracked, repository) -> dict[Path, str]:
    """Every committed file that is text."""
    contents = {path: (repository / path).read_bytes() for path in tracked}
    return {path: content.decode("utf-8") for path, content in contents.items() if b"\0" not in content}


@pytest.fixture(scope="module")
def readme(texts) -> str:
    return texts[Path("README.md")]


def lines_with(pattern: re.Pattern[str], texts: dict[Path, str]) -> list[str]:
    return [
        f"{path}:{number}: {line.strip()}"
        for path, text in texts.items()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_committed_file_names_the_host_of_a_registry(texts):
    names_one = re.compile("|".join(map(re.escape, REGISTRIES)), re.IGNORECASE)

    assert lines_with(names_one, texts) == []


def test_no_committed_file_has_a_loose_end(texts):
    assert lines_with(LOOSE_ENDS, texts) == []


@pytest.mark.parametrize("name", ["runtime", "build", "dev"])
def test_every_requirement_is_pinned_with_hashes_and_from_no_named_place(texts, name):
    text = texts[Path("requirements") / f"{name}.txt"]

    requirements = text.replace("\\\n", " ").strip().splitlines()

    assert len(requirements) > 10
    assert [line for line in requirements if not PINNED.fullmatch(line.strip())] == []


@pytest.mark.parametrize("name", ["build", "dev"])
def test_whatever_needs_a_part_of_the_runtime_has_the_same_version_of_it(texts, name):
    versions = re.compile(r"^([a-z0-9][a-z0-9._-]*)==(\S+)", re.MULTILINE)
    runtime, other = (dict(versions.findall(texts[Path("requirements") / f"{each}.txt"])) for each in ("runtime", name))

    assert runtime.items() <= other.items()


def test_every_script_that_is_committed_is_our_own(tracked):
    scripts = [path for path in tracked if path.suffix in (".js", ".mjs", ".cjs", ".ts", ".map")]

    assert [path for path in scripts if path.parent not in OWN_SCRIPTS] == []
    assert [path for path in tracked if ".min." in path.name or {"vendor", "node_modules"} & set(path.parts)] == []


def test_what_is_fetched_at_build_time_cannot_be_committed_by_mistake(repository, project):
    (fetched,) = project["tool"]["hatch"]["build"]["targets"]["wheel"]["hooks"]["npm-vendor"]["packages"]

    ignored = subprocess.run(
        ["git", "check-ignore", "-q", f"{fetched['dest']}/dist/any.js"], cwd=repository, check=False
    )

    assert ignored.returncode == 0
    assert re.fullmatch(r"\d+\.\d+\.\d+", fetched["version"])
    assert fetched["integrity"].startswith("sha512-")


def test_the_readme_opens_with_the_two_commands(readme):
    opening = "\n".join(readme.splitlines()[:README_OPENS_WITHIN_LINES])

    assert re.search(r"^make demo\b", opening, re.MULTILINE)
    assert re.search(r"^make test\b", opening, re.MULTILINE)


def test_the_readme_says_before_anything_else_that_this_is_no_medical_device(readme):
    before_the_first_section = readme.split("\n## ")[0]

    assert "not a certified medical device" in before_the_first_section


def test_the_readme_shows_the_page(readme, tracked):
    shown = re.findall(r"!\[[^\]]{10,}\]\(([^)]+)\)", readme)

    assert shown
    assert {Path(image) for image in shown} <= set(tracked)
