"""Settings: a file, the environment over it, flags over both; what cannot be used is named, and nothing runs."""

import json
import os
from pathlib import Path

import pytest

from controller.quantities import force_mn
from tractable.settings import SettingsError, load_settings, origins

LOOSENED = {
    "site_ceiling": ("650 N", "between 70 N and 600 N"),
    "setpoint_cap": ("310 N", "at least 50 N under the site ceiling"),
    "ramp_max": ("21 N/s", "at most at 20 N/s"),
    "session_max": ("46 min", "between 1 and 45 minutes"),
}
UNUSABLE = {
    "site": ("a/b", "site"),
    "table": ("#", "table"),
    "broker_url": ("http://user:hunter2@broker.example", "mqtts://"),
    "broker_port": ("70000", "65535"),
    "dashboard_host": ("0.0.0.0", "this computer only"),
    "dashboard_key": ("short", "16 characters"),
}


def source_of(name: str, **flags: object) -> str:
    return next(origin.source for origin in origins(load_settings(**flags)) if origin.name == name)


def test_without_any_settings_everything_has_a_default(account):
    settings = load_settings()

    assert settings.site_limits().ceiling_mn == force_mn("350 N", 0)
    assert {origin.source for origin in origins(settings)} == {"default"}


def test_the_environment_goes_over_the_file_and_a_flag_over_both(settings_file, monkeypatch):
    settings_file('port = "/dev/file"\nsite = "from-file"\ntable = "from-file"')
    monkeypatch.setenv("TRACTABLE_PORT", "/dev/environment")
    monkeypatch.setenv("TRACTABLE_SITE", "from-environment")

    settings = load_settings(port=Path("/dev/flag"))

    assert (str(settings.port), settings.site, settings.table) == ("/dev/flag", "from-environment", "from-file")


def test_every_setting_says_where_it_came_from(settings_file, monkeypatch):
    path = settings_file('port = "/dev/file"\nsite = "from-file"\ntable = "from-file"')
    monkeypatch.setenv("TRACTABLE_SITE", "from-environment")

    assert source_of("port", port=Path("/dev/flag")) == "flag"
    assert source_of("site") == "TRACTABLE_SITE"
    assert source_of("table") == str(path)
    assert source_of("ramp_max") == "default"


def test_a_flag_that_is_not_given_changes_nothing(settings_file):
    path = settings_file('port = "/dev/file"')

    assert source_of("port", port=None) == str(path)


def test_secrets_are_not_shown(account, monkeypatch):
    monkeypatch.setenv("TRACTABLE_DASHBOARD_KEY", "a-secret-of-many-characters")
    monkeypatch.setenv("TRACTABLE_BROKER_URL", "mqtts://user:hunter2@broker.example")

    shown = {origin.name: origin.value for origin in origins(load_settings())}

    assert shown["dashboard_key"] == shown["broker_url"] == "(secret)"


def test_an_unknown_key_in_the_file_is_named_with_the_nearest_one(settings_file):
    path = settings_file('site_ceilng = "100 N"')

    with pytest.raises(SettingsError, match=r"site_ceilng.*did you mean site_ceiling") as refused:
        load_settings()
    assert str(path) in str(refused.value)


def test_an_unknown_variable_of_ours_is_named_with_the_nearest_one(account, monkeypatch):
    monkeypatch.setenv("TRACTABLE_SITE_CEILNG", "100 N")

    with pytest.raises(SettingsError, match=r"TRACTABLE_SITE_CEILNG.*did you mean TRACTABLE_SITE_CEILING"):
        load_settings()


@pytest.mark.parametrize("name", LOOSENED)
def test_a_limit_that_loosens_is_no_limit(settings_file, name):
    value, sentence = LOOSENED[name]
    settings_file(f'{name} = "{value}"')

    with pytest.raises(SettingsError, match=sentence):
        load_settings().site_limits()


def test_a_site_can_tighten_every_limit(settings_file):
    settings_file('site_ceiling = "200 N"\nsetpoint_cap = "33 lbf"\nramp_max = "2 N/s"\nsession_max = "15 min"')

    site = load_settings().site_limits()

    assert (site.ceiling_mn, site.setpoint_cap_mn) == (200_000, force_mn("33 lbf", 0))
    assert (site.ramp_max_mn_s, site.session_s_max) == (2_000, 900)


def test_a_limit_without_a_unit_is_refused(settings_file):
    settings_file('site_ceiling = "200"')

    with pytest.raises(SettingsError, match="not a number and a unit"):
        load_settings().site_limits()


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_value_that_cannot_be_used_is_refused_by_name_and_not_repeated_where_it_is_secret(account, monkeypatch, name):
    value, sentence = UNUSABLE[name]
    monkeypatch.setenv(f"TRACTABLE_{name.upper()}", value)

    with pytest.raises(SettingsError, match=sentence) as refused:
        load_settings()
    assert f"{name}: " in str(refused.value)
    assert "hunter2" not in str(refused.value)
    assert "Value error" not in str(refused.value)


@pytest.mark.parametrize("content", [b"port = ", b"\xff\xfe", b'port = "a"\nport = "b"'])
def test_a_file_that_is_not_toml_is_named(settings_file, content):
    path = settings_file("")
    path.write_bytes(content)

    with pytest.raises(SettingsError, match=f"{path} is not TOML"):
        load_settings()


@pytest.mark.parametrize("named", ["nowhere.toml", "."])
def test_a_settings_file_that_is_named_must_be_there(account, monkeypatch, named):
    monkeypatch.setenv("TRACTABLE_SETTINGS", str(account / named))

    with pytest.raises(SettingsError, match=r"TRACTABLE_SETTINGS names .* no such file"):
        load_settings()


def test_a_settings_file_may_be_named(account, monkeypatch):
    path = account / "mine.toml"
    path.write_text('table = "mine"')
    monkeypatch.setenv("TRACTABLE_SETTINGS", str(path))

    assert load_settings().table == "mine"


def test_without_a_runtime_folder_of_the_system_each_account_has_its_own(account, monkeypatch):
    monkeypatch.delenv("XDG_RUNTIME_DIR")

    assert load_settings().runtime_folder.name == f"tractable-{os.getuid()}"


@pytest.mark.parametrize(
    "command", [["session", "run", "none.toml"], ["table"], ["dashboard"], ["doctor"]], ids=lambda words: words[0]
)
def test_no_command_runs_with_a_limit_that_loosens(tractable, settings_file, command):
    settings_file('site_ceiling = "650 N"')

    said = tractable(*command)

    assert said.code == 2
    assert said.err == "The site ceiling must lie between 70 N and 600 N.\n"
    assert said.out == ""


def test_the_doctor_shows_every_setting_in_force_and_its_origin(tractable, settings_file, monkeypatch):
    path = settings_file('site_ceiling = "200 N"\nsetpoint_cap = "150 N"')
    monkeypatch.setenv("TRACTABLE_TABLE", "table-7")

    shown = json.loads(tractable("doctor", "--json", "--port", "/dev/nowhere").out)

    origin = {each["name"]: (each["value"], each["source"]) for each in shown["settings"]}
    assert origin["site_ceiling"] == ("200 N", str(path))
    assert origin["table"] == ("table-7", "TRACTABLE_TABLE")
    assert origin["port"] == ("/dev/nowhere", "flag")
    assert origin["site"] == ("clinic", "default")
    assert "200 N" in next(check["finding"] for check in shown["checks"] if check["name"] == "limits")
