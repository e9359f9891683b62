"""The one thing that the board asks of `os`, which MicroPython in Node has not."""


def urandom(count):
    return bytes(range(count))
