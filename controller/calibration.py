"""Counts to millinewtons, by the calibration that the table and the computer must agree on."""

import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from firmware_bridge import messages
from safety.units import Millinewtons


@dataclass(frozen=True, slots=True)
class ChannelCalibration:
    """One channel: counts at no force, and mN a count times 2^20. `id` is what the table holds too."""

    zero_counts: int
    span_q20: int
    id: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """Both channels and the day they were calibrated on."""

    channel_a: ChannelCalibration
    channel_b: ChannelCalibration
    calibrated_on: date

    def age_days(self, today: date) -> int:
        return (today - self.calibrated_on).days


class CalibrationUnreadable(ValueError):
    """The calibration record is not there or not whole; the text says what to do."""


def force_mn(raw: int | None, channel: ChannelCalibration) -> Millinewtons | None:
    """Millinewtons by the protocol's formula; None stays None."""
    return None if raw is None else Millinewtons(messages.force_mn(raw, channel.zero_counts, channel.span_q20))


def load_calibration(path: Path) -> Calibration:
    """Reads a calibration record (TOML). Raises CalibrationUnreadable."""
    try:
        record = tomllib.loads(path.read_text(encoding="utf-8"))
        return Calibration(
            channel_a=ChannelCalibration(**record["channel_a"]),
            channel_b=ChannelCalibration(**record["channel_b"]),
            calibrated_on=date.fromisoformat(str(record["calibrated_on"])),
        )
    except FileNotFoundError as error:
        raise CalibrationUnreadable(f"There is no calibration record at {path}: have the table calibrated.") from error
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise CalibrationUnreadable(f"The calibration record {path} cannot be used: {error}.") from error


def dump_calibration(calibration: Calibration) -> str:
    """The record as TOML, as `load_calibration` reads it."""
    lines = [f"calibrated_on = {calibration.calibrated_on.isoformat()}"]
    for name, channel in (("channel_a", calibration.channel_a), ("channel_b", calibration.channel_b)):
        lines += [
            "",
            f"[{name}]",
            f"zero_counts = {channel.zero_counts}",
            f"span_q20 = {channel.span_q20}",
            f"id = {channel.id}",
        ]
    return "\n".join(lines) + "\n"
