"""The presets, and what is said about one that is wrong."""

from dataclasses import replace
from pathlib import Path

import pytest

from hw_sim.rigs import PRESETS, SPREADS, RigError, load_rig, random_rig, rig_names


@pytest.fixture
def presets(tmp_path: Path) -> Path:
    (tmp_path / "nominal.toml").write_text((PRESETS / "nominal.toml").read_text(encoding="utf-8"), encoding="utf-8")
    return tmp_path


def test_every_preset_makes_a_rig() -> None:
    names = rig_names()

    rigs = [load_rig(name) for name in names]

    assert {"nominal", "nominal_80", "soft", "stiff"} <= set(names)
    assert [rig.name for rig in rigs] == names


@pytest.mark.parametrize(("name", "n_per_mm"), [("soft", 3.33), ("nominal", 6.67), ("stiff", 13.33)])
def test_patients_go_from_soft_to_stiff(name: str, n_per_mm: float) -> None:
    rig = load_rig(name)

    assert rig.series_n_per_mm == pytest.approx(n_per_mm, abs=0.01)


@pytest.mark.parametrize(("name", "rate_hz", "um_s"), [("nominal", 320, 40_000), ("nominal_80", 80, 20_000)])
def test_the_slower_converter_comes_with_the_slower_gear(name: str, rate_hz: int, um_s: int) -> None:
    rig = load_rig(name)

    assert (rig.rate_hz, rig.mechanical_max_um_s) == (rate_hz, um_s)


def test_a_preset_takes_what_it_does_not_say_from_the_one_it_is_based_on(presets: Path) -> None:
    (presets / "long.toml").write_text('based_on = "nominal"\nslack_mm = 80\n')

    rig = load_rig("long", presets)

    assert rig == replace(load_rig("nominal"), name="long", slack_mm=80.0)


def test_an_unknown_key_is_refused_by_file_key_and_nearest_known_key(presets: Path) -> None:
    (presets / "typo.toml").write_text('based_on = "nominal"\nharnes_n_per_mm = 12\n')

    with pytest.raises(RigError, match=r"typo\.toml: unknown key 'harnes_n_per_mm'; did you mean 'harness_n_per_mm'\?"):
        load_rig("typo", presets)


def test_an_unknown_rig_is_refused_with_the_nearest_known_one() -> None:
    with pytest.raises(RigError, match=r"nominal_8\.toml: no such rig; did you mean 'nominal_80'\?"):
        load_rig("nominal_8")


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("rate_hz = 80.5", "rate_hz = 80.5 is not a whole number"),
        ('slack_mm = "20"', "slack_mm = '20' is not a number"),
        ("slack_mm = true", "slack_mm = True is not a number"),
        ("slack_mm = nan", "slack_mm = nan is not a finite number"),
        ("slack_mm = -1", "slack_mm = -1.0 must be zero or more"),
        ("hip_mass_kg = 0", "hip_mass_kg = 0.0 must be above zero"),
        ("slack_mm = ", "not TOML"),
        ('based_on = "other"', "goes round in a circle"),
    ],
)
def test_a_wrong_value_is_refused_by_name(presets: Path, line: str, complaint: str) -> None:
    base = "" if line.startswith("based_on") else 'based_on = "nominal"\n'
    (presets / "other.toml").write_text(f"{base}{line}\n")

    with pytest.raises(RigError, match=complaint):
        load_rig("other", presets)


def test_a_preset_that_leaves_something_out_is_told_what(presets: Path) -> None:
    lines = (presets / "nominal.toml").read_text(encoding="utf-8").splitlines()
    (presets / "part.toml").write_text("\n".join(line for line in lines if not line.startswith("slack_mm")))

    with pytest.raises(RigError, match=r"part\.toml: slack_mm missing"):
        load_rig("part", presets)


def test_random_rigs_stay_within_the_spreads_and_come_back_for_the_same_seed() -> None:
    base = load_rig("nominal_80")

    rigs = [random_rig(base, seed) for seed in range(50)]

    for key, (low, high) in SPREADS.items():
        values = [getattr(rig, key) for rig in rigs]
        assert low <= min(values) < max(values) <= high
        assert len(set(values)) == 50
    assert random_rig(base, 7) == rigs[7]
    assert {rig.rate_hz for rig in rigs} == {80}
