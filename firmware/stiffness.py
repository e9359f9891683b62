"""How stiff harness and body are together, learned while the cable is wound in: what a release goes by."""

from firmware.limits import SLACK_MN, STIFFNESS_MN_MM_ASSUMED, STIFFNESS_MN_MM_MAX, STIFFNESS_MN_MM_MIN

FROM_MN = 30000  # below, the harness is still tightening, and softer
OVER_MN = 30000  # a shorter rise than this is as much breathing as stiffness
NOWHERE_UM = -(1 << 29)  # less than any cable is wound


class Stiffness:
    """The secant from 30 N to the highest force of this session, in mN/mm.

    A force is learned from only where the cable is wound further than ever: one that rises without is the patient's.
    """

    def __init__(self):
        self.start()

    def start(self):
        """A new session: another patient, perhaps."""
        self.mn_mm = STIFFNESS_MN_MM_ASSUMED
        self.loaded_at_um = None  # where force first passed 15 N
        self._from_um = None
        self._from_mn = 0
        self._highest_mn = 0
        self._furthest_um = NOWHERE_UM

    def learn(self, force_mn, cable_um):
        """Takes the believed force of one sample while armed."""
        if force_mn <= self._highest_mn or force_mn <= SLACK_MN or cable_um <= self._furthest_um:
            return
        self._highest_mn = force_mn
        self._furthest_um = cable_um
        if self.loaded_at_um is None:
            self.loaded_at_um = cable_um
        if force_mn < FROM_MN:
            return
        if self._from_um is None:
            self._from_um = cable_um
            self._from_mn = force_mn
        wound_um = cable_um - self._from_um
        if force_mn - self._from_mn >= OVER_MN and wound_um > 0:
            secant = (force_mn - self._from_mn) * 1000 // wound_um
            self.mn_mm = max(STIFFNESS_MN_MM_MIN, min(STIFFNESS_MN_MM_MAX, secant))
