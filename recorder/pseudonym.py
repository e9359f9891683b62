"""The site's key, and the pseudonyms that are made with it: the same person has the same one wherever the key is.

The key is a file of its own, for its owner only. It lies outside the catalogue: who has the database alone cannot find
out whether a name that they think of is in it.
"""

import hmac
import os
import secrets
from pathlib import Path
from typing import Final

KEY_BYTES: Final = 32
MODE: Final = 0o600
PATIENT: Final = "P"
DIGITS: Final = 12  # 48 bits: among 10,000 patients, two share one with a chance of 2 in 10 million


class KeyUnusable(Exception):
    """The key cannot be used; the sentence says what to do."""


def kept_key(path: Path) -> bytes:
    """The key in that file, made at first use. Raises KeyUnusable where others may read it, or it is no key."""
    try:
        _make(path)
        others = path.stat().st_mode & 0o077
        text = path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise KeyUnusable(f"The key {path} cannot be used: {error}.") from error
    if others:
        raise KeyUnusable(f"Others may read the key {path}. Take that away with: chmod 600 {path}")
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) < KEY_BYTES:
        raise KeyUnusable(f"{path} holds no key of {KEY_BYTES} bytes in hexadecimal. Put it back from its backup.")
    return key


def _make(path: Path) -> None:
    """Two programs may start at once: the file appears under its name only whole, and the first one stays."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    made = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(made, os.O_CREAT | os.O_EXCL | os.O_WRONLY, MODE)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(KEY_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
        if not path.exists():
            os.link(made, path)
    except FileExistsError:
        pass
    finally:
        made.unlink()


def keyed(key: bytes, letter: str, known_as: str) -> str:
    """A stable name for whom or what is known inside as `known_as`. Only who has the key can find it again."""
    return f"{letter}{hmac.new(key, f'{letter}:{known_as}'.encode(), 'sha256').hexdigest()[:DIGITS]}"
