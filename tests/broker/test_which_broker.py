import pytest

from controller.broker_address import AddressRefused, BrokerAddress, broker_address
from tractable.broker import mosquitto
from tractable.broker.accounts import BrokerAccounts
from tractable.broker.choice import BrokerKind, broker_command, choose_broker


def test_a_url_in_the_settings_wins():
    assert choose_broker("mqtts://a:b@broker.example") is BrokerKind.GIVEN


@pytest.mark.needs("mosquitto")
def test_mosquitto_is_taken_where_it_is_installed():
    assert choose_broker(None) is BrokerKind.MOSQUITTO


def test_without_mosquitto_our_own_broker_is_taken(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(mosquitto, "SYSTEM_FOLDERS", ())

    assert choose_broker(None) is BrokerKind.EMBEDDED
    with pytest.raises(FileNotFoundError, match="install it, or use the embedded broker"):
        broker_command(BrokerKind.MOSQUITTO, tmp_path, 1883, BrokerAccounts.generate("clinic", "table-1"))


def test_a_broker_that_somebody_else_runs_is_not_ours_to_start(tmp_path):
    with pytest.raises(ValueError, match="somebody else runs"):
        broker_command(BrokerKind.GIVEN, tmp_path, 1883, BrokerAccounts.generate("clinic", "table-1"))


def test_an_address_is_read_from_a_url():
    assert broker_address("mqtt://localhost") == BrokerAddress("localhost", 1883)
    assert broker_address("mqtt://[::1]:99") == BrokerAddress("::1", 99)
    assert broker_address("mqtts://a:b%40c@h.example") == BrokerAddress("h.example", 8883, "a", "b@c", tls=True)


@pytest.mark.parametrize(
    "url",
    ["mqtt://user:password@192.0.2.7", "mqtts://192.0.2.7", "mqtts://user@broker.example", "mqtt://localhost.example"],
)
def test_an_address_beyond_this_computer_needs_tls_and_a_sign_in(url):
    with pytest.raises(AddressRefused, match="needs TLS and a sign-in"):
        broker_address(url)


@pytest.mark.parametrize("url", ["localhost:1883", "http://localhost", "mqtt://", "mqtt://localhost:99999"])
def test_what_is_not_an_address_is_refused_with_what_one_looks_like(url):
    with pytest.raises(AddressRefused, match=r"looks like mqtts://|from 1 to 65535"):
        broker_address(url)


@pytest.mark.parametrize("name", ["", "a/b", "+", "#", "a b", "a\nuser dashboard", "x" * 33, ".hidden"])
def test_a_name_that_would_change_the_topics_meaning_is_refused(name):
    with pytest.raises(ValueError, match="cannot name a site or a table"):
        BrokerAccounts.generate("clinic", name)
