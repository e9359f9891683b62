"""A sample in plain numbers, worked out anew from its bytes: what the checker goes by instead of the step's reading."""

from dataclasses import dataclass

from controller.calibration import Calibration, ChannelCalibration
from controller.inputs import SampleArrived

MISSING = -2147483648
SATURATED = 7_969_177  # 95 % of full scale of 24 bits
CEILING_MN = 110_000  # what 60 N, which may be raised to 70 N, may come to: and 40 N


@dataclass(frozen=True, slots=True)
class Plain:
    """Forces in mN, None where a channel gave nothing; the bits of the status by their place."""

    seq: int
    t_us: int
    age_us: int
    a_mn: int | None
    b_mn: int | None
    saturated: bool
    cable_um: int
    armed: bool
    drive: bool
    releasing: bool
    tripped: bool
    connected: bool
    pressed: bool
    emergency: bool

    @property
    def largest_mn(self) -> int | None:
        return max((one for one in (self.a_mn, self.b_mn) if one is not None), default=None)

    @property
    def is_slack(self) -> bool:
        return self.a_mn is not None and self.b_mn is not None and max(abs(self.a_mn), abs(self.b_mn)) <= 15_000

    @property
    def drives(self) -> bool:
        return self.armed or self.drive or self.releasing

    @property
    def is_held(self) -> bool:
        """A person says stop, or would not be heard."""
        return self.emergency or self.pressed or not self.connected

    @property
    def is_quiet(self) -> bool:
        return self.is_slack and 0 <= self.age_us <= 60_000 and not (self.armed or self.releasing or self.is_held)

    @property
    def is_missing(self) -> bool:
        return self.a_mn is None or self.b_mn is None

    @property
    def is_out_of_range(self) -> bool:
        return self.saturated or any(one is not None and one < -30_000 for one in (self.a_mn, self.b_mn))

    @property
    def is_far_apart(self) -> bool:
        return self.a_mn is not None and self.b_mn is not None and abs(self.a_mn - self.b_mn) > 40_000

    @property
    def is_over(self) -> bool:
        return self.largest_mn is not None and self.largest_mn > CEILING_MN


def plain(given: SampleArrived, calibration: Calibration | None) -> Plain:
    body, status = given.received.sample, int(given.received.sample.status)
    return Plain(
        seq=given.received.seq,
        t_us=given.received.t_us,
        age_us=given.age_us,
        a_mn=_force_mn(body.raw_a, None if calibration is None else calibration.channel_a),
        b_mn=_force_mn(body.raw_b, None if calibration is None else calibration.channel_b),
        saturated=any(raw != MISSING and abs(raw) >= SATURATED for raw in (body.raw_a, body.raw_b)),
        cable_um=body.cable_um,
        armed=status & 1 != 0,
        drive=status & 2 != 0,
        releasing=status & 4 != 0,
        tripped=status & 8 != 0,
        connected=status & 16 != 0,
        pressed=status & 32 != 0,
        emergency=status & 64 != 0,
    )


def _force_mn(raw: int, channel: ChannelCalibration | None) -> int | None:
    if raw == MISSING or channel is None:
        return None
    return (raw - channel.zero_counts) * channel.span_q20 >> 20
