"""The loop on the table's electronics: the board's time and converters on one side, the table on the other.

`board_pico.Board` has the pins. The device's own /main.py is two lines: `from firmware.main import main` and `main()`.
"""

from firmware.table import Table


def turn(board, table):
    """One turn: bytes as they come, a look every millisecond, and a conversion's work once a period."""
    data = board.received()
    if data is not None:
        table.on_bytes(data)
    if board.millisecond_passed():
        table.on_millisecond(board.t_us)
    if board.conversion_due():
        board.convert()
        table.on_conversion(
            board.t_us,
            board.raw_a,
            board.raw_b,
            board.cable_um,
            board.velocity_um_s,
            board.current_ma,
            board.input_bits,
        )
        board.conversion_done()


def main():
    """Never ends. Whatever is raised in it ends in the watchdog's reset, 50 ms later: drive off, tripped if loaded."""
    from firmware.board_pico import Board

    board = Board()
    table = Table(board)
    board.start()
    while True:
        turn(board, table)
