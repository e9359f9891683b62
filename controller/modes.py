"""From a prescription to its force profile: every treatment mode compiles to the same segments."""

from controller.prescription import Prescription
from controller.profile import Profile, hold, ramp

MN_PER_N = 1000


def profile_of(prescription: Prescription) -> Profile:
    """The pull as it is planned, from slack: the first ramp begins at 0 N."""
    force_n = prescription.force_mn / MN_PER_N
    return Profile(
        (
            ramp(0.0, force_n, prescription.ramp_mn_s / MN_PER_N),
            hold(force_n, prescription.time_at_force_s),
        )
    )
