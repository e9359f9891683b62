"""Bytes from MQTT to payloads. What is not exactly a payload is refused whole; nothing is repaired."""

from datetime import datetime
from typing import Final

from pydantic import ValidationError

from controller.messages import Event, ForceBatch, Payload, Presence, State

# Several times the largest honest payload: 2,000 samples in four columns of about 10 characters.
PAYLOAD_BYTES_MAX: Final = {"presence": 4_096, "state": 65_536, "force": 262_144, "event": 16_384}
_MODELS: Final[dict[str, type[Payload]]] = {"presence": Presence, "state": State, "force": ForceBatch, "event": Event}
# A browser counts exactly up to here; a larger number is nobody's sample.
INTEGER_MAX: Final = 2**53 - 1


class NotAPayload(ValueError):
    """The bytes are not what that topic carries."""


def payload_of(leaf: str, data: bytes) -> Payload:
    """The payload of a topic's last part ("force"). Raises NotAPayload for anything that is not one."""
    if leaf not in _MODELS:
        raise NotAPayload(f'nothing is published under "{leaf}"')
    if len(data) > PAYLOAD_BYTES_MAX[leaf]:
        raise NotAPayload(f"{len(data)} bytes, more than the {PAYLOAD_BYTES_MAX[leaf]} that {leaf} may have")
    try:
        payload = _MODELS[leaf].model_validate_json(data, strict=True)  # "1" and true are no numbers
    except (ValidationError, RecursionError) as error:
        raise NotAPayload(f"not a {leaf} payload") from error
    if not _times_have_zones(payload):
        raise NotAPayload("a time without its zone")
    if isinstance(payload, ForceBatch) and not _is_whole(payload):
        raise NotAPayload("columns that are empty, of different lengths, or beyond what can be counted")
    return payload


def _times_have_zones(payload: Payload) -> bool:
    return all(value.tzinfo is not None for _, value in payload if isinstance(value, datetime))


def _is_whole(batch: ForceBatch) -> bool:
    columns = (batch.t_us, batch.force_mn, batch.target_mn, batch.cable_um)
    one_length = len({len(column) for column in columns}) == 1 and bool(batch.t_us)
    numbers = [batch.first_seq, batch.age_us, batch.dropped, *(n for column in columns for n in column)]
    countable = all(n is None or -INTEGER_MAX <= n <= INTEGER_MAX for n in numbers)
    forwards = all(earlier <= later for earlier, later in zip(batch.t_us, batch.t_us[1:], strict=False))
    return one_length and countable and forwards and min(batch.first_seq, batch.age_us, batch.dropped) >= 0
