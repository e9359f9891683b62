"""The only way from a decision to the wire: a Permit, spent once, as the frame that it stands for.

The encoder reads its own bytes back and checks the absolute limits again, so that a mistake in it cannot pull.
"""

from typing import Final

from firmware_bridge import messages
from firmware_bridge.framing import FrameDecoder
from firmware_bridge.link import SEQ_WRAP, Link
from safety import limits, motion
from safety.limiter import PAYOUT_MAX_UM_S, Permit

TAKE_UP_MAX_UM_S: Final = int(limits.TAKE_UP_MAX_UM_S)


class NotPermitted(Exception):
    """What was offered is not a Permit of this program, was spent already, or is beyond the absolute limits."""


def execute(permit: Permit, link: Link) -> bytes:
    """The bytes to write for that permit. Raises NotPermitted, and then nothing may be written."""
    if type(permit) is not Permit or not permit.spend():
        raise NotPermitted("A motion needs a permit of its own; this one is forged or was used before.")
    message = command_of(permit)
    frame = link.send(message)
    _check(frame, message)
    return frame


def command_of(permit: Permit) -> messages.HostMessage:
    """The message of the serial protocol that stands for the permitted motion."""
    match permit.motion:
        case motion.Pull(speed_um_s=speed_um_s):
            return _move(permit, speed_um_s)
        case motion.PayOut(speed_um_s=speed_um_s):
            return _move(permit, -speed_um_s)
        case motion.Hold():
            return _move(permit, 0)
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


def _move(permit: Permit, velocity_um_s: int) -> messages.Move:
    return messages.Move(basis=permit.basis_seq % SEQ_WRAP, velocity_um_s=velocity_um_s, lease_ms=permit.lease_ms)


def _check(frame: bytes, meant: messages.HostMessage) -> None:
    read_back = [message for _counter, message in FrameDecoder().feed(frame)]
    if read_back != [meant]:
        raise NotPermitted("The encoder's own bytes do not say what was meant.")
    match meant:
        case messages.Move():
            allowed = -PAYOUT_MAX_UM_S <= meant.velocity_um_s <= TAKE_UP_MAX_UM_S
            allowed = allowed and 1 <= meant.lease_ms <= limits.LEASE_MS_MAX
        case messages.Arm():
            allowed = 0 < meant.ceiling_mn <= limits.SITE_CEILING_MAX_MN and 0 < meant.pull_um_s <= limits.PULL_MAX_UM_S
            allowed = allowed and 0 < meant.duration_s <= limits.DEVICE_SESSION_S_MAX
        case _:
            allowed = True
    if not allowed:
        raise NotPermitted("The motion is beyond the absolute limits.")
