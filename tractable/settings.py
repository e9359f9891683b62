"""Settings: one TOML file, environment variables over it (TRACTABLE_...), flags over those."""

import difflib
import os
import tempfile
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs
from pydantic import Field, PrivateAttr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from controller import quantities
from controller.broker_address import broker_address
from dashboard.config import ACCESS_KEY_LENGTH_MIN
from safety.limits import SiteLimits, site_limit_errors
from tractable.broker.accounts import PLAIN_NAME

APP = "tractable"
PREFIX = "TRACTABLE_"
SETTINGS_FILE_VARIABLE = "TRACTABLE_SETTINGS"
DASHBOARD_PORT = 8642
BROKER_PORT = 18830


class SettingsError(ValueError):
    """The settings cannot be used; the text names the setting and what to write instead."""


class Settings(BaseSettings):
    """Every setting, with its default and what it is for."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    site: str = Field("clinic", description="name of the site, as in MQTT topics")
    table: str = Field("table-1", description="name of the table, as in MQTT topics")
    port: Path = Field(Path("/dev/ttyACM0"), description="serial port of the table")
    data_folder: Path = Field(
        Path(platformdirs.user_data_dir(APP, appauthor=False)), description="session files and calibration records"
    )
    runtime_folder: Path = Field(
        default_factory=lambda: _runtime_folder(), description="sockets and the broker's files"
    )
    calibration: Path | None = Field(None, description="calibration record; else the one of the table's serial number")
    broker_url: str | None = Field(None, description="mqtt:// or mqtts:// address of a broker that somebody else runs")
    broker_port: int = Field(BROKER_PORT, ge=1, le=65535, description="loopback port of the broker started here")
    dashboard_host: str = Field("127.0.0.1", description="address that the dashboard listens on")
    dashboard_port: int = Field(DASHBOARD_PORT, ge=1, le=65535, description="port that the dashboard listens on")
    dashboard_key: str | None = Field(None, description="secret in the dashboard's address; made anew when not set")
    catalogue_url: str | None = Field(
        None, description="sqlite:/// or postgresql:// address of the catalogue; else a file in the data folder"
    )
    pseudonym_key: Path | None = Field(
        None, description="file of the key that pseudonyms are made with; else one in the data folder"
    )
    site_ceiling: str = Field("350 N", description="no force above it, ever; at most 600 N")
    setpoint_cap: str = Field("300 N", description="no prescription above it; at most 50 N under the ceiling")
    ramp_max: str = Field("20 N/s", description="fastest ramp that may be prescribed; at most 20 N/s")
    session_max: str = Field("45 min", description="longest session; at most 45 min")

    _flags: frozenset[str] = PrivateAttr(frozenset())

    @field_validator("site", "table")
    @classmethod
    def _part_of_a_topic(cls, name: str) -> str:
        if not PLAIN_NAME.fullmatch(name):
            raise ValueError("use up to 32 letters, digits, '.', '_', '-'")
        return name

    @field_validator("broker_url")
    @classmethod
    def _address_of_a_broker(cls, url: str | None) -> str | None:
        if url is not None:
            broker_address(url)
        return url

    @field_validator("dashboard_host")
    @classmethod
    def _loopback_only(cls, host: str) -> str:
        if host not in ("127.0.0.1", "localhost", "::1"):
            raise ValueError("the dashboard serves this computer only: use 127.0.0.1")
        return host

    @field_validator("dashboard_key")
    @classmethod
    def _hard_to_guess(cls, key: str | None) -> str | None:
        if key is not None and len(key) < ACCESS_KEY_LENGTH_MIN:
            raise ValueError(f"use at least {ACCESS_KEY_LENGTH_MIN} characters, or leave it out")
        return key

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic passes it by name
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the same
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        file = TomlConfigSettingsSource(settings_cls, settings_file())
        return init_settings, env_settings, file

    @property
    def control_socket(self) -> Path:
        return self.runtime_folder / "control.sock"

    @property
    def catalogue_address(self) -> str:
        """Where the catalogue is: the URL in the settings, or the SQLite file beside the records."""
        return self.catalogue_url or f"sqlite:///{(self.data_folder / 'catalogue.db').absolute()}"

    @property
    def pseudonym_key_file(self) -> Path:
        return self.pseudonym_key or self.data_folder / "pseudonym.key"

    @property
    def broker_folder(self) -> Path:
        return self.runtime_folder / "broker"

    def calibration_file(self, serial: int) -> Path:
        """The calibration record of the table with that serial number."""
        if self.calibration is not None:
            return self.calibration
        return self.data_folder / "calibrations" / f"{serial}.toml"

    def site_limits(self) -> SiteLimits:
        """The site's limits. Raises SettingsError for numbers that are not limits, with every reason."""
        try:
            site = SiteLimits(
                ceiling_mn=quantities.force_mn(self.site_ceiling, 0),
                setpoint_cap_mn=quantities.force_mn(self.setpoint_cap, 0),
                ramp_max_mn_s=quantities.force_rate_mn_s(self.ramp_max),
                session_s_max=quantities.duration_s(self.session_max),
            )
        except quantities.NotAQuantity as error:
            raise SettingsError(f"A limit in the settings cannot be read: {error}.") from error
        errors = site_limit_errors(site)
        if errors:
            raise SettingsError(" ".join(errors))
        return site


