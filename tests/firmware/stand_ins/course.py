"""Runs the board's loop under MicroPython for a second, and stores a calibration. Prints what came of it."""

import json
import time

import machine

from firmware import messages as m
from firmware.board_pico import Board
from firmware.codec import Encoder
from firmware.main import turn
from firmware.table import Table

board = Board()
table = Table(board)
board.start()
end = time.ticks_add(time.ticks_ms(), 1000)
while time.ticks_diff(end, time.ticks_ms()) > 0:
    turn(board, table)
machine.levels[0] &= ~(1 << 15)
host = Encoder(m.FROM_HOST)
machine.uarts[0].arriving = bytes(host.frame(m.HELLO, 0, (1, 7))) + bytes(
    host.frame(m.WRITE_CALIBRATION, 1, (0, -5, 130000, 4000000000))
)
turn(board, table)
print(json.dumps([machine.fed[0], table.status, Board().load_calibration(0)]))
