"""The table and its patient as the firmware meets them: drive, cable, harness and body, a millisecond at a time."""

import random
from math import exp
from typing import Final

from hw_sim.body import Body
from hw_sim.disturbances import Breathing, Disturbance, Disturbances, Habits, Shape, block, half_sine, reach
from hw_sim.drive import Drive
from hw_sim.rig import Rig

CABLE_SNAPS_MS: Final = 5
HARNESS_OPENS_MS: Final = 300
# Sitting up in the harness (assumed): the feet push the hips off first, then the trunk comes forward with them.
SITTING_UP_BRACES_N: Final = 60.0
SITTING_UP_BRACES_MS: Final = 800
SITTING_UP_MM: Final = 100.0
SITTING_UP_MS: Final = 2_500
BACKLASH_SHUT_RATIO: Final = 12.0  # at this many times its closing force less than a nanometre of it is left


class Plant:
    """A rig in motion; the same rig, seed and commands give the same numbers, bit for bit.

    Read after each `step`: `force_n` in the cable, `cable_um` at the drum's encoder (wound-in positive, 0 at power-on),
    `velocity_um_s` of the drum, `current_ma` of the drive, `t_ms` since power-on.
    """

    def __init__(self, rig: Rig, seed: int) -> None:
        self.rig = rig
        self.t_ms = 0
        self.force_n = 0.0
        self._ordered: tuple[int, bool, bool] = (0, False, True)

        self._drive = Drive(rig)
        self._body = Body(rig)
        self._breathing = Breathing(
            rig.breathing_mm, rig.breathing_hz, rig.breathing_variation, random.Random(f"breathing {seed}")
        )
        self._habits = Habits(rig, random.Random(f"habits {seed}"))
        if self._habits.has_any:
            self._breathing.at_breath_end = self._fidget
        self._stiffness = rig.harness_n_per_mm
        self._damping = rig.harness_damping_n_s_per_m / 1000
        self._toe_mm = rig.harness_toe_mm
        self._backlash_mm = rig.backlash_mm
        self._backlash_shuts_at_n = rig.backlash_shuts_at_n
        self._step_um = rig.step_um

        # What disturbs, and what it comes to just now; the latter moves only while `_disturbed`.
        self._moves, self._slips, self._coughs, self._leans, self._partings = (Disturbances() for _ in range(5))
        self._disturbed = False
        self._slack_mm = rig.slack_mm
        self._moved_mm = self._cough_n = self._lean_n = 0.0
        self._attached = 1.0
        self._snag: tuple[int, float, float] | None = None  # until (ms), from (mm of cable), stiffness (N/mm)

    def step(self, velocity_command_um_s: int, drive_enabled: bool, brake_on: bool) -> None:
        """Advance by 1 ms. Brake on: the drum is locked. Brake off and drive off: tension bleeds off by itself."""
        self.t_ms += 1
        drive, body = self._drive, self._body
        drive.advance_ms(velocity_command_um_s, drive_enabled, brake_on, self.force_n)
        if self._disturbed:
            self._disturb()
        body.drift_ms(self._breathing.advance_ms() - self._moved_mm)
        pull_n = self._harness_n(drive.cable_mm, drive.cable_mm_s) + self._lean_n
        body.kick_ms(pull_n - self._cough_n)
        self.force_n = pull_n if self._snag is None else pull_n + self._snag_n()
        self._ordered = velocity_command_um_s, drive_enabled, brake_on

    def cough(self, peak_n: float = 80.0, duration_ms: int = 200) -> None:
        """The trunk pushes the hip away from the cable, from now: a half sine of that height and length."""
        self._schedule(self._coughs, peak_n, duration_ms, half_sine)

    def shift(self, distance_mm: float, duration_ms: int) -> None:
        """The patient moves on the table, from now: positive away from the cable, which raises the force."""
        self._schedule(self._moves, distance_mm, duration_ms, reach)

    def slip(self, distance_mm: float, duration_ms: int) -> None:
        """The harness slides down the hips by that much, from now: so much more cable is slack."""
        self._schedule(self._slips, distance_mm, duration_ms, reach)

    def lean(self, force_n: float, duration_ms: int) -> None:
        """Someone leans on the cable, from now: so much more tension, between drum and hip."""
        self._schedule(self._leans, force_n, duration_ms, block)

    def snag(self, stiffness_n_per_mm: float = 1000.0, duration_ms: int = 300) -> None:
        """The cable catches where it is now: further winding works against that stiffness, until it springs free."""
        self._snag = (self.t_ms + duration_ms, self._drive.cable_mm, stiffness_n_per_mm)

    def sit_up(self) -> None:
        """The patient braces and sits up, from now: the force rises for a moment, then the cable goes slack."""
        self.cough(SITTING_UP_BRACES_N, SITTING_UP_BRACES_MS)
        self._schedule(self._moves, -SITTING_UP_MM, SITTING_UP_MS, reach, after_ms=SITTING_UP_BRACES_MS)

    def leave(self) -> None:
        """The patient opens the harness, from now: the force goes within 300 ms and does not come back."""
        self._schedule(self._partings, 1.0, HARNESS_OPENS_MS, reach)

    def snap(self) -> None:
        """The cable breaks: the force goes within 5 ms and does not come back."""
        self._schedule(self._partings, 1.0, CABLE_SNAPS_MS, reach)

    def _fidget(self, breath_s: float) -> None:
        """What the patient's habits bring with the breath to come."""
        cough_n = self._habits.cough_n(breath_s)
        if cough_n is not None:
            self.cough(cough_n)
        shift = self._habits.shift(breath_s)
        if shift is not None:
            self.shift(*shift)

    def _schedule(self, kind: Disturbances, size: float, duration_ms: int, shape: Shape, *, after_ms: int = 0) -> None:
        kind.add(Disturbance(self.t_ms + after_ms, duration_ms, size, shape))
        self._disturbed = True

    def _disturb(self) -> None:
        now = self.t_ms
        self._moved_mm = self._moves.at(now)
        self._slack_mm = self.rig.slack_mm + self._slips.at(now)
        self._cough_n = self._coughs.at(now)
        self._lean_n = self._leans.at(now)
        self._attached = max(0.0, 1.0 - self._partings.at(now))
        kinds = (self._moves, self._slips, self._coughs, self._leans, self._partings)
        self._disturbed = any(kind.any_running() for kind in kinds)

    def _harness_n(self, cable_mm: float, cable_mm_s: float) -> float:
        """Force of harness and strap: none while slack, rising through the toe to a straight line."""
        stretch = cable_mm - self._backlash_open_mm() - self._body.hip_mm - self._slack_mm
        if stretch <= 0.0:
            return 0.0
        toe = self._toe_mm
        straightened = 1.0 - exp(-stretch / toe)
        spring_n = self._stiffness * (stretch - toe * straightened)
        damper_n = self._damping * straightened * (cable_mm_s - self._body.hip_mm_s)
        force_n = (spring_n + damper_n) * self._attached
        return force_n if force_n > 0.0 else 0.0

    def _backlash_open_mm(self) -> float:
        """How far tension has pushed the screw's backlash to one side, at the force of a millisecond ago."""
        ratio = self.force_n / self._backlash_shuts_at_n
        if ratio > BACKLASH_SHUT_RATIO:
            return self._backlash_mm
        return self._backlash_mm * (1.0 - exp(-ratio))

    def _snag_n(self) -> float:
        assert self._snag is not None
        until_ms, from_mm, stiffness = self._snag
        if self.t_ms >= until_ms:
            self._snag = None
            return 0.0
        return max(0.0, stiffness * (self._drive.cable_mm - from_mm))

    # Worked out when somebody looks, which is far less often than every millisecond.

    @property
    def cable_um(self) -> int:
        return round(round(self._drive.drum_mm * 1000 / self._step_um) * self._step_um)

    @property
    def velocity_um_s(self) -> int:
        return round(self._drive.drum_mm_s * 1000)

    @property
    def current_ma(self) -> int:
        (command_um_s, enabled, brake_on), rig = self._ordered, self.rig
        if not enabled:
            return 0
        if command_um_s and (brake_on or (self.force_n > rig.stall_n and command_um_s > 0)):
            return int(rig.stall_current_ma)
        return int(rig.idle_current_ma + rig.current_ma_per_n * self.force_n)
