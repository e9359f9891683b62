"""Writes docs/asyncapi.yaml, all that a table says over MQTT, from its models: `python -m docs.make_asyncapi`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from controller.messages import TOPIC_ROOT, Event, ForceBatch, Presence, State

FILE = Path(__file__).with_name("asyncapi.yaml")


@dataclass(frozen=True)
class Channel:
    leaf: str
    model: type[BaseModel]
    qos: int
    retained: bool
    when: str


CHANNELS = (
    Channel("presence", Presence, 1, True, "When the table comes, every 2 s, and as its last will when it is gone."),
    Channel("state", State, 1, True, "On every change, and every second. Not the state any more after `valid_until`."),
    Channel("force", ForceBatch, 0, False, "Ten times a second. What is lost on the way is counted in `dropped`."),
    Channel("event", Event, 1, False, "Once for each, in order. After a reconnect one may come twice: see its number."),
)


def asyncapi() -> dict[str, Any]:
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "What a traction table says",
            "version": "1",
            "description": (
                "Everything here is for viewing: a table takes no command over MQTT. Forces in mN, positions in um, "
                "device time in us, wall-clock times in UTC. Null is a value that is not there, never zero."
            ),
        },
        "defaultContentType": "application/json",
        "channels": {channel.leaf: described(channel) for channel in CHANNELS},
        "operations": {f"say_{channel.leaf}": operation(channel) for channel in CHANNELS},
        "components": {"messages": {c.model.__name__: message(c) for c in CHANNELS}, "schemas": schemas()},
    }


def described(channel: Channel) -> dict[str, Any]:
    name = channel.model.__name__
    return {
        "address": f"{TOPIC_ROOT}/{{site}}/{{table}}/{channel.leaf}",
        "description": channel.when,
        "parameters": {"site": {"description": "The clinic."}, "table": {"description": "The table in it."}},
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
    }


def operation(channel: Channel) -> dict[str, Any]:
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{channel.leaf}"},
        "bindings": {"mqtt": {"qos": channel.qos, "retain": channel.retained}},
    }


def message(channel: Channel) -> dict[str, Any]:
    return {"payload": {"$ref": f"#/components/schemas/{channel.model.__name__}"}}


def schemas() -> dict[str, Any]:
    _, found = models_json_schema(
        [(channel.model, "serialization") for channel in CHANNELS], ref_template="#/components/schemas/{model}"
    )
    definitions: dict[str, Any] = found["$defs"]
    return definitions


def as_yaml() -> str:
    made_by = "# Made by `python -m docs.make_asyncapi` from controller/messages.py: change it there.\n"
    return made_by + yaml.safe_dump(asyncapi(), sort_keys=False, allow_unicode=True, width=120)


if __name__ == "__main__":
    FILE.write_text(as_yaml())
