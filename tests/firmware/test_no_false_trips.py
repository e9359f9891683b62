"""What a session is full of (breathing, coughs, moves, a busy host) is no trip."""

import random

import pytest

from firmware.motion import Motion
from hw_sim.drive import Drive
from hw_sim.rigs import load_rig


@pytest.mark.parametrize("rig_name", ["nominal", "nominal_80"])
@pytest.mark.parametrize("seed", range(4))
def test_no_command_makes_an_obedient_drive_look_astray(rig_name: str, seed: int) -> None:
    rig = load_rig(rig_name)
    draw = random.Random(seed)
    drive, motion = Drive(rig), Motion(rig.rate_hz)
    command, due_us = 0, 0.0

    for t_ms in range(60_000):
        if draw.random() < 0.05:
            command = draw.choice([0, 5000, 20_000, -rig.mechanical_max_um_s, draw.randint(-40_000, 20_000)])
            command = max(-rig.mechanical_max_um_s, command)
            motion.command(command)
        drive.advance_ms(command, True, False, 100.0)
        while due_us <= t_ms * 1000:
            due_us += 1e6 / rig.rate_hz
            motion.take(round(drive.drum_mm * 1000))
            assert not motion.astray, t_ms


@pytest.mark.parametrize("rig_name", ["nominal", "stiff", "soft", "nominal_80"])
def test_a_session_with_coughs_and_a_slow_move_does_not_trip(bench, rig_name: str) -> None:
    table = bench(rig_name).arm(ceiling_mn=375_000).load(300_000)
    plant = table.table.plant

    for _ in range(3):
        plant.cough()
        table.keep(300_000, 700)
    plant.shift(20.0, 2000)
    table.keep(300_000, 4000)
    plant.shift(-10.0, 2000)
    table.keep(300_000, 10_000)
    table.keep(50_000, 10_000)
    table.keep(200_000, 12_000)

    assert table.trips == []
