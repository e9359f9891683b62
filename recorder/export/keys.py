"""The key that pseudonyms in exports are made with: one for a data folder, so that they stay the same.

Whoever has it can tell which patient's or session's a pseudonym is, by trying; it is never exported. Lost or replaced,
the same patient gets another pseudonym from then on.
"""

import contextlib
import os
import secrets
from pathlib import Path
from typing import Final

KEY_FILE: Final = "export.key"
KEY_BYTES: Final = 32


def export_key(data_folder: Path) -> bytes:
    """The data folder's key, made at its first use (readable by its owner alone). Raises OSError."""
    path = data_folder / KEY_FILE
    with contextlib.suppress(FileExistsError):
        data_folder.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(file, "w", encoding="ascii") as new:
            new.write(secrets.token_hex(KEY_BYTES))
    return bytes.fromhex(path.read_text(encoding="ascii"))
