"""Puts MicroPython for Node into this virtual environment: the project's own build for WebAssembly."""

import sys

from npm_part import install

PACKAGE = "@micropython/micropython-webassembly-pyscript"
VERSION = "1.27.0"
INTEGRITY = "sha512-DnXx4EqxgkeaFESrS3uKrL7mLMk4mRTd0mMzaOd3HUSiZUOAE7t11uLnjf3ftF87N2xm4knHnWEKcVK4IYIUDA=="

if __name__ == "__main__":
    sys.exit(install("micropython", PACKAGE, VERSION, INTEGRITY))
