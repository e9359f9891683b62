"""The world around the step: one table with its calibration, one prescription, and any sample that it may send."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from controller import prescription
from controller.inputs import SampleArrived, StartAsked, TableFound
from controller.state import State
from firmware_bridge.link import ReceivedSample
from firmware_bridge.messages import RAW_MISSING, Calibration, Identity, IdentityFlag, Sample, Status
from hw_sim.rigs import load_rig
from proof.bench import document, start_of
from safety.limits import SHIPPED
from tractable.virtual_stack import calibration_of

SAMPLE_US: Final = 20_000
FORCE_MN: Final = 60_000
AGREED_MN: Final = 70_000  # as far as it may be raised
CEILING_MN: Final = 110_000  # 70 N and max(40 N, 25 %)
OVER_MN: Final = 120_000
JUST_LOADED_MN: Final = 18_000  # over 15 N, and under the preload of 24 N
SATURATED: Final = 8_388_607
FIRST_US: Final = 5_000_000  # of both clocks

RECORD: Final = calibration_of(load_rig("nominal_80"))
_CHANNELS: Final = (RECORD.channel_a, RECORD.channel_b)
CALIBRATIONS: Final = tuple(Calibration(n, c.zero_counts, c.span_q20, c.id) for n, c in enumerate(_CHANNELS))
IDENTITY: Final = Identity(
    1, IdentityFlag.SIMULATED, "TT-1", 1001, 0, 1, 0, 77, 80, 600_000, 150_000, 5_000, payout_um_s=20_000
)
FOUND: Final = TableFound(IDENTITY, CALIBRATIONS[0], CALIBRATIONS[1], restarted=False, record=RECORD)
PRESCRIBED: Final = prescription.parse(document("60 N", "60 s", "20 N/s", raise_up_to="70 N"))
START: Final[StartAsked] = start_of(PRESCRIBED, confirmed_mn=None)
NOTHING_YET: Final = State(site=SHIPPED)


class Force(Enum):
    SLACK = "slack"
    LOADED = "loaded"
    OVER = "over the ceiling"
    WILD = "channel saturated"
    MISSING = "channel missing"


class Device(Enum):
    RESTING = Status(0)
    ARMED = Status.ARMED | Status.DRIVE_ENABLED
    RELEASING = Status.RELEASING | Status.DRIVE_ENABLED
    LETTING_GO = Status.RELEASING | Status.DRIVE_ENABLED | Status.TRIPPED
    TRIPPED = Status.TRIPPED


class Hands(Enum):
    """What people do at the switches."""

    FREE = Status.PATIENT_SWITCH_CONNECTED
    PRESSED = Status.PATIENT_SWITCH_CONNECTED | Status.PATIENT_SWITCH_PRESSED
    UNPLUGGED = Status(0)
    EMERGENCY_STOP = Status.PATIENT_SWITCH_CONNECTED | Status.EMERGENCY_STOP


@dataclass(frozen=True, slots=True)
class Seen:
    """What one sample shows."""

    a_mn: int | None
    b_mn: int | None
    status: Status
    cable_um: int
    velocity_um_s: int = 0
    same_code: bool = False  # as the sample before: a channel that is stuck


def sample(state: State, seen: Seen, age_us: int, passed_us: int = SAMPLE_US) -> SampleArrived:
    """The next sample, so much later on the table's clock."""
    last = state.reading
    seq = 1_000 if last is None else last.seq + 1
    t_us = FIRST_US if last is None else last.taken_us + passed_us
    noise = 0 if seen.same_code else seq % 2  # a working converter does not give one code again and again
    body = Sample(
        seq=seq % (1 << 16),
        t_us=t_us % (1 << 32),
        raw_a=_raw(0, seen.a_mn, noise),
        raw_b=_raw(1, seen.b_mn, noise),
        cable_um=seen.cable_um,
        velocity_um_s=seen.velocity_um_s,
        current_ma=300 + (seen.a_mn or 0) // 100,
        status=seen.status,
    )
    return SampleArrived(ReceivedSample(body, seq, t_us, lost_before=0), age_us)


def _raw(number: int, force_mn: int | None, noise: int) -> int:
    channel = _CHANNELS[number]
    if force_mn is None:
        return RAW_MISSING
    return min(SATURATED, channel.zero_counts - (-force_mn << 20) // channel.span_q20 + noise)


def shown_force(state: State, force: Force) -> tuple[int | None, int | None]:
    """Both channels (mN): loaded is at the target, or just loaded where there is none."""
    target_mn = None if state.course is None else state.course.target_mn
    loaded_mn = JUST_LOADED_MN if target_mn is None else max(target_mn, JUST_LOADED_MN)
    match force:
        case Force.SLACK:
            return 300, 200
        case Force.LOADED:
            return loaded_mn, loaded_mn
        case Force.OVER:
            return OVER_MN, OVER_MN
        case Force.WILD:
            return 10**9, loaded_mn
        case Force.MISSING:
            return None, loaded_mn


def cable_um(state: State) -> int:
    return 0 if state.reading is None else state.reading.cable_um