def _runtime_folder() -> Path:
    """The account's own, where the system gives it one; else one in the folder for temporary files."""
    given = os.environ.get("XDG_RUNTIME_DIR")
    return Path(given) / APP if given else Path(tempfile.gettempdir()) / f"{APP}-{os.getuid()}"


def settings_file() -> Path:
    """Where the settings are looked for; the file need not be there."""

    named = os.environ.get(SETTINGS_FILE_VARIABLE)
    return Path(named) if named else Path(platformdirs.user_config_dir(APP, appauthor=False)) / "settings.toml"


def load_settings(**flags: Any) -> Settings:
    """The settings in force. Flags that are None are not given. Raises SettingsError, also for what is no limit."""
    given = {name: value for name, value in flags.items() if value is not None}
    path = settings_file()
    _refuse_what_would_be_ignored(path)
    try:
        settings = Settings(**given)
    except ValidationError as error:
        problems = " ".join(_sentence(dict(problem)) for problem in error.errors())
        raise SettingsError(f"The settings cannot be used ({path}, {PREFIX}..., flags): {problems}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not TOML: {error}.") from error
    except OSError as error:
        raise SettingsError(f"The settings file {path} cannot be read: {error.strerror}.") from error
    settings.site_limits()
    settings._flags = frozenset(given)
    return settings


def _refuse_what_would_be_ignored(path: Path) -> None:
    """A limit that somebody set and that would not hold is worse than none."""
    if os.environ.get(SETTINGS_FILE_VARIABLE) and not path.is_file():
        raise SettingsError(f"{SETTINGS_FILE_VARIABLE} names {path}, and there is no such file.")
    known = [SETTINGS_FILE_VARIABLE, *(PREFIX + name.upper() for name in Settings.model_fields)]
    for variable in os.environ:
        if variable.upper().startswith(PREFIX) and variable.upper() not in known:
            raise SettingsError(f"There is no setting {variable}{_nearest(variable.upper(), known)}.")


def _sentence(problem: dict[str, Any]) -> str:
    where = ".".join(str(part) for part in problem["loc"])
    match problem["type"]:
        case "extra_forbidden":
            return f"there is no setting {where}{_nearest(where, Settings.model_fields)}."
        case "value_error":
            return f"{where}: {problem['ctx']['error']}".rstrip(".") + "."
        case _:
            return f"{where}: {problem['msg'][0].lower()}{problem['msg'][1:]}."


def _nearest(word: str, known: Iterable[str]) -> str:
    match = difflib.get_close_matches(word, list(known), n=1, cutoff=0.0)
    return f" (did you mean {match[0]}?)" if match else ""


@dataclass(frozen=True, slots=True)
class Origin:
    """One setting in force: its value, and whether a flag, the environment, the file or the defaults gave it."""

    name: str
    value: str
    source: str
    description: str


def origins(settings: Settings) -> list[Origin]:
    """Every setting and where it came from. Secrets are not shown."""

    path = settings_file()
    in_file = tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    in_environment = {variable.upper() for variable in os.environ}
    found = []
    for name, described in Settings.model_fields.items():
        variable = PREFIX + name.upper()
        if name in settings._flags:
            source = "flag"
        elif variable in in_environment:
            source = variable
        else:
            source = str(path) if name in in_file else "default"
        value = getattr(settings, name)
        shown = "(secret)" if name in ("dashboard_key", "broker_url", "catalogue_url") and value else str(value)
        found.append(Origin(name, shown, source, described.description or ""))
    return found
