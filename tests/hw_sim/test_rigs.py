"""The presets, and what is said about one that is wrong."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from hw_sim.rig import PARTS, PATIENT, RANGES, TABLE
from hw_sim.rigs import PRESETS, SPREADS, RigError, load_rig, random_rig, rig_names


@pytest.fixture
def presets(tmp_path: Path) -> Path:
    """A copy of the presets, to add to."""
    return Path(shutil.copytree(PRESETS, tmp_path / "presets"))


def test_every_preset_makes_a_rig() -> None:
    names = rig_names()

    rigs = [load_rig(name) for name in names]

    assert {"nominal", "nominal_80", "nominal_10", "soft", "stiff", "fixed_table", "frictionless"} <= set(names)
    assert [rig.name for rig in rigs] == names


def test_every_table_goes_with_every_patient() -> None:
    pairs = [f"{table}+{patient}" for table in rig_names(part=TABLE) for patient in rig_names(part=PATIENT)]

    rigs = [load_rig(pair) for pair in pairs]

    assert {"reference", "modest", "slow", "fixed", "winch"} <= set(rig_names(part=TABLE))
    assert [rig.name for rig in rigs] == pairs
    assert min(rig.body_mass_kg for rig in rigs) <= 45
    assert max(rig.body_mass_kg for rig in rigs) >= 120


def test_a_pair_is_the_table_of_one_rig_with_the_patient_of_another() -> None:
    pair, table, patient = load_rig("modest+stiff"), load_rig("nominal_80"), load_rig("stiff")

    for key, part in PARTS.items():
        assert getattr(pair, key) == getattr(table if part == TABLE else patient, key), key


def test_every_number_of_a_rig_has_a_range_and_belongs_to_table_or_patient() -> None:
    assert set(PARTS.values()) == {TABLE, PATIENT}
    assert all(low < high for low, high in RANGES.values())


@pytest.mark.parametrize(("name", "n_per_mm"), [("soft", 3.33), ("nominal", 6.67), ("stiff", 13.33)])
def test_patients_go_from_soft_to_stiff(name: str, n_per_mm: float) -> None:
    rig = load_rig(name)

    assert rig.series_n_per_mm == pytest.approx(n_per_mm, abs=0.01)


@pytest.mark.parametrize(("name", "rate_hz", "um_s"), [("nominal", 320, 40_000), ("nominal_80", 80, 20_000)])
def test_the_slower_converter_comes_with_the_slower_gear(name: str, rate_hz: int, um_s: int) -> None:
    rig = load_rig(name)

    assert (rig.rate_hz, rig.mechanical_max_um_s) == (rate_hz, um_s)


def test_on_a_fixed_table_a_heavier_patient_has_more_friction() -> None:
    middling, heavy = load_rig("fixed_table"), load_rig("fixed+heavy")

    assert middling.sliding_n == pytest.approx(167, abs=0.5)
    assert heavy.sliding_n == pytest.approx(167 * 120 / 80, abs=1)


def test_a_preset_takes_what_it_does_not_say_from_the_one_it_is_based_on(presets: Path) -> None:
    (presets / "long.toml").write_text('based_on = "nominal"\nslack_mm = 80\n')

    rig = load_rig("long", presets)

    assert rig == replace(load_rig("nominal"), name="long", slack_mm=80.0)


def test_a_users_own_file_is_a_rig_and_may_name_its_own_parts_beside_it(tmp_path: Path) -> None:
    (tmp_path / "bench.toml").write_text('based_on = "modest"\nrate_hz = 40\n')
    (tmp_path / "mine.toml").write_text('table = "bench.toml"\npatient = "soft"\nslack_mm = 5\n')

    rig = load_rig(tmp_path / "mine.toml")

    expected = replace(load_rig("modest+soft"), rate_hz=40, slack_mm=5.0)
    assert replace(rig, name=expected.name) == expected
    assert load_rig(str(tmp_path / "mine.toml")) == rig


def test_a_file_with_every_number_in_it_needs_no_other(tmp_path: Path) -> None:
    numbers = {key: getattr(load_rig("nominal"), key) for key in RANGES}
    (tmp_path / "flat.toml").write_text("".join(f"{key} = {value}\n" for key, value in numbers.items()))

    rig = load_rig(tmp_path / "flat.toml")

    assert rig == replace(load_rig("nominal"), name=rig.name)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("harnes_n_per_mm = 12", "unknown key 'harnes_n_per_mm'; did you mean 'harness_n_per_mm'?"),
        ("rate_hz = 80.5", "rate_hz = 80.5 is not a whole number"),
        ('slack_mm = "2 cm"', "slack_mm = '2 cm' is not a number. Its unit is in its name: write the number alone."),
        ("slack_mm = true", "slack_mm = True is not a number"),
        ("slack_mm = nan", "slack_mm = nan is not a finite number"),
        ("slack_mm = -1", "slack_mm = -1 is out of range; give 0 to 2000."),
        ("hip_mass_kg = 0", "hip_mass_kg = 0 is out of range; give 5 to 200."),
        ("slack_mm = ", "not TOML"),
        ('table = "refrence"', "no table 'refrence'"),
        ('table = "refrence"', "did you mean 'reference'?"),
        ("patient = 3", "patient = 3 is not the name of a patient; put it in quotes."),
        ('table = "other.toml"', "table goes round in a circle"),
    ],
)
def test_what_is_wrong_is_told_by_file_line_and_what_to_do(presets: Path, line: str, complaint: str) -> None:
    (presets / "other.toml").write_text('based_on = "nominal"\nbreathing_hz = 0.2\n\n# my change\n' + line + "\n")

    with pytest.raises(RigError, match=re.escape(complaint)) as refused:
        load_rig("other", presets)

    assert re.search(r"other\.toml, line 5: ", str(refused.value))


def test_a_patients_number_in_a_tables_file_is_sent_to_where_it_belongs(presets: Path) -> None:
    (presets / "tables" / "mine.toml").write_text('based_on = "reference"\nhip_mass_kg = 30\n')

    with pytest.raises(RigError, match=r"mine\.toml, line 2: hip_mass_kg belongs to a patient, and this is a table"):
        load_rig("mine+soft", presets)


def test_files_that_refer_to_each_other_in_a_circle_are_refused(presets: Path) -> None:
    (presets / "one.toml").write_text('based_on = "two"\n')
    (presets / "two.toml").write_text('\nbased_on = "one"\n')

    with pytest.raises(RigError, match=r"two\.toml, line 2: based_on goes round in a circle"):
        load_rig("one", presets)


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("nominal_8", r"nominal_8\.toml: no such rig; did you mean 'nominal_80'\?"),
        ("fixd+soft", r"fixd\.toml: no such table; did you mean 'fixed'\?"),
        ("fixed+", r"patients/\.toml: no such patient"),
        ("elsewhere/mine.toml", r"elsewhere/mine\.toml: no such rig"),
    ],
)
def test_an_unknown_rig_is_refused_with_the_nearest_known_one(name: str, complaint: str) -> None:
    with pytest.raises(RigError, match=complaint):
        load_rig(name)


def test_a_rig_that_leaves_something_out_is_told_what(presets: Path) -> None:
    (presets / "part.toml").write_text('table = "reference"\nslack_mm = 20\n')

    with pytest.raises(RigError, match=r"part\.toml: harness_n_per_mm, .* missing; .* name a table and a patient"):
        load_rig("part", presets)


def test_a_rig_that_is_changed_in_code_is_held_to_the_same_ranges() -> None:
    with pytest.raises(RigError, match="nominal: hip_mass_kg = 0 is out of range"):
        replace(load_rig("nominal"), hip_mass_kg=0.0)


def test_random_rigs_stay_within_the_spreads_and_come_back_for_the_same_seed() -> None:
    base = load_rig("nominal_80")

    rigs = [random_rig(base, seed) for seed in range(50)]

    for key, (low, high) in SPREADS.items():
        values = [getattr(rig, key) for rig in rigs]
        assert low <= min(values) < max(values) <= high
        assert len(set(values)) == 50
    assert random_rig(base, 7) == rigs[7]
    assert {rig.rate_hz for rig in rigs} == {80}
