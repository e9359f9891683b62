"""After a session: both channels are back at zero, and a table that is armed without one is told to let go."""

import pytest

from controller.phases import Ended
from firmware_bridge.messages import Arm
from hw_sim.table import CALIBRATION_IDS

COUNTS_PER_N = 8_000


@pytest.mark.parametrize(("offset_n", "expected"), [(4, []), (7, ["A27"])])
def test_channels_that_drifted_apart_are_told_though_their_mean_is_at_zero(holding, offset_n, expected) -> None:
    holding.table.channel_faults[0] = lambda raw: raw + offset_n * COUNTS_PER_N
    holding.table.channel_faults[1] = lambda raw: raw - offset_n * COUNTS_PER_N
    holding.run_for(1)

    holding.stop()
    holding.run_to(Ended, within_s=60)

    assert [alarm for alarm in holding.alarms_told if alarm == "A27"] == expected


def test_an_arm_that_comes_after_its_session_has_ended_is_undone(bench) -> None:
    bench.start()
    bench.stop()
    bench.run_to(Ended, within_s=5)

    bench.table.receive(bench.conductor.link.send(Arm(350_000, 150_000, 5_000, 600, *CALIBRATION_IDS)))
    bench.run_for(0.01)
    armed = bench.table.truth.drive_enabled
    bench.run_for(5)

    assert armed
    assert not bench.table.truth.drive_enabled
    assert bench.table.truth.brake_on
    assert bench.pulled_at_us == 0
