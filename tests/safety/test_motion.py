"""The motions, as the serial protocol knows them."""

from firmware_bridge import messages
from safety.motion import MOTIONS, Arm, CutPower, Hold, PayOut, Pull, Release, ReleaseProfile


def test_a_profile_of_letting_go_is_the_protocols_of_that_number() -> None:
    profiles = {profile.name: profile.value for profile in ReleaseProfile}

    assert profiles == {"NORMAL": 0, "PROTECTIVE": 1, "EMERGENCY": 2}
    assert profiles == {profile.name: profile.value for profile in messages.ReleaseProfile}


def test_these_motions_are_all_there_are() -> None:
    assert set(MOTIONS) == {Arm, Pull, Hold, PayOut, Release, CutPower}
