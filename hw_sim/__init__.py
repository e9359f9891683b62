"""The table as seen from the cable. With it CPython can import the firmware's board, which asks for MicroPython."""

import sys

if sys.implementation.name == "cpython":
    from hw_sim import micropython

    sys.modules.setdefault("micropython", micropython)
