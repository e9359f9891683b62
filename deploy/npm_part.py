"""Puts a package of the npm registry into this virtual environment, checked against its hash; Node is not needed.

Hatch's npm hook, which also fetches the chart library, fetches it.
"""

import socket
import sys
from pathlib import Path

from hatch_npm_vendor import vendor_package
from hatch_npm_vendor.plugin import DEFAULT_REGISTRY

REGISTRY_TIMEOUT_S = 30


def install(folder_name: str, package: str, version: str, integrity: str) -> int:
    """Into that folder of the environment, unless it is there; 1 and a sentence where it cannot be had."""
    folder = Path(sys.prefix) / folder_name
    installed = folder / "integrity"
    if installed.is_file() and installed.read_text() == integrity:
        return 0
    socket.setdefaulttimeout(REGISTRY_TIMEOUT_S)
    try:
        vendor_package(folder, package, version, integrity, registry=DEFAULT_REGISTRY)
    except (OSError, RuntimeError) as problem:
        print(f"{package} {version} could not be installed: {problem}", file=sys.stderr)
        return 1
    installed.write_text(integrity)
    return 0
