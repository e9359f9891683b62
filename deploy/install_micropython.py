"""Puts MicroPython for Node into this virtual environment, checked against its hash. Node itself is not needed.

It is the project's own build for WebAssembly, from the npm registry; Hatch's npm hook, which also fetches the chart
library, fetches it.
"""

import socket
import sys
from pathlib import Path

from hatch_npm_vendor import vendor_package
from hatch_npm_vendor.plugin import DEFAULT_REGISTRY

PACKAGE = "@micropython/micropython-webassembly-pyscript"
VERSION = "1.27.0"
REGISTRY_TIMEOUT_S = 30
INTEGRITY = "sha512-DnXx4EqxgkeaFESrS3uKrL7mLMk4mRTd0mMzaOd3HUSiZUOAE7t11uLnjf3ftF87N2xm4knHnWEKcVK4IYIUDA=="


def main() -> int:
    folder = Path(sys.prefix) / "micropython"
    installed = folder / "integrity"
    if installed.is_file() and installed.read_text() == INTEGRITY:
        return 0
    socket.setdefaulttimeout(REGISTRY_TIMEOUT_S)
    try:
        vendor_package(folder, PACKAGE, VERSION, INTEGRITY, registry=DEFAULT_REGISTRY)
    except (OSError, RuntimeError) as problem:
        print(f"{PACKAGE} {VERSION} could not be installed: {problem}", file=sys.stderr)
        return 1
    installed.write_text(INTEGRITY)
    return 0


if __name__ == "__main__":
    sys.exit(main())
