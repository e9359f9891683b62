"""A trial's arms look alike: what is given in a sham, and what screens may show of a blinded session.

A sham follows the course of the prescription at a low force. Screens show where force is on that course, in whole
percent of the prescribed peak, and no newtons. Limits and alarms see what is real; so does the record.
"""

import re
from dataclasses import dataclass
from typing import Final

from safety import limits

# Up to the least that can be held a sham is what it seems.
FLOOR_N: Final = limits.SETPOINT_MIN_MN / 1000
# A breath moves a low force by more of it than a high one: what is about at its target is shown there, in both arms.
ABOUT_AT_TARGET_PERCENT: Final = 5
ABOUT_AT_TARGET_MN: Final = 3_000
# A blinded force is told in thousandths of a percent where others are told in mN.
PER_PERCENT: Final = 1_000
PEAK: Final = 100 * PER_PERCENT
_NEWTONS = re.compile(r"-?\d+(?:\.\d+)? ?N(?:/mm)?\b")


@dataclass(frozen=True, slots=True)
class Sham:
    """From the prescribed peak to the sham's, in N: what lies above the floor is pressed together."""

    peak_n: float
    sham_n: float

    def given_n(self, prescribed_n: float) -> float:
        if prescribed_n <= FLOOR_N:
            return prescribed_n
        return FLOOR_N + (prescribed_n - FLOOR_N) * (self.sham_n - FLOOR_N) / (self.peak_n - FLOOR_N)

    def prescribed_n(self, given_n: float) -> float:
        """The other way round."""
        if given_n <= FLOOR_N:
            return given_n
        return FLOOR_N + (given_n - FLOOR_N) * (self.peak_n - FLOOR_N) / (self.sham_n - FLOOR_N)


def shown_force(force_mn: int | None, target_mn: int | None, peak_mn: int, sham_mn: int | None) -> int | None:
    """What a screen may be told of a force that was measured: thousandths of a percent of the prescribed peak."""
    if force_mn is None:
        return None
    if target_mn is not None:
        about_mn = max(ABOUT_AT_TARGET_MN, target_mn * ABOUT_AT_TARGET_PERCENT // 100)
        force_mn = target_mn if abs(force_mn - target_mn) <= about_mn else force_mn
    force_n = force_mn / 1000
    if sham_mn is not None:
        force_n = Sham(peak_mn / 1000, sham_mn / 1000).prescribed_n(force_n)
    return round(100_000 * force_n / peak_mn) * PER_PERCENT


def without_newtons(text: str) -> str:
    """A sentence of the controller's, for a screen of a blinded session."""
    return _NEWTONS.sub("(blinded)", text)
