"""A force reading as safety sees it: two channels, each perhaps absent. Absent is never zero."""

from dataclasses import dataclass

from safety.limits import SLACK_MN
from safety.units import Micrometres, MicrometresPerSecond, Microseconds, Millinewtons


@dataclass(frozen=True, slots=True)
class ForceReading:
    """One sample, judged against the calibration's zero (never a tare).

    `seq` and `taken_us` are the device's sample number and clock, unwrapped. A channel that gave nothing is None.
    """

    seq: int
    taken_us: Microseconds
    raw_a: int | None
    raw_b: int | None
    force_a_mn: Millinewtons | None
    force_b_mn: Millinewtons | None
    cable_um: Micrometres
    velocity_um_s: MicrometresPerSecond
    armed: bool
    drive_enabled: bool
    releasing: bool
    tripped: bool
    switch_connected: bool
    switch_pressed: bool
    emergency_stop: bool
    current_ma: int  # of the drive


def largest_force(reading: ForceReading) -> Millinewtons | None:
    """The larger of the channels that gave something; None when neither did."""
    if reading.force_a_mn is None:
        return reading.force_b_mn
    if reading.force_b_mn is None or reading.force_a_mn >= reading.force_b_mn:
        return reading.force_a_mn
    return reading.force_b_mn


def is_slack(reading: ForceReading) -> bool:
    """Both channels there and within 15 N of zero. A channel that is absent is not slack."""
    a, b = reading.force_a_mn, reading.force_b_mn
    return a is not None and b is not None and -SLACK_MN <= a <= SLACK_MN and -SLACK_MN <= b <= SLACK_MN
