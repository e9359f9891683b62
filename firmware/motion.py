"""Does the drum do what it was told? Its way over a fifth of a second, against all that was commanded shortly before.

No model of the drive: a ramp and a lag only ever lie between the slowest and the fastest of the commands that they
follow, so the way must too. What is left over is play, quantisation and the encoder's own doubt.
"""

BUCKETS_PER_S = 80  # a runaway is looked for this often
WAY_MS = 200
SETTLING_MS = 150  # 40 mm/s to -5 mm/s at 0.4 m/s2, and the motor's lag
TOLERANCE_UM = 200


class Motion:
    def __init__(self, rate_hz):
        buckets_per_s = min(BUCKETS_PER_S, rate_hz)
        self._samples_per_bucket = rate_hz // buckets_per_s
        self._way_buckets = max(1, WAY_MS * buckets_per_s // 1000)
        self._way_ms = self._way_buckets * 1000 // buckets_per_s
        self._cables = [0] * self._way_buckets
        commands = self._way_buckets + max(1, SETTLING_MS * buckets_per_s // 1000)
        self._slowest = [0] * commands
        self._fastest = [0] * commands
        self.start(0)

    def start(self, cable_um):
        """The drive stands still here."""
        for index in range(len(self._cables)):
            self._cables[index] = cable_um
        for index in range(len(self._slowest)):
            self._slowest[index] = self._fastest[index] = 0
        self._next_cable = self._next_command = self._samples = 0
        self._low = self._high = self._command_um_s = 0
        self.astray = False

    def command(self, velocity_um_s):
        """Every command, as it is given."""
        self._command_um_s = velocity_um_s
        if velocity_um_s < self._low:
            self._low = velocity_um_s
        elif velocity_um_s > self._high:
            self._high = velocity_um_s

    def take(self, cable_um):
        """Where the drum is at this sample; sets `astray`."""
        self._samples += 1
        if self._samples >= self._samples_per_bucket:
            self._close_bucket(cable_um)

    def _close_bucket(self, cable_um):
        self._slowest[self._next_command] = self._low
        self._fastest[self._next_command] = self._high
        self._next_command = (self._next_command + 1) % len(self._slowest)
        self._low = self._high = self._command_um_s
        self._samples = 0
        way_um = cable_um - self._cables[self._next_cable]
        self._cables[self._next_cable] = cable_um
        self._next_cable = (self._next_cable + 1) % len(self._cables)
        least_um = min(self._slowest) * self._way_ms // 1000 - TOLERANCE_UM
        most_um = max(self._fastest) * self._way_ms // 1000 + TOLERANCE_UM
        self.astray = not least_um <= way_um <= most_um
