"""The logging service. From Python: `recorder.open_session(path)` gives a session's samples, events and header."""

from importlib import import_module
from typing import Any

__all__ = ["NewerFormat", "NotASession", "Session", "open_session"]

# Read on first use: the process at the table writes through `recorder.journal`, and need not carry what reading takes.
_READING = frozenset(__all__)


def __getattr__(name: str) -> Any:
    if name in _READING:
        return getattr(import_module("recorder.reading"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
