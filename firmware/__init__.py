"""The table's own electronics: MicroPython code that pulls only by lease, judges every sample, and lets go by itself.

It imports nothing but `struct`, `binascii` and `micropython`; only `board_pico`, and the encoder's program beside it,
know what it runs on. All numbers are integers (mN, um, us); device time is a u32 that wraps.
"""
