"""From the velocity that was ordered to the one that is stepped: never more than 0.4 m/s2 between two milliseconds."""

from micropython import const

UM_S_PER_MS = const(400)  # 0.4 m/s2: what a stepper of this size follows under 600 N without losing a step
STEPS_PER_MM = const(160)  # 6.25 um a step: 5 mm of screw a turn, 800 steps a turn
STEP_HZ_MIN = const(8)  # the slowest that the pulse generator goes, 50 um/s; below it stands still


class SpeedRamp:
    def __init__(self):
        self.velocity_um_s = 0

    def step(self, wanted_um_s, elapsed_ms):
        """The velocity after that many ms more on the way to the one that is wanted, in um/s."""
        change = UM_S_PER_MS * elapsed_ms
        velocity = self.velocity_um_s
        if wanted_um_s > velocity + change:
            velocity += change
        elif wanted_um_s < velocity - change:
            velocity -= change
        else:
            velocity = wanted_um_s
        self.velocity_um_s = velocity
        return velocity

    def stop(self):
        """At once: the drive has lost its power."""
        self.velocity_um_s = 0


def step_hz(velocity_um_s):
    """Steps a second at that velocity, either way; 0 where it is too slow to be stepped."""
    speed = velocity_um_s if velocity_um_s >= 0 else -velocity_um_s
    steps = speed * STEPS_PER_MM // 1000
    return steps if steps >= STEP_HZ_MIN else 0
