"""The patient from the hips up: a mass on friction, held to the trunk by a spring, a damper and two creep arms.

mm, N, s, and so N s2/mm for mass. Towards the cable is positive; a trunk that moves the other way raises the force.
Positions stand at whole, speeds at half milliseconds (leapfrog), which is second order and needs no sub-steps:
the fastest mode of the stiffest rig turns by 0.05 rad a millisecond, that of bristles on a fixed table by 0.2.
"""

from math import exp, expm1
from typing import Final

from hw_sim.rig import Rig

MS_S: Final = 0.001
GLIDES_MM_S_RATIO: Final = 4.0  # beyond this many Stribeck speeds friction is plain Coulomb, within a millionth


class Body:
    """`hip_mm` and `hip_mm_s` are what the harness holds on to, both at the last whole millisecond."""

    def __init__(self, rig: Rig) -> None:
        self.hip_mm = 0.0
        self.hip_mm_s = 0.0
        self._leap_mm_s = 0.0
        self._trunk_mm = 0.0
        self._trunk_mm_s = 0.0
        self._ms_over_mass = MS_S / (rig.hip_mass_kg / 1000)
        self._damping = rig.body_damping_n_s_per_m / 1000
        self._half_damped = self._damping * self._ms_over_mass / 2

        self._stiffness = rig.body_n_per_mm
        self._fast_stiffness = rig.creep_fast_fraction * rig.body_n_per_mm
        self._slow_stiffness = rig.creep_slow_fraction * rig.body_n_per_mm
        self._fast_mm = self._slow_mm = 0.0
        self._fast_share = -expm1(-MS_S / rig.creep_fast_s)
        self._slow_share = -expm1(-MS_S / rig.creep_slow_s)

        self._coulomb_n = rig.sliding_n
        self._stiction_n = max(rig.sticking_n - rig.sliding_n, 0.0)
        self._stribeck_mm_s = rig.stribeck_mm_s
        self._bristle_stiffness = rig.bristle_n_per_mm
        self._bristle_damping = rig.bristle_damping_n_s_per_m / 1000
        self._bristle_mm = 0.0

    def drift_ms(self, trunk_mm: float) -> None:
        """Move on by 1 ms, with the trunk now at `trunk_mm`."""
        self._trunk_mm_s = (trunk_mm - self._trunk_mm) / MS_S
        self._trunk_mm = trunk_mm
        self.hip_mm += self._leap_mm_s * MS_S

    def kick_ms(self, pull_n: float) -> None:
        """Let the pull (cable and whatever else pushes the hip) change the hip's speed for 1 ms."""
        speed = self._leap_mm_s
        stretch = self.hip_mm - self._trunk_mm
        fast, slow = self._fast_mm, self._slow_mm
        fast += (stretch - fast) * self._fast_share
        slow += (stretch - slow) * self._slow_share
        self._fast_mm, self._slow_mm = fast, slow
        # All three springs as one, less what the arms have given way.
        spring_n = self._stiffness * stretch - self._fast_stiffness * fast - self._slow_stiffness * slow
        push_n = pull_n - spring_n + self._damping * self._trunk_mm_s
        if self._coulomb_n:
            push_n -= self._friction_n(speed)
        damped = self._half_damped
        faster = (speed * (1.0 - damped) + push_n * self._ms_over_mass) / (1.0 + damped)
        self._leap_mm_s = faster
        self.hip_mm_s = faster + (faster - speed) / 2  # looked ahead to where the harness asks for it next

    def _friction_n(self, speed: float) -> float:
        """LuGre (Canudas de Wit 1995); the bristles advance implicitly, which stays stable at any speed."""
        pace = speed if speed >= 0.0 else -speed
        ratio = pace / self._stribeck_mm_s
        grip_n = self._coulomb_n
        if ratio < GLIDES_MM_S_RATIO:
            grip_n += self._stiction_n * exp(-ratio * ratio)
        before = self._bristle_mm
        bend = (before + speed * MS_S) / (1.0 + self._bristle_stiffness * pace * MS_S / grip_n)
        self._bristle_mm = bend
        return self._bristle_stiffness * bend + self._bristle_damping * (bend - before) / MS_S
