"""The patient's switch as the voltage of its loop: plugged in, pressed, or neither.

In the handle a normally closed contact bridges 3.3 kohm, and 1.0 kohm lies in series; 2.2 kohm pull the loop up to the
converter's own reference. So every state of the loop has a level of its own, in parts of 65536:

    cable shorted  0      released  20480 (1.0 of 3.2 kohm)      pressed  43353 (4.3 of 6.5 kohm)      unplugged  65535

A short, which would hide a press for ever, reads as unplugged. What lies between released and unplugged is a press: a
contact that is opening, or a cable that chafes, lets go rather than pulls.
"""

from micropython import const

from firmware.messages import SWITCH_CONNECTED, SWITCH_PRESSED

SHORTED_BELOW = const(10240)
PRESSED_FROM = const(30000)
UNPLUGGED_FROM = const(55000)


def bits(level):
    """The input bits of `messages` for that reading of the loop, 0 to 65535."""
    if level < SHORTED_BELOW or level >= UNPLUGGED_FROM:
        return 0
    return SWITCH_CONNECTED | SWITCH_PRESSED if level >= PRESSED_FROM else SWITCH_CONNECTED
