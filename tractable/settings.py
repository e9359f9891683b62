"""Settings: one TOML file, environment variables over it (TRACTABLE_...), flags over those. A site can only tighten."""

import os
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from controller import quantities
from safety.limits import SiteLimits, site_limit_errors

APP = "tractable"
SETTINGS_FILE_VARIABLE = "TRACTABLE_SETTINGS"
DASHBOARD_PORT = 8642
BROKER_PORT = 18830


class SettingsError(ValueError):
    """The settings cannot be used; the text names the setting and what to write instead."""


class Settings(BaseSettings):
    """Every setting, with its default and what it is for."""

    model_config = SettingsConfigDict(env_prefix="TRACTABLE_", extra="forbid", frozen=True)

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
    site_ceiling: str = Field("350 N", description="no force above it, ever; at most 600 N")
    setpoint_cap: str = Field("300 N", description="no prescription above it; at most 50 N under the ceiling")
    ramp_max: str = Field("20 N/s", description="fastest ramp that may be prescribed; at most 20 N/s")
    session_max: str = Field("45 min", description="longest session; at most 45 min")

    @field_validator("dashboard_host")
    @classmethod
    def _loopback_only(cls, host: str) -> str:
        if host not in ("127.0.0.1", "localhost", "::1"):
            raise ValueError("the dashboard serves this computer only: use 127.0.0.1")
        return host

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
    """The settings in force. Flags that are None are not given. Raises SettingsError."""
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise SettingsError(
            f"The settings cannot be used ({settings_file()}, TRACTABLE_..., flags): {problems}"
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{settings_file()} is not TOML: {error}") from error


@dataclass(frozen=True, slots=True)
class Origin:
    """One setting in force: its value, and whether it came from the file, the environment or the defaults."""

    name: str
    value: str
    source: str
    description: str


def origins(settings: Settings) -> list[Origin]:
    """Every setting and where it came from. Secrets are not shown."""

    path = settings_file()
    in_file = tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    found = []
    for name, described in Settings.model_fields.items():
        variable = f"TRACTABLE_{name.upper()}"
        source = variable if variable in os.environ else str(path) if name in in_file else "default"
        value = getattr(settings, name)
        shown = "(secret)" if name in ("dashboard_key", "broker_url") and value else str(value)
        found.append(Origin(name, shown, source, described.description or ""))
    return found
