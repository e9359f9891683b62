"""Both brokers that we start ourselves give the same two accounts the same rights."""

from dataclasses import replace
from pathlib import Path

import aiomqtt
import pytest

from tractable.broker.accounts import kept_accounts

OWN = "traction/v1/clinic/table-1/"
LAST = OWN + "last"


async def test_a_client_without_a_name_is_refused(broker, connect):
    stranger = replace(broker.address("table"), username=None, password=None)

    with pytest.raises(aiomqtt.MqttError, match=r"[Nn]ot authorized"):
        async with connect(stranger):
            pass


@pytest.mark.parametrize("user", ["table", "dashboard", "somebody"])
async def test_a_wrong_password_is_refused(broker, connect, user):
    guessing = replace(broker.address("table"), username=user, password="guess")

    with pytest.raises(aiomqtt.MqttError, match=r"[Nn]ot authorized"):
        async with connect(guessing):
            pass


async def test_what_the_table_says_below_its_topic_reaches_the_dashboard(broker, connect, received):
    async with connect(broker.address("dashboard")) as dashboard, connect(broker.address("table")) as table:
        await dashboard.subscribe("traction/v1/#", qos=1)

        await table.publish(OWN + "force", b"{}", qos=0)
        await table.publish(LAST, b"{}", qos=1)

        assert await received(dashboard, LAST) == [OWN + "force", LAST]


async def test_what_the_table_says_elsewhere_reaches_nobody(broker, connect, received):
    async with connect(broker.address("dashboard")) as dashboard, connect(broker.address("table")) as table:
        await dashboard.subscribe("traction/v1/#", qos=1)

        await table.publish("traction/v1/clinic/table-2/state", b"{}", qos=1, retain=True)
        await table.publish("elsewhere", b"{}", qos=1)
        await table.publish(LAST, b"{}", qos=1)

        assert await received(dashboard, LAST) == [LAST]


async def test_what_a_dashboard_says_reaches_nobody(broker, connect, received):
    async with connect(broker.address("dashboard")) as dashboard, connect(broker.address("table")) as table:
        await dashboard.subscribe("traction/v1/#", qos=1)

        await dashboard.publish(OWN + "state", b"forged", qos=1, retain=True)
        await table.publish(LAST, b"{}", qos=1)

        assert await received(dashboard, LAST) == [LAST]


@pytest.mark.parametrize("topic_filter", ["#", "+/v1/#", "traction/+/clinic/#"])
async def test_a_dashboard_gets_nothing_from_outside_its_tree(broker, connect, received, topic_filter):
    async with connect(broker.address("dashboard")) as dashboard, connect(broker.address("table")) as table:
        await dashboard.subscribe("traction/v1/#", qos=1)
        await dashboard.subscribe(topic_filter, qos=1)

        await table.publish("secret", b"{}", qos=1)
        await table.publish("traction/v2/clinic/secret", b"{}", qos=1)
        await table.publish(LAST, b"{}", qos=1)

        assert set(await received(dashboard, LAST)) == {LAST}


async def test_a_table_hears_nothing(broker, connect, received):
    async with connect(broker.address("dashboard")) as dashboard, connect(broker.address("table")) as table:
        await dashboard.subscribe("traction/v1/#", qos=1)
        await table.subscribe("traction/v1/#", qos=1)

        await table.publish(LAST, b"{}", qos=1)
        await received(dashboard, LAST)
        await table.publish(LAST, b"{}", qos=1)  # answered after anything that was on its way to the table

        assert len(table.messages) == 0


async def test_a_client_that_only_connects_gets_no_retained_message_of_another(broker, connect, received):
    async with connect(broker.address("table")) as table, connect(broker.address("dashboard")) as dashboard:
        await dashboard.subscribe("traction/v1/#", qos=1)
        await table.publish(LAST, b"{}", qos=1, retain=True)
        await received(dashboard, LAST)

        async with connect(broker.address("dashboard")) as newcomer:
            await newcomer.subscribe("traction/v1/nothing/here", qos=1)  # answered after what connecting brings
            unasked = len(newcomer.messages)
            await newcomer.subscribe("traction/v1/clinic/#", qos=1)
            asked = await received(newcomer, LAST)

    assert (unasked, asked) == (0, [LAST])


async def test_a_last_will_outside_the_owners_topic_reaches_nobody(broker, connect, received, vanish):
    forged = aiomqtt.Will(OWN + "state", b"forged", qos=1, retain=True)
    async with connect(broker.address("dashboard")) as dashboard:
        await dashboard.subscribe("traction/v1/#", qos=1)

        await vanish(broker.address("dashboard"), forged)
        await vanish(broker.address("table"), aiomqtt.Will(LAST, b"{}", qos=1))

        assert await received(dashboard, LAST) == [LAST]


async def test_a_table_that_vanishes_is_told_of_by_its_last_will(broker, connect, received, vanish):
    will = aiomqtt.Will(OWN + "presence", b"gone", qos=1, retain=True)
    async with connect(broker.address("dashboard")) as dashboard:
        await dashboard.subscribe("traction/v1/#", qos=1)

        await vanish(broker.address("table"), will)

        assert await received(dashboard, OWN + "presence") == [OWN + "presence"]


def test_whoever_comes_first_makes_the_accounts_and_the_others_find_the_same(tmp_path: Path) -> None:
    file = tmp_path / "broker" / "accounts.json"

    first = kept_accounts(file, "clinic", "table-1")

    assert kept_accounts(file, "clinic", "table-1") == first
    assert kept_accounts(file, "clinic", "table-2").table == "table-2"
    assert [path.name for path in file.parent.iterdir()] == ["accounts.json"]
