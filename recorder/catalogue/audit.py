"""The audit trail's chain: who, what, when, old and new value, perhaps a signature, each entry after the one before.

The hash of an entry is SHA-256 over one JSON array: the hash before it, then its columns in their order. A signature is
an HMAC-SHA256 with the site's key over what was signed, by whom, and what the signer means by it: who has the database
and not the key can make none. The newest number and hash are kept in a list beside the records as well, on the computer
that wrote them: entries cut off the end, and a trail rewritten as a whole, do not fit it.
"""

import contextlib
import hashlib
import hmac
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from recorder.catalogue.models import AuditEntry

NO_HASH: Final = ""
HEADS_NAME: Final = "audit-heads.jsonl"
_CHAINED: Final = tuple(column.key for column in AuditEntry.__table__.columns if column.key != "hash")
_SIGNED: Final = tuple(name for name in _CHAINED if name != "signature")


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signs, and what the signature means: "prescribed", "reviewed", "approved", ..."""

    by: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Head:
    """The newest entry's number and hash; 0 and the empty string before the first."""

    number: int
    hash: str


BEFORE_THE_FIRST: Final = Head(0, NO_HASH)


@dataclass(frozen=True, slots=True)
class Deed:
    """What is to become an entry: who did what to what, and what it was and is."""

    at_utc: str
    actor: str
    action: str
    subject: str
    old: dict[str, Any] | None = None
    new: dict[str, Any] | None = None


def entry_after(head: Head, deed: Deed, key: bytes, signature: Signature | None = None) -> AuditEntry:
    """The entry that this becomes at this place in the trail."""
    entry = AuditEntry(
        number=head.number + 1,
        at_utc=deed.at_utc,
        actor=deed.actor,
        action=deed.action,
        subject=deed.subject,
        old=_text(deed.old),
        new=_text(deed.new),
        signed_by=None if signature is None else signature.by,
        meaning=None if signature is None else signature.meaning,
        signature=None,
    )
    if signature is not None:
        entry.signature = _signature(entry, key)
    entry.hash = _hash(entry, head.hash)
    return entry


def _text(value: dict[str, Any] | None) -> str | None:
    return None if value is None else json.dumps(value, sort_keys=True, separators=(",", ":"))


def _array(entry: AuditEntry, names: Iterable[str], first: tuple[str, ...] = ()) -> bytes:
    content = [*first, *(getattr(entry, name) for name in names)]
    return json.dumps(content, separators=(",", ":")).encode()


def _signature(entry: AuditEntry, key: bytes) -> str:
    return hmac.new(key, b"audit signature:" + _array(entry, _SIGNED), "sha256").hexdigest()


def _hash(entry: AuditEntry, before: str) -> str:
    return hashlib.sha256(_array(entry, _CHAINED, (before,))).hexdigest()


def findings(entries: Iterable[AuditEntry], heads: Iterable[Head], key: bytes | None) -> Iterator[str]:
    """A sentence for everything that is wrong with the trail, the first place first. Without a key signatures pass."""
    noted: dict[int, str] = {}
    for head in heads:
        noted.setdefault(head.number, head.hash)  # the first one: who writes a trail anew adds heads of its own
    last = BEFORE_THE_FIRST
    for entry in entries:
        if entry.number > last.number + 1:
            yield f"Deleted: {_numbers(last.number + 1, entry.number - 1)} of the audit trail."
        elif entry.hash != _hash(entry, last.hash):
            yield f"Edited: entry {entry.number} of the audit trail ({entry.action} {entry.subject}) or its place."
        elif noted.get(entry.number, entry.hash) != entry.hash:
            yield f"Rewritten: entry {entry.number} of the audit trail is not the one that was written here."
        if key is not None and not _is_signed_as_it_says(entry, key):
            yield f"Not signed by {entry.signed_by}: entry {entry.number} was not signed with this site's key."
        last = Head(entry.number, entry.hash)
    if noted and max(noted) > last.number:
        yield f"Cut off: {_numbers(last.number + 1, max(noted))} of the audit trail, at its end."


def _numbers(first: int, last: int) -> str:
    return f"entry {first}" if first == last else f"entries {first} to {last}"


def _is_signed_as_it_says(entry: AuditEntry, key: bytes) -> bool:
    if entry.signed_by is None:
        return entry.signature is None
    return hmac.compare_digest(entry.signature or "", _signature(entry, key))


def note_head(folder: Path, head: Head) -> None:
    """Adds the newest entry to the list on this computer. A disk that does not take it costs this check, no more."""
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / HEADS_NAME).open("ab", buffering=0) as file:
            file.write(json.dumps({"number": head.number, "hash": head.hash}).encode() + b"\n")
            os.fsync(file.fileno())


def noted_heads(folder: Path) -> list[Head]:
    """Every head that was noted on this computer."""
    heads: list[Head] = []
    with contextlib.suppress(OSError):
        for line in (folder / HEADS_NAME).read_bytes().splitlines():
            with contextlib.suppress(ValueError, TypeError):
                heads.append(Head(**json.loads(line)))
    return heads
