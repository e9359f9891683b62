"""The drive from a velocity command to the cable: ramp, motor lag, screw, brake. mm and s; winding in is positive."""

from math import exp
from typing import Final

from hw_sim.rigs import Rig

MS_S: Final = 0.001
BLEED_SPIN_UP_MM_S2: Final = 100.0  # the damper's rotor: were it there at once, a hip would swing on its harness
BLEED_QUICKENS_PER_S: Final = 0.06  # by each mm paid out: a stiff patient is slack before, a soft one in time


class Drive:
    """`drum_mm` is where the encoder is; `cable_mm`, `cable_mm_s` what reaches the cable past the lost motion.

    With the brake on the drum is locked, at once, whatever the drive does. With the brake off and the drive unpowered
    nothing pulls: tension turns the screw back, governed by its damper ("bleed"), which gives way a little faster the
    more it has let go, and it stays where it is when the cable is slack. Nothing turns the drum faster than the gear
    allows; above its stall force it does not wind in.
    """

    def __init__(self, rig: Rig) -> None:
        self.drum_mm = 0.0
        self.drum_mm_s = 0.0
        self.cable_mm = 0.0
        self.cable_mm_s = 0.0
        self._screw_mm = 0.0
        self._ramped_mm_s = 0.0
        self._speed_max_mm_s = rig.mechanical_max_um_s / 1000
        self._ramp_step_mm_s = rig.acceleration_max_mm_s2 * MS_S
        self._lag_ms = rig.motor_lag_ms
        self._lag_kept = exp(-1.0 / rig.motor_lag_ms)
        self._stall_n = rig.stall_n
        self._step_mm = rig.step_um / 1000
        self._half_play_mm = rig.lost_motion_mm / 2
        self._bleed_max_mm_s = min(rig.bleed_max_mm_s, self._speed_max_mm_s)
        self._bled_mm = 0.0  # since the power went
        self._bleed_mm_s_per_n = rig.bleed_mm_s_per_n
        self._bleed_breakaway_n = rig.bleed_breakaway_n

    def advance_ms(self, command_um_s: int, enabled: bool, brake_on: bool, tension_n: float) -> None:
        if brake_on:
            self._ramped_mm_s = self.drum_mm_s = self.cable_mm_s = 0.0
            return
        if enabled:
            self._bled_mm = 0.0
            wanted = self._ramped(command_um_s / 1000)
            if tension_n > self._stall_n and wanted > 0.0:
                wanted = self._ramped_mm_s = 0.0
        else:
            wanted = self._ramped_mm_s = self._bled(tension_n)
        before = self.drum_mm_s
        speed = self.drum_mm_s = wanted + (before - wanted) * self._lag_kept
        drum = self.drum_mm = self.drum_mm + speed * MS_S
        # That speed is the mean of the millisecond; half the change more is its end, where the drum now is.
        self._take_along(drum, speed + (speed - before) / 2)

    def _ramped(self, command_mm_s: float) -> float:
        limit, step, now = self._speed_max_mm_s, self._ramp_step_mm_s, self._ramped_mm_s
        goal = limit if command_mm_s > limit else -limit if command_mm_s < -limit else command_mm_s
        now = now + step if goal > now + step else now - step if goal < now - step else goal
        self._ramped_mm_s = now
        return now

    def _bled(self, tension_n: float) -> float:
        excess_n = tension_n - self._bleed_breakaway_n
        if excess_n <= 0:
            return 0.0
        spun_up = max(0.0, -self.drum_mm_s) + BLEED_SPIN_UP_MM_S2 * MS_S * self._lag_ms
        damped = min(self._bleed_max_mm_s + BLEED_QUICKENS_PER_S * self._bled_mm, self._speed_max_mm_s)
        speed = min(damped, self._bleed_mm_s_per_n * excess_n, spun_up)
        self._bled_mm += speed * MS_S
        return -speed

    def _take_along(self, drum: float, speed: float) -> None:
        """Lost motion: the screw is pushed along at either end of its play, and stays inside it."""
        play, screw = self._half_play_mm, self._screw_mm
        if drum - screw > play:
            screw = drum - play
        elif screw - drum > play:
            screw = drum + play
        else:
            self.cable_mm_s = 0.0
            return
        self._screw_mm = screw
        self.cable_mm_s = speed
        self.cable_mm = round(screw / self._step_mm) * self._step_mm
