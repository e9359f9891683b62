"""`tractable prescription`: the whole course before anything moves, and what studies have given to begin with."""

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from controller import prescription
from tractable.cli import app

REPOSITORY = Path(__file__).parents[2]
EXAMPLES = sorted(path.name for path in (REPOSITORY / "examples").glob("*.toml"))


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """run(words) -> exit code, what was printed, and what was complained of."""
    monkeypatch.chdir(REPOSITORY)

    def run(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            app(["prescription", *words])
        printed = capsys.readouterr()
        return int(str(ended.value.code)), printed.out, printed.err

    return run


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_shown_as_a_plot_of_its_whole_course(run, name: str) -> None:
    code, shown, _ = run("preview", f"examples/{name}")

    assert code == 0
    assert "Whole profile" in shown
    assert "█" in shown
    assert " min" in shown.splitlines()[-1]


def test_programs_get_the_segments(run) -> None:
    code, shown, _ = run("preview", "examples/intermittent.toml", "--json")

    told = json.loads(shown)
    assert code == 0
    assert told["may_be_given"] is True
    assert told["time_at_force_s"] == sum(s["duration_s"] for s in told["segments"] if s["kind"] == "hold") == 120
    assert told["total_s"] == pytest.approx(sum(s["duration_s"] for s in told["segments"]), abs=1)
    assert all(a["to_n"] == b["from_n"] for a, b in zip(told["segments"], told["segments"][1:], strict=False))


def test_the_plot_is_drawn_into_a_file_that_a_browser_opens(run, tmp_path: Path) -> None:
    file = tmp_path / "chain.svg"

    code, _, _ = run("preview", "examples/chain.toml", "--svg", str(file))

    drawn = ElementTree.parse(file).getroot()
    assert code == 0
    assert drawn.tag.endswith("svg")
    assert "chain" in (drawn.findtext("{http://www.w3.org/2000/svg}title") or "")


def test_a_prescription_that_breaks_rules_is_shown_and_refused_with_all_of_them(run, tmp_path: Path) -> None:
    file = tmp_path / "too-much.toml"
    text = (REPOSITORY / "examples/prescription.toml").read_text()
    file.write_text(text.replace('"200 N"', '"900 N"').replace('"15 N/s"', '"90 N/s"'))

    code, shown, complaints = run("preview", str(file))

    assert code == 1
    assert "█" in shown
    for number in ("900 N (91.8 kgf, 202.3 lbf)", "300 N (30.6 kgf, 67.4 lbf)", "90 N/s"):
        assert number in complaints


def test_the_preview_of_a_sham_shows_the_course_as_prescribed_and_no_arm(run) -> None:
    _, shown, _ = run("preview", "examples/trial.toml", "--json")

    assert "sham" not in shown
    assert max(segment["to_n"] for segment in json.loads(shown)["segments"]) == 180
    assert json.loads(shown)["ceiling_mn"] is None


def test_presets_name_their_sources(run) -> None:
    code, shown, _ = run("presets")

    assert code == 0
    assert [name in shown for name in ("Beurskens", "Fritz", "Harte", "Spine 1997", "Spine 2007")] == [True] * 5


def test_a_preset_is_a_prescription_and_what_the_site_refuses_of_it_is_in_its_head(run) -> None:
    _, gentle, _ = run("presets", "beurskens", "--body-mass", "80 kg", "--pseudonym", "K7-2F41", "--by", 'Dr "E" \\')
    _, heavy, _ = run("presets", "fritz", "--body-mass", "80 kg")

    read = prescription.parse_toml(gentle)
    assert (read.force_mn, read.time_at_force_s, read.by) == (274_586, 1_200, 'Dr "E" \\')
    assert "Not given as it stands" not in gentle
    assert "# Not given as it stands: 313.812 N" in heavy


def test_a_preset_never_writes_over_a_file(run, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"

    first, _, _ = run("presets", "harte", "--out", str(file))
    second, _, complaint = run("presets", "harte", "--out", str(file))

    assert (first, second) == (0, 1)
    assert "mine.toml" in complaint
    assert prescription.parse_toml(file.read_text()).force_mn == 49_033


def test_a_preset_that_there_is_not_is_answered_with_those_that_there_are(run) -> None:
    code, _, complaint = run("presets", "nobody")

    assert code == 1
    assert "beurskens, fritz, harte" in complaint
