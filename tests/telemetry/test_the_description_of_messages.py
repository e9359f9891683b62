import yaml

from controller.messages import topic
from docs import make_asyncapi

MESSAGES = {channel.leaf: channel.model for channel in make_asyncapi.CHANNELS}


def test_the_description_is_what_the_models_say():
    assert make_asyncapi.FILE.read_text() == make_asyncapi.as_yaml(), "run: python -m docs.make_asyncapi"


def test_every_reference_in_the_description_leads_somewhere():
    described = yaml.safe_load(make_asyncapi.FILE.read_text())

    for reference in references(described):
        place = described
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


def references(part) -> list[str]:
    if isinstance(part, list):
        return [found for each in part for found in references(each)]
    if not isinstance(part, dict):
        return []
    own = [part["$ref"]] if "$ref" in part else []
    return own + [found for each in part.values() for found in references(each)]


async def test_real_messages_are_as_described(broker, dashboard, running, state, batch, event):
    described = yaml.safe_load(make_asyncapi.FILE.read_text())
    addresses = {
        leaf: channel["address"].format(site="clinic", table="table-1")
        for leaf, channel in described["channels"].items()
    }

    async with dashboard() as next_on, running(broker.address("table")) as (bus, reachable):
        await reachable(True)
        bus.publish_state(state())
        bus.publish_event(event(1))
        seen = {leaf: await next_on(leaf) for leaf in ("presence", "state")}
        bus.publish_event(event(2))
        seen["event"] = await next_on("event")
        bus.publish_force(batch(1))
        seen["force"] = await next_on("force")

    for leaf, payload in seen.items():
        assert addresses[leaf] == topic("clinic", "table-1", leaf)
        message = MESSAGES[leaf].model_validate_json(payload)
        schema = described["components"]["schemas"][MESSAGES[leaf].__name__]
        assert set(schema["required"]) <= set(message.model_dump()) == set(schema["properties"])
