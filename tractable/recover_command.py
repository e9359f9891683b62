"""`tractable session verify FILE --recover OUT`: writes what is whole of a record to a new file."""

import json
import sys
from pathlib import Path

from recorder.recovery import CannotRecover, NewerFormat, NotASession, recover
from recorder.store import NoSuchSession, find
from tractable.exit_codes import Exit
from tractable.settings import Settings


def recover_one(settings: Settings, wanted: str, out: Path, as_json: bool) -> Exit:
    """Says what was kept and what is missing. REFUSED where nothing could be written."""
    try:
        done = recover(find(settings.data_folder, wanted), out)
    except (NoSuchSession, NotASession, NewerFormat, CannotRecover) as problem:
        print(problem, file=sys.stderr)
        return Exit.REFUSED
    except OSError as problem:
        print(f"Nothing was recovered: {problem.filename or out}: {problem.strerror}.", file=sys.stderr)
        return Exit.REFUSED
    print(json.dumps(done.as_json(), indent=2, ensure_ascii=False) if as_json else done.sentence)
    return Exit.DONE
