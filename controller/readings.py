"""A sample of the wire as the reading that safety judges."""

from controller.calibration import Calibration, force_mn
from firmware_bridge.link import ReceivedSample
from firmware_bridge.messages import RAW_MISSING, Status
from safety.reading import ForceReading
from safety.units import Micrometres, MicrometresPerSecond, Microseconds


def reading_of(received: ReceivedSample, calibration: Calibration | None) -> ForceReading:
    """Forces by the calibration record; without one they are absent, as they are when a channel gave nothing."""
    sample = received.sample
    raw_a = None if sample.raw_a == RAW_MISSING else sample.raw_a
    raw_b = None if sample.raw_b == RAW_MISSING else sample.raw_b
    status = sample.status
    return ForceReading(
        seq=received.seq,
        taken_us=Microseconds(received.t_us),
        raw_a=raw_a,
        raw_b=raw_b,
        force_a_mn=None if calibration is None else force_mn(raw_a, calibration.channel_a),
        force_b_mn=None if calibration is None else force_mn(raw_b, calibration.channel_b),
        cable_um=Micrometres(sample.cable_um),
        velocity_um_s=MicrometresPerSecond(sample.velocity_um_s),
        armed=Status.ARMED in status,
        drive_enabled=Status.DRIVE_ENABLED in status,
        releasing=Status.RELEASING in status,
        tripped=Status.TRIPPED in status,
        switch_connected=Status.PATIENT_SWITCH_CONNECTED in status,
        switch_pressed=Status.PATIENT_SWITCH_PRESSED in status,
        emergency_stop=Status.EMERGENCY_STOP in status,
    )


def mean_force_mn(reading: ForceReading) -> int | None:
    """What is shown and controlled: the mean of both channels, or the one that there is; None when there is none."""
    present = [force for force in (reading.force_a_mn, reading.force_b_mn) if force is not None]
    return sum(present) // len(present) if present else None
