"""A sample of the wire as the reading that safety judges."""

from typing import Final

from controller.calibration import Calibration, force_mn
from firmware_bridge.link import ReceivedSample
from firmware_bridge.messages import RAW_MISSING, Status
from safety.reading import ForceReading
from safety.units import Micrometres, MicrometresPerSecond, Microseconds

# The status bits as plain integers: asking a flag costs as much as all the rest of a reading.
ARMED: Final = int(Status.ARMED)
DRIVE_ENABLED: Final = int(Status.DRIVE_ENABLED)
RELEASING: Final = int(Status.RELEASING)
TRIPPED: Final = int(Status.TRIPPED)
SWITCH_CONNECTED: Final = int(Status.PATIENT_SWITCH_CONNECTED)
SWITCH_PRESSED: Final = int(Status.PATIENT_SWITCH_PRESSED)
EMERGENCY_STOP: Final = int(Status.EMERGENCY_STOP)


def reading_of(received: ReceivedSample, calibration: Calibration | None) -> ForceReading:
    """Forces by the calibration record; without one they are absent, as they are when a channel gave nothing."""
    sample = received.sample
    raw_a = None if sample.raw_a == RAW_MISSING else sample.raw_a
    raw_b = None if sample.raw_b == RAW_MISSING else sample.raw_b
    status = int(sample.status)
    return ForceReading(
        seq=received.seq,
        taken_us=Microseconds(received.t_us),
        raw_a=raw_a,
        raw_b=raw_b,
        force_a_mn=None if calibration is None else force_mn(raw_a, calibration.channel_a),
        force_b_mn=None if calibration is None else force_mn(raw_b, calibration.channel_b),
        cable_um=Micrometres(sample.cable_um),
        velocity_um_s=MicrometresPerSecond(sample.velocity_um_s),
        armed=status & ARMED != 0,
        drive_enabled=status & DRIVE_ENABLED != 0,
        releasing=status & RELEASING != 0,
        tripped=status & TRIPPED != 0,
        switch_connected=status & SWITCH_CONNECTED != 0,
        switch_pressed=status & SWITCH_PRESSED != 0,
        emergency_stop=status & EMERGENCY_STOP != 0,
        current_ma=sample.current_ma,
    )


def mean_force_mn(reading: ForceReading) -> int | None:
    """What is shown and controlled: the mean of both channels, or the one that there is; None when there is none."""
    a, b = reading.force_a_mn, reading.force_b_mn
    if a is None or b is None:
        return b if a is None else a
    return (a + b) // 2
