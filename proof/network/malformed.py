"""Payloads that are none, each wrong by how it was made: whoever takes one for a payload is mistaken."""

import json
import random
from collections.abc import Callable, Iterator
from typing import Any, Final

LEAVES: Final = ("presence", "state", "force", "event")
OVERSIZE_BYTES: Final = 300_000  # more than any payload may have
OVERSIZE_EVERY: Final = 500
NESTED: Final = 5_000
GARBAGE_BYTES_MAX: Final = 400
NOT_NUMBERS: Final = ("NaN", "Infinity", "-Infinity", "1e999", '"1"', "true", "{}")

A_BATCH: Final[dict[str, Any]] = {
    "run": "fuzz",
    "session_id": None,
    "first_seq": 0,
    "t_us": [0, 3125],
    "force_mn": [200_000, 200_000],
    "target_mn": [None, None],
    "cable_um": [0, 0],
    "age_us": 0,
    "dropped": 0,
}
AN_EVENT: Final[dict[str, Any]] = {
    "run": "fuzz",
    "session_id": None,
    "number": 1,
    "time": "2025-01-01T00:00:00Z",
    "t_us": None,
    "kind": "note",
    "actor": "controller",
    "text": "nothing",
}
A_PRESENCE: Final[dict[str, Any]] = {
    "online": True,
    "since": "2025-01-01T00:00:00Z",
    "version": "0",
    "simulated": None,
}
WHOLE: Final = {"force": A_BATCH, "event": AN_EVENT, "presence": A_PRESENCE}

Payload = tuple[str, bytes]  # the topic's last part, and what is sent there


def malformed_payloads(chance: random.Random, count: int) -> Iterator[Payload]:
    """So many, of every way of being wrong."""
    for number in range(count):
        if number % OVERSIZE_EVERY == 0:
            yield chance.choice(LEAVES), b'{"run": "' + b"x" * OVERSIZE_BYTES + b'"}'
        else:
            yield chance.choice(WAYS)(chance)


def _garbage(chance: random.Random) -> Payload:
    return chance.choice(LEAVES), b"\xff" + chance.randbytes(chance.randrange(GARBAGE_BYTES_MAX))


def _empty(chance: random.Random) -> Payload:
    return chance.choice(("state", "force", "event")), chance.choice((b"", b" ", b"null", b"[]", b"0", b'""', b"{}"))


def _cut_off(chance: random.Random) -> Payload:
    leaf, whole = _whole(chance)
    text = json.dumps(whole).encode()
    return leaf, text[: chance.randrange(1, len(text))]


def _on_the_wrong_topic(chance: random.Random) -> Payload:
    leaf, whole = _whole(chance)
    return chance.choice([other for other in LEAVES if other != leaf]), json.dumps(whole).encode()


def _without_a_member(chance: random.Random) -> Payload:
    leaf, whole = _whole(chance)
    del whole[chance.choice(sorted(whole))]
    return leaf, json.dumps(whole).encode()


def _with_one_too_many(chance: random.Random) -> Payload:
    leaf, whole = _whole(chance)
    return leaf, json.dumps({**whole, f"more{chance.randrange(1000)}": chance.random()}).encode()


def _nested(chance: random.Random) -> Payload:
    opening, closing = chance.choice((("[", "]"), ('{"run":', "}")))
    return chance.choice(LEAVES), (opening * NESTED + "1" + closing * NESTED).encode()


def _uneven_columns(chance: random.Random) -> Payload:
    column = chance.choice(("t_us", "force_mn", "target_mn", "cable_um"))
    return "force", json.dumps({**A_BATCH, column: [0] * chance.choice((0, 1, 3, 100))}).encode()


def _uncountable(chance: random.Random) -> Payload:
    name = chance.choice(("first_seq", "age_us", "dropped"))
    return "force", json.dumps({**A_BATCH, name: chance.choice((-1, 2**53, -(2**63), 2**64, 10**30))}).encode()


def _not_a_number(chance: random.Random) -> Payload:
    """Also what JSON does not know, as some libraries write it."""
    wrong = chance.choice(NOT_NUMBERS)
    return "force", json.dumps({**A_BATCH, "force_mn": [0, "HERE"]}).replace('"HERE"', wrong).encode()


def _whole(chance: random.Random) -> tuple[str, dict[str, Any]]:
    leaf = chance.choice(sorted(WHOLE))
    return leaf, dict(WHOLE[leaf])


WAYS: Final[tuple[Callable[[random.Random], Payload], ...]] = (
    *(_garbage, _empty, _cut_off, _on_the_wrong_topic, _without_a_member, _with_one_too_many),
    *(_nested, _uneven_columns, _uncountable, _not_a_number),
)
