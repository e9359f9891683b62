"""The only way from a decision to the wire: a Permit, spent once and soon, as the frame that it stands for.

The absolute limits are checked once more on the message, and the frame is read back, so that a mistake in either
cannot pull.
"""

from typing import Final

from firmware_bridge import messages
from firmware_bridge.framing import FrameDecoder
from firmware_bridge.link import Link
from safety import limits, motion
from safety.limiter import Permit
from safety.units import Microseconds, whole_within

TAKE_UP_MAX_UM_S: Final = int(limits.TAKE_UP_MAX_UM_S)
PAYOUT_MAX_UM_S: Final = int(limits.PAYOUT_MAX_UM_S)


class NotPermitted(Exception):
    """What was offered is no Permit of this program, was spent already, is too old, or beyond the absolute limits."""


def execute(permit: Permit, link: Link) -> bytes:
    """The bytes to write for that permit. Raises NotPermitted, and then nothing may be written."""
    if type(permit) is not Permit or not permit.spend():
        raise NotPermitted("A motion needs a permit of its own; this one is forged or was used before.")
    if not permit.is_good_at(None if link.newest_us is None else Microseconds(link.newest_us)):
        raise NotPermitted("The permit is too old: it was given for a sample that the table has long left behind.")
    message = command_of(permit, link)
    if not _is_within_the_absolute(message):
        raise NotPermitted("The motion is beyond the absolute limits.")
    frame = link.send(message)
    if list(FrameDecoder().feed(frame)) != [(link.sent_counter, message)]:
        raise NotPermitted("The encoder's own bytes do not say what was meant.")
    return frame


def command_of(permit: Permit, link: Link) -> messages.HostMessage:
    """The message of the serial protocol that stands for the permitted motion on that link."""
    match permit.motion:
        case motion.Pull(speed_um_s=speed_um_s):
            return _move(permit, speed_um_s, link)
        case motion.PayOut(speed_um_s=speed_um_s):
            return _move(permit, -speed_um_s, link)
        case motion.Hold():
            return _move(permit, 0, link)
        case motion.Release(profile=profile):
            return messages.Release(messages.ReleaseProfile(profile.value))
        case motion.CutPower():
            return messages.Disarm()
        case motion.Arm() as arm:
            return messages.Arm(
                ceiling_mn=arm.limits.ceiling_mn,
                travel_um=arm.limits.travel_um,
                pull_um_s=arm.limits.pull_um_s,
                duration_s=arm.limits.duration_us // 1_000_000,
                calibration_a=arm.calibration_a,
                calibration_b=arm.calibration_b,
            )


def _move(permit: Permit, velocity_um_s: int, link: Link) -> messages.Move:
    basis = link.seq_on_wire(permit.basis_seq)
    return messages.Move(basis=basis, velocity_um_s=velocity_um_s, lease_ms=permit.lease_ms)


def _is_within_the_absolute(meant: messages.HostMessage) -> bool:
    match meant:
        case messages.Move():
            speed_allowed = whole_within(meant.velocity_um_s, -PAYOUT_MAX_UM_S, TAKE_UP_MAX_UM_S)
            return speed_allowed and whole_within(meant.lease_ms, 1, limits.LEASE_MS_MAX)
        case messages.Arm():
            return (
                whole_within(meant.ceiling_mn, 1, limits.SITE_CEILING_MAX_MN)
                and whole_within(meant.travel_um, 1, limits.TRAVEL_MAX_UM)
                and whole_within(meant.pull_um_s, 1, limits.PULL_MAX_UM_S)
                and whole_within(meant.duration_s, 1, limits.DEVICE_SESSION_S_MAX)
            )
        case _:
            return True
